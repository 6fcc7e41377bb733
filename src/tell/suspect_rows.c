/*
 * suspect_rows.c - the tables of suspected events, and the transaction of a turn.
 *
 * The cursor, our rows and the events change together, so whatever dies when, a cause has the event
 * it had. An event that refuses the change (a human took it over meanwhile, or it is full) is left
 * to humans from then on; everything else that a transaction cannot do is tried again.
 */
#include "tell/suspect_inside.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"

static const struct facts_migration migrations[] = {
	{1, "CREATE TABLE suspect(id INTEGER PRIMARY KEY, event TEXT NOT NULL, cloud TEXT NOT NULL,"
	    " region TEXT NOT NULL, root TEXT, fault INTEGER NOT NULL, state INTEGER NOT NULL,"
	    " began INTEGER NOT NULL, updated INTEGER NOT NULL, closed INTEGER NOT NULL,"
	    " worst INTEGER NOT NULL, announced INTEGER NOT NULL, taken INTEGER NOT NULL);"
	    "CREATE TABLE suspect_part(component TEXT PRIMARY KEY, name TEXT NOT NULL,"
	    " cloud TEXT NOT NULL, region TEXT NOT NULL, maintenance TEXT, health INTEGER NOT NULL,"
	    " fault INTEGER NOT NULL, verdict INTEGER NOT NULL, evidenced INTEGER NOT NULL,"
	    " ill INTEGER NOT NULL, well INTEGER NOT NULL, suspect INTEGER NOT NULL,"
	    " told INTEGER NOT NULL, flaps INTEGER NOT NULL, flaps_told INTEGER NOT NULL,"
	    " held INTEGER NOT NULL);"
	    "CREATE TABLE suspect_last(one INTEGER PRIMARY KEY, id INTEGER NOT NULL);"},
};

/* --- what the tables hold at the start ----------------------------------------------------------
 */

static bool on_suspect(void *arg, const struct facts_row *row)
{
	struct suspects *s = arg;
	struct suspect *x = mem_new(struct suspect);
	x->id = facts_int(row, 0);
	snprintf(x->event, sizeof(x->event), "%s", facts_text(row, 1));
	x->cloud = mem_strdup(facts_text(row, 2));
	x->region = mem_strdup(facts_text(row, 3));
	x->root = mem_strdup(facts_text(row, 4));
	x->fault = (enum suspect_fault)facts_int(row, 5);
	x->state = (enum suspect_state)facts_int(row, 6);
	x->began_ms = facts_int(row, 7);
	x->updated_ms = facts_int(row, 8);
	x->closed_ms = facts_int(row, 9);
	x->worst = (int)facts_int(row, 10);
	x->announced = facts_int(row, 11) != 0;
	x->taken = facts_int(row, 12) != 0;
	vec_push(&s->list, x);
	return true;
}

static bool on_part(void *arg, const struct facts_row *row)
{
	struct suspects *s = arg;
	struct part *p = mem_new(struct part);
	p->component = mem_strdup(facts_text(row, 0));
	p->name = mem_strdup(facts_text(row, 1));
	p->cloud = mem_strdup(facts_text(row, 2));
	p->region = mem_strdup(facts_text(row, 3));
	p->maintenance = mem_strdup(facts_text(row, 4));
	p->health = (enum health)facts_int(row, 5);
	p->fault = (enum suspect_fault)facts_int(row, 6);
	p->verdict = facts_int(row, 7);
	p->evidenced = facts_int(row, 8);
	p->ill_ms = facts_int(row, 9);
	p->well_ms = facts_int(row, 10);
	p->suspect = facts_int(row, 11);
	p->told = (int)facts_int(row, 12);
	p->flaps = facts_int(row, 13) != 0;
	p->flaps_told = facts_int(row, 14) != 0;
	p->held_ms = facts_int(row, 15);
	map_put(&s->parts, p->component, p);
	return true;
}

static bool on_last(void *arg, const struct facts_row *row)
{
	*(int64_t *)arg = facts_int(row, 0);
	return false;
}

/* The first time we begin at the end of the feed: what was before is no news. */
static bool first_cursor(struct facts_tx *tx, void *arg, struct error *err)
{
	return facts_run(tx,
		"INSERT INTO reader(name, seq) SELECT 'suspect', COALESCE(MAX(seq), 0) FROM change"
		" WHERE true ON CONFLICT(name) DO NOTHING",
		NULL, 0, err);
}

