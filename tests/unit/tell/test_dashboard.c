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
	json_object_set_new(event, "status", json_string(status));
	json_array_append_new(json_object_get(event, "updates"),
		json_pack("{s:s, s:s, s:s}", "status", status, "text", text, "timestamp", at));
}

static json_t *create(struct board *b, const json_t *body)
{
	const int id = 1000 + (int)json_array_size(b->events);
	const bool work = !strcmp(json_str(body, "type"), "maintenance");
	json_t *e = json_pack("{s:i, s:O, s:O, s:O, s:O, s:O, s:n, s:[], s:i}", "id", id, "title",
		json_object_get(body, "title"), "description", json_object_get(body, "description"),
		"impact", json_object_get(body, "impact"), "type", json_object_get(body, "type"),
		"components", json_object_get(body, "components"), "end_date", "updates", "version",
		1);
	assert_non_null(e);
	if (work) {
		assert_int_equal(json_int(body, "impact", -1), 0);
		assert_string_equal(json_str(body, "contact_email"), "noc@example.org");
		json_object_set(e, "end_date", json_object_get(body, "end_date"));
	}
	add_update(e, work ? "planned" : "detected", json_str(body, "description"),
		json_str(body, "start_date"));
	json_array_append_new(b->events, e);
	return json_pack(
		"{s:[{s:i, s:i}]}", "result", "component_id", COMPONENT, "incident_id", id);
}

static json_t *patch(json_t *event, const json_t *body)
{
	const char *status = json_str(body, "status"), *at = json_str(body, "update_date");
	const int64_t version = json_int(event, "version", 0);
	if (!strcmp(json_str(event, "type"), "maintenance"))
		assert_int_equal(json_int(body, "version", 0), version);
	json_object_set_new(event, "version", json_integer(version + 1));
	if (json_object_get(body, "end_date"))
		json_object_set(event, "end_date", json_object_get(body, "end_date"));
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
static void tell_all(const struct desk *d, unsigned port, int64_t newest)
{
	struct error err = {0};
	char *url = mem_printf("http://127.0.0.1:%u", port);
	const struct dashboard c = {
		.name = "board", .url = url, .version = 2, .contact = "noc@example.org"};
	struct loop *l = loop_new(&clock_system, &err);
	struct facts *f = facts_open(d->dir, l, &err);
	struct http_client *http =
		f && event_migrate(f, &err)
			? http_client_new(l, &(struct http_client_options){0}, &err)
			: NULL;
	struct dashboards *all =
		http ? dashboards_new(l, f, http, look, on_trouble, NULL, &err) : NULL;
	if (!all || !dashboards_configure(all, "https://status.example.org", &c, 1, &err)) {
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

/* Its end, as waitpid() has it. No other thread is there at the fork, so that none holds a lock
 * then: the dashboard's begin after it, and the desk's facts are closed. */
static int one_life(const struct desk *d, struct board *b, int64_t newest)
{
	int ends[2], status;
	unsigned port = 0;
	assert_int_equal(pipe(ends), 0);
	b->child = fork();
	if (!b->child) {
		alarm(120);
		if (read(ends[0], &port, sizeof(port)) == sizeof(port))
			tell_all(d, port, newest);
		_exit(1);
	}
	struct peer *peer = peer_start(serve, b, NULL);
	assert_int_equal(write(ends[1], &peer->port, sizeof(peer->port)), sizeof(peer->port));
	assert_int_equal(waitpid(b->child, &status, 0), b->child);
	peer_stop(peer);
	close(ends[0]);
	close(ends[1]);
	return status;
}

/* Processes, one after the other, until one has told all. */
static void until_told(struct desk *d, struct board *b)
{
	int64_t newest = 0;
	assert_true(facts_query(d->facts, "SELECT COALESCE(MAX(seq), 0) FROM change", NULL, 0,
		on_newest, &newest, &(struct error){0}));
	facts_close(d->facts);
	int status = one_life(d, b, newest);
	while (WIFSIGNALED(status)) {
		assert_int_equal(WTERMSIG(status), SIGKILL);
		status = one_life(d, b, newest);
	}
	assert_int_equal(WEXITSTATUS(status), 0);
	d->facts = facts_open(d->dir, d->loop, &(struct error){0});
	assert_non_null(d->facts);
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
static void tell_incident(struct desk *d, struct board *b)
{
	static const struct event_impact impact = {"compute", 100};
	static const char *const statuses[] = {"detected", "fixing", "resolved"};
	until_told(d, b); /* so that it begins here */
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
	until_told(d, b);
	change_to(d, EVENT_RESOLVED, "It is over.");
	until_told(d, b);
	assert_int_equal(json_array_size(b->events), 1);
	const json_t *event = json_array_get(b->events, 0);
	assert_said(event, statuses, array_len(statuses));
	assert_true(json_is_string(json_object_get(event, "end_date")));
	assert_int_equal(json_int(event, "impact", 0), 3);
}

/* A maintenance whose end is put off, that begins before its time and is done. */
static void tell_maintenance(struct desk *d, struct board *b)
{
	static const struct event_impact impact = {"compute", 0};
	static const char *const statuses[] = {"planned", "modified", "in_progress", "completed"};
	const int64_t begin_ms = now_ms() / 1000 * 1000 + HOUR;
	char end[CLOCK_TEXT];
	until_told(d, b);
	assert_true(desk_open(d,
		&(struct event_new){.kind = EVENT_MAINTENANCE,
			.title = "New disks",
			.text = "Servers restart.",
			.phase = EVENT_PLANNED,
			.audience = AUDIENCE_PUBLIC,
			.starts_ms = begin_ms,
			.until_ms = begin_ms + HOUR,
			.impacts = &impact,
			.impact_count = 1},
		&alice, now_ms()));
	until_told(d, b);
	struct event_change later = nothing();
	later.until_ms = begin_ms + 2 * HOUR;
	assert_true(desk_change(d, d->id, &later, &alice, now_ms()));
	until_told(d, b);
	change_to(d, EVENT_IN_PROGRESS, NULL);
	change_to(d, EVENT_COMPLETED, "All are in.");
	until_told(d, b);
	assert_int_equal(json_array_size(b->events), 1);
	const json_t *event = json_array_get(b->events, 0);
	assert_said(event, statuses, array_len(statuses));
	clock_rfc3339((begin_ms + 2 * HOUR) * 1000, end);
	assert_memory_equal(json_str(event, "end_date"), end, strlen("2026-11-18T11:06:40"));
}

typedef void telling(struct desk *d, struct board *b);

/* Whether it was killed at that request at all. */
static bool told_through(telling *tell, unsigned kill_at, bool after)
{
	void *state;
	struct board b = {.lock = PTHREAD_MUTEX_INITIALIZER,
		.events = json_array(),
		.kill_at = kill_at,
		.after = after};
	assert_int_equal(desk_setup(&state), 0);
	tell(state, &b);
	desk_teardown(&state);
	json_decref(b.events);
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

static void a_maintenance_is_told_once_through_kills(void **state)
{
	killed_at_each_request(tell_maintenance);
}

int test_dashboard(void);
int test_dashboard(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_incident_is_told_once_through_kills),
		cmocka_unit_test(a_maintenance_is_told_once_through_kills),
	};
	return cmocka_run_group_tests_name("dashboard", tests, NULL, NULL);
}
