/* Help, manual pages and shell completion, all from the command and option tables. */
#ifndef FNSCOPE_CLI_HELP_H
#define FNSCOPE_CLI_HELP_H

#include "cli/command.h"

void help_overview(struct buf *out);
void help_command(struct buf *out, const struct command *cmd);
void help_manual(struct buf *out, const struct command *cmd); /* mdoc page fnscope-NAME(1) */
/* Completion script; shell is "bash", "zsh" or "fish". */
MUST_CHECK enum status help_completion(struct buf *out, struct str shell, struct err *e);

#endif
