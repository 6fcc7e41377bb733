/*
 * test_route.c - the table of routes as a whole, which row a path finds, the intake's guard, and
 * the documents of Statuspage.
 */
#include "web/route.h"

#include "../check.h"
#include "base/json.h"
#include "models.h"
#include "web/faces/faces.h"
#include "web/serve_inside.h"

/* --- the table -----------------------------------------------------------------------------------
 */

static void no_two_rows_answer_the_same(void **state)
{
	for (size_t i = 0; i < route_count; i++)
		for (size_t k = i + 1; k < route_count; k++) {
			const struct route *a = &routes[i], *b = &routes[k];
			if (!strcmp(a->method, b->method) && (a->on & b->on) &&
				route_overlap(a->path, b->path))
				fail_msg("%s and %s overlap", a->path, b->path);
		}
}

static void overlaps_are_seen(void **state)
{
	static const struct {
		const char *a, *b;
		bool overlap;
	} rows[] = {{"/a", "/a", true}, {"/a", "/b", false}, {"/a/{x}", "/a/b", true},
		{"/a/{x}", "/a/b/c", false}, {"/a/{x}", "/a/", false}, {"/a/{x}", "/b/{x}", false},
		{"/a/{x}", "/a/{y}.json", true}, {"/a/{x}.json", "/a/{y}.yaml", false},
		{"/a/{x}/b", "/a/{y}", false}, {"/a/{x}", "/a/b-{y}", true},
		{"/a/{x}", "/a/b/{y}", false}};
	for (size_t i = 0; i < array_len(rows); i++) {
		assert_int_equal(route_overlap(rows[i].a, rows[i].b), rows[i].overlap);
		assert_int_equal(route_overlap(rows[i].b, rows[i].a), rows[i].overlap);
	}
}

static bool is_foreign(const char *path)
{
	static const char *const foreign[] = {"/api/v1", "/api/v2", "/v1", "/v2", "/scs", "/rss"};
	for (size_t i = 0; i < array_len(foreign); i++) {
		const size_t n = strlen(foreign[i]);
		if (!strncmp(path, foreign[i], n) && (path[n] == '/' || path[n] == '\0'))
			return true;
	}
	return strcmp(path, "/openapi.json") == 0;
}

static void each_face_keeps_to_its_paths(void **state)
{
	for (size_t i = 0; i < route_count; i++) {
		const struct route *r = &routes[i];
		assert_int_equal(r->path[0], '/');
		assert_true(r->on != 0);
		if (is_foreign(r->path) && r->face != FACE_STATUSPAGE && r->face < FACE_INFLUX)
			fail_msg("%s stands in another face's paths", r->path);
		if ((r->face == FACE_OPS) != !strncmp(r->path, "/api/ops/v1/", 12))
			fail_msg("%s is no path of ours", r->path);
		/* what changes something, or tells of the process, is not for the public */
		if (strcmp(r->method, "GET") || r->face == FACE_PROCESS || r->write)
			assert_true(r->on == ON_INTAKE && r->audience == AUDIENCE_OPERATORS);
		assert_true(!strcmp(r->method, "GET") == (r->body_max == 0));
		assert_true((r->class == CLASS_FIXED) == (r->file != FILE_NONE || r->moved));
		if (r->class == CLASS_COLD)
			assert_non_null(r->query);
		if (r->class == CLASS_PINNED)
			assert_true(r->audience == AUDIENCE_PUBLIC && !strchr(r->path, '{') &&
				    (r->form != FORM_JSON || r->make));
		if (r->key)
			assert_non_null(strchr(r->path, '{'));
	}
}

