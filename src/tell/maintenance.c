/*
 * maintenance.c - occurrences of rules become events, and what is planned goes by the clock; see
 * maintenance.h.
 *
 * Up to where a rule's occurrences were told of is durable (maintenance_rule), and each has a key
 * of its own, so that none is lost and none comes twice, whatever dies when. Phases are read off
 * the events themselves: one step of each at a time, held to the revision that was looked at.
 */

#include "tell/maintenance.h"

#include <string.h>

#include "base/json.h"
#include "base/log.h"
#include "base/vec.h"

#define LOOK_NS     (30 * NS_PER_S) /* at least: the clock may jump */
#define AGAIN_NS    (10 * NS_PER_S) /* after a write that was refused */
#define BEHIND_S    (31 * 86400LL)  /* so far back it catches up */
#define WINDOWS_MS  3600000LL       /* they are told anew */
#define WINDOWS_MAX 200             /* of a rule */

struct rule {
	struct maintenance_rule r; /* borrows */
	struct zone *zone;
	int64_t told_s; /* occurrences to here became events */
};

struct writing { /* one under way */
	struct writing *next;
	struct maintenance *m; /* NULL: gone */
	char *rule;            /* an occurrence of it; NULL: a phase */
	int64_t before_s, told_s;
};

struct maintenance {
	struct loop *loop;
	struct facts *facts;
	struct events *events;
	VEC(struct rule) rules;
	maintenance_changed *changed;
	void *arg;
	struct timer timer;
	struct writing *writing;
	int64_t told_ms; /* when windows were told of last */
	VEC(struct maintenance_window) windows;
	VEC(char *) texts;        /* of the windows */
	VEC(const char **) lists; /* the same */
};

static int64_t now_ms(const struct maintenance *m)
{
	return clock_unix_us(loop_clock(m->loop)) / 1000;
}

static struct rule *rule_named(struct maintenance *m, struct slice name)
{
	VEC_EACH (&m->rules, struct rule, r) {
		if (slice_is(name, r->r.name))
			return r;
	}
	return NULL;
}

/* --- up to where ------------------------------------------------------------------------------ */

struct telling {
	char *name;
	int64_t told_s;
	bool first; /* it is seen for the first time */
};

static bool do_tell(struct facts_tx *tx, void *arg, struct error *err)
{
	struct telling *t = arg;
	const struct facts_value v[] = {FACTS_T(t->name), FACTS_I(t->told_s)};
	const bool good = facts_run(tx,
		t->first ? "INSERT INTO maintenance_rule(name, told_s) VALUES(?, ?)"
			   " ON CONFLICT(name) DO NOTHING"
			 : "INSERT INTO maintenance_rule(name, told_s) VALUES(?, ?)"
			   " ON CONFLICT(name) DO UPDATE SET told_s = excluded.told_s",
		v, array_len(v), err);
	free(t->name);
	free(t);
	return good;
}

/* One that does not become durable is told of again, which the key makes harmless. */
static void store_told(struct maintenance *m, const char *name, int64_t told_s, bool first)
{
	struct telling *t = mem_new(struct telling);
	*t = (struct telling){mem_strdup(name), told_s, first};
	facts_submit(m->facts, do_tell, t, NULL);
}

static bool on_told(void *arg, const struct facts_row *row)
{
	*(int64_t *)arg = facts_int(row, 0);
	return false;
}

static bool read_told(struct maintenance *m, struct rule *r, struct error *err)
{
	const struct facts_value v = FACTS_T(r->r.name);
	r->told_s = -1;
	if (!facts_query(m->facts, "SELECT told_s FROM maintenance_rule WHERE name = ?", &v, 1,
		    on_told, &r->told_s, err))
		return false;
	if (r->told_s < 0) { /* what is over by now was before there was the rule */
		r->told_s = now_ms(m) / 1000;
		store_told(m, r->r.name, r->told_s, true);
	}
	return true;
}

/* --- writing ---------------------------------------------------------------------------------- */

static void look(struct maintenance *m);

