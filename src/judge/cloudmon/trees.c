/*
 * trees.c - what was judged of the last minutes, as trees of Graphite's: flag.* and health.*.
 *
 * The names are made once for a rule set, since other threads look through them; of a leaf found
 * there its number is looked up again, in the rules of now.
 */

#include "judge/cloudmon/cloudmon_inside.h"

void trees_open(struct cloudmon *c)
{
	c->flag_leaves = graphite_leaves_new();
	c->health_leaves = graphite_leaves_new();
	for (size_t i = 0; i < c->flag_count; i++) {
		const struct cloudmon_flag *f = c->flags[i].rule;
		char *leaf = mem_printf("flag.%s.%s", f->environment, f->name);
		graphite_leaves_add(c->flag_leaves, leaf, i);
		free(leaf);
	}
	for (size_t i = 0; i < c->health_count; i++) {
		const struct cloudmon_health *h = c->healths[i].rule;
		char *leaf = mem_printf("health.%s.%s", h->environment, h->key);
		graphite_leaves_add(c->health_leaves, leaf, i);
		free(leaf);
	}
}

void trees_close(struct cloudmon *c)
{
	graphite_leaves_unref(c->flag_leaves);
	graphite_leaves_unref(c->health_leaves);
}

static struct graphite_leaves *flag_leaves(void *arg)
{
	struct cloudmon *c = *(struct cloudmon *const *)arg;
	return c ? graphite_leaves_ref(c->flag_leaves) : NULL;
}

static struct graphite_leaves *health_leaves(void *arg)
{
	struct cloudmon *c = *(struct cloudmon *const *)arg;
	return c ? graphite_leaves_ref(c->health_leaves) : NULL;
}

/* A slot of Graphite's belongs to the minute before it: (m, m + 60]. */
static int64_t minute_at(int64_t at_s, int64_t step_s)
{
	return step_s >= 60 ? at_s - at_s % 60 : (at_s - 1) - (at_s - 1) % 60;
}

static bool flag_values(
	void *arg, const char *leaf, int64_t from_s, int64_t step_s, size_t n, double *into)
{
	struct cloudmon *c = *(struct cloudmon *const *)arg;
	const size_t i = c ? graphite_leaves_find(c->flag_leaves, leaf) : SIZE_MAX;
	for (size_t k = 0; i != SIZE_MAX && k < n; k++) {
		const enum flag_value v =
			flag_get(&c->flags[i], minute_at(from_s + (int64_t)k * step_s, step_s));
		into[k] = v == FLAG_UNKNOWN ? NAN : v == FLAG_TRUE;
	}
	return i != SIZE_MAX;
}

static bool health_values(
	void *arg, const char *leaf, int64_t from_s, int64_t step_s, size_t n, double *into)
{
	struct cloudmon *c = *(struct cloudmon *const *)arg;
	const size_t i = c ? graphite_leaves_find(c->health_leaves, leaf) : SIZE_MAX;
	for (size_t k = 0; i != SIZE_MAX && k < n; k++) {
		const int weight =
			cloudmon_weight(c, i, minute_at(from_s + (int64_t)k * step_s, step_s));
		into[k] = weight < 0 ? NAN : weight;
	}
	return i != SIZE_MAX;
}

void cloudmon_trees(struct cloudmon *const *at, struct graphite *g)
{
	void *arg = (void *)(uintptr_t)at;
	graphite_add_tree(g, &(struct graphite_tree){"flag", flag_leaves, flag_values, arg});
	graphite_add_tree(g, &(struct graphite_tree){"health", health_leaves, health_values, arg});
}
