/*
 * feed.h - the change feed, a page after the other, as the readers of this room take it.
 *
 * A reader keeps its own cursor (facts.h): it reads the page after it, works out what follows, and
 * moves the cursor to `last` in the transaction of that. A page is whole or nothing: one that
 * cannot be read now is read again later. Synchronous, well under the loop's 5 ms. Thread: the
 * loop's.
 */
#ifndef TELL_FEED_H
#define TELL_FEED_H

#include "judge/judge.h"

#define FEED_PAGE 64 /* rows */

struct feed_page {
	size_t rows; /* of any kind; 0: there is nothing new */
	int64_t last;
	bool more;                               /* there may be: the page is full */
	struct judge_change verdicts[FEED_PAGE]; /* id 0: it is gone */
	int64_t objects[FEED_PAGE];              /* of the ledger */
	char *events[FEED_PAGE];                 /* ids, each once */
	size_t verdict_count, object_count, event_count;
};

/* What operators may see after `cursor`, oldest first. False: *ret holds nothing. */
bool feed_read(
	struct facts *f, int64_t cursor, struct feed_page *ret, struct error *err) must_check;
void feed_page_fini(struct feed_page *p);

#endif
