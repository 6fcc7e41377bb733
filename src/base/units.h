/*
 * units.h - numbers with units as people write them: 10ms 5s 10m 2h 7d, 16KiB 5GiB, 200/s, 0.5%.
 *
 * A bare number is never a time or a size. Units: ns us ms s m h d; B KiB MiB GiB TiB kB MB GB TB.
 * Thread: any.
 */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

/* Each: false when `s` is not exactly one such number or does not fit. "1h30m" is a time. */
bool units_parse_time(struct slice s, int64_t *ret_ns);
bool units_parse_size(struct slice s, int64_t *ret_bytes);
bool units_parse_rate(struct slice s, double *ret_per_s);   /* 200/s, 5/m, 2/h */
bool units_parse_percent(struct slice s, double *ret_unit); /* "0.5%" gives 0.005 */
bool units_parse_int(struct slice s, int64_t *ret_n);       /* decimal, optional sign, all of s */
bool units_parse_real(struct slice s, double *ret_x);       /* JSON number syntax */

#define UNITS_TEXT 32
/* For people, three significant digits: "840us", "12.5ms", "1.52s", "2m05s", "1h02m". */
const char *units_time_text(int64_t ns, char *text);
/* Exact, parses back: "90s" "1500ms". */
const char *units_time_exact(int64_t ns, char *text);
/* Exact too, in the largest unit that is whole, as people write limits: "7d" "90s" "24h" is "1d".
 */
const char *units_time_whole(int64_t ns, char *text);
const char *units_size_text(int64_t bytes, char *text);  /* "1.5MiB" */
const char *units_size_exact(int64_t bytes, char *text); /* parses back: "1536KiB" */

#endif
