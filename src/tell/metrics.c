/*
 * metrics.c - receivers as a whole: their configuration, what they are given, attempts, the end.
 */

#include "tell/metrics_inside.h"

#include <string.h>
#include <zlib.h>

#include "base/units.h"

#define ANSWER_MAX (64u << 10)
#define SAID_MAX   160
#define GZIP_FROM  512 /* bytes; less is not worth it */

int64_t metrics_now_us(const struct metrics *m)
{
	return clock_unix_us(loop_clock(m->loop));
}

const struct sender_kind sender_kinds[METRICS_KINDS] = {
	[METRICS_INFLUX] = {"influx", "text/plain; charset=utf-8", 5 * NS_PER_S, influx_begin,
		influx_take, influx_drain, NULL},
	[METRICS_OTLP] = {"otlp", "application/json", 15 * NS_PER_S, otlp_begin, NULL, otlp_drain,
		NULL},
	[METRICS_REMOTE_WRITE] = {"remote_write", "application/x-protobuf", 15 * NS_PER_S,
		otlp_begin, NULL, otlp_drain, NULL},
	[METRICS_STATSD] = {"statsd", NULL, NS_PER_S, statsd_begin, statsd_take, statsd_drain,
		statsd_close_out},
	[METRICS_GRAPHITE] = {"graphite", NULL, 10 * NS_PER_S, graphite_begin, graphite_take,
		graphite_drain, graphite_close_out},
	[METRICS_STORE] = {"store", NULL, NS_PER_S, statsd_begin, statsd_take, statsd_drain,
		statsd_close_out},
};

const char *metrics_kind_name(enum metrics_kind kind)
{
	return sender_kinds[kind].name;
}

bool metrics_is_http(enum metrics_kind kind)
{
	return sender_kinds[kind].type != NULL;
}

/* --- attempts ----------------------------------------------------------------------------------
 */

