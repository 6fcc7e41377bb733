/*
 * test_metrics.c - batches, times, attempts, losses and the end of receivers of numbers, on a
 * virtual clock, against a receiver that does as it is told.
 */
#include "../check.h"

#include <pthread.h>

#include "../net/peer.h"
#include "base/json.h"
#include "tell/metrics_inside.h"

struct say {
	int status; /* 0: not at all, the connection stays open */
	const char *headers, *body;
};

struct house {
	struct clock clock;
	struct loop *loop;
	struct http_client *client;
	struct metrics *metrics;
	struct metrics_receiver receiver;
	struct peer *peer;
	char *url;
	bool drained, waits;
	struct error err;
	pthread_mutex_t lock;
	VEC(char *) heads;
	VEC(char *) bodies;
	VEC(struct say) script; /* then 204 */
	struct buf told;        /* what was told of trouble, a line each */
};

static void serve(struct peer_connection *c)
{
	struct house *h = c->peer->arg;
	while (peer_read(c)) {
		struct say say = {204, "", ""};
		pthread_mutex_lock(&h->lock);
		vec_push(&h->heads, mem_strndup(c->request, c->head_n));
		vec_push(&h->bodies, mem_strndup(c->request + c->head_n, c->request_n - c->head_n));
		if (h->script.n) {
			say = h->script.p[0];
			vec_remove(&h->script, 0);
		}
		pthread_mutex_unlock(&h->lock);
		if (!say.status)
			peer_sleep_ms(c, 60000);
		if (!say.status ||
			!peer_say(c, "HTTP/1.1 %d Said\r\n%sContent-Length: %zu\r\n\r\n%s",
				say.status, say.headers, strlen(say.body), say.body))
			return;
	}
}

static void script(struct house *h, int status, const char *headers, const char *body)
{
	pthread_mutex_lock(&h->lock);
	vec_push(&h->script, ((struct say){status, headers, body}));
	pthread_mutex_unlock(&h->lock);
}

static size_t heard(struct house *h)
{
	pthread_mutex_lock(&h->lock);
	const size_t n = h->bodies.n;
	pthread_mutex_unlock(&h->lock);
	return n;
}

static const char *body(struct house *h, size_t i)
{
	assert_true(i < heard(h));
	pthread_mutex_lock(&h->lock);
	const char *text = h->bodies.p[i];
	pthread_mutex_unlock(&h->lock);
	return text;
}

static const char *head(struct house *h, size_t i)
{
	(void)body(h, i);
	pthread_mutex_lock(&h->lock);
	const char *text = h->heads.p[i];
	pthread_mutex_unlock(&h->lock);
	return text;
}

/* Two servers are being waited for, if the test says so. */
static void open_waits(void *arg, measure_signal *cb, void *cb_arg)
{
	const struct house *h = arg;
	const struct measure m = {.what = MEASURE_WAIT,
		.cloud = "prod",
		.region = "",
		.location = "",
		.scenario = "s",
		.run = "r1",
		.step = "vm",
		.index = 1,
		.service = "compute",
		.kind = "server",
		.name = "server ready",
		.total_us = 90000000};
	if (h->waits)
		cb(cb_arg, &m);
}

static const struct metrics_state *state_of(struct house *h)
{
	const struct metrics_state *s;
	assert_int_equal(metrics_states(h->metrics, &s), 1);
	return s;
}

static void on_trouble(void *arg, const char *receiver, const char *why, uint64_t lost)
{
	struct house *h = arg;
	assert_string_equal(receiver, state_of(h)->name);
	buf_printf(&h->told, "%s, %llu lost\n", why ? why : "again", (unsigned long long)lost);
}