static void on_timer(struct timer *t)
{
	struct maintenance *m = t->arg;
	const bool stale = now_ms(m) - m->told_ms >= WINDOWS_MS;
	look(m);
	if (stale) {
		m->told_ms = now_ms(m);
		m->changed(m->arg);
	}
}

static void look_within(struct maintenance *m, int64_t ns)
{
	if (!timer_running(&m->timer) || timer_left_ns(&m->timer) > ns)
		timer_start(m->loop, &m->timer, ns, on_timer, m);
}

static struct writing *writing_new(struct maintenance *m, const char *rule)
{
	struct writing *w = mem_new(struct writing);
	w->m = m;
	w->rule = mem_strdup(rule);
	w->next = m->writing;
	m->writing = w;
	return w;
}

/* Refused for what it is, it will not be better the next time; a disk that is full may be. */
static bool is_hopeless(const struct error *err)
{
	return err->kind == ERROR_INPUT || err->kind == ERROR_LIMIT;
}

static void note(struct maintenance *m, const struct writing *w, const struct error *err)
{
	struct rule *r = w->rule ? rule_named(m, slice_of(w->rule)) : NULL;
	if (r && (!err || is_hopeless(err)))
		store_told(m, w->rule, w->told_s, false);
	else if (r && r->told_s >= w->told_s)
		r->told_s = w->before_s;
	if (err && err->kind != ERROR_CONFLICT) /* people were faster: that is theirs to say */
		log_event(LOG_WARN, "maintenance_refused", "rule", "%s", w->rule ? w->rule : "-",
			"error", "%s", err->msg, NULL);
	if (err)
		look_within(m, AGAIN_NS);
}

/* What is new is looked at when the events have been read again. */
static void on_written(void *arg, const char *id, const struct error *err)
{
	struct writing *w = arg;
	struct maintenance *m = w->m;
	if (m) {
		struct writing **p = &m->writing;
		while (*p != w)
			p = &(*p)->next;
		*p = w->next;
		if (!err || err->kind != ERROR_CANCELLED)
			note(m, w, err);
	}
	free(w->rule);
	free(w);
}

/* --- occurrences ------------------------------------------------------------------------------ */

static void open_one(struct maintenance *m, struct rule *r, const struct calendar_span *s)
{
	char date[CALENDAR_DATE_TEXT];
	char *key =
		mem_printf("maintenance:%s:%s", r->r.name, calendar_date(r->zone, s->from_s, date));
	char *by = mem_printf("maintenance:%s", r->r.name);
	const struct event_author author = {by, true};
	const struct event_new n = {.kind = EVENT_MAINTENANCE,
		.title = r->r.title,
		.text = r->r.text,
		.phase = EVENT_PLANNED,
		.audience = r->r.is_public ? AUDIENCE_PUBLIC : AUDIENCE_OPERATORS,
		.starts_ms = s->from_s * 1000,
		.until_ms = s->to_s * 1000,
		.impacts = r->r.impacts,
		.impact_count = r->r.impact_count,
		.key = key};
	struct writing *w = writing_new(m, r->r.name);
	w->before_s = r->told_s;
	w->told_s = r->told_s = s->to_s;
	events_open_one(m->events, &n, &author, on_written, w);
	free(key);
	free(by);
}

/* Opens what is due; returns when the next one is, 0: never. */
static int64_t announce(struct maintenance *m, struct rule *r, int64_t now)
{
	struct calendar_span s;
	if (r->r.announce_ms < 0)
		return 0;
	if (r->told_s < now / 1000 - BEHIND_S)
		r->told_s = now / 1000 - BEHIND_S;
	while (calendar_next(&r->r.when, r->zone, r->told_s, &s)) {
		const int64_t due = s.from_s * 1000 - r->r.announce_ms;
		if (due > now)
			return due;
		open_one(m, r, &s);
	}
	return 0;
}

/* --- phases ----------------------------------------------------------------------------------- */

static void step(struct maintenance *m, const json_t *e, enum event_phase to, int64_t at_ms)
{
	const int64_t since_ms = json_int(e, "phase_ms", 0);
	const struct event_change c = {.phase = (int)to,
		.at_ms = at_ms > since_ms ? at_ms : since_ms,
		.starts_ms = -1,
		.until_ms = -1,
		.revision = json_int(e, "revision", 0)};
	static const struct event_author by = {"clock", true};
	events_change(m->events, json_str(e, "id"), &c, &by, on_written, writing_new(m, NULL));
}

