/*
 * alarm.c - alarms as a whole: start, configuration, the feed, what could not be run.
 *
 * Planning turns facts into notes: what is new in the feed and what could not be run becomes, in
 * one transaction with the cursor, a note for each alarm that wants it. One plan is under way at a
 * time; its notes go into the queues once it is durable.
 */
#include "tell/alarm.h"

#include <string.h>

#include "tell/alarm_inside.h"
#include "tell/event.h"
#include "tell/feed.h"

#define AGAIN_NS (10 * NS_PER_S)

static void plan(struct alarms *a);

int64_t alarm_now_ms(const struct alarms *a)
{
	return clock_unix_us(loop_clock(a->loop)) / 1000;
}

/* --- what could not be run ---------------------------------------------------------------------
 */

static void unrun_free(struct unrun *u)
{
	if (!u)
		return;
	free(u->component);
	free(u->why);
	free(u);
}

static void wish_fini(struct wish *w)
{
	free(w->what);
	free(w->component);
	free(w->why);
}

static void wish_add(struct alarms *a, const char *what, const char *why, const struct unrun *u)
{
	struct wish *w = vec_add(&a->wishes);

	w->what = mem_strdup(what);
	w->component = mem_strdup(u->component);
	w->why = mem_strdup(why);
	w->at_ms = alarm_now_ms(a);
	w->since_ms = u->since_ms;
}

void alarm_could_not_run(struct alarms *a, const char *what, const char *component, const char *why)
{
	struct unrun *u = map_get(&a->unrun, what);

	if (!u == !why)
		return;
	if (why) {
		u = mem_new(struct unrun);
		u->component = component && component[0] ? mem_strdup(component) : NULL;
		u->why = mem_strdup(why);
		u->since_ms = alarm_now_ms(a);
		map_put(&a->unrun, what, u);
		wish_add(a, what, why, u);
	} else {
		wish_add(a, what, NULL, u);
		unrun_free(map_remove(&a->unrun, what));
	}
	plan(a);
}

void alarms_could_not_run(
	struct alarms *a, const char *what, const char *component, const char *why)
{
	alarm_could_not_run(a, what, component, why);
}

static void write_wish(struct rows_job *j, const struct wish *w)
{
	if (w->why)
		ROWS_ADD(j,
			"INSERT INTO could_not_run(what, component, why, since)"
			" VALUES(?, ?, ?, ?) ON CONFLICT(what) DO UPDATE SET why = excluded.why",
			FACTS_T(w->what), FACTS_T(w->component), FACTS_T(w->why),
			FACTS_I(w->since_ms));
	else
		ROWS_ADD(j, "DELETE FROM could_not_run WHERE what = ?", FACTS_T(w->what));
}

/* --- planning ----------------------------------------------------------------------------------
 */

static void keep_planned(struct alarms *a, struct channel *c, struct note *n)
{
	if (!n)
		return;
	vec_push(&a->planned, n);
	vec_push(&a->planned_for, c);
}

static bool plan_wishes(struct alarms *a, struct rows_job *j)
{
	const bool any = a->wishes.n > 0;

	VEC_EACH (&a->wishes, struct wish, w) {
		write_wish(j, w);
		VEC_EACH (&a->channels, struct channel *, c)
			keep_planned(a, *c, note_unrun(*c, j, w));
		wish_fini(w);
	}
	a->wishes.n = 0;
	return any;
}

struct telling { /* of a row of the ledger */
	struct alarms *a;
	struct rows_job *j;
	int64_t seq;
};

static bool on_object(void *arg, const struct journal_object *o)
{
	const struct telling *t = arg;

	VEC_EACH (&t->a->channels, struct channel *, c)
		keep_planned(t->a, *c, note_object(*c, t->j, o, t->seq));
	return false;
}

/* As it is now: what came and went meanwhile is no news. One that cannot be read is told with its
 * next change. */
