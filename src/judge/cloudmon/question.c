/*
 * question.c - flags that have to be asked: Graphite's language in judging, or PromQL.
 */

#include <stdio.h>

#include "judge/cloudmon/cloudmon_inside.h"

static void unlink_question(struct question *q)
{
	for (struct question **at = &q->c->questions; *at; at = &(*at)->next)
		if (*at == q) {
			*at = q->next;
			return;
		}
}

void question_free(struct question *q)
{
	timer_cancel(&q->later);
	for (size_t i = 0; q->queries && i < q->n; i++)
		free(q->queries[i]);
	free(q->queries);
	free(q->values);
	free(q->flags);
	free(q);
}

static void end(struct question *q, const struct error *err)
{
	const struct error cancelled = {
		.kind = ERROR_CANCELLED, .msg = "the question was cancelled"};
	if (!q->c) {
		question_free(q);
		return;
	}
	unlink_question(q);
	q->done(q, q->cancelled ? &cancelled : err);
}

/* The lines of a flag go by its number; one that has none stays unknown. */
static void take_line(struct question *q, const struct graphite_line *l)
{
	const size_t i = strtoul(l->name, NULL, 10);
	if (i >= q->n)
		return;
	const struct curve curve = {.start_s = l->from_s,
		.step_s = l->step_s,
		.n = l->n,
		.v = l->curve->v,
		.fold = l->curve->fold};
	const struct cloudmon_flag *rule = q->c->flags[q->flags[i]].rule;
	for (size_t m = 0; m < q->minutes; m++) {
		enum flag_value *v = &q->values[i * q->minutes + m];
		const double x =
			curve_minute(&curve, q->minute_s + 60 * (int64_t)m, q->c->patience.hold_s);
		*v = flag_either(*v, flag_of_value(rule, x));
	}
}

static void on_lines(void *arg, struct graphite_lines *lines, const struct error *err)
{
	struct question *q = arg;
	q->graphite = NULL;
	for (size_t i = 0; q->c && lines && i < lines->n; i++)
		take_line(q, &lines->p[i]);
	graphite_lines_free(lines);
	end(q, err);
}

static void on_values(void *arg, const double *values, const struct error *err)
{
	struct question *q = arg;
	q->asking = NULL;
	for (size_t i = 0; q->c && !err && i < q->n * q->minutes; i++)
		q->values[i] = flag_of_value(q->c->flags[q->flags[i / q->minutes]].rule, values[i]);
	end(q, err);
}

static void on_later(struct timer *t)
{
	struct question *q = t->arg;
	const struct error nobody = {.kind = ERROR_CONFIG,
		.msg = "flags in PromQL need `judge: {cloudmon: {prometheus: URL}}`"};
	end(q, &nobody);
}

void question_ask(struct cloudmon *c, struct question *q)
{
	q->c = c;
	q->next = c->questions;
	c->questions = q;
	q->queries = mem_new_array(q->n, sizeof(*q->queries));
	q->values = mem_new_array(q->n * q->minutes, sizeof(*q->values));
	for (size_t i = 0; i < q->n * q->minutes; i++)
		q->values[i] = FLAG_UNKNOWN;
	for (size_t i = 0; i < q->n; i++) {
		const char *query = c->flags[q->flags[i]].rule->query;
		q->queries[i] =
			q->promql ? mem_strdup(query) : mem_printf("alias(%s,'%zu')", query, i);
	}
	const int64_t last = q->minute_s + 60 * ((int64_t)q->minutes - 1);
	if (q->promql && c->promql.ask) {
		q->asking = c->promql.ask(c->promql.arg, (const char *const *)q->queries, q->n,
			q->minute_s, last, on_values, q);
	} else if (q->promql) {
		timer_start(c->loop, &q->later, 0, on_later, q);
	} else {
		const struct graphite_question g = {.targets = (const char *const *)q->queries,
			.target_count = q->n,
			.from_s = q->from_s,
			.until_s = last + 60,
			.judging = true};
		q->graphite = graphite_render(c->graphite, &g, on_lines, q);
	}
}

void question_cancel(struct question *q)
{
	q->cancelled = true;
	if (q->graphite)
		graphite_cancel(q->graphite);
	else if (q->asking)
		q->c->promql.cancel(q->c->promql.arg, q->asking);
}

void question_leave(struct question *q)
{
	question_cancel(q);
	unlink_question(q);
	q->c = NULL;
	if (!q->graphite && !q->asking)
		question_free(q);
}
