/*
 * ingest.c - see ingest.h: what the threads and the serving half bring becomes samples.
 *
 * Batches wait in one queue and are worked on a few milliseconds at a time, so that other turns of
 * the loop come between. The series of a name is found in a map of our own by the bytes of name and
 * tags; for StatsD, whose table numbers its names, by that number.
 */

#include "observe/ingest/ingest.h"

#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "base/vec.h"
#include "observe/ingest/graphite.h"
#include "observe/ingest/statsd.h"

#define FLUSH_MS     10000
#define NAMES_MAX    100000
#define CONNECTIONS  256
#define TURN_NS      (2 * NS_PER_MS)
#define LOOK_EACH    64 /* samples between two looks at the clock */
#define TELL_EACH_MS 60000

struct numbers {                     /* of the names of a table */
	VEC(struct series *) series; /* NULL: refused */
};

struct work { /* one of both */
	struct work *next;
	enum ingest_source source;
	struct points *points;
	struct statsd_batch *batch;
	struct numbers *numbers; /* of the batch */
	size_t at;
};

struct ingest {
	struct loop *loop;
	struct series_store *store;
	struct ingest_options o;
	char *location;
	char statsd_host[INGEST_HOST];
	struct map names; /* kind, name, tags: struct series */
	struct numbers over_udp, within;
	struct work *first, **last;
	size_t waiting;
	struct timer turn;
	bool closing, told_full;
	struct ingest_state state;
	int64_t bad_ms[INGEST_SOURCES]; /* when first_bad was */
	struct statsd *statsd;
	struct statsd_table *table; /* what comes from within; NULL: nothing has yet */
	struct timer flush;
	struct graphite *graphite;
};

const char *ingest_source_name(enum ingest_source s)
{
	static const char *const names[INGEST_SOURCES] = {
		"statsd", "graphite", "pickle", "influx", "remote_write"};
	return names[s];
}

static int64_t now_ms(const struct ingest *i)
{
	return clock_unix_us(loop_clock(i->loop)) / 1000;
}

static void tell(struct ingest *i, const char *text)
{
	if (i->o.tell)
		i->o.tell(i->o.tell_arg, text);
}

void ingest_bad(struct ingest *i, enum ingest_source source, const struct bad_lines *bad)
{
	char text[BAD_TEXT + 64];
	const int64_t now = now_ms(i);
	if (!bad->n)
		return;
	i->state.source[source].bad += bad->n;
	if (i->bad_ms[source] && now - i->bad_ms[source] < TELL_EACH_MS)
		return;
	i->bad_ms[source] = now;
	snprintf(i->state.source[source].first_bad, BAD_TEXT, "%s", bad->first);
	snprintf(text, sizeof(text), "ingest: %s: %s", ingest_source_name(source), bad->first);
	tell(i, text);
}

/* --- names ------------------------------------------------------------------------------------ */

static void name_key(struct buf *out, enum series_kind kind, const struct point *p)
{
	buf_add_char(out, (char)('0' + kind));
	buf_add_slice(out, p->name);
	for (size_t i = 0; i < p->tag_count; i++) {
		buf_add_char(out, '\n');
		buf_add_str(out, p->tags[i].key);
		buf_add_char(out, '\n');
		buf_add_str(out, p->tags[i].value);
	}
}

/* NULL: there are too many. */
static struct series *series_of(struct ingest *i, enum series_kind kind, const struct point *p)
{
	struct buf key = BUF(2 * SERIES_KEY_MAX);
	name_key(&key, kind, p);
	struct series *s = map_get_slice(&i->names, buf_slice(&key));
	if (!s && i->names.n < i->o.names_max) {
		s = series_get(i->store, &(struct series_key){.kind = kind,
						 .unit = kind == SERIES_DIST ? "us" : "",
						 .location = i->location,
						 .name = p->name.p,
						 .tags = p->tags,
						 .tag_count = p->tag_count});
		if (s)
			map_put_slice(&i->names, buf_slice(&key), s);
	}
	buf_fini(&key);
	if (!s && !i->told_full) {
		char text[SERIES_KEY_MAX + 100];
		i->told_full = true;
		snprintf(text, sizeof(text),
			"ingest: %zu series are there, no more are made: %.200s is refused",
			i->names.n, p->name.p);
		tell(i, text);
	}
	return s;
}