static void paths_find_their_rows(void **state)
{
	static const struct {
		const char *method, *path, *row, *word;
		unsigned on;
	} rows[] = {
		{"GET", "/", "/", "", ON_PUBLIC},
		{"HEAD", "/", "/", "", ON_PUBLIC},
		{"GET", "//", NULL, "", ON_PUBLIC},
		{"GET", "/components/a", "/components/{id}", "a", ON_PUBLIC},
		{"GET", "/components/a%2Fb", NULL, "", ON_PUBLIC},
		{"GET", "/components/%C3%BC", "/components/{id}", "\xc3\xbc", ON_PUBLIC},
		{"GET", "/components/%C3", NULL, "", ON_PUBLIC},
		{"GET", "/components/%0a", NULL, "", ON_PUBLIC},
		{"GET", "/components/%zz", NULL, "", ON_PUBLIC},
		{"GET", "/components", NULL, "", ON_PUBLIC},
		{"GET", "/api/ops/v1/components/a.json", "/api/ops/v1/components/{id}.json", "a",
			ON_PUBLIC},
		{"GET", "/api/ops/v1/components/.json", NULL, "", ON_PUBLIC},
		{"GET", "/evidence/17", "/evidence/{id}", "17", ON_PUBLIC},
		{"GET", "/evidence/0", NULL, "", ON_PUBLIC},
		{"GET", "/evidence/-1", NULL, "", ON_PUBLIC},
		{"GET", "/evidence/+1", NULL, "", ON_PUBLIC},
		{"GET", "/evidence/1a", NULL, "", ON_PUBLIC},
		{"GET", "/evidence/99999999999999999999", NULL, "", ON_PUBLIC},
		{"GET", "/metrics", NULL, "", ON_PUBLIC},
		{"GET", "/metrics", "/metrics", "", ON_INTAKE},
		{"POST", "/api/ops/v1/command/x", "/api/ops/v1/command/{name}", "x", ON_INTAKE},
		{"POST", "/api/ops/v1/command/x", NULL, "", ON_PUBLIC},
	};
	for (size_t i = 0; i < array_len(rows); i++) {
		struct route_match m;
		route_match_path(rows[i].method, rows[i].path, rows[i].on, &m);
		if ((m.route ? m.route->path : NULL) != rows[i].row &&
			(!m.route || !rows[i].row || strcmp(m.route->path, rows[i].row) != 0))
			fail_msg("%s finds %s", rows[i].path, m.route ? m.route->path : "nothing");
		if (m.route)
			assert_string_equal(m.word, rows[i].word);
	}
	struct route_match m;
	char allow[ROUTE_ALLOW];
	route_match_path("PUT", "/components/a", ON_PUBLIC, &m);
	assert_true(!m.route && m.other_method);
	assert_string_equal(route_allow("/components/a", ON_PUBLIC, allow), "GET, HEAD");
	assert_string_equal(route_allow("/api/ops/v1/command/x", ON_INTAKE, allow), "POST");
	char longest[2000];
	snprintf(longest, sizeof(longest), "/components/%0*d", ROUTE_WORD_MAX, 0);
	route_match_path("GET", longest, ON_PUBLIC, &m);
	assert_non_null(m.route);
	snprintf(longest, sizeof(longest), "/components/%0*d", ROUTE_WORD_MAX + 1, 0);
	route_match_path("GET", longest, ON_PUBLIC, &m);
	assert_null(m.route);
}

static void a_row_writes_its_path(void **state)
{
	struct buf b = BUF(BUF_LINE);
	struct route_match m;
	route_match_path("GET", "/components/a%20b", ON_PUBLIC, &m);
	route_path(m.route, m.word, &b);
	assert_string_equal(buf_str(&b), "/components/a%20b");
	buf_fini(&b);
}

/* --- openapi -------------------------------------------------------------------------------------
 */

/* What is said of a path. */
static struct slice described(struct slice text, const char *path)
{
	char *head = mem_printf("\n  %s:\n", path);
	const size_t at = slice_find_text(text, slice_of(head));
	const size_t n = at < text.n ? strlen(head) : 0;
	const struct slice rest = slice_sub(text, at + n - (n > 0), text.n);
	free(head);
	return slice_sub(rest, 0, slice_find_text(rest, SLICE("\n  /")) + 1);
}