static int setup(void **state)
{
	struct house *h = mem_new(struct house);
	pthread_mutex_init(&h->lock, NULL);
	clock_init_virtual(&h->clock, 1795000000LL * 1000000);
	h->loop = loop_new(&h->clock, &h->err);
	h->client = http_client_new(h->loop, &(struct http_client_options){0}, &h->err);
	h->peer = peer_start(serve, h, NULL);
	h->url = mem_printf("http://127.0.0.1:%u", h->peer->port);
	h->receiver = (struct metrics_receiver){.url = h->url};
	h->told = BUF(BUF_PAGE);
	const struct metrics_site site = {.instance = "berlin-1",
		.location = "outside",
		.open_waits = open_waits,
		.trouble = on_trouble,
		.arg = h};
	h->metrics = metrics_new(h->loop, h->client, &site);
	*state = h;
	return 0;
}

static int teardown(void **state)
{
	struct house *h = *state;
	metrics_free(h->metrics);
	http_client_free(h->client);
	peer_stop(h->peer);
	loop_free(h->loop);
	for (size_t i = 0; i < h->bodies.n; i++) {
		free(h->bodies.p[i]);
		free(h->heads.p[i]);
	}
	vec_fini(&h->bodies);
	vec_fini(&h->heads);
	vec_fini(&h->script);
	buf_fini(&h->told);
	free(h->url);
	pthread_mutex_destroy(&h->lock);
	free(h);
	return 0;
}

static void start(struct house *h)
{
	if (!metrics_configure(h->metrics, &h->receiver, 1, &h->err))
		fail_msg("%s", h->err.msg);
}

/* Until what is under way was answered, at this time. */
static void settle(struct house *h)
{
	for (int i = 0; i < 5000 && h->metrics->senders.p[0]->sending; i++) {
		loop_advance(h->loop, 0);
		peer_sleep_ms(&(struct peer_connection){.peer = h->peer}, 1);
	}
	assert_null(h->metrics->senders.p[0]->sending);
}

/* In steps of 100 ms, settling after each. */
static void pass(struct house *h, int64_t ns)
{
	for (; ns > 0; ns -= 100 * NS_PER_MS) {
		loop_advance(h->loop, ns < 100 * NS_PER_MS ? ns : 100 * NS_PER_MS);
		settle(h);
	}
}

static struct measure call(const char *name, int64_t at_ms)
{
	return (struct measure){.what = MEASURE_CALL,
		.cloud = "prod",
		.region = "eu",
		.location = "",
		.scenario = "oshm",
		.run = "r1",
		.step = "net",
		.index = -1,
		.service = "network",
		.name = name,
		.kind = "network",
		.at_ms = at_ms,
		.total_us = 35412,
		.status = 201,
		.request_id = "req-1"};
}

static void expose(struct metrics *m, struct buf *out)
{
	struct metrics_exposed at = {0};
	size_t before = 0, most = 0;
	for (bool more = true; more; before = out->n) {
		more = metrics_expose(m, &at, out);
		most = out->n - before > most ? out->n - before : most;
	}
	/* no piece is what a thousand series make */
	assert_true(most < 400000);
}

static void take(struct house *h, const char *name)
{
	const struct measure m = call(name, clock_unix_us(&h->clock) / 1000);
	metrics_take(h->metrics, &m);
}

/* --- points ----------------------------------------------------------------------------------- */

static void a_batch_goes_when_its_time_is_up(void **state)
{
	struct house *h = *state;
	start(h);
	take(h, "POST /networks");
	take(h, "POST /networks");
	pass(h, 4900 * NS_PER_MS);
	assert_int_equal(heard(h), 0);
	assert_int_equal(state_of(h)->waiting, 2);
	pass(h, 200 * NS_PER_MS);
	assert_int_equal(heard(h), 1);
	assert_non_null(strstr(head(h, 0), "POST /write?db=glasshouse HTTP/1.1\r\n"));
	assert_null(strstr(head(h, 0), "Authorization"));
	assert_string_equal(body(h, 0),
		"glasshouse,what=call,cloud=prod,region=eu,scenario=oshm,step=net,service=network,"
		"call=POST\\ /networks,kind=network duration_ms=35.412,failed=0i,fault=\"none\","
		"status=201i,run=\"r1\",request_id=\"req-1\" 1795000000000000002\n"
		"glasshouse,what=call,cloud=prod,region=eu,scenario=oshm,step=net,service=network,"
		"call=POST\\ /networks,kind=network duration_ms=35.412,failed=0i,fault=\"none\","
		"status=201i,run=\"r1\",request_id=\"req-1\" 1795000000000000004\n");
	assert_int_equal(state_of(h)->sent, 2);
	assert_int_equal(state_of(h)->waiting, 0);
	assert_null(state_of(h)->trouble);
}