/* --- samples ---------------------------------------------------------------------------------- */

static bool append_point(struct ingest *i, const struct point *p)
{
	const int64_t at = p->at_ms == POINTS_NOW ? now_ms(i) : p->at_ms;
	if (series_refuses_time(i->store, at)) /* a name of which nothing is kept is no series */
		return false;
	struct series *s = series_of(i, SERIES_GAUGE, p);
	return s && series_append(s, &(struct series_sample){.at_ms = at, .value = p->value});
}

/* The one point of what StatsD calls a name; NULL: it is none for us. Freed by the caller. */
static struct points *point_of(const struct statsd_name *n)
{
	struct points *one = points_new();
	struct statsd_tags tags;
	if (statsd_tags_read(slice_of(n->tags), &tags) &&
		points_add(one, slice_of(n->name), tags.keys, tags.values, tags.n, 0, 0) ==
			POINTS_ADDED)
		return one;
	points_free(one);
	return NULL;
}

static const enum series_kind statsd_series[STATSD_KINDS] = {
	SERIES_SUM, SERIES_DIST, SERIES_GAUGE, SERIES_GAUGE};

static void learn_name(struct ingest *i, struct numbers *numbers, const struct statsd_name *n)
{
	struct points *one = point_of(n);
	struct series *s = NULL;
	if (one) {
		const struct point p = points_at(one, 0);
		s = series_of(i, statsd_series[n->kind], &p);
	}
	if (n->id == numbers->series.n)
		vec_push(&numbers->series, s);
	else
		numbers->series.p[n->id] = s;
	points_free(one);
}

/* The series stays; there is room for another name. */
static void forget_name(struct ingest *i, const struct statsd_name *n)
{
	struct points *one = point_of(n);
	struct buf key = BUF(2 * SERIES_KEY_MAX);
	if (one) {
		const struct point p = points_at(one, 0);
		name_key(&key, statsd_series[n->kind], &p);
		map_remove(&i->names, buf_str(&key));
		i->told_full = false;
	}
	buf_fini(&key);
	points_free(one);
}

static bool append_item(
	const struct numbers *numbers, int64_t at_ms, const struct statsd_item *item)
{
	struct series *s = numbers->series.p[item->id];
	return s && series_append(s, &(struct series_sample){.at_ms = at_ms,
					     .value = item->value,
					     .n = item->n,
					     .min = item->min,
					     .max = item->max,
					     .hist = &item->hist});
}

/* --- the queue -------------------------------------------------------------------------------- */

static size_t size_of(const struct work *w)
{
	return w->points ? points_count(w->points)
			 : w->batch->names.n + w->batch->items.n + w->batch->gone.n;
}

static void do_one(struct ingest *i, struct work *w)
{
	struct statsd_batch *b = w->batch;
	const size_t at = w->at++;
	bool taken = true;
	if (w->points) {
		const struct point p = points_at(w->points, at);
		taken = append_point(i, &p);
		i->state.source[w->source].points += taken;
	} else if (at < b->names.n) {
		learn_name(i, w->numbers, &b->names.p[at]);
	} else if (at < b->names.n + b->items.n) {
		taken = append_item(w->numbers, b->at_ms, &b->items.p[at - b->names.n]);
	} else {
		forget_name(i, &b->gone.p[at - b->names.n - b->items.n]);
	}
	i->state.source[w->source].refused += !taken;
	i->waiting--;
}

static void work_free(struct work *w)
{
	points_free(w->points);
	statsd_batch_free(w->batch);
	free(w);
}

static void on_turn(struct timer *t);

