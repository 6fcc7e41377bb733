/*
 * watch.c - see watch.h.
 */

#include "judge/cloudmon/watch.h"

#include <math.h>
#include <string.h>

#include "base/map.h"
#include "judge/graphite/eval.h"
#include "judge/graphite/glob.h"
#include "judge/graphite/graphite.h"
#include "judge/graphite/path_inside.h"

#define STEP    GRAPHITE_STEP_S
#define AHEAD_S 180 /* further ahead than that is a clock that is wrong */

struct slot {
	double sum; /* of a gauge: its newest value */
	union {
		double n;
		int64_t at_ms; /* of a gauge: when that was */
	};
};

struct ring {
	int64_t newest; /* number of a slot; INT64_MIN: nothing yet */
	struct slot slots[];
};

struct pattern_node {     /* of the tree of patterns */
	struct map plain; /* struct pattern_node */
	VEC(struct pattern_branch *) wild;
	struct watch_input *input; /* that ends here */
};

struct pattern_branch {
	char *text;
	struct glob glob;
	struct pattern_node node;
};

struct watched { /* a series that inputs look at */
	struct ring *ring;
	VEC(struct watch_input *) inputs;
};

struct watch {
	struct loop *loop;
	struct series_store *store;
	struct map by_pattern; /* struct watch_input */
	struct pattern_node root;
	VEC(struct watched *) series; /* by their number; NULL: nobody looks at it */
	size_t slots;
	int64_t since_s, seen_s; /* seen_s: the clock, when it was looked at last */
	bool started;
};

/* --- patterns --------------------------------------------------------------------------------- */

struct watch *watch_new(struct loop *l, struct series_store *store)
{
	struct watch *w = mem_new(struct watch);
	w->loop = l;
	w->store = store;
	return w;
}

static struct pattern_node *child_of(struct pattern_node *n, struct slice part)
{
	struct error err = {0};
	char *text = slice_dup(part);
	struct pattern_node *to = NULL;
	if (glob_is_plain(text)) {
		to = map_get(&n->plain, text);
		if (!to) {
			to = mem_new(struct pattern_node);
			map_put(&n->plain, text, to);
		}
		free(text);
		return to;
	}
	VEC_EACH (&n->wild, struct pattern_branch *, b)
		if (strcmp((*b)->text, text) == 0)
			to = &(*b)->node;
	if (!to) {
		struct pattern_branch *b = mem_new(struct pattern_branch);
		if (!glob_init(&b->glob, part, &err)) {
			glob_fini(&b->glob);
			free(b);
			free(text);
			return NULL;
		}
		b->text = mem_strdup(text);
		vec_push(&n->wild, b);
		to = &b->node;
	}
	free(text);
	return to;
}

/* Probes have their own steps, what has tags its own names. */
static bool can_watch(const char *pattern)
{
	const struct slice first = slice_sub(slice_of(pattern), 0, strcspn(pattern, "."));
	struct glob g = {0};
	struct error err = {0};
	const bool good = !strpbrk(pattern, ";\\") && glob_init(&g, first, &err) &&
			  !glob_fits(&g, "probe") && !glob_fits(&g, "flag") &&
			  !glob_fits(&g, "health");
	glob_fini(&g);
	return good;
}

struct watch_input *watch_input(struct watch *w, const char *pattern)
{
	struct watch_input *in = map_get(&w->by_pattern, pattern);
	struct slice rest = slice_of(pattern), part;
	struct pattern_node *n = &w->root;
	if (in)
		return in;
	if (!can_watch(pattern))
		return NULL;
	for (size_t i = 0; n && slice_next(&rest, '.', &part); i++)
		n = i < PATH_PARTS ? child_of(n, part) : NULL;
	if (!n)
		return NULL;
	in = mem_new(struct watch_input);
	*in = (struct watch_input){.pattern = mem_strdup(pattern),
		.newest_s = INT64_MIN,
		.before_s = INT64_MIN,
		.settled_s = INT64_MIN,
		.ahead_s = INT64_MIN,
		.touched_s = INT64_MAX,
		.dirty_s = INT64_MAX};
	n->input = in;
	map_put(&w->by_pattern, pattern, in);
	return in;
}

static void node_fini(struct pattern_node *n)
{
	MAP_EACH (&n->plain, e) {
		node_fini(e->value);
		free(e->value);
	}
	map_fini(&n->plain);
	VEC_EACH (&n->wild, struct pattern_branch *, b) {
		node_fini(&(*b)->node);
		glob_fini(&(*b)->glob);
		free((*b)->text);
		free(*b);
	}
	vec_fini(&n->wild);
}

/* --- series ----------------------------------------------------------------------------------- */

