/*
 * dashboard.c - dashboards as a whole: life, configuration, the feed, what is durable.
 */
#include "tell/dashboard_inside.h"

#include <string.h>

#define CHANGES_AT_ONCE 64
#define AGAIN_NS        (10 * NS_PER_S)
#define BODY_MAX        (1u << 20)

static const struct facts_migration migrations[] = {
	{1, "CREATE TABLE dashboard_event(dashboard TEXT NOT NULL, event TEXT NOT NULL,"
	    " body TEXT NOT NULL, dirty INTEGER NOT NULL, PRIMARY KEY(dashboard, event));"},
};

static void plan(struct dashboards *d);

int64_t dashboards_now_ms(const struct dashboards *d)
{
	return clock_unix_us(loop_clock(d->loop)) / 1000;
}

/* --- entries ------------------------------------------------------------------------------------
 */

void entry_free(struct entry *e)
{
	free(e->event);
	json_decref(e->body);
	free(e);
}

struct entry *entry_get(struct target *t, const char *event, bool make)
{
	for (size_t i = 0; i < t->entries.n; i++)
		if (!strcmp(t->entries.p[i]->event, event))
			return t->entries.p[i];
	if (!make)
		return NULL;
	struct entry *e = mem_new(struct entry);
	e->event = mem_strdup(event);
	e->body = json_object();
	vec_push(&t->entries, e);
	return e;
}

void target_write(struct rows_job *j, const struct target *t, const struct entry *e)
{
	char *body = json_text(e->body);
	ROWS_ADD(j,
		"INSERT INTO dashboard_event(dashboard, event, body, dirty) VALUES(?, ?, ?, ?)"
		" ON CONFLICT(dashboard, event) DO UPDATE SET body = excluded.body,"
		" dirty = excluded.dirty",
		FACTS_T(t->config.name), FACTS_T(e->event), FACTS_T(body), FACTS_I(e->dirty));
	free(body);
}

static bool on_entry(void *arg, const struct facts_row *row)
{
	struct entry *e = entry_get(arg, facts_text(row, 0), true);
	json_t *body = json_parse(slice_of(facts_text(row, 1)), BODY_MAX, NULL);
	if (body) {
		json_decref(e->body);
		e->body = body;
	}
	e->dirty = facts_int(row, 2) != 0;
	return true;
}

static bool load_entries(struct target *t, struct error *err)
{
	const struct facts_value v = FACTS_T(t->config.name);
	return facts_query(t->dashboards->facts,
		"SELECT event, body, dirty FROM dashboard_event WHERE dashboard = ? ORDER BY event",
		&v, 1, on_entry, t, err);
}

/* --- the feed -----------------------------------------------------------------------------------
 */

struct page {
	char *events[CHANGES_AT_ONCE];
	size_t rows, n;
	int64_t last;
};

static void on_row(void *arg, const struct facts_change_row *row)
{
	struct page *p = arg;
	p->rows++;
	p->last = row->seq;
	if (!strcmp(row->kind, "event"))
		p->events[p->n++] = mem_strdup(row->id);
}

/* What the public sees. False: nothing, or *err. */
static bool look_at_event(struct dashboards *d, const char *id, enum event_kind *ret_kind,
	bool *ret_over, struct error *err)
{
	json_t *e = event_json(d->facts, id, AUDIENCE_PUBLIC, err);
	enum event_phase phase;
	const bool seen = e && event_kind_parse(json_str(e, "kind"), ret_kind);
	*ret_over =
		seen && event_phase_parse(json_str(e, "phase"), &phase) && event_phase_over(phase);
	json_decref(e);
	return seen;
}

static bool is_wanted(const struct target *t, enum event_kind kind)
{
	return kind == EVENT_INCIDENT || (kind == EVENT_MAINTENANCE && t->config.contact);
}