/* What there is; within a turn's time unless it is the end. */
static void work_on(struct ingest *i)
{
	const int64_t end = clock_mono_ns(&clock_system) + TURN_NS;
	for (size_t n = 1; i->first; n++) {
		struct work *w = i->first;
		if (w->at < size_of(w)) {
			do_one(i, w);
		} else {
			i->first = w->next;
			if (!i->first)
				i->last = &i->first;
			work_free(w);
		}
		if (n % LOOK_EACH == 0 && !i->closing && clock_mono_ns(&clock_system) > end)
			break;
	}
	if (i->first)
		timer_start(i->loop, &i->turn, 0, on_turn, i);
	if (i->graphite)
		graphite_waiting(i->graphite, i->waiting);
}

static void on_turn(struct timer *t)
{
	work_on(t->arg);
}

static void add_work(struct ingest *i, struct work work)
{
	struct work *w = mem_new(struct work);
	*w = work;
	*i->last = w;
	i->last = &w->next;
	i->waiting += size_of(w);
	if (!timer_running(&i->turn))
		timer_start(i->loop, &i->turn, 0, on_turn, i);
}

bool ingest_points(struct ingest *i, enum ingest_source source, struct points *points)
{
	if (i->waiting + points_count(points) > INGEST_WAITING_MAX) {
		points_free(points);
		return false;
	}
	add_work(i, (struct work){.source = source, .points = points});
	return true;
}

/* --- what the threads bring ------------------------------------------------------------------- */

static void on_statsd(void *arg, struct statsd_batch *b)
{
	struct ingest *i = arg;
	i->state.source[INGEST_STATSD].points += b->lines;
	i->state.source[INGEST_STATSD].refused += b->refused;
	i->state.source[INGEST_STATSD].lost = b->lost;
	ingest_bad(i, INGEST_STATSD, &b->bad);
	add_work(i, (struct work){.source = INGEST_STATSD, .batch = b, .numbers = &i->over_udp});
}

static void flush_within(struct ingest *i)
{
	if (!i->table)
		return;
	struct statsd_batch *b = statsd_table_flush(i->table);
	b->at_ms = now_ms(i);
	i->state.source[INGEST_STATSD].refused += b->refused;
	add_work(i, (struct work){.source = INGEST_STATSD, .batch = b, .numbers = &i->within});
}

static void flush_later(struct ingest *i);

static void on_flush(struct timer *t)
{
	struct ingest *i = t->arg;
	flush_within(i);
	flush_later(i);
}

static void flush_later(struct ingest *i)
{
	const int64_t now_ns = clock_unix_us(loop_clock(i->loop)) * NS_PER_US;
	timer_start(i->loop, &i->flush, i->o.flush_ns - now_ns % i->o.flush_ns, on_flush, i);
}

void ingest_packet(struct ingest *i, struct slice lines)
{
	if (!i->table) {
		i->table = statsd_table_new(
			i->o.names_max, (uint64_t)(STATSD_IDLE_MS * NS_PER_MS / i->o.flush_ns));
		flush_later(i);
	}
	statsd_table_take(i->table, lines);
}

void ingest_metric(struct ingest *i, enum ingest_metric metric, const char *name, double value)
{
	static const char *const types[] = {"c", "ms", "g"};
	struct buf lines = BUF(BUF_LINE);
	if (metric == INGEST_GAUGE && value < 0) /* a sign alone would take away */
		buf_printf(&lines, "%s:0|g\n", name);
	buf_printf(&lines, "%s:%.17g|%s\n", name, value, types[metric]);
	ingest_packet(i, buf_slice(&lines));
	buf_fini(&lines);
}

static void on_graphite(void *arg, bool pickle, struct points *points, const struct bad_lines *bad)
{
	struct ingest *i = arg;
	const enum ingest_source source = pickle ? INGEST_PICKLE : INGEST_GRAPHITE;
	ingest_bad(i, source, bad);
	if (points_count(points))
		add_work(i, (struct work){.source = source, .points = points});
	else
		points_free(points);
}

static void on_graphite_lost(void *arg, uint64_t packets)
{
	struct ingest *i = arg;
	i->state.source[INGEST_GRAPHITE].lost = packets;
}