static void what_hangs_is_told_while_it_hangs(void **state)
{
	struct house *h = *state;
	h->waits = true;
	start(h);
	pass(h, 16 * NS_PER_S);
	assert_non_null(strstr(body(h, 0),
		"glasshouse,what=open,cloud=prod,scenario=s,step=vm,index=1,service=compute,"
		"wait=server\\ ready,kind=server age_ms=90000.000,run=\"r1\" "));
}

static void a_full_batch_goes_at_once(void **state)
{
	struct house *h = *state;
	start(h);
	for (int i = 0; i < 1000; i++)
		take(h, "POST /networks");
	settle(h);
	assert_true(heard(h) >= 1);
	assert_true(strlen(body(h, 0)) > 40000);
}

/* As OSHM has them lines have no time: then two of one series cannot be in one request, and what
 * waited gets the time it had. */
static void lines_without_a_time_keep_their_meaning(void **state)
{
	struct house *h = *state;
	char *path = mem_printf("%s/write?db=cicd", h->url);
	h->receiver.url = path;
	h->receiver.dialect = METRICS_OSHM;
	h->receiver.measurement = "gx";
	start(h);
	take(h, "POST /networks");
	take(h, "POST /subnets");
	take(h, "POST /networks");
	pass(h, 6 * NS_PER_S);
	assert_int_equal(heard(h), 2);
	assert_non_null(strstr(head(h, 0), "POST /write?db=cicd HTTP/1.1\r\n"));
	assert_string_equal(body(h, 0),
		"gx,cmd=neutron,method=net-create duration=0.035,return_code=0\n"
		"gx,cmd=neutron,method=subnet-create duration=0.035,return_code=0\n");
	assert_string_equal(
		body(h, 1), "gx,cmd=neutron,method=net-create duration=0.035,return_code=0\n");
	script(h, 503, "", "busy");
	take(h, "POST /ports");
	pass(h, 20 * NS_PER_S);
	assert_int_equal(heard(h), 4);
	assert_string_equal(
		body(h, 2), "gx,cmd=neutron,method=port-create duration=0.035,return_code=0\n");
	assert_ptr_equal(
		strstr(body(h, 3),
			"gx,cmd=neutron,method=port-create duration=0.035,return_code=0 1795000006"),
		body(h, 3));
	free(path);
}

static void a_receiver_that_fails_is_tried_again_less_and_less_often(void **state)
{
	struct house *h = *state;
	start(h);
	for (int i = 0; i < 4; i++)
		script(h, 500, "", "oops");
	take(h, "POST /networks");
	pass(h, 5200 * NS_PER_MS);
	assert_int_equal(heard(h), 1);
	assert_string_equal(state_of(h)->trouble, "the receiver answers 500: oops");
	pass(h, 1100 * NS_PER_MS); /* 0.75 s to 1 s */
	assert_int_equal(heard(h), 2);
	pass(h, 900 * NS_PER_MS);
	assert_int_equal(heard(h), 2);
	pass(h, 900 * NS_PER_MS); /* 1.5 s to 2 s */
	assert_int_equal(heard(h), 3);
	pass(h, 4100 * NS_PER_MS);
	pass(h, 8100 * NS_PER_MS);
	assert_int_equal(heard(h), 5);
	assert_string_equal(body(h, 0), body(h, 4));
	assert_int_equal(state_of(h)->failures, 4);
	assert_int_equal(state_of(h)->sent, 1);
	assert_null(state_of(h)->trouble);
	assert_string_equal(
		buf_str(&h->told), "the receiver answers 500: oops, 0 lost\nagain, 0 lost\n");
}

