/* Statistics over a part of the values of a period, as CloudWatch defines them ("CloudWatch
 * statistics definitions"):
 *
 *   TM  trimmed mean           TM(10%:90%)  TM(150:1000)  tm90 = TM(:90%)   IQM = TM(25%:75%)
 *   WM  winsorized mean        what lies outside counts as the value at the bound
 *   TC  trimmed count          TS  trimmed sum
 *   PR  percentile rank        PR(:300), with values only: the share of values in it, in percent
 *
 * A bound that is left out is 0% or 100%. Of bounds in percent the lowest and highest values are
 * left out, as many whole ones as that is; of bounds as values the lower one lies outside, the
 * upper one within. They come from classes of values 1.6 % wide (core/model/bucket.h). Pure. */
#ifndef FNSCOPE_EXECUTOR_METRIC_TRIM_H
#define FNSCOPE_EXECUTOR_METRIC_TRIM_H

#include "executor/metrics_private.h"

/* "TM(10%:90%)", "wm95", "IQM"; false for anything else. */
bool metric_trim_read(struct str text, struct metric_choice *out);
/* The statistic as numerator / denominator, in the counted unit (TM, WM, TS), as a count (TC), in
 * percent (PR). False when the period cannot give it. */
bool metric_trim_value(const struct metric_info *info, const struct metric_sum *s,
                       struct metric_choice choice, wide *numerator, wide *denominator);

#endif
