/*
 * points.c - the points of a health metric over a time that somebody asks for.
 */

#include "judge/cloudmon/cloudmon_inside.h"

#define POINTS  100
#define MINUTES 10080 /* of one call: a week */

struct cloudmon_call {
	struct cloudmon *c;
	struct cloudmon_call *next;
	size_t health;
	int64_t first_s; /* minute */
	size_t minutes, points_max;
	enum flag_value *values;          /* metric_count times `minutes` */
	VEC(struct question *) questions; /* under way */
	struct timer later;
	struct error err;
	bool cancelled;
	cloudmon_points *done;
	void *arg;
};

/* --- the end
 * -------------------------------------------------------------------------------------- */

static void free_call(struct cloudmon_call *call)
{
	for (struct cloudmon_call **at = &call->c->calls; *at; at = &(*at)->next)
		if (*at == call) {
			*at = call->next;
			break;
		}
	timer_cancel(&call->later);
	vec_fini(&call->questions);
	free(call->values);
	free(call);
}

/* The worse of two points of one step: what is proven, then what is not known. */
static bool worse(const struct cloudmon_point *a, const struct cloudmon_point *b)
{
	const int x = a->weight == 0 ? -2 : a->weight, y = b->weight == 0 ? -2 : b->weight;
	return x > y;
}

/* Each `every` minutes become one point, the worst of them, at the begin of the first. */
static size_t make_points(const struct cloudmon_call *call, struct cloudmon_point *p,
	enum flag_value *flags, size_t every)
{
	const struct cloudmon_health *h = call->c->healths[call->health].rule;
	size_t n = 0;
	for (size_t m = 0; m < call->minutes; m++) {
		struct cloudmon_point now = {.at_s = call->first_s + 60 * (int64_t)m};
		enum flag_value *mine = flags + m * h->metric_count;
		for (size_t i = 0; i < h->metric_count; i++)
			mine[i] = call->values[i * call->minutes + m];
		now.weight = metric_weight(h, mine, &now.expression);
		now.flags = mine;
		if (m % every == 0) {
			p[n++] = now;
		} else if (worse(&now, &p[n - 1])) {
			now.at_s = p[n - 1].at_s;
			p[n - 1] = now;
		}
	}
	return n;
}

static void end(struct cloudmon_call *call)
{
	const struct cloudmon_health *h = call->c->healths[call->health].rule;
	if (call->cancelled)
		error_set(&call->err, ERROR_CANCELLED, "the question was cancelled");
	if (call->err.kind) {
		call->done(call->arg, NULL, 0, &call->err);
		free_call(call);
		return;
	}
	const size_t every = (call->minutes + call->points_max - 1) / call->points_max;
	struct cloudmon_point *p = mem_new_array(call->minutes + 1, sizeof(*p));
	enum flag_value *flags = mem_new_array(call->minutes * h->metric_count + 1, sizeof(*flags));
	const size_t n = make_points(call, p, flags, every ? every : 1);
	call->done(call->arg, p, n, NULL);
	free(flags);
	free(p);
	free_call(call);
}

static void on_later(struct timer *t)
{
	end(t->arg);
}

/* --- asking
 * ---------------------------------------------------------------------------------------- */

static void on_answer(struct question *q, const struct error *err)
{
	struct cloudmon_call *call = q->arg;
	const struct cloudmon_health *h = call->c->healths[call->health].rule;
	for (size_t i = 0; i < call->questions.n; i++)
		if (call->questions.p[i] == q) {
			vec_remove(&call->questions, i);
			break;
		}
	if (err && !call->err.kind) {
		call->err = *err;
		for (size_t i = 0; i < call->questions.n; i++)
			question_cancel(call->questions.p[i]);
	}
	for (size_t k = 0; !err && k < q->n; k++)
		for (size_t i = 0; i < h->metric_count; i++)
			if (h->flags[i] == (int64_t)q->flags[k])
				memcpy(call->values + i * call->minutes,
					q->values + k * call->minutes,
					call->minutes * sizeof(*call->values));
	question_free(q);
	if (!call->questions.n)
		end(call);
}