/* One bad point in every other batch: a line a minute, not one a batch. */
static void what_comes_and_goes_is_told_once_a_minute(void **state)
{
	struct house *h = *state;
	start(h);
	for (int i = 0; i < 14; i++) { /* 84 s */
		if (i % 2 == 0)
			script(h, 400, "", "no");
		take(h, "POST /networks");
		pass(h, 6 * NS_PER_S);
	}
	assert_int_equal(state_of(h)->lost, 7);
	assert_string_equal(buf_str(&h->told),
		"the receiver answers 400: no, 1 lost\nagain, 1 lost\n"
		"the receiver answers 400: no, 6 lost\nagain, 6 lost\n");
}

static void what_is_refused_for_good_is_counted_and_left(void **state)
{
	struct house *h = *state;
	start(h);
	script(h, 400, "", "{\"error\":\"partial write: field type conflict dropped=1\"}");
	take(h, "POST /networks");
	take(h, "POST /subnets");
	pass(h, 6 * NS_PER_S);
	assert_int_equal(state_of(h)->lost, 1);
	assert_int_equal(state_of(h)->sent, 1);
	script(h, 413, "", "");
	take(h, "POST /networks");
	pass(h, 6 * NS_PER_S);
	assert_int_equal(state_of(h)->lost, 2);
	script(h, 401, "", ""); /* somebody may put that right */
	take(h, "POST /networks");
	pass(h, 9 * NS_PER_S);
	assert_int_equal(state_of(h)->lost, 2);
	assert_int_equal(state_of(h)->sent, 2);
	assert_int_equal(heard(h), 4);
}

/* A receiver that hangs costs what the spool may hold, the oldest first, and never the caller. */
static void a_receiver_that_hangs_loses_the_oldest_and_says_so(void **state)
{
	struct house *h = *state;
	h->receiver.spool_size = 256 << 10;
	start(h);
	script(h, 0, "", "");
	for (int i = 0; i < 4000; i++)
		take(h, "POST /networks");
	const struct metrics_state *s = state_of(h);
	assert_true(s->lost > 0);
	assert_true(h->metrics->senders.p[0]->waiting_size <= (256 << 10) + (256 << 10));
	assert_int_equal(s->lost + s->waiting, 4000);
	char *first = slice_dup(slice_of(buf_str(&h->told)));
	assert_non_null(
		strstr(first, "more waits than its spool holds: the oldest points are lost"));
	assert_ptr_equal(strchr(first, '\n'), strrchr(first, '\n')); /* once */
	free(first);
	loop_advance(
		h->loop, 11 * NS_PER_S); /* its deadline is real time: it is cut off at the end */
	struct buf out = BUF(BUF_PAGE);
	expose(h->metrics, &out);
	assert_non_null(strstr(buf_str(&out),
		"glasshouse_exporter_lost_points_total{exporter=\"influx 127.0.0.1:"));
	assert_null(strstr(buf_str(&out), "exporter_lost_points_total{exporter=\"influx\"} 0\n"));
	buf_fini(&out);
}

static void a_password_goes_in_a_header_and_nowhere_else(void **state)
{
	struct house *h = *state;
	struct secret *password = secret_new(SLICE("hunter2-hunter2"));
	h->receiver.username = "oshm";
	h->receiver.password = password;
	h->receiver.precision = METRICS_MS;
	start(h);
	script(h, 403, "", "hunter2-hunter2 is wrong");
	take(h, "POST /networks");
	pass(h, 5200 * NS_PER_MS);
	assert_non_null(strstr(head(h, 0), "POST /write?db=glasshouse&precision=ms HTTP/1.1\r\n"));
	assert_non_null(
		strstr(head(h, 0), "Authorization: Basic b3NobTpodW50ZXIyLWh1bnRlcjI=\r\n"));
	assert_non_null(strstr(body(h, 0), " 1795000000000\n"));
	assert_string_equal(state_of(h)->trouble, "the receiver answers 403: *** is wrong");
	metrics_free(h->metrics); /* it borrows the secret */
	const struct metrics_site site = {.instance = "x"};
	h->metrics = metrics_new(h->loop, h->client, &site);
	secret_unref(password);
}

