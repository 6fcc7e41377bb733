/*
 * event_read.c - events as documents. What is the operators' alone is put in only for them.
 */

#include <string.h>

#include "base/clock.h"
#include "tell/event_inside.h"

#define AHEAD_MS    (30 * 86400000LL) /* of what is current */
#define NEWEST      50                /* that are over */
#define CURRENT_MAX 200               /* that are not */

static void put(json_t *o, const char *key, json_t *value)
{
	json_object_set_new(o, key, value);
}

static void put_ms(json_t *o, const char *key, int64_t ms) /* 0: null */
{
	put(o, key, ms ? json_integer(ms) : json_null());
}

/* --- updates ---------------------------------------------------------------------------------- */

struct updates {
	json_t *list, *last; /* last: borrowed from list */
	bool operators;
};

static json_t *list_or_null(const char *text)
{
	struct error ignored;
	json_t *list = text ? json_parse(slice_of(text), BUF_PAGE, &ignored) : NULL;
	return list ? list : json_null();
}

static json_t *update_json(const struct facts_row *row, bool operators)
{
	const char *title = facts_text(row, 6);
	json_t *u = json_object();
	put(u, "n", json_integer(facts_int(row, 0)));
	put(u, "at_ms", json_integer(facts_int(row, 1)));
	put(u, "phase", json_string(event_phase_name(facts_int(row, 2) % EVENT_PHASES)));
	put(u, "text", json_null());
	put(u, "machine", json_boolean(facts_int(row, 3)));
	put(u, "corrected_ms", json_null());
	put(u, "components", list_or_null(facts_text(row, 5)));
	put(u, "title", title ? json_string(title) : json_null());
	put_ms(u, "starts_ms", facts_int(row, 7));
	put(u, "until_ms", facts_text(row, 8) ? json_integer(facts_int(row, 8)) : json_null());
	if (operators)
		put(u, "by", json_string(facts_text(row, 4)));
	put(u, "revisions", json_array());
	return u;
}

/* A row a revision, those of an update together. */
static bool on_revision(void *arg, const struct facts_row *row)
{
	struct updates *u = arg;
	const int64_t revision = facts_int(row, 9), at_ms = facts_int(row, 10);
	if (!u->last || json_int(u->last, "n", 0) != facts_int(row, 0)) {
		u->last = update_json(row, u->operators);
		json_array_append_new(u->list, u->last);
	}
	json_t *r = json_object();
	put(r, "revision", json_integer(revision));
	put(r, "at_ms", json_integer(at_ms));
	put(r, "text", json_string(facts_text(row, 12)));
	if (u->operators)
		put(r, "by", json_string(facts_text(row, 11)));
	json_array_append_new(json_object_get(u->last, "revisions"), r);
	put(u->last, "text", json_string(facts_text(row, 12)));
	if (revision > 1)
		put(u->last, "corrected_ms", json_integer(at_ms));
	return true;
}

#define UPDATES                                                                                    \
	"SELECT u.n, u.at_ms, u.phase, u.machine, u.author, u.components, u.title, u.starts_ms,"   \
	" u.until_ms, r.revision, r.at_ms, r.author, r.text FROM event_update u"                   \
	" JOIN event_revision r ON r.event = u.event AND r.n = u.n WHERE u.event = ?"
#define IN_ORDER " ORDER BY u.at_ms, u.n, r.revision"

/* Up to those the row knows of: more may have come since it was read. */
static json_t *updates_json(
	struct facts *f, const struct event_row *r, bool operators, bool brief, struct error *err)
{
	const struct facts_value v[] = {FACTS_T(r->id), FACTS_T(r->id), FACTS_I(r->updates)};
	struct updates u = {.list = json_array(), .operators = operators};
	const bool good =
		brief ? facts_query(f,
				UPDATES
				" AND u.n = (SELECT n FROM event_update WHERE event = ?"
				" AND n <= ? ORDER BY at_ms DESC, n DESC LIMIT 1)" IN_ORDER,
				v, 3, on_revision, &u, err)
		      : facts_query(f, UPDATES " AND u.n <= ?" IN_ORDER, v + 1, 2, on_revision, &u,
				err);
	if (good)
		return u.list;
	json_decref(u.list);
	return NULL;
}

/* --- an event --------------------------------------------------------------------------------- */