/* Ours, and what other programs use of /api/v1. */
static bool is_described(const struct route *r)
{
	return r->face == FACE_OPS || slice_starts(slice_of(r->path), "/api/v1");
}

static void the_description_has_every_row_of_ours(void **state)
{
	static const char *const methods[][2] = {{"GET", "\n    get:\n"}, {"POST", "\n    post:\n"},
		{"PUT", "\n    put:\n"}, {"PATCH", "\n    patch:\n"},
		{"DELETE", "\n    delete:\n"}};
	const struct slice text = ops_openapi()->plain;
	size_t ours = 0, all = 0;
	for (size_t i = 0; i < route_count; i++) {
		const struct route *r = &routes[i];
		if (!is_described(r))
			continue;
		const struct slice part = described(text, r->path);
		for (size_t m = 0; m < array_len(methods); m++)
			if (!strcmp(r->method, methods[m][0]) &&
				slice_find_text(part, slice_of(methods[m][1])) == part.n)
				fail_msg("%s %s is not described", r->method, r->path);
		ours++;
	}
	/* and no other */
	for (size_t m = 0; m < array_len(methods); m++) {
		const struct slice head = slice_of(methods[m][1]);
		struct slice rest = text;
		for (size_t at; (at = slice_find_text(rest, head)) < rest.n; all++)
			rest = slice_sub(rest, at + head.n - 1, rest.n);
	}
	assert_int_equal(all, ours);
}

/* --- the intake's guard --------------------------------------------------------------------------
 */

static void names_of_this_machine_are_local(void **state)
{
	static const char *const local[] = {"localhost", "LOCALHOST:80", "localhost.:1",
		"a.localhost:80", "127.0.0.1", "127.0.0.1:8091", "[::1]", "[::1]:8091",
		"192.0.2.1:80", "[2001:db8::1]:80"};
	static const char *const strange[] = {"", ":80", "evil.example", "localhost.evil.example",
		"evillocalhost", "127.0.0.1.evil.example:80", "[::1", "[", "[]", "[evil]:80",
		"2001:db8::1", "127.1.evil", "0x7f000001.example"};
	for (size_t i = 0; i < array_len(local); i++)
		if (!guard_host_is_local(local[i]))
			fail_msg("%s is refused", local[i]);
	for (size_t i = 0; i < array_len(strange); i++)
		if (guard_host_is_local(strange[i]))
			fail_msg("%s is let in", strange[i]);
}

static void only_its_own_pages_may_change_something(void **state)
{
	assert_true(guard_origin_fits("http://127.0.0.1:8091", "127.0.0.1:8091"));
	assert_true(guard_origin_fits("https://Status.example", "status.example"));
	assert_false(guard_origin_fits("http://127.0.0.1:8092", "127.0.0.1:8091"));
	assert_false(guard_origin_fits("http://evil.example", "127.0.0.1:8091"));
	assert_false(guard_origin_fits("null", "127.0.0.1:8091"));
	assert_false(guard_origin_fits("", ""));
	assert_false(guard_origin_fits("http:", ""));
	assert_false(guard_origin_fits("http://", ""));
	assert_false(guard_origin_fits("file://127.0.0.1:8091", "127.0.0.1:8091"));
	assert_false(guard_origin_fits("http://h", NULL));
}

static void a_setup_that_cannot_be_lets_nobody_in(void **state)
{
	static const char *const bad[] = {"", "[", "{\"need_token\":true}",
		"{\"need_token\":true,\"intake_token\":\"abcd\"}",
		"{\"need_token\":true,\"intake_token\":\"xyz\"}"};
	struct guard g;
	for (size_t i = 0; i < array_len(bad); i++) {
		guard_read(&g, slice_of(bad[i]));
		assert_false(g.open);
	}
	guard_read(&g, SLICE("{\"need_token\":false,\"intake_token\":null}"));
	assert_true(g.open && !g.need_token);
}

/* --- Statuspage ----------------------------------------------------------------------------------
 */

