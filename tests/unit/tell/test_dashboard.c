/*
 * test_dashboard.c - what a dashboard of CloudMon is told stays told once, whenever we die: a
 * process of its own is killed (-9) at each request, before it was taken and after, and the next
 * one goes on from what is durable.
 */
#include "event_desk.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../net/peer.h"
#include "tell/dashboard.h"

#define COMPONENT 201

/* --- a dashboard -------------------------------------------------------------------------------
 */

struct board {
	pthread_mutex_t lock;
	json_t *events; /* as it shows them */
	unsigned requests, kill_at;
	bool after, killed; /* after: what was asked is done, and the answer never sent */
	pid_t child;
};

static json_t *event_there(const struct board *b, long id)
{
	size_t i;
	json_t *e;
	json_array_foreach (b->events, i, e)
		if (json_int(e, "id", 0) == id)
			return e;
	return NULL;
}

static void add_update(json_t *event, const char *status, const char *text, const char *at)
{
	json_array_append_new(json_object_get(event, "updates"),
		json_pack("{s:s, s:s, s:s}", "status", status, "text", text, "timestamp", at));
}

static json_t *create(struct board *b, const json_t *body)
{
	const int id = 1000 + (int)json_array_size(b->events);
	json_t *e = json_pack("{s:i, s:O, s:O, s:O, s:O, s:O, s:n, s:[]}", "id", id, "title",
		json_object_get(body, "title"), "description", json_object_get(body, "description"),
		"impact", json_object_get(body, "impact"), "type", json_object_get(body, "type"),
		"components", json_object_get(body, "components"), "end_date", "updates");
	assert_non_null(e);
	add_update(e, "detected", json_str(body, "description"), json_str(body, "start_date"));
	json_array_append_new(b->events, e);
	return json_pack(
		"{s:[{s:i, s:i}]}", "result", "component_id", COMPONENT, "incident_id", id);
}

static json_t *patch(json_t *event, const json_t *body)
{
	const char *status = json_str(body, "status"), *at = json_str(body, "update_date");
	add_update(event, status, json_str(body, "message"), at);
	if (!strcmp(status, "resolved"))
		json_object_set_new(event, "end_date", json_string(at));
	return json_incref(event);
}

static json_t *take(struct board *b, const char *method, const char *path, const json_t *body)
{
	if (!strncmp(path, "/v2/components", strlen("/v2/components")))
		return json_pack(
			"[{s:i, s:s, s:[]}]", "id", COMPONENT, "name", "Compute", "attributes");
	if (!strcmp(method, "POST"))
		return create(b, body);
	if (!strncmp(path, "/v2/events?", strlen("/v2/events?")))
		return json_pack("{s:O}", "data", b->events);
	json_t *event = event_there(b, strtol(path + strlen("/v2/events/"), NULL, 10));
	assert_non_null(event);
	return strcmp(method, "PATCH") == 0 ? patch(event, body) : json_incref(event);
}

static bool dies_now(struct board *b, bool after)
{
	if (b->requests != b->kill_at || b->after != after)
		return false;
	kill(b->child, SIGKILL);
	b->killed = true;
	return true;
}

/* What it answers; NULL: who asked is dead. */
static char *answer(struct board *b, const struct peer_connection *c)
{
	char method[8] = "", path[200] = "";
	struct slice text = slice_from(c->request + c->head_n, c->request_n - c->head_n);
	sscanf(c->request, "%7s %199s", method, path);
	b->requests++;
	if (dies_now(b, false))
		return NULL;
	json_t *body = text.n ? json_parse(text, 1 << 20, NULL) : NULL;
	json_t *said = take(b, method, path, body);
	char *out = dies_now(b, true) ? NULL : json_text(said);
	json_decref(said);
	json_decref(body);
	return out;
}

