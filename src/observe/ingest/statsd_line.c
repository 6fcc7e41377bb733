/*
 * statsd_line.c - one line of StatsD, taken apart; see statsd.h.
 */

#include <string.h>

#include "observe/ingest/number.h"
#include "observe/ingest/statsd.h"

static bool read_kind(const char *p, size_t n, enum statsd_kind *ret)
{
	if (n == 2 && p[0] == 'm' && p[1] == 's') {
		*ret = STATSD_TIMER;
		return true;
	}
	switch (n == 1 ? p[0] : '\0') {
	case 'c': *ret = STATSD_COUNTER; return true;
	case 'g': *ret = STATSD_GAUGE; return true;
	case 's': *ret = STATSD_SET; return true;
	case 'h':
	case 'd': *ret = STATSD_TIMER; return true;
	default: return false;
	}
}

static const char *read_part(struct slice part, struct statsd_line *ret)
{
	if (part.n && part.p[0] == '@') {
		if (!number_read(slice_sub(part, 1, part.n), &ret->rate) || ret->rate <= 0 ||
			ret->rate > 1)
			return "the rate is no number over 0 and at most 1";
	} else if (part.n && part.p[0] == '#') {
		ret->tags = slice_sub(part, 1, part.n);
	} else if (part.n && part.p[0] == 'T') {
		return "a time of its own is not taken";
	} else if (!slice_starts(part, "c:") && !slice_starts(part, "e:") &&
		   !slice_starts(part, "card:")) {
		return "after the type only @RATE and #TAGS are known";
	}
	return NULL;
}

const char *statsd_line_read(struct slice line, struct statsd_line *ret)
{
	const char *const end = line.p + line.n;
	const char *colon = memchr(line.p, ':', line.n);
	if (!colon || colon == line.p)
		return "it is not NAME:VALUE|TYPE";
	const char *bar = colon + 1;
	while (bar < end && *bar != '|')
		bar++;
	if (bar == end || bar == colon + 1)
		return "it is not NAME:VALUE|TYPE";
	const char *kind = bar + 1, *stop = kind;
	while (stop < end && *stop != '|')
		stop++;
	ret->name = slice_from(line.p, (size_t)(colon - line.p));
	ret->values = slice_from(colon + 1, (size_t)(bar - colon - 1));
	ret->tags = slice_from("", 0);
	ret->rate = 1;
	if (!read_kind(kind, (size_t)(stop - kind), &ret->kind))
		return "the type is none of c, g, ms, h, d, s";
	while (stop < end) {
		const char *part = ++stop;
		while (stop < end && *stop != '|')
			stop++;
		const char *wrong = read_part(slice_from(part, (size_t)(stop - part)), ret);
		if (wrong)
			return wrong;
	}
	return NULL;
}