static json_t *site(const char *health, const char *of_one, const char *of_two)
{
	return json_pack(
		"{s:{s:s, s:s, s:s}, s:I, s:s, s:[{s:s, s:s, s:s, s:s, s:I, s:[{s:i, "
		"s:[i,i,i,i,i]}, {s:i, s:[i,i,i,i,i]}]}, {s:s, s:s, s:s, s:I}], "
		"s:[{s:s, s:[s]}]}",
		"site", "name", "Example Cloud", "url", "https://status.example.org", "timezone",
		"UTC", "at_ms", (json_int_t)1787990000000, "health", health, "components", "id",
		"compute", "name", "Compute", "category", "Services", "health", of_one, "since_ms",
		(json_int_t)1787900000000, "days", "day", 20000, "s", 0, 0, 0, 0, 0, "day", 20001,
		"s", 0, 5, 0, 0, 0, "id", "other", "name", "Other", "health", of_two, "since_ms",
		(json_int_t)1787800000000, "categories", "name", "Services", "components",
		"compute");
}

static void components_have_the_shape_clients_expect(void **state)
{
	json_t *s = site("degraded", "degraded", "operational");
	json_t *all = statuspage_summary(s), *list = json_object_get(all, "components");
	assert_int_equal(json_array_size(list), 3);
	json_t *one = json_array_get(list, 0), *group = json_array_get(list, 1);
	static const char *const fields[] = {"id", "name", "status", "created_at", "updated_at",
		"position", "description", "showcase", "start_date", "group_id", "page_id", "group",
		"only_show_if_degraded"};
	for (size_t i = 0; i < array_len(fields); i++)
		for (size_t k = 0; k < 3; k++)
			assert_non_null(json_object_get(json_array_get(list, k), fields[i]));
	assert_string_equal(json_str(one, "name"), "Compute");
	assert_string_equal(json_str(one, "status"), "degraded_performance");
	assert_string_equal(json_str(one, "created_at"), "2024-10-05T00:00:00.000Z");
	assert_string_equal(json_str(one, "start_date"), "2024-10-05");
	assert_string_equal(json_str(one, "group_id"), json_str(group, "id"));
	assert_true(json_is_true(json_object_get(group, "group")));
	assert_string_equal(json_str(group, "status"), "degraded_performance");
	assert_string_equal(
		json_string_value(json_array_get(json_object_get(group, "components"), 0)),
		json_str(one, "id"));
	assert_true(json_is_null(json_object_get(json_array_get(list, 2), "group_id")));
	assert_string_equal(json_str(json_object_get(all, "page"), "time_zone"), "Etc/UTC");
	assert_string_equal(json_str(json_object_get(all, "page"), "id"), json_str(one, "page_id"));
	assert_int_equal(json_array_size(json_object_get(all, "incidents")), 0);
	assert_int_equal(json_array_size(json_object_get(all, "scheduled_maintenances")), 0);
	json_decref(all);
	json_decref(s);
}

static void the_page_is_as_good_as_its_worst(void **state)
{
	static const struct {
		const char *health, *one, *two, *indicator;
	} rows[] = {{"operational", "operational", "operational", "none"},
		{"degraded", "degraded", "operational", "minor"},
		{"outage", "outage", "operational", "major"},
		{"outage", "outage", "outage", "critical"},
		{"unknown", "unknown", "operational", "major"},
		{"maintenance", "maintenance", "operational", "maintenance"},
		{"what", "operational", "operational", "major"}};
	for (size_t i = 0; i < array_len(rows); i++) {
		json_t *s = site(rows[i].health, rows[i].one, rows[i].two);
		json_t *status = statuspage_status(s);
		assert_string_equal(json_str(json_object_get(status, "status"), "indicator"),
			rows[i].indicator);
		json_decref(status);
		json_decref(s);
	}
	json_t *empty = json_object(), *all = statuspage_summary(empty);
	assert_string_equal(json_str(json_object_get(all, "status"), "indicator"), "major");
	json_decref(all);
	json_decref(empty);
}

/* Of the site of models.c: an incident and work under way, work that is planned, an incident that
 * is over; two were added that have no form there. */
