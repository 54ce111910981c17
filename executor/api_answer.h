/* Private to the front: turns a finished call into what is sent. */
#ifndef FNSCOPE_EXECUTOR_API_ANSWER_H
#define FNSCOPE_EXECUTOR_API_ANSWER_H

#include "executor/api_route.h"

/* Adds the headers every answer has and returns the body, which lives as long as the call. */
struct str api_answer(struct api_call *c);

#endif