/* Returns owned bytes, or NULL when it cannot be had. */
static char *gzipped(const char *p, size_t n, size_t *ret_n)
{
	z_stream z = {0};
	if (deflateInit2(&z, 3, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return NULL;
	const size_t room = deflateBound(&z, n);
	char *out = mem_new_array(room, 1);
	z.next_in = (Bytef *)(uintptr_t)p;
	z.avail_in = (uInt)n;
	z.next_out = (Bytef *)out;
	z.avail_out = (uInt)room;
	const bool good = deflate(&z, Z_FINISH) == Z_STREAM_END;
	*ret_n = z.total_out;
	deflateEnd(&z);
	if (good)
		return out;
	free(out);
	return NULL;
}

/* The value is wiped when it was sent. */
static char *basic_authorization(const struct metrics_receiver *c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	char *plain =
		mem_printf("%s:%s", c->username, c->password ? secret_reveal(c->password) : "");
	const size_t n = strlen(plain);
	struct buf out = BUF(BUF_LINE);
	buf_add_str(&out, "Basic ");
	for (size_t i = 0; i < n; i += 3) {
		unsigned v = (unsigned)(unsigned char)plain[i] << 16;
		if (i + 1 < n)
			v |= (unsigned)(unsigned char)plain[i + 1] << 8;
		if (i + 2 < n)
			v |= (unsigned char)plain[i + 2];
		buf_add_char(&out, digits[v >> 18]);
		buf_add_char(&out, digits[v >> 12 & 63]);
		buf_add_char(&out, i + 1 < n ? digits[v >> 6 & 63] : '=');
		buf_add_char(&out, i + 2 < n ? digits[v & 63] : '=');
	}
	explicit_bzero(plain, n);
	free(plain);
	return buf_take(&out);
}

static struct http_call *post(struct http_client *client, const struct metrics_receiver *c,
	const struct http_request *request, bool gzip, http_done *done, void *arg)
{
	struct http_header *headers = mem_new_array(c->header_count + 4, sizeof(*headers));
	char *authorization = c->username ? basic_authorization(c) : NULL;
	struct http_request q = *request;
	size_t n = 0;
	headers[n++] = (struct http_header){"Content-Type", sender_kinds[c->kind].type};
	if (c->kind == METRICS_REMOTE_WRITE) {
		headers[n++] = (struct http_header){"Content-Encoding", "snappy"};
		headers[n++] = (struct http_header){"X-Prometheus-Remote-Write-Version", "0.1.0"};
	}
	if (gzip)
		headers[n++] = (struct http_header){"Content-Encoding", "gzip"};
	if (authorization)
		headers[n++] = (struct http_header){"Authorization", authorization};
	for (size_t i = 0; i < c->header_count; i++)
		headers[n++] = (struct http_header){
			c->headers[i].name, secret_reveal(c->headers[i].value)};
	q.method = "POST";
	q.headers = headers;
	q.header_count = n;
	q.answer_max = ANSWER_MAX;
	struct http_call *call = http_send(client, &q, done, arg);
	if (authorization)
		explicit_bzero(authorization, strlen(authorization));
	free(authorization);
	free(headers);
	return call;
}

void sender_post(
	struct sender *s, const char *url, char *body, size_t n, size_t points, http_done *done)
{
	struct sending *a = mem_new(struct sending);
	size_t packed_n;
	char *packed = s->config.gzip && n >= GZIP_FROM ? gzipped(body, n, &packed_n) : NULL;
	if (packed) {
		free(body);
		body = packed;
		n = packed_n;
	}
	*a = (struct sending){.sender = s, .body = body, .points = points};
	s->sending = a;
	const struct http_request q = {
		.url = url, .body = body, .body_n = n, .deadline_ns = METRICS_DEADLINE_NS};
	a->http = post(s->metrics->client, &s->config, &q, packed != NULL, done, a);
}

struct http_call *metrics_ask(struct http_client *client, const struct metrics_receiver *c,
	int64_t deadline_ns, http_done *done, void *arg)
{
	/* Of remote write: nothing, packed by snappy. */
	const struct slice nothing = c->kind == METRICS_OTLP ? SLICE("{\"resourceMetrics\":[]}")
				     : c->kind == METRICS_REMOTE_WRITE ? slice_from("\0", 1)
								       : SLICE("");
	char *url = c->kind == METRICS_INFLUX ? metrics_write_url(c) : mem_strdup(c->url);
	const struct http_request q = {
		.url = url, .body = nothing.p, .body_n = nothing.n, .deadline_ns = deadline_ns};
	struct http_call *call = post(client, c, &q, false, done, arg);
	free(url);
	return call;
}

struct sender *sending_end(struct sending *a)
{
	struct sender *s = a->sender;
	if (s)
		s->sending = NULL;
	free(a->body);
	free(a);
	return s;
}

/* Seconds, or a date (RFC 9110 section 10.2.3); 0: it does not say. */
static int64_t retry_after_ns(const struct sender *s, const struct http_answer *a)
{
	const char *text = !a || a->fault ? NULL : http_answer_header(a, "Retry-After");
	int64_t n;
	if (!text)
		return 0;
	if (units_parse_int(slice_trim(slice_of(text)), &n))
		n = n < 0 ? 0 : n > 3600 ? 3600 * NS_PER_S : n * NS_PER_S;
	else if (clock_parse_http_date(text, &n))
		n = (n - metrics_now_us(s->metrics)) * NS_PER_US;
	else
		return 0;
	return n < 0 ? 0 : n > 3600 * NS_PER_S ? 3600 * NS_PER_S : n;
}

int64_t sender_backoff_ns(const struct sender *s, const struct http_answer *a)
{
	const int64_t asked = retry_after_ns(s, a);
	int64_t ns = s->tries > 6 ? METRICS_BACKOFF_NS : NS_PER_S << (s->tries ? s->tries - 1 : 0);
	/* by chance, so that many of us do not come back together */
	ns -= (int64_t)random_below(&random_system, (uint64_t)ns / 4);
	return asked > ns ? asked : ns;
}

char *metrics_answer_text(const struct http_answer *a)
{
	if (a->fault)
		return mem_strdup(a->detail[0] ? a->detail : fault_text(a->fault));
	struct buf out = BUF(BUF_LINE);
	buf_printf(&out, "the receiver answers %d%s", a->status, a->body.n ? ": " : "");
	for (size_t i = 0; i < a->body.n && i < SAID_MAX; i++) {
		const char c = a->body.p[i];
		buf_add_char(&out, c >= ' ' && c < 0x7f ? c : ' ');
	}
	char *clean = secret_scrubbed(buf_str(&out));
	buf_fini(&out);
	return clean;
}

/* --- senders -----------------------------------------------------------------------------------
 */

static struct sender *sender_new(struct metrics *m, const struct metrics_receiver *config)
{
	struct sender *s = mem_new(struct sender);
	s->metrics = m;
	metrics_config_copy(&s->config, config);
	sender_kinds[config->kind].begin(s);
	return s;
}

static void sender_free(struct sender *s)
{
	timer_cancel(&s->due);
	timer_cancel(&s->retry);
	timer_cancel(&s->watch);
	if (s->sending) {
		s->sending->sender = NULL;
		http_cancel(s->sending->http);
	}
	if (sender_kinds[s->config.kind].close)
		sender_kinds[s->config.kind].close(s);
	waiting_forget(s);
	vec_fini(&s->batches);
	metrics_config_fini(&s->config);
	free(s->write_url);
	free(s->trouble);
	free(s);
}

/* --- the whole ---------------------------------------------------------------------------------
 */

struct metrics *metrics_new(
	struct loop *l, struct http_client *client, const struct metrics_site *site)
{
	struct metrics *m = mem_new(struct metrics);
	m->loop = l;
	m->client = client;
	m->site = *site;
	m->site.instance = mem_strdup(site->instance);
	m->site.location = mem_strdup(site->location);
	m->began_unix_us = metrics_now_us(m);
	return m;
}

void metrics_free(struct metrics *m)
{
	if (!m)
		return;
	timer_cancel(&m->budget);
	for (size_t i = 0; i < m->senders.n; i++)
		sender_free(m->senders.p[i]);
	vec_fini(&m->senders);
	tally_fini(&m->tally);
	probes_fini(m);
	free(m->states);
	free((char *)(uintptr_t)m->site.instance);
	free((char *)(uintptr_t)m->site.location);
	free(m);
}

/* The sender of that configuration, taken out of where it was; NULL: there is none. */
static struct sender *take_same(struct metrics *m, const struct metrics_receiver *c)
{
	for (size_t i = 0; i < m->senders.n; i++) {
		struct sender *s = m->senders.p[i];
		if (!s || !metrics_config_same(&s->config, c))
			continue;
		m->senders.p[i] = NULL;
		return s;
	}
	return NULL;
}

bool metrics_configure(
	struct metrics *m, const struct metrics_receiver *list, size_t n, struct error *err)
{
	VEC(struct sender *) next = {0};
	if (!metrics_config_check(list, n, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		struct sender *s = take_same(m, &list[i]);
		if (s) { /* secrets may have been read anew */
			metrics_config_fini(&s->config);
			metrics_config_copy(&s->config, &list[i]);
		} else {
			s = sender_new(m, &list[i]);
		}
		vec_push(&next, s);
	}
	for (size_t i = 0; i < m->senders.n; i++)
		if (m->senders.p[i])
			sender_free(m->senders.p[i]);
	vec_fini(&m->senders);
	m->senders.p = next.p;
	m->senders.n = next.n;
	m->senders.cap = next.cap;
	return true;
}

void metrics_take(void *metrics, const struct measure *x)
{
	struct metrics *m = metrics;
	if (m->draining)
		return;
	tally_take(&m->tally, x);
	probes_take(m, x);
	VEC_EACH (&m->senders, struct sender *, s) {
		if (sender_kinds[(*s)->config.kind].take)
			sender_kinds[(*s)->config.kind].take(*s, x);
	}
}

size_t metrics_states(struct metrics *m, const struct metrics_state **ret)
{
	m->states = mem_resize(m->states, m->senders.n + 1, sizeof(*m->states));
	for (size_t i = 0; i < m->senders.n; i++) {
		const struct sender *s = m->senders.p[i];
		m->states[i] = (struct metrics_state){
			.name = s->config.name,
			.kind = s->config.kind,
			.sent = s->sent,
			.lost = s->lost,
			.failures = s->failures,
			.waiting = s->waiting,
			.last_ok_ms = s->last_ok_ms,
			.trouble = s->trouble,
		};
	}
	*ret = m->states;
	return m->senders.n;
}

/* --- the end -----------------------------------------------------------------------------------
 */

static void look_whether_over(struct metrics *m)
{
	VEC_EACH (&m->senders, struct sender *, s) {
		if (!(*s)->over)
			return;
	}
	timer_cancel(&m->budget);
	if (m->drained)
		m->drained(m->drained_arg);
	m->drained = NULL;
}

void sender_over(struct sender *s)
{
	timer_cancel(&s->due);
	timer_cancel(&s->retry);
	waiting_forget(s);
	s->over = true;
	look_whether_over(s->metrics);
}

static void on_nothing(struct timer *t)
{
	look_whether_over(t->arg);
}

static void on_budget(struct timer *t)
{
	struct metrics *m = t->arg;
	for (size_t i = 0; i < m->senders.n; i++) {
		struct sender *s = m->senders.p[i];
		if (s->over)
			continue;
		if (s->sending) {
			s->sending->sender = NULL;
			http_cancel(s->sending->http);
			s->sending = NULL;
		}
		if (sender_kinds[s->config.kind].close)
			sender_kinds[s->config.kind].close(s);
		sender_note_trouble(s, "time was up before the receiver had taken everything");
		sender_over(s);
	}
}

void metrics_drain(struct metrics *m, int64_t budget_ns, void (*done)(void *arg), void *arg)
{
	m->drained = done;
	m->drained_arg = arg;
	m->draining = true;
	/* Never from in here, also when there is nothing to do. */
	timer_start(m->loop, &m->budget, m->senders.n ? budget_ns : 0,
		m->senders.n ? on_budget : on_nothing, m);
	for (size_t i = 0; i < m->senders.n; i++) {
		struct sender *s = m->senders.p[i];
		s->draining = true;
		sender_kinds[s->config.kind].drain(s);
	}
}
