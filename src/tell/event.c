/*
 * event.c - the words and the tables of events; see event.h.
 *
 * Updates and their revisions are only ever inserted. The row of the event says how it is now; how
 * it came there stands in the updates.
 */

#include <string.h>

#include "tell/event_inside.h"

static const struct facts_migration migrations[] = {
	{1, "CREATE TABLE event(id TEXT PRIMARY KEY, title TEXT NOT NULL, key TEXT NOT NULL,"
	    " author TEXT NOT NULL, kind INTEGER NOT NULL, phase INTEGER NOT NULL,"
	    " audience INTEGER NOT NULL, machine INTEGER NOT NULL, taken INTEGER NOT NULL,"
	    " phase_ms INTEGER NOT NULL, starts_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL,"
	    " ended_ms INTEGER NOT NULL, created_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL,"
	    " revision INTEGER NOT NULL, updates INTEGER NOT NULL, bytes INTEGER NOT NULL,"
	    " worst INTEGER NOT NULL, components TEXT NOT NULL, touched TEXT NOT NULL,"
	    " evidence TEXT NOT NULL);"
	    "CREATE INDEX event_key ON event(key);"
	    "CREATE INDEX event_order ON event(ended_ms, starts_ms);"
	    "CREATE TABLE event_component(component TEXT NOT NULL, event TEXT NOT NULL,"
	    " PRIMARY KEY(component, event));"
	    "CREATE TABLE event_update(event TEXT NOT NULL, n INTEGER NOT NULL,"
	    " at_ms INTEGER NOT NULL, phase INTEGER NOT NULL, machine INTEGER NOT NULL,"
	    " author TEXT NOT NULL, components TEXT, title TEXT, starts_ms INTEGER,"
	    " until_ms INTEGER, PRIMARY KEY(event, n));"
	    "CREATE TABLE event_revision(event TEXT NOT NULL, n INTEGER NOT NULL,"
	    " revision INTEGER NOT NULL, at_ms INTEGER NOT NULL, author TEXT NOT NULL,"
	    " text TEXT NOT NULL, PRIMARY KEY(event, n, revision));"},
	{2, "CREATE TABLE maintenance_rule(name TEXT PRIMARY KEY, told_s INTEGER NOT NULL);"},
};

bool event_migrate(struct facts *f, struct error *err)
{
	return facts_migrate(f, "event", migrations, array_len(migrations), err);
}

/* --- words ------------------------------------------------------------------------------------ */

static const char *const kinds[EVENT_KINDS] = {"incident", "maintenance", "info"};
static const char *const phases[EVENT_PHASES] = {"detected", "investigating", "identified",
	"monitoring", "resolved", "planned", "in_progress", "active", "completed", "cancelled"};

const char *event_kind_name(enum event_kind k)
{
	return kinds[k];
}

static bool parse(const char *name, const char *const *words, int n, int *ret)
{
	for (int i = 0; name && i < n; i++)
		if (!strcmp(name, words[i])) {
			*ret = i;
			return true;
		}
	return false;
}

bool event_kind_parse(const char *name, enum event_kind *ret)
{
	int i;
	if (!parse(name, kinds, EVENT_KINDS, &i))
		return false;
	*ret = (enum event_kind)i;
	return true;
}

const char *event_phase_name(enum event_phase p)
{
	return phases[p];
}

bool event_phase_parse(const char *name, enum event_phase *ret)
{
	int i;
	if (!parse(name, phases, EVENT_PHASES, &i))
		return false;
	*ret = (enum event_phase)i;
	return true;
}

bool event_phase_fits(enum event_kind k, enum event_phase p)
{
	switch (k) {
	case EVENT_INCIDENT: return p <= EVENT_RESOLVED;
	case EVENT_MAINTENANCE: return p >= EVENT_PLANNED && p != EVENT_ACTIVE;
	case EVENT_INFO: return p >= EVENT_PLANNED && p != EVENT_IN_PROGRESS;
	}
	return false;
}

const char *event_phases_of(enum event_kind k)
{
	switch (k) {
	case EVENT_INCIDENT: return "detected, investigating, identified, monitoring or resolved";
	case EVENT_MAINTENANCE: return "planned, in_progress, completed or cancelled";
	case EVENT_INFO: break;
	}
	return "planned, active, completed or cancelled";
}

bool event_phase_over(enum event_phase p)
{
	return p == EVENT_RESOLVED || p == EVENT_COMPLETED || p == EVENT_CANCELLED;
}

/* --- rows ------------------------------------------------------------------------------------- */

static json_t *parse_list(const char *text)
{
	struct error ignored;
	json_t *list = json_parse(slice_of(text), BUF_PAGE, &ignored);
	return json_is_array(list) ? list : json_array(); /* we wrote it ourselves */
}

void event_row_take(struct event_row *r, const struct facts_row *row)
{
	r->id = mem_strdup(facts_text(row, 0));
	r->title = mem_strdup(facts_text(row, 1));
	r->key = mem_strdup(facts_text(row, 2));
	r->by = mem_strdup(facts_text(row, 3));
	r->kind = (enum event_kind)(facts_int(row, 4) % EVENT_KINDS);
	r->phase = (enum event_phase)(facts_int(row, 5) % EVENT_PHASES);
	r->audience = (enum audience)facts_int(row, 6);
	r->machine = facts_int(row, 7) != 0;
	r->taken = facts_int(row, 8) != 0;
	r->phase_ms = facts_int(row, 9);
	r->starts_ms = facts_int(row, 10);
	r->until_ms = facts_int(row, 11);
	r->ended_ms = facts_int(row, 12);
	r->created_ms = facts_int(row, 13);
	r->changed_ms = facts_int(row, 14);
	r->revision = facts_int(row, 15);
	r->updates = facts_int(row, 16);
	r->bytes = facts_int(row, 17);
	r->worst = facts_int(row, 18);
	r->components = parse_list(facts_text(row, 19));
	r->touched = parse_list(facts_text(row, 20));
	r->evidence = parse_list(facts_text(row, 21));
}

void event_row_fini(struct event_row *r)
{
	free(r->id);
	free(r->title);
	free(r->key);
	free(r->by);
	json_decref(r->components);
	json_decref(r->touched);
	json_decref(r->evidence);
	*r = (struct event_row){0};
}

static bool take_one(void *arg, const struct facts_row *row)
{
	event_row_take(arg, row);
	return false;
}

bool event_row_load(struct facts_tx *tx, const char *id, struct event_row *ret, struct error *err)
{
	const struct facts_value v = FACTS_T(id);
	*ret = (struct event_row){0};
	return facts_read(
		tx, "SELECT " EVENT_COLUMNS " FROM event WHERE id = ?", &v, 1, take_one, ret, err);
}

int event_impact_now(const json_t *components)
{
	size_t i;
	json_t *c;
	int64_t most = 0;
	json_array_foreach (components, i, c) {
		const int64_t impact = json_int(c, "impact", 0);
		most = impact > most ? impact : most;
	}
	return (int)most;
}
