/*
 * cloudmon.c - the life of an evaluation; see cloudmon.h.
 */

#include "judge/cloudmon/cloudmon_inside.h"

#define SLOTS_MAX 2000

int64_t cloudmon_now_s(const struct cloudmon *c)
{
	return clock_unix_us(loop_clock(c->loop)) / 1000000;
}

/* So many slots reach back over the longest window of a minute that is still open. */
static size_t slots_of(const struct cloudmon *c)
{
	int64_t longest = 0;
	for (size_t i = 0; i < c->flag_count; i++)
		if (c->flags[i].shape && c->flags[i].window_s > longest)
			longest = c->flags[i].window_s;
	const int64_t slots = (longest + c->patience.late_s + 300) / GRAPHITE_STEP_S;
	return slots < SLOTS_MAX ? (size_t)slots : SLOTS_MAX;
}

/* What reaches back further than the slots is asked. */
static void leave_long_ones(struct cloudmon *c, size_t slots)
{
	const int64_t reach = (int64_t)slots * GRAPHITE_STEP_S - c->patience.late_s - 300;
	for (size_t i = 0; i < c->flag_count; i++)
		if (c->flags[i].shape && c->flags[i].window_s > reach) {
			shape_free(c->flags[i].shape);
			c->flags[i].shape = NULL;
		}
}

struct cloudmon *cloudmon_new(struct loop *l, struct graphite *g,
	const struct cloudmon_rules *rules, const struct cloudmon_options *options)
{
	struct cloudmon *c = mem_new(struct cloudmon);
	c->loop = l;
	c->graphite = g;
	c->rules = rules;
	c->options = *options;
	c->patience = cloudmon_patience(rules);
	if (options->promql)
		c->promql = *options->promql;
	if (options->series)
		c->watch = watch_new(l, options->series);
	c->flag_count = cloudmon_flag_count(rules);
	c->flags = mem_new_array(c->flag_count + 1, sizeof(*c->flags));
	for (size_t i = 0; i < c->flag_count; i++)
		flag_open(c, i);
	c->health_count = cloudmon_health_count(rules);
	c->healths = mem_new_array(c->health_count + 1, sizeof(*c->healths));
	for (size_t i = 0; i < c->health_count; i++) {
		struct health_state *s = &c->healths[i];
		s->rule = cloudmon_health_at(rules, i);
		s->judged_s = s->told_s = NO_MINUTE;
		s->kept = mem_new_array(CLOUDMON_MINUTES, sizeof(*s->kept));
		for (size_t k = 0; k < CLOUDMON_MINUTES; k++)
			s->kept[k] = -1;
		for (size_t k = 0; k < s->rule->metric_count; k++)
			if (s->rule->flags[k] >= 0)
				c->flags[s->rule->flags[k]].in_health = true;
	}
	trees_open(c);
	if (c->watch) {
		const size_t slots = slots_of(c);
		leave_long_ones(c, slots);
		watch_start(c->watch, slots);
	}
	return c;
}

void cloudmon_free(struct cloudmon *c)
{
	if (!c)
		return;
	c->judge = NULL;
	points_cancel_all(c);
	while (c->questions)
		question_leave(c->questions);
	pass_end(c);
	watch_free(c->watch);
	trees_close(c);
	for (size_t i = 0; i < c->flag_count; i++)
		flag_close(&c->flags[i]);
	for (size_t i = 0; i < c->health_count; i++)
		free(c->healths[i].kept);
	free(c->flags);
	free(c->healths);
	free(c);
}

void cloudmon_start(struct cloudmon *c, struct judge *j, cloudmon_find *find, void *arg)
{
	c->judge = j;
	c->find = find;
	c->arg = arg;
	pass_wake(c);
}

bool cloudmon_last(const struct cloudmon *c, size_t health, struct cloudmon_point *ret)
{
	const struct health_state *s = &c->healths[health];
	*ret = (struct cloudmon_point){.weight = -1};
	if (s->judged_s == NO_MINUTE)
		return false;
	enum flag_value *flags = mem_new_array(s->rule->metric_count + 1, sizeof(*flags));
	health_flags(c, s->rule, s->judged_s, flags);
	ret->at_s = s->judged_s;
	ret->weight = metric_weight(s->rule, flags, &ret->expression);
	free(flags);
	return true;
}

enum flag_value cloudmon_flag_of(const struct cloudmon *c, size_t flag, int64_t minute_s)
{
	return flag_get(&c->flags[flag], minute_s);
}

int cloudmon_weight(const struct cloudmon *c, size_t health, int64_t minute_s)
{
	const struct health_state *s = &c->healths[health];
	const int64_t age = s->judged_s == NO_MINUTE ? -1 : s->judged_s - minute_s;
	return age < 0 || age >= CLOUDMON_MINUTES * 60
		       ? -1
		       : s->kept[(size_t)(minute_s / 60) % CLOUDMON_MINUTES];
}

size_t cloudmon_usual(const struct cloudmon *c)
{
	size_t n = 0;
	for (size_t i = 0; i < c->flag_count; i++)
		n += c->flags[i].shape && shape_usable(c->flags[i].shape, INT64_MAX);
	return n;
}

const struct error *cloudmon_trouble(const struct cloudmon *c)
{
	return c->troubled ? &c->trouble : NULL;
}

const struct cloudmon_rules *cloudmon_rules_of(const struct cloudmon *c)
{
	return c->rules;
}