/* The flags of a health metric that have the bucket and language of metric `first`. */
static void ask_like(struct cloudmon_call *call, size_t first, bool *asked)
{
	struct cloudmon *c = call->c;
	const struct cloudmon_health *h = c->healths[call->health].rule;
	const struct flag_state *like = &c->flags[h->flags[first]];
	struct question *q = mem_new(struct question);
	q->flags = mem_new_array(h->metric_count, sizeof(*q->flags));
	for (size_t i = first; i < h->metric_count && q->n < GRAPHITE_TARGETS; i++) {
		const struct flag_state *f = h->flags[i] >= 0 ? &c->flags[h->flags[i]] : NULL;
		if (!f || asked[i] || f->bucket_s != like->bucket_s ||
			f->rule->promql != like->rule->promql)
			continue;
		q->flags[q->n++] = (size_t)h->flags[i];
		asked[i] = true;
	}
	q->promql = like->rule->promql;
	q->minute_s = call->first_s;
	q->minutes = call->minutes;
	/* Buckets begin where the time does, and what holds from before is there. */
	q->from_s = call->first_s -
		    (c->patience.hold_s + like->bucket_s - 1) / like->bucket_s * like->bucket_s;
	q->done = on_answer;
	q->arg = call;
	vec_push(&call->questions, q);
	question_ask(c, q);
}

static void ask_all(struct cloudmon_call *call)
{
	const struct cloudmon_health *h = call->c->healths[call->health].rule;
	bool *asked = mem_new_array(h->metric_count + 1, sizeof(*asked));
	for (size_t i = 0; i < h->metric_count; i++) {
		for (size_t m = 0; m < call->minutes; m++)
			call->values[i * call->minutes + m] =
				h->flags[i] == CLOUDMON_ELSEWHERE ? FLAG_FALSE : FLAG_UNKNOWN;
		if (h->flags[i] >= 0 && !asked[i] && call->minutes)
			ask_like(call, i, asked);
	}
	free(asked);
}

struct cloudmon_call *cloudmon_evaluate(struct cloudmon *c, size_t health, int64_t from_s,
	int64_t to_s, size_t points_max, cloudmon_points *done, void *arg)
{
	struct cloudmon_call *call = mem_new(struct cloudmon_call);
	const int64_t now = cloudmon_now_s(c);
	to_s = to_s < now ? to_s : now;
	call->c = c;
	call->next = c->calls;
	c->calls = call;
	call->health = health;
	call->done = done;
	call->arg = arg;
	call->points_max = points_max ? points_max : POINTS;
	call->first_s = (from_s + 59) / 60 * 60;
	const int64_t minutes = from_s < 0 ? 0 : (to_s - call->first_s) / 60;
	if (minutes > MINUTES)
		error_set(&call->err, ERROR_LIMIT, "at most %d minutes at once: ask for less time",
			MINUTES);
	else if (minutes > 0)
		call->minutes = (size_t)minutes;
	call->values = mem_new_array(
		call->minutes * c->healths[health].rule->metric_count + 1, sizeof(*call->values));
	if (!call->err.kind)
		ask_all(call);
	if (!call->questions.n)
		timer_start(c->loop, &call->later, 0, on_later, call);
	return call;
}

void cloudmon_cancel(struct cloudmon_call *call)
{
	call->cancelled = true;
	for (size_t i = 0; i < call->questions.n; i++)
		question_cancel(call->questions.p[i]);
}

void points_cancel_all(struct cloudmon *c)
{
	while (c->calls) {
		struct cloudmon_call *call = c->calls;
		call->cancelled = true;
		while (call->questions.n)
			question_leave(vec_pop(&call->questions));
		end(call);
	}
}