bool suspects_load(struct suspects *s, struct error *err)
{
	struct facts *f = s->facts;
	if (!facts_migrate(f, "suspect", migrations, array_len(migrations), err) ||
		!facts_call(f, first_cursor, NULL, err))
		return false;
	s->cursor = facts_cursor(f, "suspect");
	return facts_query(f,
		       "SELECT id, event, cloud, region, root, fault, state, began, updated, closed,"
		       " worst, announced, taken FROM suspect ORDER BY id",
		       NULL, 0, on_suspect, s, err) &&
	       facts_query(f,
		       "SELECT component, name, cloud, region, maintenance, health, fault, verdict,"
		       " evidenced, ill, well, suspect, told, flaps, flaps_told, held"
		       " FROM suspect_part ORDER BY ill, component",
		       NULL, 0, on_part, s, err) &&
	       facts_query(f, "SELECT id FROM suspect_last", NULL, 0, on_last, &s->last_id, err);
}

/* --- a turn, as copies --------------------------------------------------------------------------
 */

static void row_fini(struct suspect *x)
{
	free(x->cloud);
	free(x->region);
	free(x->root);
}

struct suspect_row *turn_suspect(struct suspect_turn *t, const struct suspect *x)
{
	struct suspect_row *row = NULL;
	for (size_t i = 0; i < t->rows.n && !row; i++)
		if (t->rows.p[i].row.id == x->id)
			row = &t->rows.p[i];
	if (!row)
		row = vec_add(&t->rows);
	row_fini(&row->row);
	row->row = *x;
	row->row.cloud = mem_strdup(x->cloud);
	row->row.region = mem_strdup(x->region);
	row->row.root = mem_strdup(x->root);
	return row;
}

void turn_part(struct suspect_turn *t, const struct part *p, bool gone)
{
	struct part_row *row = vec_add(&t->parts);
	row->gone = gone;
	row->row = *p;
	row->row.component = mem_strdup(p->component);
	row->row.name = mem_strdup(p->name);
	row->row.cloud = mem_strdup(p->cloud);
	row->row.region = mem_strdup(p->region);
	row->row.maintenance = mem_strdup(p->maintenance);
	row->row.root = NULL;
}

static void effect_fini(struct suspect_effect *f)
{
	free(f->title);
	free(f->text);
	VEC_EACH (&f->impacts, struct event_impact, i)
		free((char *)(uintptr_t)i->component);
	vec_fini(&f->impacts);
	json_decref(f->evidence);
}

void turn_free(struct suspect_turn *t)
{
	VEC_EACH (&t->rows, struct suspect_row, row) {
		row_fini(&row->row);
		effect_fini(&row->effect);
	}
	vec_fini(&t->rows);
	VEC_EACH (&t->parts, struct part_row, p) {
		free(p->row.component);
		free(p->row.name);
		free(p->row.cloud);
		free(p->row.region);
		free(p->row.maintenance);
	}
	vec_fini(&t->parts);
	free(t);
}

/* --- on the facts thread ------------------------------------------------------------------------
 */

static const struct event_author author = {"suspect", true};

static bool open_event(
	struct facts_tx *tx, struct suspect_row *row, int64_t now_ms, struct error *err)
{
	const struct suspect_effect *f = &row->effect;
	char *key = mem_printf("suspect:%lld", (long long)row->row.id);
	const struct event_new n = {
		.kind = EVENT_INCIDENT,
		.title = f->title,
		.text = f->text,
		.phase = EVENT_DETECTED,
		.audience = f->publish ? AUDIENCE_PUBLIC : AUDIENCE_OPERATORS,
		.starts_ms = row->row.began_ms,
		.impacts = f->impacts.p,
		.impact_count = f->impacts.n,
		.key = key,
		.evidence = f->evidence,
	};
	const bool good = event_tx_open(tx, &n, &author, now_ms, row->row.event, err);
	free(key);
	return good;
}

static bool change_event(
	struct facts_tx *tx, struct suspect_row *row, int64_t now_ms, struct error *err)
{
	const struct suspect_effect *f = &row->effect;
	const struct event_change c = {
		.text = f->text,
		.title = f->title,
		.phase = f->phase,
		.at_ms = f->at_ms,
		.starts_ms = -1,
		.until_ms = -1,
		.impacts = f->impacts.p,
		.impact_count = f->impacts.n,
		.publish = f->publish,
		.evidence = f->evidence,
	};
	/* A clock that was set back does not make it later than now. */
	return event_tx_change(
		tx, row->row.event, &c, &author, f->at_ms > now_ms ? f->at_ms : now_ms, err);
}

static bool is_final(const struct error *err)
{
	return err->kind == ERROR_CONFLICT || err->kind == ERROR_LIMIT || err->kind == ERROR_INPUT;
}

