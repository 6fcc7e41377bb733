/*
 * statsd_table.c - what an interval adds up to, by name; see statsd.h.
 *
 * A line's kind, name and tags as sent are looked up together, with one hash of their bytes; what
 * is there already is neither copied nor looked at further. Only what is new is held to the rules
 * of names, and its tags are put into one order, under which the metric stands once.
 */

#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "observe/ingest/statsd.h"
#include "observe/ingest/statsd_hash.h"
#include "store/points.h"

struct sending { /* a way in which a metric's lines come */
	struct statsd_metric *metric;
	uint32_t name_n;
	uint16_t tags_n;
	uint8_t kind;
	bool first;   /* of its metric: the tags are in the one order */
	char bytes[]; /* name, tags */
};

struct slot {
	uint64_t hash;
	struct sending *sending; /* NULL: free */
};

struct statsd_table {
	struct slot *slots;
	size_t size, sendings, names_max, names;
	uint64_t seed[STATSD_KINDS];
	uint64_t batches, idle_max;
	VEC(struct statsd_metric *) metrics; /* by id; NULL: it is free */
	VEC(uint32_t) free_ids;
	VEC(struct statsd_metric *) heard;
	struct statsd_dense dense;
	struct statsd_batch *batch; /* under construction: names and counts */
};

struct statsd_table *statsd_table_new(size_t names_max, uint64_t idle_max)
{
	struct statsd_table *t = mem_new(struct statsd_table);
	t->names_max = names_max;
	t->idle_max = idle_max;
	t->size = 1024;
	t->slots = mem_new_array(t->size, sizeof(*t->slots));
	for (int k = 0; k < STATSD_KINDS; k++)
		t->seed[k] = random_u64(&random_system);
	t->dense.seed = random_u64(&random_system);
	t->batch = mem_new(struct statsd_batch);
	return t;
}

static void free_name(struct statsd_name *n)
{
	free(n->name);
	free(n->tags);
}

void statsd_batch_free(struct statsd_batch *b)
{
	if (!b)
		return;
	VEC_EACH (&b->names, struct statsd_name, n)
		free_name(n);
	VEC_EACH (&b->gone, struct statsd_name, n)
		free_name(n);
	VEC_EACH (&b->items, struct statsd_item, i)
		series_hist_fini(&i->hist);
	vec_fini(&b->names);
	vec_fini(&b->gone);
	vec_fini(&b->items);
	free(b);
}

static void metric_free(struct statsd_metric *m)
{
	if (m)
		statsd_metric_fini(m);
	free(m);
}

void statsd_table_free(struct statsd_table *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->size; i++)
		free(t->slots[i].sending);
	VEC_EACH (&t->metrics, struct statsd_metric *, m)
		metric_free(*m);
	statsd_batch_free(t->batch);
	statsd_dense_fini(&t->dense);
	vec_fini(&t->metrics);
	vec_fini(&t->free_ids);
	vec_fini(&t->heard);
	free(t->slots);
	free(t);
}

/* --- looking up ------------------------------------------------------------------------------- */

static uint64_t hash_of(
	const struct statsd_table *t, enum statsd_kind kind, struct slice name, struct slice tags)
{
	const uint64_t h = statsd_hash(name, t->seed[kind]);
	return tags.n ? statsd_hash(tags, h) : h;
}

static bool is_that(
	const struct sending *s, enum statsd_kind kind, struct slice name, struct slice tags)
{
	return s->name_n == name.n && s->tags_n == tags.n && s->kind == kind &&
	       memcmp(s->bytes, name.p, name.n) == 0 &&
	       memcmp(s->bytes + name.n, tags.p, tags.n) == 0;
}

static struct slot *look_up(const struct statsd_table *t, uint64_t hash, enum statsd_kind kind,
	struct slice name, struct slice tags)
{
	size_t i = hash & (t->size - 1);
	for (; t->slots[i].sending; i = (i + 1) & (t->size - 1))
		if (t->slots[i].hash == hash && is_that(t->slots[i].sending, kind, name, tags))
			break;
	return &t->slots[i];
}

static void resize(struct statsd_table *t, size_t size)
{
	struct slot *slots = mem_new_array(size, sizeof(*slots));
	for (size_t k = 0; k < t->size; k++) {
		size_t i = t->slots[k].hash & (size - 1);
		if (!t->slots[k].sending)
			continue;
		while (slots[i].sending)
			i = (i + 1) & (size - 1);
		slots[i] = t->slots[k];
	}
	free(t->slots);
	t->slots = slots;
	t->size = size;
}

