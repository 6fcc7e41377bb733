/*
 * judge_given.c - see given.h. A life that ended without a word ended when it was last seen, and so
 * did all that was given in it: a start gives it anew.
 */

#include "judge/given.h"

#include <math.h>
#include <string.h>

#include "judge/judge_inside.h"

#define ROUNDED_US 1000000LL /* from here on 1.6 % of a stored duration are not nothing */

/* --- marks ------------------------------------------------------------------------------------ */

double given_pack(const struct given_mark *m)
{
	const int64_t most = UINT32_MAX;
	const int64_t heard = m->heard_ms < 0 ? 0 : m->heard_ms > most ? most : m->heard_ms;
	return (double)(heard << 11 | (int64_t)m->fault << 3 | (int64_t)m->severity << 1 |
			m->warned);
}

bool given_unpack(double value, struct given_mark *ret)
{
	if (!(value >= 0 && value < 0x1p43) || floor(value) != value)
		return false;
	const int64_t bits = (int64_t)value;
	*ret = (struct given_mark){.heard_ms = bits >> 11,
		.fault = (enum fault)(bits >> 3 & 0xff),
		.severity = (enum severity)(bits >> 1 & 3),
		.warned = bits & 1};
	return ret->fault < FAULT_COUNT && ret->severity <= SEVERITY_NOTE;
}

static bool says_more(const struct observation *o, int64_t heard_ms)
{
	const int64_t late_ms = heard_ms - o->total_us / 1000;
	return o->fault != FAULT_NONE || o->warned || o->severity != SEVERITY_OUTAGE || o->step ||
	       o->run || !o->series || o->total_us > ROUNDED_US || late_ms > GIVEN_LATE_MS ||
	       late_ms < -GIVEN_LATE_MS;
}

void given_take(struct judge *j, const struct observation *o, int64_t now_ms)
{
	const struct given_mark m = {now_ms - o->at_ms, o->fault, o->severity, o->warned};
	const struct series_tag tags[] = {{"cloud", o->cloud}, {"component", o->component},
		{"location", o->location && *o->location ? o->location : NULL}, {"probe", o->probe},
		{"step", o->step}};
	const struct series_key key = {.kind = SERIES_GAUGE,
		.unit = "",
		.location = "",
		.name = GIVEN_SERIES,
		.tags = tags,
		.tag_count = array_len(tags)};
	struct series *s = says_more(o, m.heard_ms) ? series_get(j->series, &key) : NULL;
	if (s)
		series_append(
			s, &(struct series_sample){.at_ms = o->at_ms, .value = given_pack(&m)});
}

/* --- givens ----------------------------------------------------------------------------------- */

struct giving {
	struct given given; /* texts owned */
	bool ends;
};

static bool begin(struct facts_tx *tx, const struct given *g, struct error *err)
{
	const struct facts_value v[] = {FACTS_I(g->what), FACTS_T(g->one), FACTS_T(g->other),
		FACTS_T(g->third), FACTS_I(g->x), FACTS_I(g->y), FACTS_I(g->from_ms)};
	return facts_run(tx,
		"INSERT INTO given(what, one, other, third, x, y, from_ms)"
		" VALUES(?, ?, ?, ?, ?, ?, ?)",
		v, array_len(v), err);
}

static bool end(struct facts_tx *tx, const struct given *g, struct error *err)
{
	const struct facts_value v[] = {FACTS_I(g->until_ms), FACTS_I(g->what), FACTS_T(g->one),
		FACTS_T(g->other), FACTS_T(g->third), FACTS_I(g->x), FACTS_I(g->y)};
	return facts_run(tx,
		"UPDATE given SET until_ms = ? WHERE until_ms IS NULL AND what = ? AND one = ?"
		" AND other = ? AND third = ? AND x = ? AND y = ?",
		v, array_len(v), err);
}

