/*
 * eval_judging.c - counters that are absent because nothing was counted, when rules are judged.
 *
 * StatsD sends no counter that did not move: a healthy service has no `failed`, one that answers
 * nothing but 500 no `2xx`. So a counter in the numerator of asPercent() or divideSeries() that is
 * absent in a step where a counter of the denominator has data reads 0, before anything is added up
 * or summarized; a count of counters reads 0 while their sibling `attempted` has data, and is
 * nothing where it has none.
 *
 * What another StatsD flushed and sends as lines of Graphite has the steps of StatsD here, whatever
 * the gaps between its values say: a counter that moved once an hour is not one of steps of an
 * hour.
 */

#include <stdio.h>
#include <string.h>

#include "base/slice.h"
#include "judge/graphite/eval_inside.h"

bool counter_is(const char *path)
{
	static const char *const leaves[] = {"count", "rate", "count_ps", "sum"};
	const char *last = strrchr(path, '.');
	for (size_t i = 0; last && i < array_len(leaves); i++)
		if (strcmp(last + 1, leaves[i]) == 0)
			return true;
	return strncmp(path, "stats_counts.", 13) == 0;
}

bool path_is_flushed(const char *path)
{
	return strncmp(path, "stats.", 6) == 0 || strncmp(path, "stats_counts.", 13) == 0;
}

char *counter_sibling(const char *path)
{
	const char *last = strrchr(path, '.'), *part = last;
	if (!counter_is(path) || !last || last == path)
		return NULL;
	while (part > path && part[-1] != '.')
		part--;
	return part == path ? NULL : mem_printf("%.*sattempted%s", (int)(part - path), path, last);
}

static bool has_data(const struct curves *l, int64_t from_s, int64_t to_s)
{
	for (size_t k = 0; k < l->n; k++) {
		const struct curve *c = l->p[k];
		int64_t i = from_s < c->start_s ? 0 : (from_s - c->start_s) / c->step_s;
		for (; i < (int64_t)c->n && c->start_s + i * c->step_s < to_s; i++)
			if (!isnan(c->v[i]))
				return true;
	}
	return false;
}

/* The value where there is none: 0 while `asked` has data. Only of what has the counters' steps. */
static void fill(struct curve *c, const struct curves *asked)
{
	for (size_t i = 0; i < c->n; i++) {
		const int64_t at = c->start_s + (int64_t)i * c->step_s;
		if (isnan(c->v[i]) && has_data(asked, at, at + c->step_s))
			c->v[i] = 0;
	}
}

/* A curve of zeros where `asked` has data; nothing when that has no curves. */
static void add_zeros(const char *name, const struct curves *asked, struct curves *out)
{
	if (!asked->n)
		return;
	const struct curve *like = asked->p[0];
	struct curve *c = curve_new(mem_strdup(name), like->start_s, like->step_s, like->n);
	c->xff = like->xff;
	fill(c, asked);
	vec_push(out, c);
}

/* The counters below a node. False: some are wanted. */
static bool look_up_counters(
	struct eval *e, const struct target_node *n, struct span span, struct curves *out)
{
	bool good = true;
	if (n->type == TARGET_PATH && counter_is(n->text))
		good = eval_look_up(e, n->text, false, span, out);
	for (size_t i = 0; i < n->args.n; i++)
		good &= look_up_counters(e, n->args.p[i], span, out);
	return good;
}

bool eval_numerator(struct eval *e, const char *path, struct span span, struct curves *out)
{
	struct curves asked = {0};
	const size_t before = out->n;
	bool good = look_up_counters(e, e->denominator, span, &asked);
	good &= eval_look_up(e, path, false, span, out);
	for (size_t i = before; good && asked.n && i < out->n; i++)
		if ((good = eval_work(e, out->p[i]->n * asked.n)))
			fill(curve_own(&out->p[i]), &asked);
	if (good && out->n == before)
		add_zeros(path, &asked, out);
	curves_fini(&asked);
	return good;
}

static const char *first_path(const struct target_node *n)
{
	if (n->type == TARGET_PATH)
		return n->text;
	for (size_t i = 0; i < n->args.n; i++) {
		const char *path = first_path(n->args.p[i]);
		if (path)
			return path;
	}
	return NULL;
}

static bool is_count(const struct target_node *n)
{
	if (strcmp(n->text, "countSeries") == 0)
		return true;
	return strcmp(n->text, "aggregate") == 0 && n->args.n > 1 &&
	       n->args.p[1]->type == TARGET_STRING && strncmp(n->args.p[1]->text, "count", 5) == 0;
}

bool eval_counted(struct eval *e, const struct target_node *n, struct span span, size_t before,
	struct curves *out)
{
	struct curves asked = {0};
	const char *path = is_count(n) ? first_path(n) : NULL;
	char *sibling = path ? counter_sibling(path) : NULL;
	if (!sibling)
		return true;
	bool good = eval_look_up(e, sibling, false, span, &asked);
	for (size_t i = before; good && i < out->n; i++) {
		struct curve *c = curve_own(&out->p[i]);
		for (size_t k = 0; k < c->n; k++)
			c->v[k] = c->v[k] > 0 ? c->v[k] : NAN;
		if ((good = eval_work(e, c->n * (asked.n + 1))))
			fill(c, &asked);
	}
	if (good && out->n == before)
		add_zeros(path, &asked, out);
	free(sibling);
	curves_fini(&asked);
	return good;
}

bool eval_has_numerator(const struct target_node *n)
{
	static const char *const names[] = {
		"asPercent", "pct", "divideSeries", "divideSeriesLists"};
	for (size_t i = 0; i < array_len(names); i++)
		if (strcmp(n->text, names[i]) == 0)
			return n->args.n > 1 && (n->args.p[1]->type == TARGET_PATH ||
							n->args.p[1]->type == TARGET_CALL);
	return false;
}
