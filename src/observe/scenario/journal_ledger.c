/*
 * journal_ledger.c - what the journal holds of objects, for the ledger, sweeps and pages; see
 * journal.h.
 *
 * Most rows are of objects that are long gone, and there is no end to them: what is open is few and
 * has an index, what is closed is read newest first and never sorted as a whole.
 */

#include "observe/scenario/journal.h"

#include <stdint.h>
#include <string.h>

#include "store/facts.h"

/* --- rows ------------------------------------------------------------------------------------- */

struct reader {
	bool (*cb)(void *arg, const struct journal_object *o);
	void *arg;
	size_t n;
};

#define OBJECT_COLUMNS                                                                             \
	"o.id, o.run, o.step, o.kind, o.idx, o.attempt, o.name, o.mark, o.cloud_id,"               \
	" o.request_id, o.path, o.fate, o.note, o.created, o.changed, r.cloud, r.project,"         \
	" r.instance, r.scenario, o.service_request_id, o.seen, o.fix, o.admin_since"
#define OBJECT_TABLES " FROM object o JOIN scenario_run r ON r.run = o.run"

static json_t *json_column(const struct facts_row *row, int column)
{
	const char *text = facts_text(row, column);
	return text ? json_parse(slice_of(text), BUF_LINE, NULL) : NULL;
}

static bool read_row(void *arg, const struct facts_row *row)
{
	struct reader *r = arg;
	json_t *path = json_column(row, 10), *seen = json_column(row, 20);
	const struct journal_object o = {
		.id = facts_int(row, 0),
		.run = facts_text(row, 1),
		.step = facts_text(row, 2),
		.kind = facts_text(row, 3),
		.index = (unsigned)facts_int(row, 4),
		.attempt = (unsigned)facts_int(row, 5),
		.name = facts_text(row, 6),
		.mark = facts_text(row, 7),
		.cloud_id = facts_text(row, 8),
		.request_id = facts_text(row, 9),
		.path = path,
		.fate = (enum object_fate)facts_int(row, 11),
		.note = facts_text(row, 12),
		.created_unix_us = facts_int(row, 13),
		.changed_unix_us = facts_int(row, 14),
		.cloud = facts_text(row, 15),
		.project = facts_text(row, 16),
		.instance = facts_text(row, 17),
		.scenario = facts_text(row, 18),
		.service_request_id = facts_text(row, 19),
		.seen = seen,
		.fix = facts_text(row, 21),
		.admin_unix_us = facts_int(row, 22),
	};
	const bool more = r->cb(r->arg, &o);
	r->n++;
	json_decref(path);
	json_decref(seen);
	return more;
}

bool journal_objects(struct journal *j, const char *cloud, const char *instance, const char *run,
	bool open_only, bool (*cb)(void *arg, const struct journal_object *o), void *arg,
	struct error *err)
{
	struct reader r = {cb, arg, 0};
	const struct facts_value v[] = {FACTS_T(cloud), FACTS_T(cloud), FACTS_T(instance),
		FACTS_T(instance), FACTS_T(run), FACTS_T(run), FACTS_I(open_only),
		FACTS_I(OBJECT_DELETED), FACTS_I(OBJECT_REFUSED)};
	return facts_query(journal_facts(j),
		"SELECT " OBJECT_COLUMNS OBJECT_TABLES
		" WHERE (? IS NULL OR r.cloud = ?) AND (? IS NULL OR r.instance = ?)"
		" AND (? IS NULL OR o.run = ?) AND (? = 0 OR o.fate NOT IN (?, ?))"
		" ORDER BY o.created DESC, o.id",
		v, array_len(v), read_row, &r, err);
}

bool journal_object(struct facts *f, int64_t id,
	bool (*cb)(void *arg, const struct journal_object *o), void *arg, struct error *err)
{
	struct reader r = {cb, arg, 0};
	const struct facts_value v[] = {FACTS_I(id)};
	return facts_query(f, "SELECT " OBJECT_COLUMNS OBJECT_TABLES " WHERE o.id = ?", v,
		array_len(v), read_row, &r, err);
}

