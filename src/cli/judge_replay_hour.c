/*
 * judge_replay_hour.c - see judge_replay_hour.h.
 *
 * A result is what its mark says; without one, what its sample says if that is good. What is bad
 * and was not marked was never given to the judge (a step that failed because of another), unless
 * nobody kept marks then.
 */

#include "cli/judge_replay_hour.h"

#include <stdlib.h>
#include <string.h>

/* --- sources ---------------------------------------------------------------------------------- */

static char *tag_or_none(const struct series *s, const char *key)
{
	char *value = series_tag_value(s, key);
	return value ? value : mem_strdup("");
}

static void source_fini(struct replay_source *s)
{
	free(s->cloud);
	free(s->probe);
	free(s->step);
	free(s->component);
	free(s->location);
}

static char *own_location(const struct hours *h, const struct series *s)
{
	const char *own = h->replay->config->location, *its = series_location(s);
	return mem_strdup(own && !strcmp(own, its) ? "" : its);
}

static void read_tags(const struct hours *h, struct series *s, struct replay_source *ret)
{
	char *scenario = series_tag_value(s, "scenario");
	const bool is_mark =
		series_kind(s) == SERIES_GAUGE && !strcmp(series_name(s), GIVEN_SERIES);
	*ret = (struct replay_source){0};
	if (is_mark)
		ret->marks = s;
	else
		ret->samples = s;
	ret->component = tag_or_none(s, "component");
	ret->cloud = tag_or_none(s, "cloud");
	ret->location = is_mark ? tag_or_none(s, "location") : own_location(h, s);
	ret->step = is_mark || scenario ? series_tag_value(s, "step") : NULL;
	ret->probe = scenario ? scenario : tag_or_none(s, "probe");
}

/* Marks of what outposts judged themselves stand at their locations. */
static bool is_source(const struct series *s)
{
	return series_kind(s) == SERIES_PROBE ||
	       (series_kind(s) == SERIES_GAUGE && !strcmp(series_name(s), GIVEN_SERIES) &&
		       !*series_location(s));
}

static void add_series(struct hours *h, struct series *s)
{
	struct replay_source one;
	if (!is_source(s))
		return;
	read_tags(h, s, &one);
	if (!*one.component || !*one.probe) {
		source_fini(&one);
		return;
	}
	char *key = mem_printf("%s\n%s\n%s\n%s\n%s", one.cloud, one.probe, one.step ? one.step : "",
		one.component, one.location);
	const size_t known = (uintptr_t)map_get(&h->by_key, key);
	struct replay_source *same = known ? &h->sources.p[known - 1] : NULL;
	if (same && (one.marks ? !same->marks : !same->samples)) {
		if (one.marks)
			same->marks = one.marks;
		else
			same->samples = one.samples;
		source_fini(&one);
	} else {
		vec_push(&h->sources, one);
		if (!same)
			map_put(&h->by_key, key, (void *)(uintptr_t)h->sources.n);
	}
	free(key);
}

void hours_init(struct hours *h, const struct replay *r, struct loop *l, struct series_store *store)
{
	struct series *s;
	*h = (struct hours){.replay = r, .loop = l};
	for (size_t i = 0; (s = series_nth(store, i)); i++)
		add_series(h, s);
}

void hours_fini(struct hours *h)
{
	VEC_EACH (&h->sources, struct replay_source, s)
		source_fini(s);
	vec_fini(&h->sources);
	vec_fini(&h->all);
	vec_fini(&h->marked);
	map_fini(&h->by_key);
}

/* --- what is known besides -------------------------------------------------------------------- */

bool hours_lived(const struct replay *r, int64_t from_ms, int64_t to_ms)
{
	VEC_EACH (&r->givens, struct given, g)
		if (g->what == GIVEN_LIFE && g->from_ms < to_ms && g->until_ms > from_ms)
			return true;
	return false;
}

static void add_plain(struct hours *h, enum happens what, size_t index, int64_t at_ms)
{
	if (at_ms >= h->begin_ms && at_ms < h->end_ms)
		vec_push(&h->all,
			((struct happening){
				.at_ms = at_ms, .index = (uint32_t)index, .what = (uint8_t)what}));
}

/* What was so before the beginning begins with it. */
static void add_givens(struct hours *h)
{
	const struct replay *r = h->replay;
	for (size_t i = 0; i < r->givens.n; i++) {
		const struct given *g = &r->givens.p[i];
		const bool before = g->from_ms < r->begin_ms;
		if (g->until_ms <= r->begin_ms)
			continue;
		add_plain(h, HAPPENS_BEGIN, i, before ? r->begin_ms : g->from_ms);
		add_plain(h, HAPPENS_END, i, g->until_ms);
	}
	for (size_t i = 0; i < r->told.n; i++)
		add_plain(h, HAPPENS_TOLD, i, r->told.p[i].at_ms);
}