/* Of one that is not over; returns when its next is due, 0: never. */
static int64_t move(struct maintenance *m, const json_t *e, int64_t now)
{
	enum event_kind kind;
	enum event_phase phase;
	if (!event_kind_parse(json_str(e, "kind"), &kind) || kind == EVENT_INCIDENT ||
		!event_phase_parse(json_str(e, "phase"), &phase) || event_phase_over(phase))
		return 0;
	const bool planned = phase == EVENT_PLANNED;
	const int64_t due = json_int(e, planned ? "starts_ms" : "until_ms", 0);
	if (!due || due > now)
		return due;
	if (planned)
		step(m, e, kind == EVENT_MAINTENANCE ? EVENT_IN_PROGRESS : EVENT_ACTIVE, due);
	else
		step(m, e, EVENT_COMPLETED, due);
	return 0;
}

static void sooner(int64_t *due, int64_t other)
{
	if (other && (!*due || other < *due))
		*due = other;
}

/* While something is being written nothing else is begun: what is looked at would be old. */
static void look(struct maintenance *m)
{
	const int64_t now = now_ms(m);
	int64_t due = 0;
	size_t i;
	json_t *e;
	if (!m->writing) {
		VEC_EACH (&m->rules, struct rule, r)
			sooner(&due, announce(m, r, now));
		json_array_foreach (events_current(m->events), i, e)
			sooner(&due, move(m, e, now));
	}
	const int64_t left_ns = due ? (due - now) * NS_PER_MS : LOOK_NS;
	look_within(m, left_ns < LOOK_NS ? left_ns : LOOK_NS);
}

void maintenance_wake(struct maintenance *m)
{
	look(m);
	m->told_ms = now_ms(m);
	m->changed(m->arg);
}

/* --- windows ---------------------------------------------------------------------------------- */

static void windows_clear(struct maintenance *m)
{
	VEC_EACH (&m->texts, char *, s)
		free(*s);
	VEC_EACH (&m->lists, const char **, l)
		free((void *)*l);
	m->texts.n = m->lists.n = m->windows.n = 0;
}

static const char *keep(struct maintenance *m, const char *s)
{
	vec_push(&m->texts, mem_strdup(s));
	return m->texts.p[m->texts.n - 1];
}

static const char **list_new(struct maintenance *m, size_t n)
{
	const char **list = mem_new_array(n + 1, sizeof(*list));
	vec_push(&m->lists, list);
	return list;
}

static const char *const *keep_probes(struct maintenance *m, const struct rule *r)
{
	size_t n = 0;
	while (r && r->r.probes && r->r.probes[n])
		n++;
	const char **list = list_new(m, n);
	for (size_t i = 0; i < n; i++)
		list[i] = keep(m, r->r.probes[i]);
	return list;
}

static const char *const *keep_components(struct maintenance *m, const json_t *components)
{
	size_t i;
	json_t *c;
	const char **list = list_new(m, json_array_size(components));
	json_array_foreach (components, i, c)
		list[i] = keep(m, json_str(c, "id"));
	return list;
}

/* Of "maintenance:NAME:DATE"; NULL: it is none of a rule that there is. */
static struct rule *rule_of_key(struct maintenance *m, const char *key)
{
	const struct slice all = slice_of(key), prefix = SLICE("maintenance:");
	const size_t date = strlen(":2026-12-01");
	if (!slice_starts(all, prefix.p) || all.n <= prefix.n + date)
		return NULL;
	return rule_named(m, slice_sub(all, prefix.n, all.n - prefix.n - date));
}

