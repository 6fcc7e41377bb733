/*
 * metrics_influx.c - points in batches to InfluxDB (version 1) or telegraf, tried until taken.
 *
 * As OpenStack Health Monitor writes them lines have no time: the receiver's clock is the time. So
 * one request never holds two points of one series, or the later would overwrite the earlier; and
 * what could not be sent at once gets the time it had, or it would be told as of now.
 */

#include "tell/metrics_inside.h"

#include <inttypes.h>
#include <string.h>

#include "base/units.h"

#define BATCH_MAX (48u << 10) /* bytes: some 200 points */
#define FRESH_NS  (15 * NS_PER_S)
#define WATCH_NS  (10 * NS_PER_S) /* between two looks at what is waited for */

static void step(struct sender *s);

static void on_due(struct timer *t)
{
	struct sender *s = t->arg;
	waiting_close(s);
	step(s);
}

/* --- points ------------------------------------------------------------------------------------
 */

/* Two points of one series and one time are one to the receiver: where its clock is fine enough,
 * they are told apart by what is below our own. */
static int64_t time_of(struct sender *s, int64_t at_ms)
{
	s->sequence++;
	switch (s->config.precision) {
	case METRICS_NS: return at_ms * 1000000 + (int64_t)(s->sequence % 1000000);
	case METRICS_US: return at_ms * 1000 + (int64_t)(s->sequence % 1000);
	case METRICS_MS: return at_ms;
	case METRICS_S: return at_ms / 1000;
	}
	return at_ms;
}

/* Whether the batch has a line that begins as this one up to its fields. */
static bool has_series(const struct batch *b, struct slice line)
{
	const size_t n = (size_t)((const char *)memchr(line.p, ' ', line.n) - line.p) + 1;
	struct slice rest = buf_slice(&b->lines), other;
	while (rest.n && slice_next(&rest, '\n', &other))
		if (other.n > n && !memcmp(other.p, line.p, n))
			return true;
	return false;
}

static void add_line(struct sender *s, struct slice line, int64_t at_ns)
{
	if (s->open && (s->open->lines.n + line.n > BATCH_MAX ||
			       (s->config.dialect == METRICS_OSHM && has_series(s->open, line))))
		waiting_close(s);
	if (!s->open)
		timer_start(s->metrics->loop, &s->due, s->config.every_ns, on_due, s);
	struct batch *b = waiting_open(s, BATCH_MAX + BUF_LINE);
	buf_add_slice(&b->lines, line);
	if (s->config.dialect == METRICS_OSHM)
		vec_push(&b->at_ns, at_ns);
	waiting_added(s, line.n);
	step(s); /* it may have closed a batch */
}

void influx_take(struct sender *s, const struct measure *m)
{
	if (m->what == MEASURE_ENDPOINT)
		return; /* its series are told of nowhere else */
	struct buf line = BUF(BUF_LINE);
	const bool oshm = s->config.dialect == METRICS_OSHM;
	/* OSHM tells a thing when it has ended. */
	const int64_t ended_ns =
		m->at_ms * NS_PER_MS + m->total_us * NS_PER_US + (int64_t)(s->sequence++ % 1000);
	const bool said =
		oshm ? metrics_point_oshm(&line, s->config.measurement, m)
		     : metrics_point(&line, s->config.measurement, m, time_of(s, m->at_ms));
	if (said && line.over)
		s->lost++;
	else if (said)
		add_line(s, buf_slice(&line), ended_ns);
	buf_fini(&line);
}

static void on_open_wait(void *arg, const struct measure *m)
{
	struct sender *s = arg;
	struct buf line = BUF(BUF_LINE);
	const int64_t now_ms = metrics_now_us(s->metrics) / 1000;
	if (metrics_point_open(&line, s->config.measurement, m, time_of(s, now_ms)) && !line.over)
		add_line(s, buf_slice(&line), 0);
	buf_fini(&line);
}

/* --- sending -----------------------------------------------------------------------------------
 */

