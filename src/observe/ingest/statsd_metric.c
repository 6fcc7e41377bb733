/*
 * statsd_metric.c - what one name adds up to within an interval; see statsd.h.
 *
 * The times of a name that is heard seldom are a sparse histogram; one that is heard often gets a
 * row with all buckets, which is quicker, from a stock that is bounded.
 */

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "observe/ingest/number.h"
#include "observe/ingest/statsd.h"
#include "observe/ingest/statsd_hash.h"

#define OFTEN     32
#define DENSE_MAX 4096
#define BUCKETS   (((44 - LOGLIN_COARSE) << LOGLIN_COARSE) + (2u << LOGLIN_COARSE))
#define COUNT_MAX 1000000000u /* of one value, by its rate; of one timer in an interval */

/* --- sets ------------------------------------------------------------------------------------- */

static void members_put(struct statsd_members *m, uint64_t hash)
{
	size_t i = hash & (m->size - 1);
	while (m->p[i] && m->p[i] != hash)
		i = (i + 1) & (m->size - 1);
	m->n += !m->p[i];
	m->p[i] = hash;
}

static void members_grow(struct statsd_members *m)
{
	struct statsd_members next = {.size = m->size ? 2 * m->size : 16};
	next.p = mem_new_array(next.size, sizeof(*next.p));
	for (size_t i = 0; i < m->size; i++)
		if (m->p[i])
			members_put(&next, m->p[i]);
	free(m->p);
	*m = next;
}

static bool members_add(struct statsd_members *m, struct slice member, uint64_t seed)
{
	static const uint64_t none = 1;
	const uint64_t hash = statsd_hash(member, seed);
	if (m->n >= STATSD_MEMBERS_MAX)
		return false;
	if (2 * m->n >= m->size)
		members_grow(m);
	members_put(m, hash ? hash : none);
	return true;
}

/* --- times ------------------------------------------------------------------------------------ */

static void make_dense(struct statsd_metric *m, struct statsd_dense *d)
{
	if (d->free.n)
		m->dense = vec_pop(&d->free);
	else if (d->made < DENSE_MAX) {
		m->dense = mem_new_array(BUCKETS, sizeof(*m->dense));
		d->made++;
	} else {
		return;
	}
	for (size_t i = 0; i < m->hist.n; i++)
		m->dense[m->hist.p[i].index] += m->hist.p[i].count;
	series_hist_fini(&m->hist);
}

static bool add_time(struct statsd_metric *m, double us, uint32_t count, struct statsd_dense *dense)
{
	if (m->n + count > COUNT_MAX)
		return false;
	const uint64_t whole = us < (double)LOGLIN_MAX ? (uint64_t)(us + 0.5) : LOGLIN_MAX;
	if (m->dense)
		m->dense[loglin_index(whole, LOGLIN_COARSE)] += count;
	else
		series_hist_add(&m->hist, whole, count);
	m->min = m->n && m->min < us ? m->min : us;
	m->max = m->n && m->max > us ? m->max : us;
	m->n += count;
	m->value += us * count;
	if (!m->dense && m->n >= OFTEN)
		make_dense(m, dense);
	return true;
}

/* --- values ----------------------------------------------------------------------------------- */

static const char *add_value(struct statsd_metric *m, const struct statsd_line *line,
	struct slice text, struct statsd_dense *dense, uint64_t *ret_refused)
{
	double x;
	if (m->kind == STATSD_SET) {
		*ret_refused += !members_add(&m->members, text, dense->seed);
		m->heard = true;
		return NULL;
	}
	if (!number_read(text, &x))
		return "the value is no number";
	switch (m->kind) {
	case STATSD_COUNTER: x = m->value + x / line->rate; break;
	case STATSD_GAUGE: x += text.p[0] == '+' || text.p[0] == '-' ? m->value : 0; break;
	case STATSD_TIMER: {
		const double count = line->rate < 1 ? floor(1 / line->rate + 0.5) : 1;
		if (x < 0)
			return "a time is less than nothing";
		if (x > 1e15 || count > COUNT_MAX)
			return "the value or the rate is out of all proportion";
		*ret_refused += !add_time(m, x * 1000, (uint32_t)count, dense);
		m->heard = true;
		return NULL;
	}
	case STATSD_SET:
	case STATSD_KINDS: break;
	}
	if (!isfinite(x))
		return "the sum is beyond all numbers";
	m->value = x;
	m->heard = true;
	return NULL;
}

bool statsd_metric_one(struct statsd_metric *m, double x, struct statsd_dense *dense)
{
	switch (m->kind) {
	case STATSD_COUNTER: m->value += x; break;
	case STATSD_GAUGE: m->value = x; break;
	case STATSD_TIMER:
		if (!add_time(m, x * 1000, 1, dense))
			return false;
		break;
	case STATSD_SET:
	case STATSD_KINDS: return false;
	}
	m->heard = true;
	return true;
}

const char *statsd_metric_add(struct statsd_metric *m, const struct statsd_line *line,
	struct statsd_dense *dense, uint64_t *ret_refused)
{
	const char *p = line->values.p, *const end = p + line->values.n;
	for (;;) {
		const char *stop = p;
		while (stop < end && *stop != ':')
			stop++;
		const char *wrong =
			add_value(m, line, slice_from(p, (size_t)(stop - p)), dense, ret_refused);
		if (wrong || stop == end)
			return wrong;
		p = stop + 1;
	}
}

/* --- the end of an interval ------------------------------------------------------------------- */

static void gather(struct statsd_metric *m, struct statsd_dense *d)
{
	for (unsigned i = 0; i < BUCKETS; i++)
		if (m->dense[i])
			vec_push(&m->hist, ((struct series_bucket){(uint16_t)i, m->dense[i]}));
	memset(m->dense, 0, BUCKETS * sizeof(*m->dense));
	vec_push(&d->free, m->dense);
	m->dense = NULL;
}

struct statsd_item statsd_metric_take(struct statsd_metric *m, struct statsd_dense *dense)
{
	if (m->dense)
		gather(m, dense);
	const struct statsd_item item = {
		.id = m->id,
		.kind = m->kind,
		.value = m->kind == STATSD_SET ? (double)m->members.n : m->value,
		.min = m->min,
		.max = m->max,
		.n = m->n,
		.hist = m->hist,
	};
	m->hist = (struct series_hist){0};
	m->heard = false;
	m->n = 0;
	if (m->kind != STATSD_GAUGE)
		m->value = 0;
	free(m->members.p);
	m->members = (struct statsd_members){0};
	return item;
}

void statsd_metric_fini(struct statsd_metric *m)
{
	free(m->dense);
	series_hist_fini(&m->hist);
	free(m->members.p);
}

void statsd_dense_fini(struct statsd_dense *d)
{
	VEC_EACH (&d->free, uint32_t *, row)
		free(*row);
	vec_fini(&d->free);
}