static void add_sending(struct statsd_table *t, struct statsd_metric *m, struct slice name,
	struct slice tags, bool first)
{
	const uint64_t hash = hash_of(t, m->kind, name, tags);
	if (2 * (t->sendings + 1) > t->size)
		resize(t, 2 * t->size);
	struct slot *slot = look_up(t, hash, m->kind, name, tags);
	struct sending *s = mem_alloc(sizeof(*s) + name.n + tags.n);
	s->metric = m;
	s->name_n = (uint32_t)name.n;
	s->tags_n = (uint16_t)tags.n;
	s->kind = (uint8_t)m->kind;
	s->first = first;
	memcpy(s->bytes, name.p, name.n);
	memcpy(s->bytes + name.n, tags.p, tags.n);
	*slot = (struct slot){hash, s};
	t->sendings++;
}

/* --- what is new ------------------------------------------------------------------------------ */

/* Owned, under the name of its series. */
static struct statsd_name full_name(
	const struct statsd_metric *m, struct slice name, struct slice tags)
{
	static const char *const before[STATSD_KINDS] = {
		"stats.counters.", "stats.timers.", "stats.gauges.", "stats.sets."};
	char *full = mem_printf("%s%.*s%s", before[m->kind], SLICE_ARG(name),
		m->kind == STATSD_SET ? ".count" : "");
	return (struct statsd_name){m->id, m->kind, full, slice_dup(tags)};
}

static struct statsd_metric *define(
	struct statsd_table *t, enum statsd_kind kind, struct slice name, struct slice tags)
{
	struct statsd_metric *m = mem_new(struct statsd_metric);
	m->kind = kind;
	m->heard_last = t->batches;
	if (t->free_ids.n) {
		m->id = vec_pop(&t->free_ids);
		t->metrics.p[m->id] = m;
	} else {
		m->id = (uint32_t)t->metrics.n;
		vec_push(&t->metrics, m);
	}
	t->names++;
	vec_push(&t->batch->names, full_name(m, name, tags));
	add_sending(t, m, name, tags, true);
	return m;
}

/* A sending that is not known. NULL with *ret_wrong, or NULL alone when there is no more room. */
static struct statsd_metric *meet(
	struct statsd_table *t, const struct statsd_line *line, const char **ret_wrong)
{
	static const size_t around = sizeof("stats.counters..count");
	struct statsd_tags tags;
	*ret_wrong = NULL;
	if (!statsd_tags_read(line->tags, &tags))
		*ret_wrong = points_added_text(POINTS_BAD_TAG);
	if (*ret_wrong)
		return NULL;
	const enum points_added look =
		line->name.n + around >= SERIES_KEY_MAX / 2
			? POINTS_BAD_NAME
			: points_look(line->name, tags.keys, tags.values, tags.n);
	if (look != POINTS_ADDED) {
		*ret_wrong = points_added_text(look);
		return NULL;
	}
	if (t->sendings >= STATSD_SENDINGS * t->names_max)
		return NULL;
	struct buf text = BUF(SERIES_KEY_MAX);
	statsd_tags_write(&tags, &text);
	const struct slice one = slice_from(buf_str(&text), text.n);
	const struct slot *slot =
		look_up(t, hash_of(t, line->kind, line->name, one), line->kind, line->name, one);
	struct statsd_metric *m = slot->sending ? slot->sending->metric : NULL;
	if (!m && t->names < t->names_max)
		m = define(t, line->kind, line->name, one);
	if (m && !slice_eq(one, line->tags))
		add_sending(t, m, line->name, line->tags, false);
	buf_fini(&text);
	return m;
}

/* --- lines ------------------------------------------------------------------------------------ */

void statsd_table_bad(struct statsd_table *t, const char *why, struct slice line)
{
	bad_lines_add(&t->batch->bad, why, line);
}

static void take_line(struct statsd_table *t, struct slice text)
{
	struct statsd_line line;
	const char *wrong = statsd_line_read(text, &line);
	if (wrong) {
		statsd_table_bad(t, wrong, text);
		return;
	}
	const uint64_t hash = hash_of(t, line.kind, line.name, line.tags);
	const struct slot *slot = look_up(t, hash, line.kind, line.name, line.tags);
	struct statsd_metric *m = slot->sending ? slot->sending->metric : meet(t, &line, &wrong);
	const bool before = m && m->heard;
	if (m)
		wrong = statsd_metric_add(m, &line, &t->dense, &t->batch->refused);
	if (m && m->heard && !before)
		vec_push(&t->heard, m);
	if (wrong)
		statsd_table_bad(t, wrong, text);
	else if (m)
		t->batch->lines++;
	else
		t->batch->refused++;
}