static void on_drained(void *arg)
{
	*(bool *)arg = true;
}

static void at_the_end_everything_is_sent(void **state)
{
	struct house *h = *state;
	start(h);
	take(h, "POST /networks");
	metrics_drain(h->metrics, 5 * NS_PER_S, on_drained, &h->drained);
	assert_false(h->drained);
	take(h, "POST /subnets"); /* too late */
	settle(h);
	assert_true(h->drained);
	assert_int_equal(heard(h), 1);
	assert_null(strstr(body(h, 0), "subnets"));
	assert_int_equal(state_of(h)->sent, 1);
	assert_int_equal(state_of(h)->lost, 0);
}

static void the_end_does_not_wait_for_a_receiver_that_hangs(void **state)
{
	struct house *h = *state;
	start(h);
	script(h, 0, "", "");
	take(h, "POST /networks");
	metrics_drain(h->metrics, 5 * NS_PER_S, on_drained, &h->drained);
	loop_advance(h->loop, 4900 * NS_PER_MS);
	assert_false(h->drained);
	loop_advance(h->loop, 200 * NS_PER_MS);
	assert_true(h->drained);
	assert_int_equal(state_of(h)->lost, 1);
	assert_non_null(strstr(state_of(h)->trouble, "time was up"));
}

static void nobody_to_tell_ends_at_once_and_not_from_inside(void **state)
{
	struct house *h = *state;
	metrics_drain(h->metrics, 5 * NS_PER_S, on_drained, &h->drained);
	assert_false(h->drained);
	loop_advance(h->loop, 0);
	assert_true(h->drained);
}

static void a_reload_keeps_what_waits_where_nothing_changed(void **state)
{
	struct house *h = *state;
	start(h);
	take(h, "POST /networks");
	start(h);
	assert_int_equal(state_of(h)->waiting, 1);
	h->receiver.database = "other";
	start(h);
	assert_int_equal(state_of(h)->waiting, 0);
	const struct metrics_receiver two[] = {h->receiver, h->receiver};
	assert_false(metrics_configure(h->metrics, two, 2, &h->err));
	assert_non_null(strstr(h->err.msg, "are called"));
	assert_int_equal(h->metrics->senders.n, 1);
	h->receiver.url = "ftp://127.0.0.1/";
	assert_false(metrics_configure(h->metrics, &h->receiver, 1, &h->err));
}

/* --- OTLP ------------------------------------------------------------------------------------- */

static json_t *otlp(struct house *h, size_t i)
{
	json_t *j = json_parse(slice_of(body(h, i)), SIZE_MAX, &h->err);
	if (!j)
		fail_msg("%s", h->err.msg);
	return j;
}

static const json_t *first(const json_t *j, const char *key)
{
	return json_array_get(json_object_get(j, key), 0);
}

static const json_t *first_metric(const json_t *j)
{
	return first(first(first(j, "resourceMetrics"), "scopeMetrics"), "metrics");
}

static void start_otlp(struct house *h)
{
	h->receiver.kind = METRICS_OTLP;
	start(h);
}

