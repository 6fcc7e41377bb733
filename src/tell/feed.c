/* feed.c - see feed.h. */
#include "tell/feed.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void add_event(struct feed_page *p, const char *id)
{
	for (size_t i = 0; i < p->event_count; i++)
		if (!strcmp(p->events[i], id))
			return;
	p->events[p->event_count++] = mem_strdup(id);
}

static void on_row(void *arg, const struct facts_change_row *row)
{
	struct feed_page *p = arg;
	p->rows++;
	p->last = row->seq;
	if (!strcmp(row->kind, "verdict"))
		p->verdicts[p->verdict_count++].id = strtoll(row->id, NULL, 10);
	else if (!strcmp(row->kind, "object"))
		p->objects[p->object_count++] = strtoll(row->id, NULL, 10);
	else if (!strcmp(row->kind, "event"))
		add_event(p, row->id);
}

static bool read_verdicts(struct facts *f, struct feed_page *p, struct error *err)
{
	for (size_t i = 0; i < p->verdict_count; i++) {
		const int64_t id = p->verdicts[i].id;
		p->verdicts[i] = (struct judge_change){0};
		if (!judge_change_at(f, id, &p->verdicts[i], err))
			return false;
	}
	return true;
}

bool feed_read(struct facts *f, int64_t cursor, struct feed_page *ret, struct error *err)
{
	*ret = (struct feed_page){0};
	if (facts_feed(f, cursor, AUDIENCE_OPERATORS, FEED_PAGE, on_row, ret, err) &&
		read_verdicts(f, ret, err)) {
		ret->more = ret->rows == FEED_PAGE;
		return true;
	}
	feed_page_fini(ret);
	return false;
}

void feed_page_fini(struct feed_page *p)
{
	for (size_t i = 0; i < p->verdict_count; i++)
		judge_change_fini(&p->verdicts[i]);
	for (size_t i = 0; i < p->event_count; i++)
		free(p->events[i]);
	*p = (struct feed_page){0};
}
