/*
 * judge_rows.c - the tables of the judge: verdicts, and the times in which we observed.
 *
 * A verdict's row is ended by the next one in the same transaction. Every second the open
 * span of `observing` is lengthened, without an fsync; every ten seconds with one, and with how new
 * the evidence of each open verdict is, so that a start knows when it stopped and what is stale.
 */

#include "judge/judge_inside.h"

static const struct facts_migration migrations[] = {
	{1, "CREATE TABLE verdict(id INTEGER PRIMARY KEY, component TEXT NOT NULL,"
	    " health INTEGER NOT NULL, rule TEXT NOT NULL, text TEXT NOT NULL,"
	    " since_ms INTEGER NOT NULL, until_ms INTEGER, evidence_ms INTEGER NOT NULL,"
	    " fresh_ms INTEGER NOT NULL, evidence TEXT NOT NULL);"
	    "CREATE INDEX verdict_component ON verdict(component, since_ms);"
	    "CREATE TABLE observing(from_ms INTEGER PRIMARY KEY, to_ms INTEGER NOT NULL);"
	    "CREATE INDEX observing_to ON observing(to_ms);"},
	{2, "ALTER TABLE verdict ADD COLUMN name TEXT;"
	    "CREATE INDEX verdict_order ON verdict(component, id);"},
	{3, "CREATE TABLE component(id TEXT PRIMARY KEY, name TEXT NOT NULL,"
	    " category TEXT NOT NULL, cloud TEXT NOT NULL, region TEXT NOT NULL);"},
	{4, "ALTER TABLE verdict ADD COLUMN began_ms INTEGER;" /* of this health; NULL: since_ms */
	    "ALTER TABLE verdict ADD COLUMN root TEXT;"
	    "ALTER TABLE verdict ADD COLUMN maintenance TEXT;"
	    "ALTER TABLE verdict ADD COLUMN dissent TEXT;"
	    "ALTER TABLE verdict ADD COLUMN flapping INTEGER NOT NULL DEFAULT 0;"},
};

/* Spans are known by their begin, so that writing one again does no harm. */
static bool observe(struct facts_tx *tx, int64_t from_ms, int64_t to_ms, struct error *err)
{
	const struct facts_value v[] = {FACTS_I(from_ms), FACTS_I(to_ms)};
	return facts_run(tx,
		"INSERT INTO observing(from_ms, to_ms) VALUES(?, ?)"
		" ON CONFLICT(from_ms) DO UPDATE SET to_ms = excluded.to_ms",
		v, array_len(v), err);
}

static bool do_open(struct facts_tx *tx, void *arg, struct error *err)
{
	const int64_t *from_ms = arg;
	return observe(tx, *from_ms, *from_ms, err);
}

static bool on_last(void *arg, const struct facts_row *row)
{
	*(int64_t *)arg = facts_int(row, 0);
	return false;
}

bool judge_migrate(struct facts *f, struct error *err)
{
	return facts_migrate(f, "judge", migrations, array_len(migrations), err);
}

bool rows_open(struct judge *j, struct error *err)
{
	return judge_migrate(j->facts, err) &&
	       facts_query(j->facts, "SELECT to_ms FROM observing ORDER BY to_ms DESC LIMIT 1",
		       NULL, 0, on_last, &j->last_ms, err) &&
	       facts_call(j->facts, do_open, &j->span_from_ms, err);
}

/* --- verdicts --------------------------------------------------------------------------------- */

struct reading {
	struct judged *c;
	bool found;
};

static bool read_row(void *arg, const struct facts_row *row)
{
	struct reading *r = arg;
	struct stored_verdict *s = &r->c->now;
	mem_replace(&s->text, facts_text(row, 3));
	s->v.id = facts_int(row, 0);
	s->v.health = (enum health)facts_int(row, 1);
	s->v.rule = judge_rule(facts_text(row, 2));
	s->v.text = s->text;
	s->from_ms = facts_int(row, 4);
	s->v.evidence_ms = facts_int(row, 5);
	s->fresh_ms = facts_int(row, 6);
	s->v.since_ms = facts_int(row, 7);
	mem_replace(&s->root, facts_text(row, 8));
	s->v.root = s->root;
	verdict_set_maintenance(s, facts_text(row, 9));
	mem_replace(&s->dissent, facts_text(row, 10));
	s->v.dissent = s->dissent;
	s->v.flapping = facts_int(row, 11) != 0;
	s->v.stored = true;
	struct flap *flap = &r->c->flap;
	flap->raw = flap->worst = s->v.health;
	flap->active = s->v.flapping;
	flap->changed_ms = judge_now_ms(r->c->judge);
	r->found = s->v.health < HEALTH_COUNT;
	return false;
}

static bool read_outage(void *arg, const struct facts_row *row)
{
	struct judged *c = arg;
	c->began_ms = facts_int(row, 0);
	c->ended_ms = facts_int(row, 1);
	return false;
}