static void a_round_is_cumulative_and_has_all_there_is(void **state)
{
	struct house *h = *state;
	start_otlp(h);
	script(h, 200, "", "{}");
	script(h, 200, "", "{}");
	take(h, "POST /networks");
	take(h, "POST /networks");
	pass(h, 15100 * NS_PER_MS);
	json_t *j = otlp(h, 0);
	const json_t *metric = first_metric(j), *histogram = json_object_get(metric, "histogram");
	const json_t *point = first(histogram, "dataPoints");
	assert_string_equal(json_str(metric, "name"), "http.client.request.duration");
	assert_string_equal(json_str(metric, "unit"), "s");
	assert_int_equal(json_int(histogram, "aggregationTemporality", 0), 2);
	assert_string_equal(json_str(point, "count"), "2");
	assert_string_equal(json_str(point, "startTimeUnixNano"), "1795000000000000000");
	assert_int_equal(json_array_size(json_object_get(point, "bucketCounts")), 15);
	assert_int_equal(json_array_size(json_object_get(point, "explicitBounds")), 14);
	/* 35 ms are below 0.05, the fourth bound */
	assert_string_equal(
		json_string_value(json_array_get(json_object_get(point, "bucketCounts"), 3)), "2");
	json_decref(j);
	take(h, "POST /networks");
	const size_t before = heard(h);
	pass(h, 15100 * NS_PER_MS);
	j = otlp(h, before);
	assert_string_equal(
		json_str(first(json_object_get(first_metric(j), "histogram"), "dataPoints"),
			"count"),
		"3");
	json_decref(j);
}

static void a_receiver_says_when_it_wants_to_be_asked_again(void **state)
{
	struct house *h = *state;
	start_otlp(h);
	script(h, 503, "Retry-After: 30\r\n", "");
	take(h, "POST /networks");
	pass(h, 15100 * NS_PER_MS);
	assert_int_equal(heard(h), 1);
	pass(h, 29 * NS_PER_S);
	assert_int_equal(heard(h), 1);
	pass(h, 1200 * NS_PER_MS);
	assert_true(heard(h) > 1);
	assert_int_equal(state_of(h)->failures, 1);
	assert_int_equal(state_of(h)->lost, 0);
	assert_null(state_of(h)->trouble);
}

static void what_it_refuses_for_good_is_not_repeated_at_once(void **state)
{
	struct house *h = *state;
	start_otlp(h);
	script(h, 400, "", "{\"message\":\"no\"}");
	take(h, "POST /networks");
	pass(h, 15100 * NS_PER_MS);
	pass(h, 14 * NS_PER_S);
	assert_int_equal(heard(h), 1);
	pass(h, 1200 * NS_PER_MS);
	assert_true(heard(h) > 1);
}

static void points_it_rejects_are_counted(void **state)
{
	struct house *h = *state;
	start_otlp(h);
	script(h, 200, "",
		"{\"partialSuccess\":{\"rejectedDataPoints\":\"1\",\"errorMessage\":\"too old\"}}");
	take(h, "POST /networks");
	pass(h, 15100 * NS_PER_MS);
	assert_int_equal(state_of(h)->lost, 1);
	assert_int_equal(state_of(h)->failures, 0);
	assert_int_equal(state_of(h)->sent, 0);
}

static void a_last_round_has_what_came_last(void **state)
{
	struct house *h = *state;
	h->waits = true;
	start_otlp(h);
	take(h, "POST /networks");
	metrics_drain(h->metrics, 5 * NS_PER_S, on_drained, &h->drained);
	for (int i = 0; i < 5000 && !h->drained; i++) {
		loop_advance(h->loop, 0);
		peer_sleep_ms(&(struct peer_connection){.peer = h->peer}, 1);
	}
	assert_true(h->drained);
	assert_int_equal(heard(h), 2);
	assert_non_null(strstr(body(h, 0), "\"stringValue\":\"/networks\""));
	assert_non_null(strstr(body(h, 1), "glasshouse.wait.open.age"));
	assert_non_null(strstr(body(h, 1), "\"asDouble\":90}"));
	assert_int_equal(state_of(h)->lost, 0);
}

/* --- the tally -------------------------------------------------------------------------------- */