static void events_have_the_shape_clients_expect(void **state)
{
	json_t *s = model_site(MOOD_MIXED, 20, false), *events = json_object_get(s, "events");
	json_t *notice = json_deep_copy(json_array_get(events, 0));
	json_object_set_new(notice, "kind", json_string("info"));
	json_array_append_new(events, notice);
	json_t *cancelled = json_deep_copy(json_array_get(events, 1));
	json_object_set_new(cancelled, "phase", json_string("cancelled"));
	json_array_append_new(events, cancelled);
	static const struct {
		json_t *(*make)(const json_t *site);
		const char *list;
		size_t n;
		const char *status;
	} rows[] = {{statuspage_incidents, "incidents", 2, "investigating"},
		{statuspage_unresolved, "incidents", 1, "investigating"},
		{statuspage_summary, "incidents", 1, "investigating"},
		{statuspage_maintenances, "scheduled_maintenances", 2, "scheduled"},
		{statuspage_upcoming, "scheduled_maintenances", 1, "scheduled"},
		{statuspage_active, "scheduled_maintenances", 1, "in_progress"},
		{statuspage_summary, "scheduled_maintenances", 2, "scheduled"}};
	static const char *const fields[] = {"created_at", "id", "impact", "incident_updates",
		"monitoring_at", "name", "page_id", "resolved_at", "shortlink", "started_at",
		"status", "updated_at", "components", "reminder_intervals"};
	static const char *const update_fields[] = {"body", "created_at", "display_at", "id",
		"incident_id", "status", "updated_at", "affected_components",
		"deliver_notifications"};
	for (size_t i = 0; i < array_len(rows); i++) {
		json_t *all = rows[i].make(s), *list = json_object_get(all, rows[i].list);
		assert_int_equal(json_array_size(list), rows[i].n);
		json_t *one = json_array_get(list, 0);
		json_t *update = json_array_get(json_object_get(one, "incident_updates"), 0);
		assert_string_equal(json_str(one, "status"), rows[i].status);
		for (size_t k = 0; k < array_len(fields); k++)
			assert_non_null(json_object_get(one, fields[k]));
		for (size_t k = 0; k < array_len(update_fields); k++)
			assert_non_null(json_object_get(update, update_fields[k]));
		assert_string_equal(json_str(update, "incident_id"), json_str(one, "id"));
		json_decref(all);
	}
	json_decref(s);
}

static void all_updates_are_there_the_newest_first(void **state)
{
	json_t *s = model_site(MOOD_MIXED, 3, false);
	json_t *event = json_array_get(json_object_get(s, "events"), 0);
	json_object_set_new(event, "updates",
		json_pack("[{s:i, s:I, s:s, s:s}]", "n", 4, "at_ms", (json_int_t)4000000, "phase",
			"resolved", "text", "four"));
	json_object_set_new(event, "earlier",
		json_pack("[{s:i, s:I, s:s, s:s, s:I}, {s:i, s:I, s:s, s:s}, {s:i, s:I, s:s, s:s}]",
			"n", 3, "at_ms", (json_int_t)3000000, "phase", "monitoring", "text",
			"three", "corrected_ms", (json_int_t)5000000, "n", 2, "at_ms",
			(json_int_t)2000000, "phase", "monitoring", "text", "two", "n", 1, "at_ms",
			(json_int_t)1000000, "phase", "investigating", "text", "one"));
	json_t *all = statuspage_incidents(s);
	json_t *one = json_array_get(json_object_get(all, "incidents"), 0);
	json_t *updates = json_object_get(one, "incident_updates");
	static const char *const bodies[] = {"four", "three", "two", "one"};
	assert_int_equal(json_array_size(updates), array_len(bodies));
	for (size_t i = 0; i < array_len(bodies); i++)
		assert_string_equal(json_str(json_array_get(updates, i), "body"), bodies[i]);
	assert_string_equal(
		json_str(json_array_get(updates, 1), "created_at"), "1970-01-01T00:50:00.000Z");
	assert_string_equal(
		json_str(json_array_get(updates, 1), "updated_at"), "1970-01-01T01:23:20.000Z");
	assert_string_equal(json_str(one, "monitoring_at"), "1970-01-01T00:33:20.000Z");
	json_decref(all);
	/* ours are the newest, as described */
	json_t *ours = ops_status(s);
	assert_null(json_object_get(json_array_get(json_object_get(ours, "events"), 0), "earlier"));
	assert_non_null(json_object_get(event, "earlier"));
	json_decref(ours);
	json_decref(s);
}