/* Owned; with the times of its lines where it had to wait. */
static char *body_of(const struct sender *s, const struct batch *b, size_t *ret_n)
{
	struct buf out = BUF(BUF_PAGE);
	const bool fresh = loop_now_ns(s->metrics->loop) - b->first_ns < FRESH_NS && !s->tries;
	struct slice rest = buf_slice(&b->lines), line;
	if (s->config.dialect == METRICS_OWN || fresh)
		buf_add_slice(&out, rest);
	else
		for (size_t i = 0; rest.n && slice_next(&rest, '\n', &line); i++)
			buf_printf(&out, "%.*s %" PRId64 "\n", SLICE_ARG(line), b->at_ns.p[i]);
	*ret_n = out.n;
	return buf_take(&out);
}

/* What will be refused however often it comes: the points themselves. Everything else (a wrong
 * password, a database that is not there yet) somebody may put right. */
static bool is_permanent(int status)
{
	return status == 400 || status == 413 || status == 415 || status == 422;
}

/* "partial write: ... dropped=3": the others were taken. */
static size_t dropped_of(const struct http_answer *a, size_t points)
{
	static const char mark[] = "dropped=";
	char *text = slice_dup(a->body), *at = strstr(text, mark);
	int64_t n = (int64_t)points;
	if (at && strstr(text, "partial write")) {
		at += strlen(mark);
		if (!units_parse_int(slice_from(at, strspn(at, "0123456789")), &n) ||
			n > (int64_t)points)
			n = (int64_t)points;
	}
	free(text);
	return (size_t)n;
}

static void on_retry(struct timer *t)
{
	step(t->arg);
}

static void on_answer(void *arg, const struct http_answer *a)
{
	const size_t points = ((struct sending *)arg)->points;
	struct sender *s = sending_end(arg);
	if (!s)
		return;
	char *why = a->fault || a->status / 100 != 2 ? metrics_answer_text(a) : NULL;
	const bool permanent = why && !a->fault && is_permanent(a->status);
	if (!why) {
		s->sent += points;
		s->last_ok_ms = metrics_now_us(s->metrics) / 1000;
		waiting_drop_first(s);
	} else if (permanent) {
		const size_t dropped = dropped_of(a, points);
		s->failures++;
		s->lost += dropped;
		s->sent += points - dropped;
		waiting_drop_first(s);
	} else {
		s->failures++;
		s->tries++;
	}
	sender_note_trouble(s, why);
	const bool again = why && !permanent;
	free(why);
	if (again && !s->draining)
		timer_start(s->metrics->loop, &s->retry, sender_backoff_ns(s, a), on_retry, s);
	else if (again)
		sender_over(s); /* there is no time for a second try */
	step(s);
}

static void step(struct sender *s)
{
	size_t n;
	if (s->sending || s->over || timer_running(&s->retry))
		return;
	if (!s->batches.n) {
		if (s->draining)
			sender_over(s);
		return;
	}
	const struct batch *b = s->batches.p[0];
	char *body = body_of(s, b, &n);
	sender_post(s, s->write_url, body, n, b->n, on_answer);
}

/* What hangs leaves a trace before it ends. */
static void on_watch(struct timer *t)
{
	struct sender *s = t->arg;
	s->metrics->site.open_waits(s->metrics->site.arg, on_open_wait, s);
	timer_start(s->metrics->loop, &s->watch, WATCH_NS, on_watch, s);
}

void influx_begin(struct sender *s)
{
	s->write_url = metrics_write_url(&s->config);
	if (s->config.dialect == METRICS_OWN && s->metrics->site.open_waits)
		timer_start(s->metrics->loop, &s->watch, WATCH_NS, on_watch, s);
}

void influx_drain(struct sender *s)
{
	timer_cancel(&s->watch);
	waiting_close(s);
	timer_cancel(&s->retry);
	if (!s->batches.n && !s->sending)
		timer_start(s->metrics->loop, &s->retry, 0, on_retry, s); /* not from in here */
	else
		step(s);
}