/* --- life ------------------------------------------------------------------------------------- */

static bool open_sockets(struct ingest *i, struct error *err)
{
	const struct graphite_options g = {
		.line = i->o.graphite,
		.pickle = i->o.pickle,
		.connections = i->o.connections,
		.taken = on_graphite,
		.lost = on_graphite_lost,
		.arg = i,
	};
	if (i->o.statsd) {
		i->statsd = statsd_open(i->loop, i->o.statsd, i->o.flush_ns / NS_PER_MS,
			i->o.names_max, on_statsd, i, err);
		if (!i->statsd) {
			error_wrap(err, "listen: statsd");
			return false;
		}
	}
	if (i->o.graphite || i->o.pickle) {
		i->graphite = graphite_open(i->loop, &g, err);
		if (!i->graphite) {
			error_wrap(err, "listen: graphite");
			return false;
		}
	}
	return true;
}

/* Who listens everywhere is found on loopback. */
static void keep_host(struct ingest *i, const char *address)
{
	const char *colon = strrchr(address, ':');
	const struct slice all = slice_from(address, colon ? (size_t)(colon - address) : 0),
			   host = slice_starts(all, "[") ? slice_sub(all, 1, all.n - 2) : all;
	const bool any = !host.n || slice_is(host, "0.0.0.0");
	snprintf(i->statsd_host, sizeof(i->statsd_host), "%.*s",
		SLICE_ARG(any                    ? SLICE("127.0.0.1")
			  : slice_is(host, "::") ? SLICE("::1")
						 : host));
}

struct ingest *ingest_open(struct loop *l, struct series_store *store,
	const struct ingest_options *options, struct error *err)
{
	struct ingest *i = mem_new(struct ingest);
	i->loop = l;
	i->store = store;
	i->o = *options;
	i->location = mem_strdup(options->location);
	i->last = &i->first;
	i->o.flush_ns = i->o.flush_ns ? i->o.flush_ns : FLUSH_MS * NS_PER_MS;
	i->o.names_max = i->o.names_max ? i->o.names_max : NAMES_MAX;
	i->o.connections = i->o.connections ? i->o.connections : CONNECTIONS;
	const bool good = open_sockets(i, err);
	if (i->statsd)
		keep_host(i, i->o.statsd);
	i->o.statsd = i->o.graphite = i->o.pickle = i->o.location = NULL;
	if (good)
		return i;
	ingest_close(i);
	return NULL;
}

void ingest_close(struct ingest *i)
{
	if (!i)
		return;
	statsd_close(i->statsd);
	graphite_close(i->graphite);
	i->graphite = NULL;
	timer_cancel(&i->flush);
	flush_within(i);
	i->closing = true;
	work_on(i);
	timer_cancel(&i->turn);
	map_fini(&i->names);
	statsd_table_free(i->table);
	vec_fini(&i->over_udp.series);
	vec_fini(&i->within.series);
	free(i->location);
	free(i);
}

struct ingest_state ingest_state(const struct ingest *i)
{
	struct ingest_state s = i->state;
	s.names = i->names.n;
	s.waiting = i->waiting;
	for (int k = 0; k < INGEST_SOURCES; k++)
		if (now_ms(i) - i->bad_ms[k] >= TELL_EACH_MS)
			s.source[k].first_bad[0] = '\0';
	return s;
}

unsigned ingest_port(const struct ingest *i, enum ingest_source source)
{
	if (source == INGEST_STATSD)
		return i->statsd ? statsd_port(i->statsd) : 0;
	if ((source == INGEST_GRAPHITE || source == INGEST_PICKLE) && i->graphite)
		return graphite_port(i->graphite, source == INGEST_PICKLE);
	return 0;
}

bool ingest_statsd_address(const struct ingest *i, char host[INGEST_HOST], unsigned *ret_port)
{
	*ret_port = ingest_port(i, INGEST_STATSD);
	snprintf(host, INGEST_HOST, "%s", i->statsd_host);
	return *ret_port != 0;
}