static void too_many_series_are_one_that_says_so(void **state)
{
	struct house *h = *state;
	struct buf out = BUF(32u << 20);
	char name[40];
	for (int i = 0; i < 3 * TALLY_SERIES_MAX; i++) {
		snprintf(name, sizeof(name), "GET /x%d", i);
		take(h, name);
	}
	assert_int_equal(h->metrics->tally.series[TALLY_CALL].n, TALLY_SERIES_MAX + 1);
	expose(h->metrics, &out);
	assert_non_null(strstr(buf_str(&out),
		"glasshouse_call_duration_seconds_count{cloud=\"prod\",region=\"eu\",service=\"other\","
		"call=\"other\",status=\"other\",fault=\"other\"} 2000\n"));
	assert_non_null(strstr(buf_str(&out), "\nglasshouse_tally_overflow_total 2000\n"));
	buf_fini(&out);
}

static void the_tally_shows_buckets_errors_and_what_hangs(void **state)
{
	struct house *h = *state;
	struct buf out = BUF(BUF_PAGE);
	struct measure m = call("POST /networks", 1);
	m.fault = FAULT_HTTP_5XX;
	m.status = 500;
	metrics_take(h->metrics, &m);
	h->waits = true;
	expose(h->metrics, &out);
	static const char *const lines[] = {
		"# TYPE glasshouse_call_duration_seconds histogram\n",
		"glasshouse_call_duration_seconds_bucket{cloud=\"prod\",region=\"eu\",service=\"network\","
		"call=\"POST /networks\",status=\"500\",fault=\"http_5xx\",le=\"0.025\"} 0\n",
		"le=\"0.05\"} 1\n",
		"le=\"+Inf\"} 1\n",
		"fault=\"http_5xx\"} 0.035412\n",
		"glasshouse_errors_total{cloud=\"prod\",region=\"eu\",what=\"call\",service=\"network\","
		"fault=\"http_5xx\"} 1\n",
		"glasshouse_open_waits{cloud=\"prod\",kind=\"server\",until=\"ready\"} 1\n",
		"glasshouse_open_wait_seconds{cloud=\"prod\",kind=\"server\",until=\"ready\"} 90\n",
	};
	for (size_t i = 0; i < array_len(lines); i++)
		if (!strstr(buf_str(&out), lines[i]))
			fail_msg("%s is not in %s", lines[i], buf_str(&out));
	buf_fini(&out);
}

#define metrics_test(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int test_metrics(void)
{
	const struct CMUnitTest tests[] = {
		metrics_test(a_batch_goes_when_its_time_is_up),
		metrics_test(what_hangs_is_told_while_it_hangs),
		metrics_test(a_full_batch_goes_at_once),
		metrics_test(lines_without_a_time_keep_their_meaning),
		metrics_test(a_receiver_that_fails_is_tried_again_less_and_less_often),
		metrics_test(what_comes_and_goes_is_told_once_a_minute),
		metrics_test(what_is_refused_for_good_is_counted_and_left),
		metrics_test(a_receiver_that_hangs_loses_the_oldest_and_says_so),
		metrics_test(a_password_goes_in_a_header_and_nowhere_else),
		metrics_test(at_the_end_everything_is_sent),
		metrics_test(the_end_does_not_wait_for_a_receiver_that_hangs),
		metrics_test(nobody_to_tell_ends_at_once_and_not_from_inside),
		metrics_test(a_reload_keeps_what_waits_where_nothing_changed),
		metrics_test(a_round_is_cumulative_and_has_all_there_is),
		metrics_test(a_receiver_says_when_it_wants_to_be_asked_again),
		metrics_test(what_it_refuses_for_good_is_not_repeated_at_once),
		metrics_test(points_it_rejects_are_counted),
		metrics_test(a_last_round_has_what_came_last),
		metrics_test(too_many_series_are_one_that_says_so),
		metrics_test(the_tally_shows_buckets_errors_and_what_hangs),
	};
	return cmocka_run_group_tests_name("tell/metrics", tests, NULL, NULL);
}
