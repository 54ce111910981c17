/* The command table: one row a command, in the order `fnscope help` shows. */
#include "cli/commands.h"

const struct command *const commands[] = {
    &cmd_demo,   &cmd_import, &cmd_collect,    &cmd_top,     &cmd_report,  &cmd_query, &cmd_show,
    &cmd_logs,   &cmd_cost,   &cmd_alert,      &cmd_check,   &cmd_metrics, &cmd_sql,   &cmd_db,
    &cmd_doctor, &cmd_config, &cmd_completion, &cmd_version, &cmd_help,    NULL,
};
