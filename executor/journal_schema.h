/* The layout of the journal file, brought about by numbered migrations. */
#ifndef FNSCOPE_EXECUTOR_JOURNAL_SCHEMA_H
#define FNSCOPE_EXECUTOR_JOURNAL_SCHEMA_H

#include "core/base/sql.h"

/* Refuses a foreign file and one of a newer program; else runs what is missing. */
MUST_CHECK enum status journal_migrate(struct sql *db, struct err *e);

#endif