static void what_is_worked_on_is_under_maintenance(void **state)
{
	json_t *s = model_site(MOOD_GOOD, 20, false), *mixed = model_site(MOOD_MIXED, 20, false);
	json_object_set(s, "events", json_object_get(mixed, "events"));
	json_t *all = statuspage_summary(s), *c;
	size_t i, worked = 0;
	json_array_foreach (json_object_get(all, "components"), i, c) {
		if (json_is_true(json_object_get(c, "group")))
			continue;
		const bool is = !strcmp(json_str(c, "status"), "under_maintenance");
		assert_true(is == !strcmp(json_str(c, "name"), "Block storage"));
		worked += is;
	}
	assert_int_equal(worked, 1);
	assert_string_equal(json_str(json_object_get(all, "status"), "indicator"), "maintenance");
	json_t *one = json_array_get(json_object_get(all, "incidents"), 0);
	assert_string_equal(json_str(one, "impact"), "critical");
	assert_string_equal(json_str(one, "shortlink"),
		"https://status.example.org/events/2026-11-26-volumes-fail");
	assert_int_equal(json_array_size(json_object_get(one, "components")), 3);
	json_t *work = json_array_get(json_object_get(all, "scheduled_maintenances"), 0);
	assert_string_equal(json_str(work, "scheduled_until"), "2026-11-26T08:11:22.000Z");
	assert_string_equal(json_str(work, "scheduled_for"), "2026-11-26T06:11:22.000Z");
	json_decref(all);
	json_decref(mixed);
	json_decref(s);
}

static void impacts_have_their_four_words(void **state)
{
	static const struct {
		int impact;
		const char *word;
	} rows[] = {{0, "none"}, {1, "minor"}, {33, "minor"}, {34, "major"}, {99, "major"},
		{100, "critical"}};
	json_t *s = model_site(MOOD_MIXED, 3, false);
	for (size_t i = 0; i < array_len(rows); i++) {
		json_object_set_new(json_array_get(json_object_get(s, "events"), 0), "impact",
			json_integer(rows[i].impact));
		json_t *all = statuspage_unresolved(s);
		json_t *one = json_array_get(json_object_get(all, "incidents"), 0);
		assert_string_equal(json_str(one, "impact"), rows[i].word);
		json_decref(all);
	}
	json_decref(s);
}

int test_route(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_two_rows_answer_the_same),
		cmocka_unit_test(overlaps_are_seen),
		cmocka_unit_test(each_face_keeps_to_its_paths),
		cmocka_unit_test(paths_find_their_rows),
		cmocka_unit_test(a_row_writes_its_path),
		cmocka_unit_test(the_description_has_every_row_of_ours),
		cmocka_unit_test(names_of_this_machine_are_local),
		cmocka_unit_test(only_its_own_pages_may_change_something),
		cmocka_unit_test(a_setup_that_cannot_be_lets_nobody_in),
		cmocka_unit_test(components_have_the_shape_clients_expect),
		cmocka_unit_test(the_page_is_as_good_as_its_worst),
		cmocka_unit_test(events_have_the_shape_clients_expect),
		cmocka_unit_test(all_updates_are_there_the_newest_first),
		cmocka_unit_test(what_is_worked_on_is_under_maintenance),
		cmocka_unit_test(impacts_have_their_four_words),
	};
	return cmocka_run_group_tests_name("route", tests, NULL, NULL);
}