json_t *event_row_json(
	struct facts *f, const struct event_row *r, bool operators, bool brief, struct error *err)
{
	json_t *updates = updates_json(f, r, operators, brief, err), *e;
	if (!updates)
		return NULL;
	e = json_object();
	put(e, "id", json_string(r->id));
	put(e, "kind", json_string(event_kind_name(r->kind)));
	put(e, "title", json_string(r->title));
	put(e, "phase", json_string(event_phase_name(r->phase)));
	put(e, "phase_ms", json_integer(r->phase_ms));
	put(e, "public", json_boolean(r->audience == AUDIENCE_PUBLIC));
	put(e, "machine", json_boolean(r->machine));
	put(e, "taken_over", json_boolean(r->taken));
	put(e, "starts_ms", json_integer(r->starts_ms));
	put_ms(e, "until_ms", r->until_ms);
	put_ms(e, "ended_ms", r->ended_ms);
	put(e, "created_ms", json_integer(r->created_ms));
	put(e, "changed_ms", json_integer(r->changed_ms));
	put(e, "revision", json_integer(r->revision));
	put(e, "impact", json_integer(r->ended_ms ? r->worst : event_impact_now(r->components)));
	put(e, "components", json_deep_copy(r->components));
	put(e, "touched", json_deep_copy(r->touched));
	put(e, "evidence", json_deep_copy(r->evidence));
	put(e, "updates", updates);
	if (operators) {
		put(e, "key", json_string(r->key));
		put(e, "by", json_string(r->by));
	}
	return e;
}

typedef VEC(struct event_row) rows_vec;

static bool on_row(void *arg, const struct facts_row *row)
{
	rows_vec *rows = arg;
	event_row_take(vec_add(rows), row);
	return true;
}

static void rows_fini(rows_vec *rows)
{
	VEC_EACH (rows, struct event_row, r)
		event_row_fini(r);
	vec_fini(rows);
}

json_t *event_json(struct facts *f, const char *id, enum audience audience, struct error *err)
{
	const struct facts_value v[] = {FACTS_T(id), FACTS_I(audience)};
	rows_vec rows = {0};
	error_clear(err);
	json_t *e = NULL;
	if (facts_query(f, "SELECT " EVENT_COLUMNS " FROM event WHERE id = ? AND audience >= ?", v,
		    array_len(v), on_row, &rows, err) &&
		rows.n)
		e = event_row_json(f, &rows.p[0], audience == AUDIENCE_OPERATORS, false, err);
	rows_fini(&rows);
	return e;
}

/* --- lists ------------------------------------------------------------------------------------ */

#define CONDITIONS_MAX 12

struct condition {
	struct buf sql;
	struct facts_value v[CONDITIONS_MAX];
	size_t n;
};

static void need(struct condition *c, const char *sql, struct facts_value v)
{
	buf_add_str(&c->sql, c->n ? " AND " : " WHERE ");
	buf_add_str(&c->sql, sql);
	c->v[c->n++] = v;
}

/* What is planned lasts until its planned end, what goes on has none yet. */
static void need_touch(struct condition *c, int64_t from_ms, int64_t to_ms)
{
	if (to_ms)
		need(c, "starts_ms < ?", FACTS_I(to_ms));
	if (from_ms) {
		need(c, "(starts_ms >= ?", FACTS_I(from_ms));
		buf_add_str(&c->sql,
			" OR ended_ms >= ? OR (ended_ms = 0 AND (phase <> ? OR"
			" until_ms >= ?)))");
		c->v[c->n++] = FACTS_I(from_ms);
		c->v[c->n++] = FACTS_I(EVENT_PLANNED);
		c->v[c->n++] = FACTS_I(from_ms);
	}
}

static void need_begin(struct condition *c, int64_t from_ms, int64_t to_ms)
{
	if (from_ms)
		need(c, "starts_ms >= ?", FACTS_I(from_ms));
	if (to_ms)
		need(c, "starts_ms < ?", FACTS_I(to_ms));
}

static struct condition condition_of(const struct event_filter *f)
{
	struct condition c = {.sql = BUF(BUF_LINE)};
	need(&c, "audience >= ?", FACTS_I(f->audience));
	if (f->kind >= 0)
		need(&c, "kind = ?", FACTS_I(f->kind));
	if (f->component)
		need(&c, "id IN (SELECT event FROM event_component WHERE component = ?)",
			FACTS_T(f->component));
	if (f->by_begin)
		need_begin(&c, f->from_ms, f->to_ms);
	else
		need_touch(&c, f->from_ms, f->to_ms);
	if (f->open)
		need(&c, "ended_ms = ?", FACTS_I(0));
	return c;
}

static bool read_rows(struct facts *f, struct condition *c, const char *order, size_t skip,
	size_t limit, rows_vec *ret, struct error *err)
{
	struct buf sql = BUF(BUF_LINE);
	buf_printf(&sql, "SELECT " EVENT_COLUMNS " FROM event%s ORDER BY %s LIMIT ? OFFSET ?",
		buf_str(&c->sql), order);
	c->v[c->n] = FACTS_I((int64_t)limit);
	c->v[c->n + 1] = FACTS_I((int64_t)skip);
	const bool good = facts_query(f, buf_str(&sql), c->v, c->n + 2, on_row, ret, err);
	buf_fini(&sql);
	buf_fini(&c->sql);
	return good;
}

