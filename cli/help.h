/* Help, manual pages and shell completion, all from the command and option tables. */
#ifndef FNSCOPE_CLI_HELP_H
#define FNSCOPE_CLI_HELP_H

#include "cli/command.h"

void help_overview(struct buf *out);
void help_command(struct buf *out, const struct command *cmd);
void help_manual(struct buf *out, const struct command *cmd); /* mdoc page fnscope-NAME(1) */
/* The common options the command takes as they are, in `a`; ends with an empty row. */
struct opt_def *help_common(struct arena *a, const struct command *cmd);

#endif