static bool on_held(void *arg, const struct facts_row *row)
{
	*(bool *)arg = true;
	return false;
}

bool journal_holds(struct journal *j, const char *cloud_id)
{
	struct error err = {0};
	bool held = false;
	const struct facts_value v[] = {
		FACTS_T(cloud_id), FACTS_I(OBJECT_DELETED), FACTS_I(OBJECT_REFUSED)};
	/* What cannot be read is taken for ours: then nobody is sent for it. */
	return !facts_query(journal_facts(j),
		       "SELECT id FROM object WHERE cloud_id = ? AND fate NOT IN (?, ?)", v,
		       array_len(v), on_held, &held, &err) ||
	       held;
}

bool journal_made(struct journal *j, const char *cloud_id)
{
	struct error err = {0};
	bool made = false;
	const struct facts_value v[] = {FACTS_T(cloud_id), FACTS_I(OBJECT_REFUSED)};
	return facts_query(journal_facts(j),
		       "SELECT id FROM object WHERE cloud_id = ? AND fate <> ?", v, array_len(v),
		       on_held, &made, &err) &&
	       made;
}

/* --- the ledger ------------------------------------------------------------------------------- */

#define OPEN_FATES   "(0, 1, 4, 5, 6, 7)"
#define CLOSED_FATES "(2, 3)"
/* For an administrator, leaked, unsure, left or in use, kept. */
#define OPEN_ORDER "CASE o.fate WHEN 6 THEN 0 WHEN 4 THEN 1 WHEN 5 THEN 2 WHEN 7 THEN 4 ELSE 3 END"
_Static_assert(OBJECT_DELETED == 2 && OBJECT_REFUSED == 3 && OBJECT_LEAKED == 4 &&
		       OBJECT_UNSURE == 5 && OBJECT_NEEDS_ADMIN == 6 && OBJECT_KEPT == 7,
	"rows hold these numbers");

#define FILTER                                                                                     \
	" AND (? IS NULL OR r.cloud = ?) AND (? IS NULL OR r.instance = ?)"                        \
	" AND (? IS NULL OR o.run = ?)"
#define FILTER_VALUES(f)                                                                           \
	FACTS_T((f)->cloud), FACTS_T((f)->cloud), FACTS_T((f)->instance), FACTS_T((f)->instance),  \
		FACTS_T((f)->run), FACTS_T((f)->run)

static bool count_row(void *arg, const struct facts_row *row)
{
	*(int64_t *)arg = facts_int(row, 0);
	return false;
}

/* How many rows of an offset the open ones take. */
static bool count_open(
	struct facts *f, const struct journal_filter *q, int64_t *ret, struct error *err)
{
	const struct facts_value v[] = {FILTER_VALUES(q), FACTS_I(q->fate), FACTS_I(q->fate)};
	return facts_query(f,
		"SELECT COUNT(*)" OBJECT_TABLES " WHERE o.fate IN " OPEN_FATES FILTER
		" AND (? < 0 OR o.fate = ?)",
		v, array_len(v), count_row, ret, err);
}

static bool read_part(struct facts *f, const struct journal_filter *q, const char *sql,
	int64_t limit, int64_t offset, struct reader *r, struct error *err)
{
	const struct facts_value v[] = {FILTER_VALUES(q), FACTS_I(q->fate), FACTS_I(q->fate),
		FACTS_I(limit), FACTS_I(offset)};
	return facts_query(f, sql, v, array_len(v), read_row, r, err);
}

bool journal_ledger(struct facts *f, const struct journal_filter *q,
	bool (*cb)(void *arg, const struct journal_object *o), void *arg, struct error *err)
{
	struct reader r = {cb, arg, 0};
	const int64_t limit = q->limit ? (int64_t)q->limit : INT64_MAX;
	const int64_t offset = (int64_t)q->offset;
	int64_t open = 0;
	if (!read_part(f, q,
		    "SELECT " OBJECT_COLUMNS OBJECT_TABLES " WHERE o.fate IN " OPEN_FATES FILTER
		    " AND (? < 0 OR o.fate = ?)"
		    " ORDER BY " OPEN_ORDER ", o.created DESC, o.id LIMIT ? OFFSET ?",
		    limit, offset, &r, err))
		return false;
	if (q->open_only || (int64_t)r.n >= limit)
		return true;
	if (offset && !count_open(f, q, &open, err))
		return false;
	return read_part(f, q,
		"SELECT " OBJECT_COLUMNS OBJECT_TABLES " WHERE o.fate IN " CLOSED_FATES FILTER
		" AND (? < 0 OR o.fate = ?) ORDER BY o.created DESC, o.id LIMIT ? OFFSET ?",
		limit - (int64_t)r.n, offset > open ? offset - open : 0, &r, err);
}

