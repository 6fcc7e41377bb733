/*
 * judge_history.c - the verdicts of a component over time, cut by the gaps of our own observing.
 *
 * A gap is the time between two spans of `observing`; while it lasted nobody knows the state, so
 * the verdict that stood before it is not drawn through it.
 */

#include "base/vec.h"
#include "judge/judge_inside.h"

#define BEAT_LATE_MS 30000 /* the newest span counts as reaching to now when it ends this late */
#define SPANS_MAX    100000

struct range {
	int64_t from_ms, to_ms;
};

struct history {
	VEC(struct range) gaps;
	size_t next_gap;
	int64_t seen_to_ms; /* end of the span read last; 0: none */
	int64_t from_ms, to_ms;
	int64_t told_to_ms; /* everything before is told; 0: nothing */
	bool (*cb)(void *arg, const struct judge_span *span);
	void *arg;
	bool stopped;
};

static void add_gap(struct history *h, int64_t from_ms, int64_t to_ms)
{
	if (from_ms < h->from_ms)
		from_ms = h->from_ms;
	if (to_ms > h->to_ms)
		to_ms = h->to_ms;
	if (from_ms < to_ms)
		vec_push(&h->gaps, ((struct range){from_ms, to_ms}));
}

static bool on_observing(void *arg, const struct facts_row *row)
{
	struct history *h = arg;
	const int64_t from_ms = facts_int(row, 0), to_ms = facts_int(row, 1);
	if (h->seen_to_ms)
		add_gap(h, h->seen_to_ms, from_ms);
	if (to_ms > h->seen_to_ms)
		h->seen_to_ms = to_ms;
	return h->gaps.n < SPANS_MAX;
}

/* Of the spans that end before the range only the last one matters. */
static bool read_gaps(struct history *h, struct facts *f, struct error *err)
{
	const struct facts_value before[] = {FACTS_I(h->from_ms)};
	const struct facts_value in[] = {FACTS_I(h->from_ms), FACTS_I(h->to_ms)};
	if (!facts_query(f,
		    "SELECT from_ms, to_ms FROM observing WHERE to_ms < ? ORDER BY from_ms DESC LIMIT 1",
		    before, 1, on_observing, h, err) ||
		!facts_query(f,
			"SELECT from_ms, to_ms FROM observing WHERE to_ms >= ? AND from_ms <= ?"
			" ORDER BY from_ms",
			in, 2, on_observing, h, err))
		return false;
	if (h->seen_to_ms && h->to_ms - h->seen_to_ms > BEAT_LATE_MS)
		add_gap(h, h->seen_to_ms, h->to_ms);
	return true;
}

static void tell(struct history *h, const struct judge_span *like, int64_t from_ms, int64_t to_ms)
{
	struct judge_span s = *like;
	if (from_ms >= to_ms || h->stopped)
		return;
	s.from_ms = from_ms;
	s.to_ms = to_ms;
	h->stopped = !h->cb(h->arg, &s);
	h->told_to_ms = to_ms;
}

/* Tells the gaps that begin before `to_ms`; what is left of a gap that reaches further stays. */
static int64_t tell_gaps(
	struct history *h, const struct judge_span *span, int64_t from_ms, int64_t to_ms)
{
	static const struct judge_span gap = {
		.health = HEALTH_UNKNOWN, .gap = true, .rule = "gap", .text = "not observed"};
	while (h->next_gap < h->gaps.n && h->gaps.p[h->next_gap].from_ms < to_ms) {
		struct range *g = &h->gaps.p[h->next_gap];
		if (g->to_ms > from_ms) {
			const int64_t begin = g->from_ms > from_ms ? g->from_ms : from_ms;
			const int64_t end = g->to_ms < to_ms ? g->to_ms : to_ms;
			tell(h, span, from_ms, begin);
			tell(h, &gap, begin, end);
			from_ms = end;
		}
		if (g->to_ms > to_ms)
			break;
		h->next_gap++;
	}
	return from_ms;
}

static bool on_verdict(void *arg, const struct facts_row *row)
{
	struct history *h = arg;
	const int64_t until_ms = facts_int(row, 5);
	int64_t from_ms = facts_int(row, 4);
	int64_t to_ms = until_ms && until_ms < h->to_ms ? until_ms : h->to_ms;
	const struct judge_span span = {
		.id = facts_int(row, 0),
		.health = (enum health)facts_int(row, 1),
		.rule = judge_rule(facts_text(row, 2)),
		.text = facts_text(row, 3),
		.root = facts_text(row, 6),
		.maintenance = facts_text(row, 7),
		.flapping = facts_int(row, 8) != 0,
	};
	if (from_ms < h->from_ms)
		from_ms = h->from_ms;
	if (from_ms < h->told_to_ms)
		from_ms = h->told_to_ms;
	if (span.health < HEALTH_COUNT) {
		from_ms = tell_gaps(h, &span, from_ms, to_ms);
		tell(h, &span, from_ms, to_ms);
	}
	return !h->stopped;
}

bool judge_history(struct facts *f, const char *component, int64_t from_ms, int64_t to_ms,
	bool (*cb)(void *arg, const struct judge_span *span), void *arg, struct error *err)
{
	struct history h = {.from_ms = from_ms, .to_ms = to_ms, .cb = cb, .arg = arg};
	const struct facts_value v[] = {FACTS_T(component), FACTS_I(to_ms), FACTS_I(from_ms)};
	const bool good =
		read_gaps(&h, f, err) &&
		facts_query(f,
			"SELECT id, health, rule, text, since_ms, until_ms, root, maintenance,"
			" flapping FROM verdict"
			" WHERE component = ? AND since_ms < ? AND (until_ms IS NULL OR until_ms > ?)"
			" ORDER BY since_ms, id",
			v, array_len(v), on_verdict, &h, err);
	vec_fini(&h.gaps);
	return good;
}

/* --- one beside the other --------------------------------------------------------------------- */

static bool on_id(void *arg, const struct facts_row *row)
{
	*(int64_t *)arg = facts_int(row, 0);
	return false;
}

bool judge_neighbours(
	struct facts *f, int64_t id, int64_t *ret_previous, int64_t *ret_next, struct error *err)
{
	const struct facts_value v[] = {FACTS_I(id), FACTS_I(id)};
	*ret_previous = *ret_next = 0;
	return facts_query(f,
		       "SELECT id FROM verdict WHERE id < ? AND component ="
		       " (SELECT component FROM verdict WHERE id = ?) ORDER BY id DESC LIMIT 1",
		       v, 2, on_id, ret_previous, err) &&
	       facts_query(f,
		       "SELECT id FROM verdict WHERE id > ? AND component ="
		       " (SELECT component FROM verdict WHERE id = ?) ORDER BY id LIMIT 1",
		       v, 2, on_id, ret_next, err);
}
