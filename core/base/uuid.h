/* Random UUIDs (RFC 4122 version 4) as text. */
#ifndef FNSCOPE_CORE_BASE_UUID_H
#define FNSCOPE_CORE_BASE_UUID_H

#include "core/base/rng.h"
#include "core/base/str.h"

#define UUID_LEN 36

void uuid_make(struct rng *r, char out[UUID_LEN + 1]); /* lower case, terminated */
bool uuid_is_valid(struct str s);                      /* any version, either case */

#endif