static bool do_give(struct facts_tx *tx, void *arg, struct error *err)
{
	struct giving *g = arg;
	const bool good = (g->ends ? end : begin)(tx, &g->given, err);
	free((char *)(uintptr_t)g->given.one);
	free((char *)(uintptr_t)g->given.other);
	free((char *)(uintptr_t)g->given.third);
	free(g);
	return good;
}

static char *text_or_none(const char *text)
{
	return mem_strdup(text ? text : "");
}

static void give(struct judge *j, const struct given *given, bool ends)
{
	struct giving *g = mem_new(struct giving);
	g->given = *given;
	g->given.one = text_or_none(given->one);
	g->given.other = text_or_none(given->other);
	g->given.third = text_or_none(given->third);
	g->given.from_ms = g->given.until_ms = judge_now_ms(j);
	g->ends = ends;
	facts_submit_light(j->facts, do_give, g);
}

void given_pace(struct judge *j, const struct judge_probe *p, const struct expected *x, bool ends)
{
	give(j,
		&(struct given){.what = GIVEN_PACE,
			.one = p->cloud,
			.other = p->probe,
			.third = p->location,
			.x = x->every_ms,
			.y = x->timeout_ms},
		ends);
}

void given_blind(struct judge *j, bool ends)
{
	give(j, &(struct given){.what = GIVEN_BLIND, .other = j->why_blind}, ends);
}

void given_window(struct judge *j, const struct window *w, bool ends)
{
	give(j,
		&(struct given){.what = GIVEN_WINDOW,
			.one = w->component,
			.other = w->event,
			.third = w->probe,
			.x = w->from_ms,
			.y = w->to_ms},
		ends);
}

static bool do_open(struct facts_tx *tx, void *arg, struct error *err)
{
	const struct judge *j = arg;
	const int64_t kept_ms = series_kept(j->series).raw_ms;
	const struct facts_value last = FACTS_I(j->last_ms),
				 old = FACTS_I(j->span_from_ms - kept_ms);
	const struct given life = {.what = GIVEN_LIFE,
		.one = "",
		.other = "",
		.third = "",
		.from_ms = j->span_from_ms};
	return facts_run(
		       tx, "UPDATE given SET until_ms = ? WHERE until_ms IS NULL", &last, 1, err) &&
	       facts_run(tx, "DELETE FROM given WHERE until_ms < ?", &old, 1, err) &&
	       begin(tx, &life, err);
}

bool given_open(struct judge *j, struct error *err)
{
	return facts_call(j->facts, do_open, j, err);
}

/* --- reading ---------------------------------------------------------------------------------- */

struct giving_back {
	bool (*cb)(void *arg, const struct given *g);
	void *arg;
};

static bool on_given(void *arg, const struct facts_row *row)
{
	const struct giving_back *b = arg;
	const struct given g = {
		.what = (enum given_what)facts_int(row, 0),
		.one = facts_text(row, 1),
		.other = facts_text(row, 2),
		.third = facts_text(row, 3),
		.x = facts_int(row, 4),
		.y = facts_int(row, 5),
		.from_ms = facts_int(row, 6),
		.until_ms = facts_text(row, 7) ? facts_int(row, 7) : INT64_MAX,
	};
	return g.what >= GIVEN_WHATS || b->cb(b->arg, &g);
}

bool given_each(struct facts *f, int64_t from_ms, int64_t to_ms,
	bool (*cb)(void *arg, const struct given *g), void *arg, struct error *err)
{
	struct giving_back b = {cb, arg};
	const struct facts_value v[] = {FACTS_I(to_ms), FACTS_I(from_ms)};
	return facts_query(f,
		"SELECT what, one, other, third, x, y, from_ms, until_ms FROM given"
		" WHERE from_ms < ? AND (until_ms IS NULL OR until_ms > ?)"
		" ORDER BY from_ms, what, id",
		v, array_len(v), on_given, &b, err);
}
