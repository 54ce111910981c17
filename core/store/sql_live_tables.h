/* Private to core/store: the tables of sql_live_tables.c, sql_line_table.c and sql_span_table.c,
 * listed in sql_tables.c. */
#ifndef FNSCOPE_CORE_STORE_SQL_LIVE_TABLES_H
#define FNSCOPE_CORE_STORE_SQL_LIVE_TABLES_H

#include "core/store/sql_tables.h"

extern const struct sql_table metric_points_table, queues_table, sources_table, alerts_table,
    alert_episodes_table, alert_messages_table, silences_table, spans_table, log_lines_table;

#endif
