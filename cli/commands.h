/* Declares what commands.c lists: one line a cmd_*.c. */
#ifndef FNSCOPE_CLI_COMMANDS_H
#define FNSCOPE_CLI_COMMANDS_H

#include "cli/command.h"

extern const struct command cmd_alert;
extern const struct command cmd_check;
extern const struct command cmd_collect;
extern const struct command cmd_completion;
extern const struct command cmd_config;
extern const struct command cmd_cost;
extern const struct command cmd_cost;
extern const struct command cmd_db;
extern const struct command cmd_demo;
extern const struct command cmd_doctor;
extern const struct command cmd_help;
extern const struct command cmd_import;
extern const struct command cmd_logs;
extern const struct command cmd_metrics;
extern const struct command cmd_query;
extern const struct command cmd_report;
extern const struct command cmd_show;
extern const struct command cmd_sql;
extern const struct command cmd_top;
extern const struct command cmd_version;

#endif