static bool take_event(struct dashboards *d, const char *id, struct rows_job *j, struct error *err)
{
	bool over = false;
	enum event_kind kind;
	if (!look_at_event(d, id, &kind, &over, err))
		return err->kind == ERROR_NONE;
	VEC_EACH (&d->list, struct target *, t) {
		/* What was over before it was told is none of ours. */
		struct entry *e = is_wanted(*t, kind) ? entry_get(*t, id, !over) : NULL;
		if (!e)
			continue;
		e->dirty = true;
		target_write(j, *t, e);
	}
	return true;
}

static void on_planned(void *arg)
{
	struct dashboards *d = arg;
	d->planning = false;
	VEC_EACH (&d->list, struct target *, t)
		target_step(*t);
	plan(d);
}

static void on_again(struct timer *t)
{
	struct dashboards *d = t->arg;
	d->look = true;
	plan(d);
}

static void plan(struct dashboards *d)
{
	if (d->planning || !d->look)
		return;
	struct page p = {0};
	struct error err = {0};
	struct rows_job *j = rows_job_new();
	bool good =
		facts_feed(d->facts, d->cursor, AUDIENCE_PUBLIC, CHANGES_AT_ONCE, on_row, &p, &err);
	for (size_t i = 0; i < p.n; i++) {
		good = good && take_event(d, p.events[i], j, &err);
		free(p.events[i]);
	}
	d->look = good && p.rows == CHANGES_AT_ONCE;
	if (!good)
		timer_start(d->loop, &d->again, AGAIN_NS, on_again, d);
	if (!good || !p.rows) {
		rows_job_free(j);
		return;
	}
	d->planning = true;
	d->cursor = p.last;
	ROWS_ADD(j, "UPDATE reader SET seq = ? WHERE name = 'dashboards'", FACTS_I(p.last));
	rows_submit(d->rows, j, on_planned, d);
}

void dashboards_wake(struct dashboards *d)
{
	d->look = true;
	plan(d);
}

/* --- configuration ------------------------------------------------------------------------------
 */

static void config_fini(struct dashboard *c)
{
	free((char *)(uintptr_t)c->name);
	free((char *)(uintptr_t)c->url);
	free((char *)(uintptr_t)c->contact);
	json_decref((json_t *)(uintptr_t)c->attributes);
	json_decref((json_t *)(uintptr_t)c->names);
}

static struct dashboard config_copy(const struct dashboard *from)
{
	struct dashboard c = *from;
	c.name = mem_strdup(from->name);
	c.url = mem_strdup(from->url);
	c.contact = mem_strdup(from->contact);
	c.attributes = from->attributes ? json_deep_copy(from->attributes) : json_object();
	c.names = from->names ? json_deep_copy(from->names) : json_object();
	return c;
}

static void target_free(struct target *t)
{
	target_stop(t);
	VEC_EACH (&t->entries, struct entry *, e)
		entry_free(*e);
	vec_fini(&t->entries);
	action_fini(&t->action);
	json_decref(t->known);
	json_decref(t->checked);
	config_fini(&t->config);
	free(t->trouble);
	free(t->unknown);
	free(t);
}

static struct target *take_old(struct target **old, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (old[i] && !strcmp(old[i]->config.name, name)) {
			struct target *t = old[i];
			old[i] = NULL;
			return t;
		}
	return NULL;
}

static struct target *target_new(struct dashboards *d, const struct dashboard *c, struct error *err)
{
	struct target *t = mem_new(struct target);
	t->dashboards = d;
	t->config = config_copy(c);
	if (load_entries(t, err))
		return t;
	target_free(t);
	return NULL;
}

static void forget(struct dashboards *d, struct target *t)
{
	struct rows_job *j = rows_job_new();
	ROWS_ADD(j, "DELETE FROM dashboard_event WHERE dashboard = ?", FACTS_T(t->config.name));
	rows_submit(d->rows, j, NULL, NULL);
	if (t->trouble)
		d->trouble(d->arg, t->config.name, NULL);
	target_free(t);
}

