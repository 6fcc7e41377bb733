/* event_desk.c - see event_desk.h. */
#include "event_desk.h"

#include <ftw.h>
#include <stdlib.h>
#include <unistd.h>

const struct event_author alice = {"alice", false}, robot = {"suspect", true};

int desk_setup(void **state)
{
	struct desk *d = mem_new(struct desk);
	struct error err = {0};
	snprintf(d->dir, sizeof(d->dir), "/tmp/glasshouse-event-XXXXXX");
	assert_non_null(mkdtemp(d->dir));
	clock_init_virtual(&d->clock, NOON * 1000);
	d->loop = loop_new(&d->clock, &err);
	d->facts = facts_open(d->dir, d->loop, &err);
	if (!d->facts || !event_migrate(d->facts, &err))
		fail_msg("%s", err.msg);
	*state = d;
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
	return remove(path);
}

int desk_teardown(void **state)
{
	struct desk *d = *state;
	facts_close(d->facts);
	loop_free(d->loop);
	nftw(d->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	free(d);
	return 0;
}

struct write {
	struct desk *desk;
	const struct event_new *n;
	const struct event_change *change;
	const char *id, *text;
	int update;
	const struct event_author *by;
	int64_t now_ms;
};

static bool do_write(struct facts_tx *tx, void *arg, struct error *err)
{
	const struct write *w = arg;
	if (w->n)
		return event_tx_open(tx, w->n, w->by, w->now_ms, w->desk->id, err);
	if (w->change)
		return event_tx_change(tx, w->id, w->change, w->by, w->now_ms, err);
	return event_tx_correct(tx, w->id, w->update, w->text, w->by, w->now_ms, err);
}

static bool call(struct desk *d, struct write *w)
{
	d->err = (struct error){0};
	w->desk = d;
	return facts_call(d->facts, do_write, w, &d->err);
}

bool desk_open(
	struct desk *d, const struct event_new *n, const struct event_author *by, int64_t now_ms)
{
	return call(d, &(struct write){.n = n, .by = by, .now_ms = now_ms});
}

bool desk_change(struct desk *d, const char *id, const struct event_change *c,
	const struct event_author *by, int64_t now_ms)
{
	return call(d, &(struct write){.id = id, .change = c, .by = by, .now_ms = now_ms});
}

bool desk_correct(struct desk *d, const char *id, int update, const char *text,
	const struct event_author *by, int64_t now_ms)
{
	return call(
		d, &(struct write){
			   .id = id, .update = update, .text = text, .by = by, .now_ms = now_ms});
}

struct event_change nothing(void)
{
	return (struct event_change){.phase = -1, .starts_ms = -1, .until_ms = -1};
}

json_t *desk_event(struct desk *d, const char *id, enum audience audience)
{
	json_t *e = event_json(d->facts, id, audience, &d->err);
	if (!e && d->err.kind)
		fail_msg("%s", d->err.msg);
	return e;
}

json_t *desk_list(struct desk *d, const struct event_filter *f)
{
	json_t *list = event_list(d->facts, f, &d->err);
	if (!list)
		fail_msg("%s", d->err.msg);
	return list;
}

void desk_turn(struct desk *d)
{
	loop_advance(d->loop, NS_PER_S);
	usleep(1000);
}

void desk_until(struct desk *d, const bool *what)
{
	for (int i = 0; i < 20000 && !*what; i++)
		desk_turn(d);
	assert_true(*what);
}