static void plan_objects(struct alarms *a, struct rows_job *j, const struct feed_page *p)
{
	struct telling t = {a, j, p->last};
	struct error err = {0};

	for (size_t i = 0; i < p->object_count; i++)
		if (!journal_object(a->facts, p->objects[i], on_object, &t, &err))
			mem_replace(&a->trouble, err.msg);
}

/* The same of events. */
static void plan_events(struct alarms *a, struct rows_job *j, const struct feed_page *p)
{
	for (size_t i = 0; i < p->event_count; i++) {
		struct error err = {0};
		json_t *e = event_json(a->facts, p->events[i], AUDIENCE_OPERATORS, &err);

		if (err.kind)
			mem_replace(&a->trouble, err.msg);
		VEC_EACH (&a->channels, struct channel *, c)
			if (e)
				keep_planned(a, *c, note_event(*c, j, e, p->last));
		json_decref(e);
	}
}

static void on_again(struct timer *t)
{
	struct alarms *a = t->arg;

	a->look = true;
	plan(a);
}

static bool plan_feed(struct alarms *a, struct rows_job *j)
{
	struct feed_page p;
	struct error err = {0};
	const bool good = feed_read(a->facts, a->cursor, &p, &err);

	mem_replace(&a->trouble, good ? NULL : err.msg);
	a->look = good && p.more;
	if (!good) {
		timer_start(a->loop, &a->again, AGAIN_NS, on_again, a);
		return false;
	}
	for (size_t i = 0; i < p.verdict_count; i++)
		VEC_EACH (&a->channels, struct channel *, c)
			if (p.verdicts[i].id)
				keep_planned(a, *c, note_health(*c, j, &p.verdicts[i]));
	plan_objects(a, j, &p);
	plan_events(a, j, &p);
	const bool any = p.rows > 0;
	if (any) {
		a->cursor = p.last;
		ROWS_ADD(j, "UPDATE reader SET seq = ? WHERE name = 'alarms'", FACTS_I(p.last));
	}
	feed_page_fini(&p);
	return any;
}

static void on_planned(void *arg)
{
	struct alarms *a = arg;

	a->planning = false;
	for (size_t i = 0; i < a->planned.n; i++)
		vec_push(&a->planned_for.p[i]->queue, a->planned.p[i]);
	a->planned.n = a->planned_for.n = 0;
	VEC_EACH (&a->channels, struct channel *, c)
		channel_step(*c);
	plan(a);
}

static void plan(struct alarms *a)
{
	struct rows_job *j;
	bool any;

	if (a->planning || (!a->look && a->wishes.n == 0))
		return;
	a->planning = true;
	j = rows_job_new();
	any = plan_wishes(a, j);
	if (a->look)
		any = plan_feed(a, j) || any;
	if (any) {
		rows_submit(a->rows, j, on_planned, a);
	} else {
		rows_job_free(j);
		a->planning = false;
	}
}

void alarms_wake(struct alarms *a)
{
	a->look = true;
	plan(a);
}

void alarms_events(struct alarms *a, alarms_event *event, void *arg)
{
	a->event = event;
	a->event_arg = arg;
}

void alarms_alive(struct alarms *a, bool alive)
{
	a->alive = alive;
	VEC_EACH (&a->channels, struct channel *, c)
		if ((*c)->config.kind == ALARM_DEADMAN)
			alarm_deadman_beat(*c);
}

/* --- configuration -----------------------------------------------------------------------------
 */

static void free_text(const char *s)
{
	free((void *)(uintptr_t)s);
}

static void site_fini(struct alarm_site *s)
{
	free_text(s->name);
	free_text(s->url);
	free_text(s->instance);
	free_text(s->location);
}

static char *text_or_none(const char *s)
{
	return mem_strdup(s ? s : "");
}

static void set_site(struct alarms *a, const struct alarm_site *s)
{
	const struct alarm_site copy = {text_or_none(s->name), text_or_none(s->url),
		text_or_none(s->instance), text_or_none(s->location)};

	site_fini(&a->site);
	a->site = copy;
}

/* Takes the channel that goes on as `config` says out of `old`. */
static struct channel *take_channel(struct channel **old, size_t n, const struct alarm *config)
{
	char *name = alarm_default_name(config);
	struct channel *c = NULL;