/* --- totals ----------------------------------------------------------------------------------- */

struct counting {
	struct journal_totals *totals;
	bool (*alive)(void *arg, const char *run);
	void *arg;
};

/* fate, run, whether it has ended, count; the run of open rows alone */
static bool on_count(void *arg, const struct facts_row *row)
{
	const struct counting *c = arg;
	struct journal_totals *t = c->totals;
	const char *run = facts_text(row, 1);
	const int64_t n = facts_int(row, 3);
	t->created += n;
	switch ((enum object_fate)facts_int(row, 0)) {
	case OBJECT_DELETED: t->deleted += n; break;
	case OBJECT_LEAKED: t->leaked += n; break;
	case OBJECT_UNSURE: t->unsure += n; break;
	case OBJECT_NEEDS_ADMIN: t->needs_admin += n; break;
	case OBJECT_KEPT: t->kept += n; break;
	case OBJECT_REFUSED: t->created -= n; break; /* it never existed */
	case OBJECT_INTENT:
	case OBJECT_CREATED:
		if (c->alive ? c->alive(c->arg, run) : !facts_int(row, 2))
			t->in_use += n;
		else
			t->left += n;
		break;
	}
	return true;
}

bool journal_totals(struct facts *f, const struct journal_filter *q,
	bool (*alive)(void *arg, const char *run), void *arg, struct journal_totals *ret,
	struct error *err)
{
	struct counting c = {ret, alive, arg};
	const struct facts_value v[] = {FILTER_VALUES(q)};
	*ret = (struct journal_totals){0};
	return facts_query(f,
		"SELECT o.fate, CASE WHEN o.fate IN (0, 1) THEN o.run END, r.ended IS NOT NULL,"
		" COUNT(*)" OBJECT_TABLES " WHERE o.fate <> 3" FILTER " GROUP BY 1, 2, 3",
		v, array_len(v), on_count, &c, err);
}

json_t *journal_totals_json(const struct journal_totals *t)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "created",
		(json_int_t)t->created, "deleted", (json_int_t)t->deleted, "in_use",
		(json_int_t)t->in_use, "kept", (json_int_t)t->kept, "left", (json_int_t)t->left,
		"leaked", (json_int_t)t->leaked, "unsure", (json_int_t)t->unsure, "needs_admin",
		(json_int_t)t->needs_admin);
}

json_t *journal_object_json(const struct journal_object *o)
{
	char at[CLOCK_TEXT], changed[CLOCK_TEXT], since[CLOCK_TEXT];
	json_t *j = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:s, s:s?, s:s?, s:s?,"
		" s:s?, s:s?, s:s}",
		"created", clock_rfc3339(o->created_unix_us, at), "changed",
		clock_rfc3339(o->changed_unix_us, changed), "cloud", o->cloud, "instance",
		o->instance, "run", o->run, "scenario", o->scenario, "step", o->step, "index",
		(int)o->index, "attempt", (int)o->attempt, "kind", o->kind, "name", o->name, "id",
		o->cloud_id, "request_id", o->request_id, "service_request_id",
		o->service_request_id, "note", o->note, "fate", object_fate_name(o->fate));
	json_object_set_new(j, "admin_since",
		o->admin_unix_us ? json_string(clock_rfc3339(o->admin_unix_us, since))
				 : json_null());
	json_object_set_new(j, "fix", o->fix ? json_string(o->fix) : json_null());
	json_object_set_new(j, "seen", o->seen ? json_incref((json_t *)o->seen) : json_null());
	return j;
}
