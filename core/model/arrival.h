/* The order of events of one log stream in one millisecond, as far as their ids tell it: CloudWatch
 * Logs numbers the events of a PutLogEvents call one after the other, in decimal ids of some 56
 * digits (measured on the `id`s of subscription data and the `eventId`s of FilterLogEvents;
 * nothing in its documentation says so). Kept are the lowest bits of such a number, which tell
 * which of two events that stand near each other came first, whatever is in front of them. */
#ifndef FNSCOPE_CORE_MODEL_ARRIVAL_H
#define FNSCOPE_CORE_MODEL_ARRIVAL_H

#include <stdint.h>

#include "core/base/str.h"

enum { ARRIVAL_BITS = 14 };

/* 1 to 2^14; 0: the id is no number, and tells nothing. */
uint16_t arrival_of(struct str event_id);
/* Whether x came after y; false where one is not known. */
bool arrival_is_after(uint16_t x, uint16_t y);

#endif
