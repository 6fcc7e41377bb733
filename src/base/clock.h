/*
 * clock.h - time as something that can be given.
 *
 * Two times, never mixed, the unit in every name: `_mono_ns` counts from an arbitrary start and
 * never goes back; `_unix_us` is wall time (UTC). Thread: the system clock any; a virtual clock
 * the thread that owns it.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NS_PER_US 1000LL
#define NS_PER_MS 1000000LL
#define NS_PER_S  1000000000LL

struct clock {
	bool is_virtual;
	int64_t mono_ns, unix_us; /* of a virtual clock */
	int64_t slept_ns;
};

extern struct clock clock_system;

void clock_init_virtual(struct clock *c, int64_t unix_us);
void clock_advance(struct clock *c, int64_t ns); /* virtual only; ns >= 0 */
int64_t clock_mono_ns(const struct clock *c);
int64_t clock_unix_us(const struct clock *c);
/* How long the machine slept since it was started: time that _mono_ns does not count. */
int64_t clock_slept_ns(const struct clock *c);

#define CLOCK_TEXT 32
/* RFC 3339, UTC, milliseconds: 2026-11-24T13:31:05.250Z. Returns `text` (CLOCK_TEXT bytes). */
const char *clock_rfc3339(int64_t unix_us, char *text);
/* Parses RFC 3339 with any offset; false when it is not one. */
bool clock_parse_rfc3339(const char *s, int64_t *ret_unix_us);
/* IMF-fixdate of RFC 9110 section 5.6.7 (HTTP dates); all three forms are parsed. */
const char *clock_http_date(int64_t unix_us, char *text);
bool clock_parse_http_date(const char *s, int64_t *ret_unix_us);

#endif