/* Those of `rows` that `audience` may see. */
static json_t *rows_json(struct facts *f, const rows_vec *rows, enum audience audience, bool brief,
	struct error *err)
{
	json_t *list = json_array();
	VEC_EACH (rows, struct event_row, r) {
		if (r->audience < audience)
			continue;
		json_t *e = event_row_json(f, r, audience == AUDIENCE_OPERATORS, brief, err);
		if (!e) {
			json_decref(list);
			return NULL;
		}
		json_array_append_new(list, e);
	}
	return list;
}

#define NEWEST_FIRST "starts_ms DESC, id DESC"
#define OPEN_FIRST   "CASE WHEN ended_ms = 0 THEN 0 ELSE 1 END, " NEWEST_FIRST

json_t *event_list(struct facts *f, const struct event_filter *filter, struct error *err)
{
	struct condition c = condition_of(filter);
	const size_t limit = filter->limit ? filter->limit : 50;
	rows_vec rows = {0};
	json_t *list = NULL;
	if (read_rows(f, &c, filter->by_begin ? NEWEST_FIRST : OPEN_FIRST, filter->skip,
		    limit < EVENT_LIST_MAX ? limit : EVENT_LIST_MAX, &rows, err))
		list = rows_json(f, &rows, filter->audience, filter->brief, err);
	rows_fini(&rows);
	return list;
}

static bool on_count(void *arg, const struct facts_row *row)
{
	*(int64_t *)arg = facts_int(row, 0);
	return false;
}

int64_t event_count(struct facts *f, const struct event_filter *filter, struct error *err)
{
	struct condition c = condition_of(filter);
	int64_t n = -1;
	char *sql = mem_printf("SELECT COUNT(*) FROM event%s", buf_str(&c.sql));
	if (!facts_query(f, sql, c.v, c.n, on_count, &n, err))
		n = -1;
	free(sql);
	buf_fini(&c.sql);
	return n;
}

static bool on_begin(void *arg, const struct facts_row *row)
{
	json_t *months = arg;
	char text[CLOCK_TEXT];
	const size_t n = json_array_size(months);
	const char *last = n ? json_string_value(json_array_get(months, n - 1)) : "";
	clock_rfc3339(facts_int(row, 0) * 1000, text);
	if (strncmp(last, text, 7) != 0)
		json_array_append_new(months, json_stringn(text, 7));
	return true;
}

json_t *event_months(struct facts *f, enum audience audience, struct error *err)
{
	const struct facts_value v = FACTS_I(audience);
	json_t *months = json_array();
	if (facts_query(f,
		    "SELECT starts_ms FROM event WHERE audience >= ? ORDER BY starts_ms DESC", &v,
		    1, on_begin, months, err))
		return months;
	json_decref(months);
	return NULL;
}

/* The 50 newest that are over are another 50 for who sees no drafts. */
static bool read_for(
	struct facts *f, int64_t now_ms, enum audience audience, json_t **ret, struct error *err)
{
	struct condition open = {.sql = BUF(BUF_LINE)}, over = {.sql = BUF(BUF_LINE)};
	rows_vec rows = {0};
	need(&open, "audience >= ?", FACTS_I(audience));
	need(&open, "ended_ms = ?", FACTS_I(0));
	need(&open, "starts_ms < ?", FACTS_I(now_ms + AHEAD_MS));
	need(&over, "audience >= ?", FACTS_I(audience));
	need(&over, "ended_ms <> ?", FACTS_I(0));
	const bool good = read_rows(f, &open, NEWEST_FIRST, 0, CURRENT_MAX, &rows, err);
	if (good && read_rows(f, &over, NEWEST_FIRST, 0, NEWEST, &rows, err))
		*ret = rows_json(f, &rows, audience, true, err);
	if (!good)
		buf_fini(&over.sql);
	rows_fini(&rows);
	if (*ret && event_add_earlier(f, *ret, err))
		return true;
	json_decref(*ret);
	*ret = NULL;
	return false;
}

bool event_read_current(struct facts *f, int64_t now_ms, json_t *ret[2], struct error *err)
{
	ret[0] = ret[1] = NULL;
	if (read_for(f, now_ms, AUDIENCE_OPERATORS, &ret[0], err) &&
		read_for(f, now_ms, AUDIENCE_PUBLIC, &ret[1], err))
		return true;
	json_decref(ret[0]);
	ret[0] = NULL;
	return false;
}