static bool do_effect(
	struct facts_tx *tx, struct suspect_row *row, int64_t now_ms, struct error *err)
{
	if (!facts_run(tx, "SAVEPOINT effect", NULL, 0, err))
		return false;
	if (row->effect.open ? open_event(tx, row, now_ms, err)
			     : change_event(tx, row, now_ms, err))
		return facts_run(tx, "RELEASE effect", NULL, 0, err);
	if (!is_final(err) || !facts_run(tx, "ROLLBACK TO effect", NULL, 0, NULL) ||
		!facts_run(tx, "RELEASE effect", NULL, 0, NULL))
		return false;
	if (err->kind != ERROR_CONFLICT)
		log_event(LOG_ERROR, "suspect_refused", "event", "%s", row->row.event, "why", "%s",
			err->msg, NULL);
	error_clear(err);
	row->row.taken = true;
	if (row->effect.open) {
		row->row.event[0] = 0;
		row->row.state = SUSPECT_OVER;
	}
	return true;
}

static bool write_suspect(struct facts_tx *tx, const struct suspect_row *r, struct error *err)
{
	const struct suspect *x = &r->row;
	const struct facts_value v[] = {FACTS_I(x->id), FACTS_T(x->event), FACTS_T(x->cloud),
		FACTS_T(x->region), FACTS_T(x->root), FACTS_I(x->fault), FACTS_I(x->state),
		FACTS_I(x->began_ms), FACTS_I(x->updated_ms), FACTS_I(x->closed_ms),
		FACTS_I(x->worst), FACTS_I(x->announced), FACTS_I(x->taken)};
	if (r->gone)
		return facts_run(tx, "DELETE FROM suspect WHERE id = ?", v, 1, err);
	return facts_run(tx,
		       "INSERT INTO suspect(id, event, cloud, region, root, fault, state, began,"
		       " updated, closed, worst, announced, taken)"
		       " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
		       " ON CONFLICT(id) DO UPDATE SET event = excluded.event, root = excluded.root,"
		       " state = excluded.state, began = excluded.began, updated = excluded.updated,"
		       " closed = excluded.closed, worst = excluded.worst,"
		       " announced = excluded.announced, taken = excluded.taken",
		       v, array_len(v), err) &&
	       facts_run(tx,
		       "INSERT INTO suspect_last(one, id) VALUES(1, ?) ON CONFLICT(one) DO UPDATE"
		       " SET id = excluded.id WHERE excluded.id > suspect_last.id",
		       v, 1, err);
}

static bool write_part(struct facts_tx *tx, const struct part_row *r, struct error *err)
{
	const struct part *p = &r->row;
	const struct facts_value v[] = {FACTS_T(p->component), FACTS_T(p->name), FACTS_T(p->cloud),
		FACTS_T(p->region), FACTS_T(p->maintenance), FACTS_I(p->health), FACTS_I(p->fault),
		FACTS_I(p->verdict), FACTS_I(p->evidenced), FACTS_I(p->ill_ms), FACTS_I(p->well_ms),
		FACTS_I(p->suspect), FACTS_I(p->told), FACTS_I(p->flaps), FACTS_I(p->flaps_told),
		FACTS_I(p->held_ms)};
	if (r->gone)
		return facts_run(tx, "DELETE FROM suspect_part WHERE component = ?", v, 1, err);
	return facts_run(tx,
		"INSERT INTO suspect_part(component, name, cloud, region, maintenance, health, fault,"
		" verdict, evidenced, ill, well, suspect, told, flaps, flaps_told, held)"
		" VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
		" ON CONFLICT(component) DO UPDATE SET name = excluded.name, cloud = excluded.cloud,"
		" region = excluded.region, maintenance = excluded.maintenance,"
		" health = excluded.health, fault = excluded.fault, verdict = excluded.verdict,"
		" evidenced = excluded.evidenced, ill = excluded.ill, well = excluded.well,"
		" suspect = excluded.suspect, told = excluded.told, flaps = excluded.flaps,"
		" flaps_told = excluded.flaps_told, held = excluded.held",
		v, array_len(v), err);
}

bool turn_write(struct facts_tx *tx, void *turn, struct error *err)
{
	struct suspect_turn *t = turn;
	VEC_EACH (&t->rows, struct suspect_row, r) {
		if (r->has_effect && !do_effect(tx, r, t->now_ms, err))
			return false;
		if (!write_suspect(tx, r, err))
			return false;
	}
	VEC_EACH (&t->parts, struct part_row, p)
		if (!write_part(tx, p, err))
			return false;
	return !t->cursor || facts_cursor_set(tx, "suspect", t->cursor, err);
}
