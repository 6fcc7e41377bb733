/*
 * statsd_tags.c - tags of DogStatsD, see statsd.h.
 */

#include <string.h>

#include "observe/ingest/statsd.h"

static int compare(struct slice a, struct slice b)
{
	const int c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);
	return c ? c : (a.n > b.n) - (a.n < b.n);
}

/* Sorted; the last of a key counts. */
static bool put(struct statsd_tags *tags, struct slice key, struct slice value)
{
	size_t at = tags->n;
	while (at && compare(tags->keys[at - 1], key) > 0)
		at--;
	if (at && slice_eq(tags->keys[at - 1], key)) {
		tags->values[at - 1] = value;
		return true;
	}
	if (tags->n == STATSD_TAGS_MAX)
		return false;
	memmove(&tags->keys[at + 1], &tags->keys[at], (tags->n - at) * sizeof(key));
	memmove(&tags->values[at + 1], &tags->values[at], (tags->n - at) * sizeof(value));
	tags->keys[at] = key;
	tags->values[at] = value;
	tags->n++;
	return true;
}

bool statsd_tags_read(struct slice text, struct statsd_tags *ret)
{
	struct slice tag;
	ret->n = 0;
	while (text.n && slice_next(&text, ',', &tag)) {
		const size_t colon = slice_find(tag, ':');
		if (!colon || !put(ret, slice_sub(tag, 0, colon), slice_sub(tag, colon + 1, tag.n)))
			return false;
	}
	return true;
}

void statsd_tags_write(const struct statsd_tags *tags, struct buf *out)
{
	for (size_t i = 0; i < tags->n; i++) {
		if (i)
			buf_add_char(out, ',');
		buf_add_slice(out, tags->keys[i]);
		buf_add_char(out, ':');
		buf_add_slice(out, tags->values[i]);
	}
}
