/*
 * metrics_remote.c - the tally as Prometheus' remote write 0.1.0, a piece at a time: snappy around
 * a protobuf message.
 *
 *	WriteRequest  1: TimeSeries ...
 *	TimeSeries    1: Label ...   2: Sample
 *	Label         1: name        2: value
 *	Sample        1: double      2: int64 ms
 *
 * Names and labels are those of /metrics, with what a scrape would have added: job and instance.
 * Labels are sorted, as the format demands.
 */

#include <snappy-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/code.h"
#include "tell/metrics_inside.h"

#define PIECE_SERIES 100
#define BODY_MAX     (8u << 20)
#define LABELS_MAX   (TALLY_LABELS_MAX + 5)

enum { FIELD_VARINT = 0, FIELD_64 = 1, FIELD_BYTES = 2 };

struct label {
	const char *key, *value;
};

struct labels {
	struct label p[LABELS_MAX];
	size_t n;
};

struct writing {
	struct metrics *metrics;
	struct buf out;
	size_t points;
	int64_t now_ms;
};

static void put_key(struct buf *out, unsigned number, unsigned wire)
{
	code_put_varint(out, number << 3 | wire);
}

static void put_bytes(struct buf *out, unsigned number, struct slice s)
{
	put_key(out, number, FIELD_BYTES);
	code_put_varint(out, s.n);
	buf_add_slice(out, s);
}

static void put_part(struct buf *out, unsigned number, struct buf *part)
{
	put_bytes(out, number, buf_slice(part));
	buf_fini(part);
}

static int by_key(const void *a, const void *b)
{
	return strcmp(((const struct label *)a)->key, ((const struct label *)b)->key);
}

/* A label that is empty is none. */
static void put_labels(struct buf *series, struct labels l)
{
	qsort(l.p, l.n, sizeof(l.p[0]), by_key);
	for (size_t i = 0; i < l.n; i++) {
		struct buf label = BUF(BUF_LINE);
		if (!l.p[i].value || !*l.p[i].value)
			continue;
		put_bytes(&label, 1, slice_of(l.p[i].key));
		put_bytes(&label, 2, slice_of(l.p[i].value));
		put_part(series, 1, &label);
	}
}

/* `end` of the name, "_bucket", and what it has of `le`: NULL, none. */
static void put_series(struct writing *w, const char *name, const char *end,
	const struct labels *of, const char *le, double x)
{
	struct buf series = BUF(BUF_PAGE), sample = BUF(BUF_LINE), whole = BUF(BUF_LINE);
	struct labels l = *of;
	buf_printf(&whole, "glasshouse_%s%s", name, end);
	l.p[l.n++] = (struct label){"__name__", buf_str(&whole)};
	if (le)
		l.p[l.n++] = (struct label){"le", le};
	l.p[l.n++] = (struct label){"job", "glasshouse"};
	l.p[l.n++] = (struct label){"instance", w->metrics->site.instance};
	put_labels(&series, l);
	put_key(&sample, 1, FIELD_64);
	code_put_real(&sample, x);
	put_key(&sample, 2, FIELD_VARINT);
	code_put_varint(&sample, (uint64_t)w->now_ms);
	put_part(&series, 2, &sample);
	put_part(&w->out, 1, &series);
	buf_fini(&whole);
	w->points++;
}

static void put_histogram(struct writing *w, enum tally_family f, const struct tally_series *s,
	const struct labels *l)
{
	const char *name = tally_rows[f].name;
	const size_t bounds = tally_bound_count(f);
	uint64_t below = 0;
	for (size_t i = 0; i <= bounds; i++) {
		char le[32] = "+Inf";
		below += s->counts[i];
		if (i < bounds)
			snprintf(le, sizeof(le), "%.15g", tally_rows[f].bounds[i]);
		put_series(w, name, "_bucket", l, le, (double)below);
	}
	put_series(w, name, "_sum", l, NULL, s->sum);
	put_series(w, name, "_count", l, NULL, (double)s->n);
}

static void put_one(struct writing *w, enum tally_family f, const struct tally_series *s)
{
	struct labels l = {.n = 0};
	for (size_t i = 0; i < tally_label_count(f); i++)
		l.p[l.n++] = (struct label){tally_rows[f].labels[i], s->values[i]};
	if (tally_bound_count(f))
		put_histogram(w, f, s, &l);
	else
		put_series(w, tally_rows[f].name, "", &l, NULL,
			f == TALLY_BENCH ? s->last : (double)s->n);
}

/* After the families, as if it were one more. */
static void put_states(struct writing *w)
{
	const struct judge *j = w->metrics->site.judge;
	const size_t n = j ? judge_component_count(j) : 0;
	for (size_t i = 0; i < n; i++) {
		const struct component *c = judge_component_at(j, i);
		const struct labels l = {.p = {{"component", c->id}, {"cloud", c->cloud}}, .n = 2};
		put_series(w, "component_health", "", &l, NULL,
			(double)judge_verdict(j, c->id)->health);
	}
}

static char *packed(struct buf *out, size_t *ret_n)
{
	size_t n = snappy_max_compressed_length(out->n);
	char *p = mem_alloc(n + 1);
	if (snappy_compress(out->n ? out->p : "", out->n, p, &n) != SNAPPY_OK)
		n = 0;
	buf_fini(out);
	*ret_n = n;
	return p;
}

char *remote_body(struct metrics *m, size_t *family, size_t *at, size_t *ret_points, size_t *ret_n)
{
	struct writing w = {.metrics = m, .out = BUF(BODY_MAX), .now_ms = metrics_now_us(m) / 1000};
	while (!w.points && *family <= TALLY_FAMILIES) {
		if (*family == TALLY_FAMILIES) {
			put_states(&w);
			(*family)++;
			break;
		}
		const struct map *all = &m->tally.series[*family];
		for (size_t n = 0; *at < all->used && n < PIECE_SERIES; (*at)++) {
			if (!all->entries[*at].key)
				continue;
			put_one(&w, (enum tally_family) * family, all->entries[*at].value);
			n++;
		}
		if (*at >= all->used) {
			(*family)++;
			*at = 0;
		}
	}
	if (!w.points)
		*family = *at = 0;
	*ret_points = w.points;
	return packed(&w.out, ret_n);
}
