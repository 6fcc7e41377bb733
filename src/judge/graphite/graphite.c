/*
 * graphite.c - the lives of questions; see graphite.h and graphite_inside.h.
 */

#include "judge/graphite/graphite_inside.h"

#include <stdio.h>
#include <string.h>

/* --- opening ------------------------------------------------------------------------------------
 */

struct graphite *graphite_new(struct loop *l, struct series_store *store, struct error *err)
{
	struct graphite *g = mem_new(struct graphite);
	g->loop = l;
	g->store = store;
	g->paths = paths_new();
	g->names = worker_new(l, 1, err);
	g->evals = g->names ? worker_new(l, 1, err) : NULL;
	if (g->evals)
		return g;
	worker_free(g->names);
	paths_free(g->paths);
	free(g);
	return NULL;
}

struct graphite *graphite_new_outside(
	struct loop *l, const char *url, int64_t timeout_ns, struct error *err)
{
	struct outside *o = outside_new(l, url, timeout_ns, err);
	struct graphite *g = o ? graphite_new(l, NULL, err) : NULL;
	if (g) {
		g->outside = o;
	} else if (o) {
		outside_stop(o);
		outside_free(o);
	}
	return g;
}

void graphite_free(struct graphite *g)
{
	if (!g)
		return;
	for (struct graphite_call *c = g->calls; c; c = c->next)
		graphite_cancel(c);
	if (g->outside)
		outside_stop(g->outside);
	while (g->calls) {
		for (struct graphite_call *c = g->calls; c; c = c->next)
			graphite_cancel(c);
		worker_settle(g->names);
		worker_settle(g->evals);
		if (g->store)
			series_settle(g->store);
	}
	outside_free(g->outside);
	worker_free(g->names);
	worker_free(g->evals);
	paths_free(g->paths);
	free(g);
}

void graphite_add_tree(struct graphite *g, const struct graphite_tree *tree)
{
	if (g->tree_count < GRAPHITE_TREES)
		g->trees[g->tree_count++] = *tree;
}

int64_t graphite_now_s(const struct graphite *g)
{
	return clock_unix_us(loop_clock(g->loop)) / 1000000;
}

/* --- calls --------------------------------------------------------------------------------------
 */

static void leaves_fini(struct graphite_call *c)
{
	VEC_EACH (&c->leaves, struct graphite_leaves *, l)
		graphite_leaves_unref(*l);
	vec_fini(&c->leaves);
}

static void call_free(struct graphite_call *c)
{
	for (struct graphite_call **at = &c->g->calls; *at; at = &(*at)->next)
		if (*at == c) {
			*at = c->next;
			break;
		}
	fetches_free(c);
	outside_forget(c);
	eval_fini(&c->eval);
	for (size_t i = 0; i < c->target_count; i++) {
		free(c->targets[i]);
		target_free(c->parsed[i]);
	}
	free(c->targets);
	free(c->parsed);
	zone_free(c->zone);
	free(c->zone_name);
	for (size_t i = 0; i < c->naming.expr_count; i++)
		free(c->exprs[i]);
	free(c->exprs);
	free(c->pattern);
	free(c->tag);
	free(c->prefix);
	vec_fini(&c->new_series);
	leaves_fini(c);
	graphite_lines_free(c->lines);
	json_decref(c->answer);
	free(c);
}

static void call_end(struct graphite_call *c)
{
	struct graphite_lines *lines = c->lines;
	json_t *answer = c->answer;
	if (!c->err.kind && atomic_load(&c->cancelled))
		error_set(&c->err, ERROR_CANCELLED, "the question was cancelled");
	const struct error *err = c->err.kind ? &c->err : NULL;
	if (!err) {
		c->lines = NULL;
		c->answer = NULL;
	}
	if (c->what == CALL_RENDER)
		c->done(c->arg, err ? NULL : lines, err);
	else
		c->named(c->arg, err ? NULL : answer, err);
	call_free(c);
}

static struct graphite_call *call_new(struct graphite *g, enum call_what what, void *arg)
{
	struct graphite_call *c = mem_new(struct graphite_call);
	c->g = g;
	c->what = what;
	c->arg = arg;
	c->next = g->calls;
	g->calls = c;
	return c;
}

void graphite_cancel(struct graphite_call *c)
{
	atomic_store(&c->cancelled, true);
	fetch_cancel(c);
	if (c->outside_due)
		outside_cancel(c);
}

/* --- the names thread ----------------------------------------------------------------------------
 */

/* With what it does not know yet. */
static void ask_names(struct graphite_call *c, void (*work)(struct worker_job *j, unsigned thread),
	void (*done)(struct worker_job *j))
{
	struct graphite *g = c->g;
	struct series *s;
	while ((s = series_nth(g->store, g->taken))) {
		vec_push(&c->new_series, s);
		g->taken++;
	}
	leaves_fini(c); /* of a round before */
	for (size_t i = 0; i < g->tree_count; i++) {
		struct graphite_leaves *l = g->trees[i].leaves(g->trees[i].arg);
		if (l)
			vec_push(&c->leaves, l);
	}
	c->job.work = work;
	c->job.done = done;
	worker_submit(g->names, &c->job);
}

static void answer_work(struct worker_job *j, unsigned thread)
{
	struct graphite_call *c = (struct graphite_call *)j;
	names_take(c);
	if (!atomic_load(&c->cancelled))
		names_answer(c);
}

