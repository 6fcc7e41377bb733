/*
 * calendar.c - the words of windows that come again, and what comes of a rule of any numbers:
 * occurrences one after the other, each with its begin before its end.
 */
#include "fuzz.h"

#include "base/calendar.h"

static int32_t number(struct slice *rest)
{
	uint32_t n = 0;
	for (int i = 0; i < 4 && rest->n; i++) {
		n = n * 256 + (unsigned char)rest->p[0];
		*rest = slice_sub(*rest, 1, rest->n);
	}
	return (int32_t)n;
}

static void read_words(struct calendar_rule *r, struct slice text)
{
	struct slice word;
	int32_t n;
	while (text.n && slice_next(&text, '\n', &word)) {
		struct error err = {0};
		if (calendar_parse_date(word, &n, &err))
			r->from_day = n;
		else
			fuzz_hold(err.msg[0] != 0);
		if (calendar_parse_time(word, &n, &err))
			fuzz_hold(n >= 0 && n < 86400);
		struct calendar_day day;
		if (r->day_count < CALENDAR_DAYS && calendar_parse_day(word, &day, &err))
			r->days[r->day_count++] = day;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t size)
{
	static struct zone *z;
	struct calendar_rule r = {.every = CALENDAR_DAY};
	struct calendar_span s = {0}, last = {0};
	struct error ignored;
	if (!z)
		z = zone_load("Europe/Berlin", &ignored);
	struct slice rest = slice_from((const char *)p, size);
	r.every = (enum calendar_every)(1 + (uint32_t)number(&rest) % 3);
	r.interval = (uint32_t)number(&rest) % 1000;
	r.at_s = (int32_t)((uint32_t)number(&rest) % 86400);
	r.length_s = (int32_t)((uint32_t)number(&rest) % (31 * 86400));
	r.until_s = (int32_t)((uint32_t)number(&rest) % 86400);
	s.to_s = number(&rest);
	read_words(&r, rest);
	for (int i = 0; z && i < 5 && calendar_next(&r, z, s.to_s, &s); i++) {
		fuzz_hold(s.from_s < s.to_s && (!i || s.to_s > last.to_s));
		last = s;
	}
	return 0;
}
