/*
 * metrics_graphite.c - CloudMon's names as StatsD would flush them, in lines of Graphite over TCP.
 *
 *	stats.counters.X.{count,rate}
 *	stats.timers.X.{count,count_ps,lower,upper,sum,sum_squares,mean,median,std,
 *	                count_90,mean_90,upper_90,sum_90,sum_squares_90}
 *
 * A name is told of an interval in which it was heard. The receiver has taken what it was sent when
 * it closes the connection after we did; until then it is kept, and sent again: a line that comes
 * twice says the same.
 */

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tell/metrics_inside.h"

#define BATCH_MAX  (256u << 10)
#define NAMES_MAX  20000
#define VALUES_MAX 200000 /* in an interval, of all names */
#define ANSWER_MAX 4096

struct added {
	double count;
	VEC(double) values; /* of a time, ms */
};

static void step(struct sender *s);

/* --- adding up ----------------------------------------------------------------------------------
 */

static void on_name(void *arg, enum cloudmon_type type, const char *name, double x)
{
	struct sender *s = arg;
	char *key = mem_printf("%c%s", type == CLOUDMON_TIME ? 't' : 'c', name);
	struct added *a = map_get(&s->added, key);
	if (!a && s->added.n < NAMES_MAX) {
		a = mem_new(struct added);
		map_put(&s->added, key, a);
	}
	free(key);
	if (!a || (type == CLOUDMON_TIME && s->values == VALUES_MAX)) {
		s->lost++;
		return;
	}
	if (type == CLOUDMON_COUNT) {
		a->count += x;
		return;
	}
	vec_push(&a->values, x);
	s->values++;
}

void graphite_take(struct sender *s, const struct measure *m)
{
	const struct cloudmon_place place = sender_place(s);
	cloudmon_names(&place, m, on_name, s);
}

static void added_fini(struct sender *s)
{
	MAP_EACH (&s->added, e) {
		struct added *a = e->value;
		vec_fini(&a->values);
		free(a);
	}
	map_fini(&s->added);
	s->values = 0;
}

/* --- lines --------------------------------------------------------------------------------------
 */

struct flush {
	struct sender *sender;
	const char *kind, *name;
	int64_t at_s;
};

static void add_line(const struct flush *f, const char *what, double x)
{
	struct sender *s = f->sender;
	struct batch *b = waiting_open(s, BATCH_MAX + BUF_LINE);
	const size_t before = b->lines.n;
	buf_printf(&b->lines, "stats.%s.%s.%s %.15g %" PRId64 "\n", f->kind, f->name, what, x,
		f->at_s);
	waiting_added(s, b->lines.n - before);
	if (b->lines.n >= BATCH_MAX)
		waiting_close(s);
}

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

struct sums {
	double sum, squares;
};

static struct sums sums_of(const double *p, size_t n)
{
	struct sums s = {0};
	for (size_t i = 0; i < n; i++) {
		s.sum += p[i];
		s.squares += p[i] * p[i];
	}
	return s;
}

static void add_times(const struct flush *f, double *p, size_t n, double seconds)
{
	qsort(p, n, sizeof(*p), by_value);
	const struct sums all = sums_of(p, n);
	const double mean = all.sum / (double)n;
	double off = 0;
	for (size_t i = 0; i < n; i++)
		off += (p[i] - mean) * (p[i] - mean);
	/* Of the lower nine tenths, as StatsD rounds them; of one value all of it. */
	const size_t most = n > 1 ? (size_t)floor(0.9 * (double)n + 0.5) : 1;
	const struct sums nine = sums_of(p, most);
	add_line(f, "count_90", (double)most);
	add_line(f, "mean_90", nine.sum / (double)most);
	add_line(f, "upper_90", p[most - 1]);
	add_line(f, "sum_90", nine.sum);
	add_line(f, "sum_squares_90", nine.squares);
	add_line(f, "std", sqrt(off / (double)n));
	add_line(f, "upper", p[n - 1]);
	add_line(f, "lower", p[0]);
	add_line(f, "count", (double)n);
	add_line(f, "count_ps", (double)n / seconds);
	add_line(f, "sum", all.sum);
	add_line(f, "sum_squares", all.squares);
	add_line(f, "mean", mean);
	add_line(f, "median", n % 2 ? p[n / 2] : (p[n / 2 - 1] + p[n / 2]) / 2);
}