/* --- results ---------------------------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

/* The rate is not stored with samples: most gaps are as long as it is. */
static int64_t usual_gap(const struct series_sample *p, size_t n)
{
	int64_t *gaps = mem_new_array(n, sizeof(*gaps));
	for (size_t i = 1; i < n; i++)
		gaps[i - 1] = p[i].at_ms - p[i - 1].at_ms;
	if (n > 1)
		qsort(gaps, n - 1, sizeof(*gaps), by_number);
	const int64_t gap = n > 1 ? gaps[(n - 1) / 2] : SERIES_HOUR_MS;
	free(gaps);
	return gap < 1000 ? 1000 : gap;
}

static void add_seen(struct hours *h, const struct series_sample *p, const struct given_mark *m)
{
	vec_push(&h->all, ((struct happening){
				  .at_ms = p->at_ms + m->heard_ms,
				  .began_ms = p->at_ms,
				  .total_us = p->total_us,
				  .index = (uint32_t)h->reading,
				  .what = HAPPENS_SEEN,
				  .fault = (uint8_t)m->fault,
				  .severity = (uint8_t)m->severity,
				  .warned = m->warned,
			  }));
}

static void on_marks(void *arg, const struct series_sample *p, size_t n, const struct error *err)
{
	struct hours *h = arg;
	struct given_mark m;
	h->read = true;
	if (err)
		h->err = *err;
	for (size_t i = 0; !err && i < n; i++) {
		if (!given_unpack(p[i].value, &m))
			continue;
		const struct series_sample plain = {.at_ms = p[i].at_ms};
		add_seen(h, &plain, &m);
		vec_push(&h->marked, p[i].at_ms);
	}
}

static bool is_marked(const struct hours *h, int64_t at_ms)
{
	return h->marked.n &&
	       bsearch(&at_ms, h->marked.p, h->marked.n, sizeof(at_ms), by_number) != NULL;
}

static void on_samples(void *arg, const struct series_sample *p, size_t n, const struct error *err)
{
	struct hours *h = arg;
	struct replay_source *s = &h->sources.p[h->reading];
	h->read = true;
	if (err)
		h->err = *err;
	for (size_t i = 0; !err && i < n; i++) {
		const struct given_mark plain = {
			.heard_ms = p[i].total_us / 1000, .fault = p[i].fault};
		const int64_t end_ms = p[i].at_ms + plain.heard_ms;
		const bool odd = p[i].fault != FAULT_NONE || s->step;
		if (!is_marked(h, p[i].at_ms) &&
			!(odd && hours_lived(h->replay, end_ms, end_ms + 1)))
			add_seen(h, &p[i], &plain);
	}
	if (!err && n && !s->gap_ms)
		s->gap_ms = usual_gap(p, n);
}

static void read_source(struct hours *h)
{
	struct replay_source *s = &h->sources.p[h->reading];
	h->marked.n = 0;
	if (s->marks) {
		h->read = false;
		series_runs(s->marks, h->begin_ms, h->end_ms, on_marks, h);
		loop_run_until(h->loop, &h->read);
	}
	if (s->samples && !h->err.kind) {
		h->read = false;
		series_runs(s->samples, h->begin_ms, h->end_ms, on_samples, h);
		loop_run_until(h->loop, &h->read);
	}
}

/* --- an hour ---------------------------------------------------------------------------------- */

static int by_time(const void *a, const void *b)
{
	const struct happening *x = a, *y = b;
	if (x->at_ms != y->at_ms)
		return x->at_ms < y->at_ms ? -1 : 1;
	if (x->what != y->what)
		return x->what < y->what ? -1 : 1;
	if (x->index != y->index)
		return x->index < y->index ? -1 : 1;
	return x->began_ms < y->began_ms ? -1 : x->began_ms > y->began_ms;
}

bool hours_read(struct hours *h, int64_t begin_ms, int64_t end_ms, struct error *err)
{
	const size_t left = h->all.n - h->due;
	if (left && h->due)
		memmove(h->all.p, h->all.p + h->due, left * sizeof(*h->all.p));
	h->all.n = left;
	h->begin_ms = begin_ms;
	h->end_ms = end_ms;
	add_givens(h);
	for (h->reading = 0; h->reading < h->sources.n && !h->err.kind; h->reading++)
		read_source(h);
	if (h->err.kind) {
		*err = h->err;
		return false;
	}
	if (h->all.n)
		qsort(h->all.p, h->all.n, sizeof(*h->all.p), by_time);
	for (h->due = 0; h->due < h->all.n && h->all.p[h->due].at_ms < end_ms;)
		h->due++;
	return true;
}