static void answer_done(struct worker_job *j)
{
	call_end((struct graphite_call *)j);
}

static char **copies(const char *const *texts, size_t n)
{
	char **all = mem_new_array(n ? n : 1, sizeof(*all));
	for (size_t i = 0; i < n; i++)
		all[i] = mem_strdup(texts[i]);
	return all;
}

struct graphite_call *graphite_names(
	struct graphite *g, const struct graphite_naming *q, graphite_named *done, void *arg)
{
	struct graphite_call *c = call_new(g, CALL_NAMES, arg);
	c->named = done;
	c->naming = *q;
	c->exprs = copies(q->exprs, q->expr_count);
	c->pattern = mem_strdup(q->pattern ? q->pattern : "*");
	c->tag = mem_strdup(q->tag);
	c->prefix = mem_strdup(q->prefix);
	ask_names(c, answer_work, answer_done);
	return c;
}

/* --- a render ------------------------------------------------------------------------------------
 */

static void evaluate(struct graphite_call *c);

static void want_work(struct worker_job *j, unsigned thread)
{
	struct graphite_call *c = (struct graphite_call *)j;
	names_take(c);
	if (!atomic_load(&c->cancelled))
		names_want(c);
}

static void want_done(struct worker_job *j)
{
	struct graphite_call *c = (struct graphite_call *)j;
	if (c->err.kind || atomic_load(&c->cancelled))
		call_end(c);
	else
		fetch_begin(c);
}

void call_fetched(struct graphite_call *c)
{
	if (c->err.kind)
		call_end(c);
	else
		evaluate(c);
}

/* Says which of several targets it is of. */
static void take_error(struct graphite_call *c, const struct error *err, size_t i)
{
	c->err = *err;
	if (c->target_count > 1 && err->kind == ERROR_INPUT)
		error_wrap(&c->err, "target %zu", i + 1);
}

static bool parse_all(struct graphite_call *c)
{
	for (size_t i = 0; i < c->target_count; i++) {
		struct error err = {0};
		if (!c->parsed[i])
			c->parsed[i] = target_parse(slice_of(c->targets[i]), &err);
		if (!c->parsed[i]) {
			take_error(c, &err, i);
			return false;
		}
	}
	if (c->zone_name && !c->zone)
		c->zone = zone_load(c->zone_name, &c->err);
	c->eval.zone = c->zone;
	return !c->err.kind;
}

static void evaluate_work(struct worker_job *j, unsigned thread)
{
	struct graphite_call *c = (struct graphite_call *)j;
	struct curves out = {0};
	fetches_free(c); /* here, and what was got: they may be large */
	if (c->err.kind || !parse_all(c))
		return;
	eval_again(&c->eval);
	for (size_t i = 0; i < c->target_count && !c->err.kind; i++) {
		c->eval.xff = c->xff;
		eval_target(&c->eval, c->parsed[i], c->span, &out);
		if (c->eval.failed && !c->eval.wants.n)
			take_error(c, &c->eval.err, i);
		c->eval.failed = false;
	}
	if (!c->err.kind && !c->eval.wants.n)
		c->lines = lines_of(&out, c->points_max);
	curves_fini(&out);
	if (c->lines)
		eval_fini(&c->eval);
}

static void evaluate_done(struct worker_job *j)
{
	struct graphite_call *c = (struct graphite_call *)j;
	if (!c->err.kind && c->eval.wants.n && ++c->rounds > EVAL_ROUNDS)
		error_set(&c->err, ERROR_LIMIT, "targets stand too deep in each other");
	if (c->err.kind || c->lines || atomic_load(&c->cancelled))
		call_end(c);
	else if (c->g->outside)
		outside_begin(c);
	else
		ask_names(c, want_work, want_done);
}

static void evaluate(struct graphite_call *c)
{
	c->job.work = evaluate_work;
	c->job.done = evaluate_done;
	worker_submit(c->g->evals, &c->job);
}

struct graphite_call *graphite_render(
	struct graphite *g, const struct graphite_question *q, graphite_done *done, void *arg)
{
	struct graphite_call *c = call_new(g, CALL_RENDER, arg);
	c->done = done;
	c->targets = copies(q->targets, q->target_count);
	c->target_count = q->target_count;
	c->parsed = mem_new_array(c->target_count ? c->target_count : 1, sizeof(*c->parsed));
	c->span = (struct span){q->from_s, q->until_s};
	c->points_max = q->points_max;
	c->xff = q->xff;
	c->zone_name = mem_strdup(q->zone);
	eval_init(&c->eval, q->now_s ? q->now_s : graphite_now_s(g), NULL);
	c->eval.cancelled = &c->cancelled;
	c->eval.judging = q->judging;
	c->eval.deadline_ns = clock_mono_ns(&clock_system) + GRAPHITE_DEADLINE;
	if (q->target_count > GRAPHITE_TARGETS)
		error_set(&c->err, ERROR_LIMIT, "a question has at most %d targets, not %zu",
			GRAPHITE_TARGETS, q->target_count);
	else if (q->from_s < 0 || q->until_s > 1LL << 33)
		error_set(&c->err, ERROR_INPUT, "from and until lie between 1970 and 2242");
	else if (q->until_s <= q->from_s)
		error_set(&c->err, ERROR_INPUT, "the time asked for ends before it begins");
	evaluate(c);
	return c;
}