struct finding { /* what one series is for which inputs */
	struct watch *w;
	struct series *s;
	struct watched *found; /* NULL: nothing yet */
};

static struct watched *found_of(struct finding *f)
{
	if (f->found)
		return f->found;
	f->found = mem_new(struct watched);
	if (series_kind(f->s) == SERIES_GAUGE && !path_is_flushed(series_name(f->s)))
		return f->found;
	f->found->ring = mem_alloc(sizeof(struct ring) + f->w->slots * sizeof(struct slot));
	f->found->ring->newest = INT64_MIN;
	return f->found;
}

static bool kept_field(int field)
{
	return field == LEAF_VALUE || field == LEAF_COUNT || field == LEAF_RATE ||
	       field == LEAF_MEAN || field == LEAF_SUM;
}

static void add_leaf(struct finding *f, struct watch_input *in, const struct field *field)
{
	struct watched *found = found_of(f);
	const enum series_kind kind = series_kind(f->s);
	bool there = false;
	VEC_EACH (&found->inputs, struct watch_input *, i)
		there |= *i == in;
	if (!there)
		vec_push(&found->inputs, in);
	if (!found->ring || !kept_field(field->field)) {
		in->unusual = true;
		return;
	}
	char *path = field->name ? mem_printf("%s.%s", series_name(f->s), field->name)
				 : mem_strdup(series_name(f->s));
	struct watch_leaf *leaf = NULL;
	VEC_EACH (&in->leaves, struct watch_leaf *, l)
		if (strcmp((*l)->path, path) == 0)
			leaf = *l;
	if (leaf) {
		in->unusual |= leaf->kind != kind;
		free(path);
	} else {
		leaf = mem_new(struct watch_leaf);
		*leaf = (struct watch_leaf){.path = path,
			.field = field->field,
			.kind = kind,
			.in_us = strcmp(series_unit(f->s), "us") == 0};
		vec_push(&in->leaves, leaf);
	}
	vec_push(&leaf->rings, found->ring);
}

/* The last part of a path is a field of the series; a gauge has none. */
static void find_fields(struct finding *f, const struct pattern_node *n)
{
	size_t count;
	const struct field *fields = path_fields(series_kind(f->s), &count);
	if (!fields[0].name) {
		if (n->input)
			add_leaf(f, n->input, &fields[0]);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		const struct pattern_node *plain = map_get(&n->plain, fields[i].name);
		if (plain && plain->input)
			add_leaf(f, plain->input, &fields[i]);
		VEC_EACH (&n->wild, struct pattern_branch *, b)
			if ((*b)->node.input && glob_fits(&(*b)->glob, fields[i].name))
				add_leaf(f, (*b)->node.input, &fields[i]);
	}
}

static void find(struct finding *f, const struct pattern_node *n, struct slice rest)
{
	struct slice part;
	if (!slice_next(&rest, '.', &part)) {
		find_fields(f, n);
		return;
	}
	const struct pattern_node *plain = map_get_slice(&n->plain, part);
	if (plain)
		find(f, plain, rest);
	if (!n->wild.n)
		return;
	char *text = slice_dup(part);
	VEC_EACH (&n->wild, struct pattern_branch *, b)
		if (glob_fits(&(*b)->glob, text))
			find(f, &(*b)->node, rest);
	free(text);
}

static void take_series(struct watch *w)
{
	struct series *s;
	while ((s = series_nth(w->store, w->series.n))) {
		struct finding f = {w, s, NULL};
		const bool tagged = strcmp(series_name(s), series_text(s)) != 0;
		if (series_kind(s) != SERIES_PROBE && !tagged)
			find(&f, &w->root, slice_of(series_name(s)));
		vec_push(&w->series, f.found);
	}
}

/* --- samples ---------------------------------------------------------------------------------- */

static struct slot *slot_of(const struct watch *w, struct ring *r, int64_t number)
{
	return &r->slots[(size_t)number % w->slots];
}

/* NULL: longer ago than what is kept. */
static struct slot *slot_at(const struct watch *w, struct ring *r, int64_t number)
{
	const int64_t kept = (int64_t)w->slots;
	if (r->newest == INT64_MIN || number - r->newest > kept)
		r->newest = number - kept;
	while (r->newest < number)
		*slot_of(w, r, ++r->newest) = (struct slot){0};
	return number > r->newest - kept ? slot_of(w, r, number) : NULL;
}

static int64_t now_s(const struct watch *w)
{
	return clock_unix_us(loop_clock(w->loop)) / 1000000;
}

/* The clock is looked at only when it may matter. */
static bool is_ahead(struct watch *w, int64_t slot_s)
{
	if (slot_s <= w->seen_s + AHEAD_S)
		return false;
	w->seen_s = now_s(w);
	return slot_s > w->seen_s + AHEAD_S;
}