static bool short_kind(const char *p, const char *end, enum statsd_kind *ret, const char **ret_stop)
{
	if (end - p >= 1 && (*p == 'c' || *p == 'g')) {
		*ret = *p == 'c' ? STATSD_COUNTER : STATSD_GAUGE;
		*ret_stop = p + 1;
	} else if (end - p >= 2 && p[0] == 'm' && p[1] == 's') {
		*ret = STATSD_TIMER;
		*ret_stop = p + 2;
	} else {
		return false;
	}
	return *ret_stop == end || **ret_stop == '\n';
}

/* Digits with a point or without, exact as one division: up to 15 in all. Where they end; NULL: it
 * is another kind of number. */
static const char *short_number(const char *p, const char *end, double *ret)
{
	static const double powers[] = {
		1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
	const char *const from = p;
	uint64_t x = 0;
	ptrdiff_t after = 0;
	for (; p < end && (unsigned char)(*p - '0') < 10; p++)
		x = x * 10 + (uint64_t)(*p - '0');
	if (p > from && p < end && *p == '.') {
		const char *const point = p;
		for (p++; p < end && (unsigned char)(*p - '0') < 10; p++)
			x = x * 10 + (uint64_t)(*p - '0');
		after = p - point - 1;
	}
	if (p == from || p - from > 15)
		return NULL;
	*ret = after ? (double)x / powers[after] : (double)x;
	return p;
}

/* Most lines are a known name and a plain number: NAME:12.5|ms. These are taken in one go, without
 * looking for their end first. Returns it; NULL: it is another kind of line, nothing was done. */
static const char *take_short(struct statsd_table *t, const char *p, const char *end)
{
	const size_t left = (size_t)(end - p), most = SERIES_KEY_MAX / 2;
	const char *colon = memchr(p, ':', left < most ? left : most), *stop;
	enum statsd_kind kind;
	double x;
	if (!colon)
		return NULL;
	const char *c = short_number(colon + 1, end, &x);
	if (!c || c == end || *c != '|' || !short_kind(c + 1, end, &kind, &stop))
		return NULL;
	const struct slice name = slice_from(p, (size_t)(colon - p)), none = {"", 0};
	const struct slot *slot = look_up(t, hash_of(t, kind, name, none), kind, name, none);
	struct statsd_metric *m = slot->sending ? slot->sending->metric : NULL;
	if (!m)
		return NULL;
	const bool before = m->heard;
	if (!statsd_metric_one(m, x, &t->dense))
		return NULL;
	if (!before)
		vec_push(&t->heard, m);
	t->batch->lines++;
	return stop;
}

void statsd_table_take(struct statsd_table *t, struct slice packet)
{
	const char *p = packet.p, *const end = p + packet.n;
	while (p < end) {
		const char *taken = take_short(t, p, end);
		if (taken) {
			p = taken + 1;
			continue;
		}
		const char *stop = memchr(p, '\n', (size_t)(end - p));
		stop = stop ? stop : end;
		size_t n = (size_t)(stop - p);
		if (n && p[n - 1] == '\r')
			n--;
		if (n)
			take_line(t, slice_from(p, n));
		p = stop + 1;
	}
}

/* --- what is heard of no more ------------------------------------------------------------------
 */

static bool is_idle(const struct statsd_table *t, const struct statsd_metric *m)
{
	return t->batches - m->heard_last >= t->idle_max;
}

static void forget_sendings(struct statsd_table *t, struct statsd_batch *b)
{
	for (size_t i = 0; i < t->size; i++) {
		struct sending *s = t->slots[i].sending;
		if (!s || !is_idle(t, s->metric))
			continue;
		if (s->first)
			vec_push(&b->gone, full_name(s->metric, slice_from(s->bytes, s->name_n),
						   slice_from(s->bytes + s->name_n, s->tags_n)));
		free(s);
		t->slots[i].sending = NULL;
		t->sendings--;
	}
	resize(t, t->size); /* else a gap would hide what lies behind it */
}

static void forget_idle(struct statsd_table *t, struct statsd_batch *b)
{
	forget_sendings(t, b);
	VEC_EACH (&b->gone, struct statsd_name, n) {
		metric_free(t->metrics.p[n->id]);
		t->metrics.p[n->id] = NULL;
		vec_push(&t->free_ids, n->id);
		t->names--;
	}
}

struct statsd_batch *statsd_table_flush(struct statsd_table *t)
{
	struct statsd_batch *b = t->batch;
	t->batches++;
	VEC_EACH (&t->heard, struct statsd_metric *, m) {
		(*m)->heard_last = t->batches;
		vec_push(&b->items, statsd_metric_take(*m, &t->dense));
	}
	t->heard.n = 0;
	if (t->idle_max && t->batches % ((t->idle_max + 3) / 4) == 0)
		forget_idle(t, b);
	t->batch = mem_new(struct statsd_batch);
	return b;
}