bool rows_read(struct judge *j, struct judged *c, struct error *err)
{
	struct reading r = {c, false};
	const struct facts_value v = FACTS_T(c->id);
	const struct facts_value outage[] = {FACTS_T(c->id), FACTS_I(HEALTH_OUTAGE)};
	if (!facts_query(j->facts,
		    "SELECT COALESCE(began_ms, since_ms), until_ms FROM verdict WHERE component = ?"
		    " AND health = ? AND until_ms IS NOT NULL ORDER BY since_ms DESC LIMIT 1",
		    outage, array_len(outage), read_outage, c, err) ||
		!facts_query(j->facts,
			"SELECT id, health, rule, text, since_ms, evidence_ms, fresh_ms,"
			" COALESCE(began_ms, since_ms), root, maintenance, dissent, flapping"
			" FROM verdict WHERE component = ? AND until_ms IS NULL ORDER BY since_ms DESC LIMIT 1",
			&v, 1, read_row, &r, err))
		return false;
	return r.found;
}

static bool end_verdict(
	struct facts_tx *tx, const char *component, int64_t at_ms, struct error *err)
{
	const struct facts_value v[] = {FACTS_I(at_ms), FACTS_T(component)};
	return facts_run(tx,
		"UPDATE verdict SET until_ms = ? WHERE component = ? AND until_ms IS NULL", v,
		array_len(v), err);
}

bool rows_write(struct facts_tx *tx, struct row_change *c, struct error *err)
{
	const struct verdict *to = &c->to.v;
	const struct facts_value v[] = {FACTS_T(to->component), FACTS_I(to->health),
		FACTS_T(to->rule), FACTS_T(to->text), FACTS_I(c->to.from_ms),
		FACTS_I(to->evidence_ms), FACTS_I(c->to.fresh_ms), FACTS_T(c->evidence),
		FACTS_T(c->name), FACTS_I(to->since_ms), FACTS_T(to->root),
		FACTS_T(to->maintenance), FACTS_T(to->dissent), FACTS_I(to->flapping)};
	if (!end_verdict(tx, to->component, c->to.from_ms, err) ||
		!facts_run(tx,
			"INSERT INTO verdict(component, health, rule, text, since_ms, evidence_ms,"
			" fresh_ms, evidence, name, began_ms, root, maintenance, dissent, flapping)"
			" VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			v, array_len(v), err))
		return false;
	c->id = facts_last_id(tx);
	char id[32];
	snprintf(id, sizeof(id), "%lld", (long long)c->id);
	return facts_change(tx, "verdict", id, 1, AUDIENCE_PUBLIC, err);
}

struct ending {
	char *component;
	int64_t at_ms;
};

static bool do_end(struct facts_tx *tx, void *arg, struct error *err)
{
	struct ending *e = arg;
	const bool good = end_verdict(tx, e->component, e->at_ms, err);
	free(e->component);
	free(e);
	return good;
}

void rows_write_end(struct judge *j, const char *component, int64_t at_ms)
{
	struct ending *e = mem_new(struct ending);
	e->component = mem_strdup(component);
	e->at_ms = at_ms;
	facts_submit(j->facts, do_end, e, NULL);
}

/* --- beats ------------------------------------------------------------------------------------ */

struct beat_row {
	int64_t id, evidence_ms, fresh_ms;
};

struct beat {
	int64_t from_ms, to_ms;
	VEC(struct beat_row) rows;
};

static bool write_beat(struct facts_tx *tx, const struct beat *b, struct error *err)
{
	if (!observe(tx, b->from_ms, b->to_ms, err))
		return false;
	VEC_EACH (&b->rows, struct beat_row, r) {
		const struct facts_value v[] = {
			FACTS_I(r->evidence_ms), FACTS_I(r->fresh_ms), FACTS_I(r->id)};
		if (!facts_run(tx, "UPDATE verdict SET evidence_ms = ?, fresh_ms = ? WHERE id = ?",
			    v, array_len(v), err))
			return false;
	}
	return true;
}

/* One that fails is made good by the next. */
static bool do_beat(struct facts_tx *tx, void *arg, struct error *err)
{
	struct beat *b = arg;
	const bool good = write_beat(tx, b, err);
	vec_fini(&b->rows);
	free(b);
	return good;
}

static struct beat *beat_new(const struct judge *j, int64_t to_ms)
{
	struct beat *b = mem_new(struct beat);
	b->from_ms = j->span_from_ms;
	b->to_ms = to_ms;
	return b;
}

void rows_observed(struct judge *j, int64_t to_ms)
{
	facts_submit_light(j->facts, do_beat, beat_new(j, to_ms));
}

void rows_beat(struct judge *j, int64_t to_ms)
{
	struct beat *b = beat_new(j, to_ms);
	VEC_EACH (&j->components, struct judged *, c) {
		const struct stored_verdict *s = &(*c)->now;
		if (s->v.id && !s->v.stored && !(*c)->unwritten)
			vec_push(&b->rows,
				((struct beat_row){s->v.id, s->v.evidence_ms, s->fresh_ms}));
	}
	facts_submit(j->facts, do_beat, b, NULL);
}