static bool take_list(struct dashboards *d, const struct dashboard *list, size_t n,
	struct target **old, size_t old_n, struct error *err)
{
	bool good = true;
	for (size_t i = 0; i < n && good; i++) {
		struct target *t = take_old(old, old_n, list[i].name);
		if (t) {
			config_fini(&t->config);
			t->config = config_copy(&list[i]);
			json_decref(t->known);
			t->known = NULL;
		} else {
			t = target_new(d, &list[i], err);
			good = t != NULL;
		}
		if (t)
			vec_push(&d->list, t);
	}
	return good;
}

bool dashboards_configure(struct dashboards *d, const char *site_url, const struct dashboard *list,
	size_t n, struct error *err)
{
	struct target **old = d->list.p;
	const size_t old_n = d->list.n;
	mem_replace(&d->site_url, site_url);
	d->list.p = NULL;
	d->list.n = d->list.cap = 0;
	const bool good = take_list(d, list, n, old, old_n, err);
	for (size_t i = 0; i < old_n; i++)
		if (old[i])
			forget(d, old[i]);
	free(old);
	VEC_EACH (&d->list, struct target *, t)
		target_step(*t);
	return good;
}

/* --- life ---------------------------------------------------------------------------------------
 */

/* The first time we begin at the end of the feed: what was before is no news. */
static bool first_cursor(struct facts_tx *tx, void *arg, struct error *err)
{
	return facts_run(tx,
		"INSERT INTO reader(name, seq) SELECT 'dashboards', COALESCE(MAX(seq), 0) FROM change"
		" WHERE true ON CONFLICT(name) DO NOTHING",
		NULL, 0, err);
}

#define KEEP_MS (30 * 24 * 3600 * 1000LL)

/* What is over for so long is not opened again. */
static bool forget_old(struct facts_tx *tx, void *arg, struct error *err)
{
	const struct dashboards *d = arg;
	const struct facts_value v = FACTS_I(dashboards_now_ms(d) - KEEP_MS);
	return facts_run(tx,
		"DELETE FROM dashboard_event WHERE dirty = 0 AND event IN"
		" (SELECT id FROM event WHERE ended_ms > 0 AND ended_ms < ?)",
		&v, 1, err);
}

struct dashboards *dashboards_new(struct loop *l, struct facts *f, struct http_client *client,
	dashboards_look *look, dashboards_trouble *trouble, void *arg, struct error *err)
{
	struct dashboards *d = mem_new(struct dashboards);
	d->loop = l;
	d->facts = f;
	d->client = client;
	d->look_at = look;
	d->trouble = trouble;
	d->arg = arg;
	d->site_url = mem_strdup("");
	if (facts_migrate(f, "dashboard", migrations, array_len(migrations), err) &&
		facts_call(f, first_cursor, NULL, err) && facts_call(f, forget_old, d, err))
		d->rows = rows_new(l, f, err);
	if (!d->rows) {
		dashboards_free(d);
		return NULL;
	}
	d->cursor = facts_cursor(f, "dashboards");
	return d;
}

void dashboards_free(struct dashboards *d)
{
	if (!d)
		return;
	timer_cancel(&d->again);
	VEC_EACH (&d->list, struct target *, t)
		target_free(*t);
	vec_fini(&d->list);
	rows_free(d->rows);
	free(d->site_url);
	free(d);
}

/* --- what is told of us --------------------------------------------------------------------------
 */

json_t *dashboards_json(const struct dashboards *d)
{
	json_t *list = json_array();
	VEC_EACH (&d->list, struct target *, t) {
		size_t waiting = 0;
		VEC_EACH (&(*t)->entries, struct entry *, e)
			waiting += (*e)->dirty;
		json_array_append_new(
			list, json_pack("{s:s, s:i, s:I, s:I, s:I, s:s?}", "name",
				      (*t)->config.name, "version", (*t)->config.version, "sent",
				      (json_int_t)(*t)->sent, "failed", (json_int_t)(*t)->failed,
				      "waiting", (json_int_t)waiting, "trouble", (*t)->trouble));
	}
	return list;
}
