/* Private to executor/log_store.c and log_read.c. */
#ifndef FNSCOPE_EXECUTOR_LOG_STORE_PRIVATE_H
#define FNSCOPE_EXECUTOR_LOG_STORE_PRIVATE_H

#include "executor/log_store.h"

struct sql *log_store_db(struct log_store *s);

#endif