	for (size_t i = 0; i < n && !c; i++)
		if (old[i] && old[i]->config.kind == config->kind &&
			!strcmp(old[i]->config.name, name)) {
			c = old[i];
			old[i] = NULL;
		}
	free(name);
	return c;
}

/* Of an alarm that is gone: everything that stands under its name. */
static void write_gone(struct rows_job *j, const char *name)
{
	static const char *const deletes[] = {"DELETE FROM alarm WHERE name = ?",
		"DELETE FROM alarm_note WHERE alarm = ?",
		"DELETE FROM alarm_message WHERE alarm = ?",
		"DELETE FROM alarm_told WHERE alarm = ?"};

	for (size_t i = 0; i < array_len(deletes); i++)
		ROWS_ADD(j, deletes[i], FACTS_T(name));
}

static void drop_planned(struct alarms *a, const struct channel *c)
{
	for (size_t i = a->planned.n; i-- > 0;) {
		if (a->planned_for.p[i] != c)
			continue;
		a->dropped++;
		note_free(a->planned.p[i]);
		vec_remove(&a->planned, i);
		vec_remove(&a->planned_for, i);
	}
}

static void drop_channel(struct alarms *a, struct channel *c, struct rows_job *j)
{
	a->dropped += c->queue.n + (c->message ? c->message->notes.n : 0);
	drop_planned(a, c);
	write_gone(j, c->config.name);
	channel_free(c);
}

static void write_alarm(struct rows_job *j, const struct channel *c)
{
	ROWS_ADD(j,
		"INSERT INTO alarm(name, kind, fold_until) VALUES(?, ?, 0)"
		" ON CONFLICT(name) DO NOTHING",
		FACTS_T(c->config.name), FACTS_I(c->config.kind));
}

static void reconfigure(struct channel *c, const struct alarm *config)
{
	alarm_config_fini(&c->config);
	alarm_config_copy(&c->config, config);
}

static void start_channels(struct alarms *a)
{
	VEC_EACH (&a->channels, struct channel *, c) {
		channel_step(*c);
		if ((*c)->config.kind == ALARM_DEADMAN)
			alarm_deadman_beat(*c);
	}
}

bool alarms_configure(struct alarms *a, const struct alarm_site *site, const struct alarm *list,
	size_t n, struct error *err)
{
	struct channel **old;
	size_t old_n = a->channels.n;
	struct rows_job *j;

	if (!alarm_config_check(list, n, err))
		return false;
	j = rows_job_new();
	set_site(a, site);
	old = a->channels.p;
	memset(&a->channels, 0, sizeof(a->channels));
	for (size_t i = 0; i < n; i++) {
		struct channel *c = take_channel(old, old_n, &list[i]);
		if (c)
			reconfigure(c, &list[i]);
		else
			c = channel_new(a, &list[i]);
		vec_push(&a->channels, c);
	}
	for (size_t i = 0; i < old_n; i++)
		if (old[i])
			drop_channel(a, old[i], j);
	free(old);
	VEC_EACH (&a->channels, struct channel *, c)
		write_alarm(j, *c);
	rows_submit(a->rows, j, NULL, NULL);
	start_channels(a);
	return true;
}

/* --- start and end -----------------------------------------------------------------------------
 */

struct stored { /* an alarm the tables know */
	struct alarms *a;
	const struct alarm *list;
	size_t n;
	struct rows_job *j;
};

static bool on_stored(void *arg, const struct facts_row *row)
{
	struct stored *s = arg;
	const char *name = facts_text(row, 0);
	bool known = false;

	for (size_t i = 0; i < s->n && !known; i++) {
		char *given = alarm_default_name(&s->list[i]);
		known = !strcmp(given, name) && facts_int(row, 1) == s->list[i].kind;
		free(given);
	}
	if (known)
		return true;
	s->a->dropped += (uint64_t)facts_int(row, 2);
	write_gone(s->j, name);
	return true;
}