static void slot_take(struct slot *slot, enum series_kind kind, const struct series_sample *sample)
{
	if (kind != SERIES_GAUGE) {
		slot->sum += sample->value;
		slot->n += kind == SERIES_DIST ? (double)sample->n : 1;
	} else if (sample->at_ms >= slot->at_ms) {
		slot->sum = sample->value;
		slot->at_ms = sample->at_ms;
	}
}

static void on_sample(void *arg, const struct series *s, const struct series_sample *sample)
{
	struct watch *w = arg;
	const size_t i = series_number(s);
	if (i >= w->series.n)
		take_series(w);
	struct watched *found = w->series.p[i];
	if (!found || sample->at_ms < 0)
		return;
	const int64_t number = sample->at_ms / (STEP * 1000);
	if (is_ahead(w, number * STEP)) {
		VEC_EACH (&found->inputs, struct watch_input *, in)
			(*in)->ahead_s =
				number * STEP > (*in)->ahead_s ? number * STEP : (*in)->ahead_s;
		return;
	}
	struct slot *slot = found->ring ? slot_at(w, found->ring, number) : NULL;
	if (slot)
		slot_take(slot, series_kind(s), sample);
	VEC_EACH (&found->inputs, struct watch_input *, in) {
		const int64_t at = number * STEP;
		(*in)->newest_s = at > (*in)->newest_s ? at : (*in)->newest_s;
		(*in)->touched_s = at < (*in)->touched_s ? at : (*in)->touched_s;
	}
}

/* NULL: not kept. */
static const struct slot *kept_slot(const struct watch *w, struct ring *r, int64_t number)
{
	return number > r->newest || number <= r->newest - (int64_t)w->slots
		       ? NULL
		       : slot_of(w, r, number);
}

/* Of several places, the one heard of last. */
static double newest_value(const struct watch *w, const struct watch_leaf *l, int64_t number)
{
	double value = NAN;
	int64_t at_ms = 1;
	VEC_EACH (&l->rings, struct ring *, r) {
		const struct slot *slot = kept_slot(w, *r, number);
		if (slot && slot->at_ms >= at_ms) {
			value = slot->sum;
			at_ms = slot->at_ms;
		}
	}
	return value;
}

double watch_value(const struct watch *w, const struct watch_leaf *l, int64_t slot_s)
{
	const int64_t number = slot_s / STEP;
	double sum = 0, n = 0;
	if (l->kind == SERIES_GAUGE)
		return newest_value(w, l, number);
	VEC_EACH (&l->rings, struct ring *, r) {
		const struct slot *slot = kept_slot(w, *r, number);
		sum += slot ? slot->sum : 0;
		n += slot ? slot->n : 0;
	}
	if (n == 0)
		return NAN;
	const double count = l->kind == SERIES_SUM ? sum : n;
	if (l->field == LEAF_COUNT)
		return count;
	if (l->field == LEAF_RATE)
		return count / (double)STEP;
	return (l->field == LEAF_MEAN ? sum / n : sum) / (l->in_us ? 1000 : 1);
}

/* --- its life ----------------------------------------------------------------------------------
 */

void watch_start(struct watch *w, size_t slots)
{
	w->slots = slots;
	w->started = true;
	/* Of the slot that lasts, what came before is missing. */
	w->since_s = w->seen_s = now_s(w);
	take_series(w);
	series_watch(w->store, on_sample, w);
}

int64_t watch_since_s(const struct watch *w)
{
	return w->since_s;
}

void watch_turn(struct watch *w)
{
	MAP_EACH (&w->by_pattern, e) {
		struct watch_input *in = e->value;
		in->settled_s = in->before_s;
		in->before_s = in->newest_s;
		in->dirty_s = in->touched_s;
		in->touched_s = INT64_MAX;
	}
}

static void input_free(struct watch_input *in)
{
	VEC_EACH (&in->leaves, struct watch_leaf *, l) {
		free((*l)->path);
		vec_fini(&(*l)->rings);
		free(*l);
	}
	vec_fini(&in->leaves);
	free(in->pattern);
	free(in);
}

void watch_free(struct watch *w)
{
	if (!w)
		return;
	if (w->started)
		series_unwatch(w->store, on_sample, w);
	VEC_EACH (&w->series, struct watched *, s) {
		if (!*s)
			continue;
		vec_fini(&(*s)->inputs);
		free((*s)->ring);
		free(*s);
	}
	vec_fini(&w->series);
	MAP_EACH (&w->by_pattern, e)
		input_free(e->value);
	map_fini(&w->by_pattern);
	node_fini(&w->root);
	free(w);
}
