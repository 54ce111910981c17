/* From argv, environment and configuration files to the settings of one run. */
#ifndef FNSCOPE_CLI_SETTINGS_H
#define FNSCOPE_CLI_SETTINGS_H

#include "cli/command.h"

/* Fills c->settings, c->options, c->set, c->words, c->config, c->clock for c->command. argv[0] is
 * the command's name. Everything lives in c->arena. */
MUST_CHECK enum status settings_load(struct cli *c, int argc, char *const *argv, char *const *envp,
                                     struct err *e);

/* The option rows that hold for a command: its own, the common ones it does not replace, and the
 * configuration keys of all other commands without their flags, so that one file serves all. */
MUST_CHECK enum status settings_defs(struct arena *a, const struct command *cmd,
                                     const struct opt_def **out, size_t *block_size,
                                     size_t *options_offset, struct err *e);

/* The user's configuration file: --config, else $XDG_CONFIG_HOME/fnscope/config.yaml. */
struct str settings_user_file(const struct cli *c);
#define SETTINGS_SYSTEM_FILE "/etc/fnscope/config.yaml"

/* The command has no use for this common option, so it does not take it. */
bool command_ignores(const struct command *cmd, const struct opt_def *common);

#endif