static void serve(struct peer_connection *c)
{
	struct board *b = c->peer->arg;
	while (peer_read(c)) {
		pthread_mutex_lock(&b->lock);
		char *out = answer(b, c);
		pthread_mutex_unlock(&b->lock);
		if (!out)
			return;
		peer_say(c, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s", strlen(out), out);
		free(out);
	}
}

/* --- who tells it ------------------------------------------------------------------------------
 */

static bool look(void *arg, const char *component, const char **ret_name, const char **ret_region)
{
	*ret_name = "Compute";
	*ret_region = "";
	return true;
}

static void on_trouble(void *arg, const char *name, const char *why)
{
	if (why)
		fprintf(stderr, "%s: %s\n", name, why);
}

static bool all_told(struct facts *f, const struct dashboards *d, int64_t newest)
{
	json_t *list = dashboards_json(d);
	const bool told = facts_cursor(f, "dashboards") >= newest &&
			  json_int(json_array_get(list, 0), "waiting", 1) == 0;
	json_decref(list);
	return told;
}

static void on_tick(struct timer *t)
{
	*(bool *)t->arg = true;
}

/* The life of a process that tells all there is to tell, and ends as one that is killed. */
static void tell_all(const struct desk *d, const struct dashboard *c, int64_t newest)
{
	struct error err = {0};
	struct loop *l = loop_new(&clock_system, &err);
	struct facts *f = facts_open(d->dir, l, &err);
	struct http_client *http =
		f && event_migrate(f, &err)
			? http_client_new(l, &(struct http_client_options){0}, &err)
			: NULL;
	struct dashboards *all =
		http ? dashboards_new(l, f, http, look, on_trouble, NULL, &err) : NULL;
	if (!all || !dashboards_configure(all, "https://status.example.org", c, 1, &err)) {
		fprintf(stderr, "%s\n", err.msg);
		_exit(1);
	}
	dashboards_wake(all);
	while (!all_told(f, all, newest)) {
		struct timer t = {0};
		bool passed = false;
		timer_start(l, &t, 5 * NS_PER_MS, on_tick, &passed);
		loop_run_until(l, &passed);
	}
	_exit(0);
}

static bool on_newest(void *arg, const struct facts_row *row)
{
	*(int64_t *)arg = facts_int(row, 0);
	return true;
}

/* Processes, one after the other, until one has told all. */
static void until_told(const struct desk *d, struct board *b, const struct dashboard *c)
{
	int64_t newest = 0;
	int status = 0;
	assert_true(facts_query(d->facts, "SELECT COALESCE(MAX(seq), 0) FROM change", NULL, 0,
		on_newest, &newest, &(struct error){0}));
	for (int i = 0; i < 3; i++) {
		pthread_mutex_lock(&b->lock);
		b->child = fork();
		if (!b->child) {
			alarm(120);
			tell_all(d, c, newest);
		}
		pthread_mutex_unlock(&b->lock);
		assert_int_equal(waitpid(b->child, &status, 0), b->child);
		if (WIFEXITED(status))
			break;
		assert_int_equal(WTERMSIG(status), SIGKILL);
	}
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static int64_t now_ms(void)
{
	return clock_unix_us(&clock_system) / 1000;
}

static void change_to(struct desk *d, enum event_phase phase, const char *text)
{
	struct event_change c = nothing();
	c.phase = (int)phase;
	c.text = text;
	assert_true(desk_change(d, d->id, &c, &alice, now_ms()));
}

static void assert_said(const json_t *event, const char *const *statuses, size_t n)
{
	const json_t *updates = json_object_get(event, "updates");
	assert_int_equal(json_array_size(updates), n);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(json_str(json_array_get(updates, i), "status"), statuses[i]);
}

/* An incident from its begin to its end. */
static void tell_incident(struct desk *d, struct board *b, const struct dashboard *c)
{
	static const struct event_impact impact = {"compute", 100};
	static const char *const statuses[] = {"detected", "fixing", "resolved"};
	until_told(d, b, c); /* so that it begins here */
	assert_true(desk_open(d,
		&(struct event_new){.kind = EVENT_INCIDENT,
			.title = "No servers",
			.text = "None starts.",
			.phase = EVENT_DETECTED,
			.audience = AUDIENCE_PUBLIC,
			.impacts = &impact,
			.impact_count = 1},
		&alice, now_ms()));
	change_to(d, EVENT_IDENTIFIED, "A disk is full.");
	until_told(d, b, c);
	change_to(d, EVENT_RESOLVED, "It is over.");
	until_told(d, b, c);
	assert_int_equal(json_array_size(b->events), 1);
	const json_t *event = json_array_get(b->events, 0);
	assert_said(event, statuses, array_len(statuses));
	assert_true(json_is_string(json_object_get(event, "end_date")));
	assert_int_equal(json_int(event, "impact", 0), 3);
}

typedef void telling(struct desk *d, struct board *b, const struct dashboard *c);

/* Whether it was killed at that request at all. */
static bool told_through(telling *tell, unsigned kill_at, bool after)
{
	void *state;
	struct board b = {.lock = PTHREAD_MUTEX_INITIALIZER,
		.events = json_array(),
		.kill_at = kill_at,
		.after = after};
	assert_int_equal(desk_setup(&state), 0);
	struct peer *peer = peer_start(serve, &b, NULL);
	char *url = mem_printf("http://127.0.0.1:%u", peer->port);
	const struct dashboard c = {.name = "board", .url = url, .version = 2};
	tell(state, &b, &c);
	peer_stop(peer);
	desk_teardown(&state);
	json_decref(b.events);
	free(url);
	return b.killed;
}

static void killed_at_each_request(telling *tell)
{
	unsigned n = 1;
	while (told_through(tell, n, false)) {
		assert_true(told_through(tell, n, true));
		n++;
	}
	assert_true(n > 5); /* it was killed often enough to say anything */
}

static void an_incident_is_told_once_through_kills(void **state)
{
	killed_at_each_request(tell_incident);
}

int test_dashboard(void);
int test_dashboard(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_incident_is_told_once_through_kills),
	};
	return cmocka_run_group_tests_name("dashboard", tests, NULL, NULL);
}
