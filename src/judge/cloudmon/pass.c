/*
 * pass.c - judging the minutes that can be judged, a few milliseconds a turn.
 *
 * A pass goes through all health metrics, then the flags of none. A minute can be judged when one
 * of the series of the metric's flags is heard of behind it, or it is late. Flags of the usual
 * shapes are evaluated at once; the others are asked in questions of some, and the metric waits for
 * them. What comes late makes a minute be judged again, until it is over for good.
 */

#include "judge/cloudmon/cloudmon_inside.h"

#define PASS_NS   (5 * NS_PER_S)
#define SLICE_NS  (2 * NS_PER_MS)
#define ASKED_MAX 50   /* flags of a question; GRAPHITE_TARGETS is more */
#define BACK_S    1800 /* minutes that nobody judged, at most so old */
#define SLACK_S   30   /* a pass may come a little after what it is about */
#define QUESTIONS 2    /* under way */

static int64_t minute_of(int64_t s)
{
	return s - s % 60;
}

/* --- which minutes ------------------------------------------------------------------------------
 */

static int64_t heard_of(const struct flag_state *f, int64_t heard_s)
{
	VEC_EACH (&f->inputs, struct watch_input *, in)
		heard_s = (*in)->settled_s > heard_s ? (*in)->settled_s : heard_s;
	return heard_s;
}

/* The newest that can be judged, when its series were heard of at heard_s. */
static int64_t newest_minute(const struct cloudmon *c, int64_t heard_s, int64_t now_s)
{
	const int64_t late = minute_of(now_s - 60 - c->patience.late_s);
	if (heard_s == INT64_MIN || heard_s > now_s)
		return late;
	const int64_t complete = minute_of(heard_s) - 60;
	return complete > late ? complete : late;
}

static int64_t oldest_open(const struct cloudmon *c, int64_t now_s)
{
	return minute_of(now_s - c->patience.late_s - 120 - SLACK_S);
}

static int64_t first_minute(int64_t judged_s, int64_t newest_s)
{
	if (judged_s == NO_MINUTE)
		return newest_s;
	return judged_s + 60 < newest_s - BACK_S ? newest_s - BACK_S : judged_s + 60;
}

/* --- flags ---------------------------------------------------------------------------------------
 */

static void want(struct cloudmon *c, struct flag_state *f, int64_t minute_s)
{
	if (f->asked_s != NO_MINUTE) {
		f->again = true;
		return;
	}
	f->asked_s = minute_s;
	vec_push(&c->wanted, (size_t)(f - c->flags));
}

static bool touched(const struct flag_state *f, int64_t minute_s)
{
	VEC_EACH (&f->inputs, struct watch_input *, in)
		if ((*in)->dirty_s <= minute_s + 60)
			return true;
	return false;
}

/* Whether the flag is judged at the minute; else it is asked. */
static bool judge_flag(struct cloudmon *c, struct flag_state *f, int64_t minute_s)
{
	enum flag_value v;
	const bool judged = f->judged_s != NO_MINUTE && f->judged_s >= minute_s;
	if (judged && !touched(f, minute_s))
		return true;
	if (flag_evaluate(c, f, minute_s, &v))
		flag_set(f, minute_s, v);
	else
		want(c, f, minute_s);
	return judged || (f->judged_s != NO_MINUTE && f->judged_s >= minute_s);
}

static void pass_flag(struct cloudmon *c, struct flag_state *f, int64_t now_s)
{
	const int64_t newest = newest_minute(c, heard_of(f, INT64_MIN), now_s);
	int64_t m = f->judged_s == NO_MINUTE ? newest : oldest_open(c, now_s);
	for (; m <= f->judged_s; m += 60)
		judge_flag(c, f, m);
	for (m = first_minute(f->judged_s, newest); m <= newest; m += 60)
		if (!judge_flag(c, f, m))
			return;
}

/* --- health metrics ------------------------------------------------------------------------------
 */

static bool judge_flags(struct cloudmon *c, const struct cloudmon_health *h, int64_t minute_s)
{
	bool all = true;
	for (size_t i = 0; i < h->metric_count; i++)
		if (h->flags[i] >= 0)
			all &= judge_flag(c, &c->flags[h->flags[i]], minute_s);
	return all;
}

/* Whether the weight is another one. */
static bool weigh(struct cloudmon *c, struct health_state *s, int64_t minute_s)
{
	enum flag_value flags[64], *all = flags;
	const char *expression;
	int16_t *kept = &s->kept[(size_t)(minute_s / 60) % CLOUDMON_MINUTES];
	if (s->rule->metric_count > array_len(flags))
		all = mem_new_array(s->rule->metric_count, sizeof(*all));
	health_flags(c, s->rule, minute_s, all);
	const int weight = metric_weight(s->rule, all, &expression);
	if (all != flags)
		free(all);
	const bool changed = *kept != weight;
	*kept = (int16_t)weight;
	return changed;
}