/* A draft of people says nothing yet; the events of a rule that is not public have no name. */
static void add_event(struct maintenance *m, const json_t *e, int64_t to_ms)
{
	const struct rule *r = rule_of_key(m, json_str(e, "key"));
	const bool is_public = json_flag(e, "public");
	const struct maintenance_window w = {.event = is_public ? keep(m, json_str(e, "id")) : NULL,
		.from_ms = json_int(e, "starts_ms", 0),
		.to_ms = json_int(e, "until_ms", 0),
		.components = keep_components(m, json_object_get(e, "components")),
		.probes = keep_probes(m, r)};
	if ((is_public || r) && w.from_ms < to_ms)
		vec_push(&m->windows, w);
}

/* Those of which there is no event yet. */
static void add_rule(struct maintenance *m, const struct rule *r, int64_t now_s, int64_t to_s)
{
	const bool announced = r->r.announce_ms >= 0 && r->told_s > now_s;
	struct calendar_span s = {.to_s = announced ? r->told_s : now_s};
	for (unsigned n = 0; n < WINDOWS_MAX && calendar_next(&r->r.when, r->zone, s.to_s, &s) &&
			     s.from_s < to_s;
		n++) {
		const char **components = list_new(m, r->r.impact_count);
		for (size_t i = 0; i < r->r.impact_count; i++)
			components[i] = keep(m, r->r.impacts[i].component);
		vec_push(&m->windows, ((struct maintenance_window){.from_ms = s.from_s * 1000,
					      .to_ms = s.to_s * 1000,
					      .components = components,
					      .probes = keep_probes(m, r)}));
	}
}

size_t maintenance_windows(
	struct maintenance *m, int64_t ahead_ms, const struct maintenance_window **ret)
{
	const int64_t now = now_ms(m), to_ms = now + ahead_ms;
	size_t i;
	json_t *e;
	windows_clear(m);
	json_array_foreach (events_current(m->events), i, e)
		if (!strcmp(json_str(e, "kind"), event_kind_name(EVENT_MAINTENANCE)) &&
			!json_int(e, "ended_ms", 0))
			add_event(m, e, to_ms);
	VEC_EACH (&m->rules, struct rule, r)
		add_rule(m, r, now / 1000, to_ms / 1000);
	*ret = m->windows.p;
	return m->windows.n;
}

/* --- life ------------------------------------------------------------------------------------- */

static void rules_fini(struct maintenance *m)
{
	VEC_EACH (&m->rules, struct rule, r)
		zone_free(r->zone);
	vec_fini(&m->rules);
}

/* All zones are read before anything is changed. */
static bool take_rules(
	struct maintenance *m, const struct maintenance_rule *rules, size_t n, struct error *err)
{
	struct maintenance next = {0};
	bool good = true;
	for (size_t i = 0; good && i < n; i++) {
		struct rule *r = vec_add(&next.rules);
		r->r = rules[i];
		r->zone = zone_load(rules[i].zone, err);
		good = r->zone && read_told(m, r, err);
		if (!good)
			error_wrap(err, "maintenance %s", rules[i].name);
	}
	if (!good) {
		rules_fini(&next);
		return false;
	}
	rules_fini(m);
	m->rules.p = next.rules.p;
	m->rules.n = next.rules.n;
	m->rules.cap = next.rules.cap;
	return true;
}

bool maintenance_configure(
	struct maintenance *m, const struct maintenance_rule *rules, size_t n, struct error *err)
{
	if (!take_rules(m, rules, n, err))
		return false;
	maintenance_wake(m);
	return true;
}

struct maintenance *maintenance_new(struct loop *l, struct facts *f, struct events *e,
	const struct maintenance_rule *rules, size_t n, maintenance_changed *changed, void *arg,
	struct error *err)
{
	struct maintenance *m = mem_new(struct maintenance);
	m->loop = l;
	m->facts = f;
	m->events = e;
	m->changed = changed;
	m->arg = arg;
	if (!take_rules(m, rules, n, err)) {
		maintenance_free(m);
		return NULL;
	}
	look_within(m, 0);
	return m;
}

void maintenance_free(struct maintenance *m)
{
	if (!m)
		return;
	timer_cancel(&m->timer);
	for (struct writing *w = m->writing; w; w = w->next)
		w->m = NULL;
	windows_clear(m);
	vec_fini(&m->texts);
	vec_fini(&m->lists);
	vec_fini(&m->windows);
	rules_fini(m);
	free(m);
}
