/*
 * graphite_line.c - a line of Graphite's plaintext protocol; see graphite.h.
 */

#include <math.h>
#include <string.h>

#include "observe/ingest/graphite.h"
#include "observe/ingest/number.h"

bool graphite_time(double seconds, int64_t *ret_ms)
{
	if (seconds == -1) {
		*ret_ms = POINTS_NOW;
		return true;
	}
	if (!(seconds >= 0 && seconds < 8e9))
		return false;
	*ret_ms = (int64_t)floor(seconds * 1000 + 0.5);
	return true;
}

enum points_added graphite_put(struct points *p, struct slice path, int64_t at_ms, double value)
{
	struct slice keys[POINTS_TAGS_MAX], values[POINTS_TAGS_MAX], name, tag;
	size_t n = 0;
	if (!slice_next(&path, ';', &name))
		return POINTS_BAD_NAME;
	while (path.n && slice_next(&path, ';', &tag)) {
		const size_t equals = slice_find(tag, '=');
		if (n == POINTS_TAGS_MAX || !equals || equals == tag.n)
			return POINTS_BAD_TAG;
		keys[n] = slice_sub(tag, 0, equals);
		values[n++] = slice_sub(tag, equals + 1, tag.n);
	}
	return points_add(p, name, keys, values, n, at_ms, value);
}

/* The next word, spaces and tabs between; empty at the end. */
static struct slice next_word(struct slice *rest)
{
	const char *p = rest->p, *const end = p + rest->n;
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	const char *stop = p;
	while (stop < end && *stop != ' ' && *stop != '\t')
		stop++;
	*rest = slice_from(stop, (size_t)(end - stop));
	return slice_from(p, (size_t)(stop - p));
}

const char *graphite_line_read(struct slice line, struct points *p)
{
	struct slice rest = line;
	const struct slice path = next_word(&rest), value = next_word(&rest),
			   time = next_word(&rest);
	int64_t at_ms = POINTS_NOW;
	double x, seconds;
	if (!path.n || !value.n || next_word(&rest).n)
		return "it is not NAME VALUE TIME";
	if (!number_read(value, &x))
		return "the value is no finite number";
	if (time.n && !slice_is(time, "N") &&
		(!number_read(time, &seconds) || !graphite_time(seconds, &at_ms)))
		return "the time is no number of seconds since 1970, -1 or N";
	const enum points_added a = graphite_put(p, path, at_ms, x);
	return a == POINTS_ADDED ? NULL : points_added_text(a);
}