static void pass_health(struct cloudmon *c, size_t i, int64_t now_s)
{
	struct health_state *s = &c->healths[i];
	int64_t heard = INT64_MIN;
	for (size_t k = 0; k < s->rule->metric_count; k++)
		if (s->rule->flags[k] >= 0)
			heard = heard_of(&c->flags[s->rule->flags[k]], heard);
	const int64_t newest = newest_minute(c, heard, now_s);
	const int64_t before = s->judged_s;
	bool changed = false;
	if (before != NO_MINUTE) {
		int64_t m = oldest_open(c, now_s);
		m = m > before - BACK_S ? m : before - BACK_S;
		for (; m <= before; m += 60) {
			judge_flags(c, s->rule, m);
			changed = weigh(c, s, m);
		}
	}
	int64_t m = first_minute(before, newest);
	for (; m <= newest && judge_flags(c, s->rule, m); m += 60) {
		for (int64_t gap = s->judged_s == NO_MINUTE ? m : s->judged_s + 60; gap < m;
			gap += 60)
			s->kept[(size_t)(gap / 60) % CLOUDMON_MINUTES] = -1;
		s->judged_s = m;
		weigh(c, s, m);
	}
	if (s->judged_s != NO_MINUTE && (s->judged_s != before || changed))
		health_tell(c, i);
}

/* --- asking --------------------------------------------------------------------------------------
 */

static void ask_wanted(struct cloudmon *c);

static void take(struct question *q, const struct error *err)
{
	struct cloudmon *c = q->c;
	if (err)
		c->trouble = *err;
	for (size_t i = 0; i < q->n; i++) {
		struct flag_state *f = &c->flags[q->flags[i]];
		flag_set(f, q->minute_s, err ? FLAG_UNKNOWN : q->values[i]);
		f->asked_s = NO_MINUTE;
		c->troubled += (err != NULL) - (f->why != NULL);
		mem_replace(&f->why, err ? err->msg : NULL);
		if (f->again)
			want(c, f, q->minute_s);
		f->again = false;
	}
}

static void ask(struct cloudmon *c, size_t *flags, size_t n, int64_t minute_s);

/* One of several that is wrong must not take the others with it. */
static void on_answer(struct question *q, const struct error *err)
{
	struct cloudmon *c = q->c;
	c->asking--;
	if (err && err->kind == ERROR_CANCELLED) {
		question_free(q);
		return;
	}
	if (err && (err->kind == ERROR_INPUT || err->kind == ERROR_LIMIT) && q->n > 1) {
		const size_t half = q->n / 2;
		for (size_t k = 0; k < 2; k++) {
			const size_t from = k ? half : 0, n = k ? q->n - half : half;
			size_t *flags = mem_new_array(n, sizeof(*flags));
			memcpy(flags, q->flags + from, n * sizeof(*flags));
			ask(c, flags, n, q->minute_s);
		}
	} else {
		take(q, err);
		pass_wake(c);
	}
	question_free(q);
	ask_wanted(c);
}

static void ask(struct cloudmon *c, size_t *flags, size_t n, int64_t minute_s)
{
	struct question *q = mem_new(struct question);
	const struct flag_state *first = &c->flags[flags[0]];
	q->flags = flags;
	q->n = n;
	q->promql = first->rule->promql;
	q->minute_s = minute_s;
	q->from_s = minute_s + 60 - first->window_s;
	q->minutes = 1;
	q->done = on_answer;
	c->asking++;
	question_ask(c, q);
}

static bool alike(const struct flag_state *a, const struct flag_state *b)
{
	return a->rule->promql == b->rule->promql && a->window_s == b->window_s &&
	       a->asked_s == b->asked_s;
}

/* Those that go into one question with the first that is wanted. */
static void ask_wanted(struct cloudmon *c)
{
	while (c->wanted.n && c->asking < QUESTIONS) {
		size_t *flags = mem_new_array(ASKED_MAX, sizeof(*flags)), n = 0, left = 0;
		const struct flag_state *first = &c->flags[c->wanted.p[0]];
		for (size_t i = 0; i < c->wanted.n; i++) {
			const size_t flag = c->wanted.p[i];
			if (n < ASKED_MAX && alike(first, &c->flags[flag]))
				flags[n++] = flag;
			else
				c->wanted.p[left++] = flag;
		}
		c->wanted.n = left;
		ask(c, flags, n, first->asked_s);
	}
}

/* --- passes
 * --------------------------------------------------------------------------------------- */

/* False: time is over, there is more. */
static bool pass_slice(struct cloudmon *c, int64_t until_ns)
{
	const int64_t now = cloudmon_now_s(c);
	if (!c->passing && c->watch)
		watch_turn(c->watch);
	if (!c->passing)
		c->cursor = 0;
	c->passing = true;
	for (; c->cursor < c->health_count + c->flag_count; c->cursor++) {
		if (c->cursor % 16 == 15 && clock_mono_ns(&clock_system) > until_ns)
			return false;
		if (c->cursor < c->health_count)
			pass_health(c, c->cursor, now);
		else if (!c->flags[c->cursor - c->health_count].in_health)
			pass_flag(c, &c->flags[c->cursor - c->health_count], now);
	}
	c->passing = false;
	ask_wanted(c);
	return true;
}

void cloudmon_pass(struct cloudmon *c)
{
	pass_slice(c, INT64_MAX);
}

static void on_time(struct timer *t)
{
	struct cloudmon *c = t->arg;
	const bool over = pass_slice(c, clock_mono_ns(&clock_system) + SLICE_NS);
	timer_start(c->loop, &c->timer, over ? PASS_NS : 0, on_time, c);
}

void pass_wake(struct cloudmon *c)
{
	if (c->judge && !c->passing)
		timer_start(c->loop, &c->timer, 0, on_time, c);
}

void pass_end(struct cloudmon *c)
{
	timer_cancel(&c->timer);
	vec_fini(&c->wanted);
}