static void flush(struct sender *s)
{
	const double seconds = (double)s->config.every_ns / NS_PER_S;
	struct flush f = {.sender = s, .at_s = metrics_now_us(s->metrics) / 1000000};
	MAP_EACH (&s->added, e) {
		struct added *a = e->value;
		f.name = e->key + 1;
		f.kind = e->key[0] == 't' ? "timers" : "counters";
		if (a->values.n) {
			add_times(&f, a->values.p, a->values.n, seconds);
		} else {
			add_line(&f, "rate", a->count / seconds);
			add_line(&f, "count", a->count);
		}
	}
	added_fini(s);
	waiting_close(s);
}

static void flush_later(struct sender *s);

static void on_flush(struct timer *t)
{
	struct sender *s = t->arg;
	flush(s);
	flush_later(s);
	step(s);
}

/* At whole intervals of the wall clock, as series are kept. */
static void flush_later(struct sender *s)
{
	const int64_t now_ns = metrics_now_us(s->metrics) * NS_PER_US;
	timer_start(s->metrics->loop, &s->watch, s->config.every_ns - now_ns % s->config.every_ns,
		on_flush, s);
}

/* --- sending ------------------------------------------------------------------------------------
 */

static void on_retry(struct timer *t)
{
	step(t->arg);
}

static void end_connection(struct sender *s, const char *why)
{
	stream_close(s->stream);
	s->stream = NULL;
	sender_note_trouble(s, why);
	if (why) {
		s->failures++;
		s->tries++;
		if (s->draining)
			sender_over(s);
		else
			timer_start(s->metrics->loop, &s->retry, sender_backoff_ns(s, NULL),
				on_retry, s);
		return;
	}
	s->sent += s->batches.p[0]->n;
	s->last_ok_ms = metrics_now_us(s->metrics) / 1000;
	waiting_drop_first(s);
	step(s);
}

/* A copy: the stream is closed while it is told. */
static void broke(struct sender *s, enum fault fault)
{
	const char *detail = stream_detail(s->stream);
	char *why = mem_strdup(*detail ? detail : fault_text(fault));
	end_connection(s, why);
	free(why);
}

static bool never_enough(void *arg, struct slice got)
{
	const struct sender *s = arg;
	stream_take(s->stream, got.n); /* nothing is said there */
	return false;
}

static void on_closed(void *arg, enum fault fault)
{
	struct sender *s = arg;
	if (fault == FAULT_CONNECTION_LOST && stream_ended(s->stream))
		end_connection(s, NULL);
	else
		broke(s, fault);
}

static void on_open(void *arg, enum fault fault)
{
	struct sender *s = arg;
	if (fault) {
		broke(s, fault);
		return;
	}
	const struct slice lines = buf_slice(&s->batches.p[0]->lines);
	stream_send(s->stream, lines.p, lines.n);
	stream_finish(s->stream);
	stream_wait(s->stream, ANSWER_MAX, never_enough, on_closed, s);
}

static void step(struct sender *s)
{
	char *host;
	unsigned port;
	if (s->over || s->stream || timer_running(&s->retry))
		return;
	if (!s->batches.n) {
		if (s->draining)
			sender_over(s);
		return;
	}
	if (!metrics_host_port(s->config.url, &host, &port))
		return;
	const struct stream_options o = {
		.host = host, .port = port, .deadline_ns = METRICS_DEADLINE_NS};
	s->stream = stream_open(s->metrics->loop, s->metrics->site.resolver, &o, on_open, s);
	free(host);
}

void graphite_begin(struct sender *s)
{
	flush_later(s);
}

void graphite_drain(struct sender *s)
{
	timer_cancel(&s->watch);
	timer_cancel(&s->retry);
	flush(s);
	if (!s->stream)
		timer_start(s->metrics->loop, &s->retry, 0, on_retry, s); /* not from in here */
}

void graphite_close_out(struct sender *s)
{
	stream_close(s->stream);
	s->stream = NULL;
	added_fini(s);
}