/* The tables hold alarms of the last start: those that are gone, or are of another kind now, go
 * first. */
static bool drop_stored(struct alarms *a, const struct alarm *list, size_t n, struct error *err)
{
	struct stored s = {a, list, n, rows_job_new()};
	const bool good = facts_query(a->facts,
		"SELECT name, kind, (SELECT COUNT(*) FROM alarm_note AS n WHERE n.alarm = a.name AND"
		" (n.message IS NULL OR n.message IN"
		" (SELECT id FROM alarm_message WHERE state = 'sending'))) FROM alarm AS a",
		NULL, 0, on_stored, &s, err);

	if (!good) {
		rows_job_free(s.j);
		return false;
	}
	return rows_call(a->rows, s.j, err);
}

static bool start(struct alarms *a, const struct alarm *list, size_t n, struct error *err)
{
	struct rows_job *j;

	if (!alarm_load(a, err) || !drop_stored(a, list, n, err))
		return false;
	j = rows_job_new();
	for (size_t i = 0; i < n; i++) {
		struct channel *c = channel_new(a, &list[i]);
		vec_push(&a->channels, c);
		write_alarm(j, c);
		if (!channel_load(c, err)) {
			rows_job_free(j);
			return false;
		}
	}
	return rows_call(a->rows, j, err);
}

struct alarms *alarms_new(struct loop *l, struct facts *f, struct http_client *client,
	struct mailer *mailer, const struct alarm_site *site, const struct alarm *list, size_t n,
	struct error *err)
{
	struct alarms *a;

	if (!alarm_config_check(list, n, err))
		return NULL;
	a = mem_new(struct alarms);
	a->loop = l;
	a->facts = f;
	a->client = client;
	a->mailer = mailer;
	set_site(a, site);
	a->rows = rows_new(l, f, err);
	if (!a->rows || !start(a, list, n, err)) {
		alarms_free(a);
		return NULL;
	}
	start_channels(a);
	alarms_wake(a);
	return a;
}

void alarms_free(struct alarms *a)
{
	if (!a)
		return;
	timer_cancel(&a->again);
	VEC_EACH (&a->channels, struct channel *, c)
		channel_free(*c);
	vec_fini(&a->channels);
	VEC_EACH (&a->planned, struct note *, n)
		note_free(*n);
	vec_fini(&a->planned);
	vec_fini(&a->planned_for);
	VEC_EACH (&a->wishes, struct wish, w)
		wish_fini(w);
	vec_fini(&a->wishes);
	MAP_EACH (&a->unrun, e)
		unrun_free(e->value);
	map_fini(&a->unrun);
	rows_free(a->rows);
	site_fini(&a->site);
	free(a->states);
	free(a->trouble);
	free(a);
}

/* --- what is told of us ------------------------------------------------------------------------
 */

uint64_t alarms_dropped(const struct alarms *a)
{
	return a->dropped;
}

static size_t planned_for(const struct alarms *a, const struct channel *c)
{
	size_t n = 0;

	for (size_t i = 0; i < a->planned_for.n; i++)
		n += a->planned_for.p[i] == c;
	return n;
}

size_t alarms_states(const struct alarms *a, const struct alarm_state **ret)
{
	struct alarms *mine = (struct alarms *)(uintptr_t)a; /* the array is made when asked for */
	const char *ours = rows_trouble(a->rows) ? rows_trouble(a->rows) : a->trouble;

	mine->states = mem_resize(a->states, a->channels.n + 1, sizeof(*a->states));
	for (size_t i = 0; i < a->channels.n; i++) {
		const struct channel *c = a->channels.p[i];
		mine->states[i] = (struct alarm_state){
			.name = c->config.name,
			.kind = c->config.kind,
			.sent = c->sent,
			.failed = c->failed,
			.waiting = c->queue.n + planned_for(a, c) +
				   (c->message ? c->message->notes.n : 0),
			.last_ok_ms = c->last_ok_ms,
			.trouble = c->trouble ? c->trouble : ours,
		};
	}
	*ret = a->states;
	return a->channels.n;
}
