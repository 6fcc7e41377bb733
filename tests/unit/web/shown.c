/* shown.c - see shown.h. */
#include "shown.h"

#include <stdlib.h>

#include "base/fault.h"
#include "base/json.h"

static json_t *site_50(void)
{
	return model_site(MOOD_MIXED, 50, false);
}

static json_t *site_good(void)
{
	return model_site(MOOD_GOOD, 50, false);
}

static json_t *site_few(void)
{
	return model_site(MOOD_GOOD, 3, false);
}

static json_t *site_unknown(void)
{
	return model_site(MOOD_UNKNOWN, 20, false);
}

static json_t *site_blind(void)
{
	return model_site(MOOD_BLIND, 20, false);
}

static json_t *site_none(void)
{
	return model_site(MOOD_MIXED, 0, false);
}

static json_t *site_hostile(void)
{
	return model_site(MOOD_HOSTILE, 20, true);
}

static json_t *site_wild(void)
{
	return model_site(MOOD_WILD, 50, false);
}

static json_t *site_operators(void)
{
	return model_site(MOOD_MIXED, 20, true);
}

static json_t *component(void)
{
	return model_component(MOOD_MIXED, false);
}

static json_t *component_operators(void)
{
	return model_component(MOOD_MIXED, true);
}

static json_t *component_hostile(void)
{
	return model_component(MOOD_HOSTILE, true);
}

static json_t *availability(void)
{
	return model_availability(MOOD_MIXED, 50);
}

static json_t *availability_hostile(void)
{
	return model_availability(MOOD_HOSTILE, 20);
}

static json_t *scenario(void)
{
	return model_scenario(MOOD_MIXED, false);
}

static json_t *scenario_operators(void)
{
	return model_scenario(MOOD_MIXED, true);
}

static json_t *scenario_hostile(void)
{
	return model_scenario(MOOD_HOSTILE, true);
}

static json_t *run_failed(void)
{
	return model_run(MOOD_MIXED);
}

static json_t *run_passed(void)
{
	return model_run(MOOD_GOOD);
}

/* A run with a mesh of so many guests, one address each: of every ninth pair nothing came, of the
 * next ones half or no time, and the second guest was not asked. */
static json_t *run_mesh_of(size_t n)
{
	json_t *model = model_run(MOOD_GOOD), *names = json_array(), *addresses = json_array();
	json_t *owners = json_array(), *rtt = json_array(), *loss = json_array();
	for (size_t i = 0; i < n; i++) {
		json_t *times = json_array(), *losses = json_array();
		json_array_append_new(names, json_sprintf("vm[%zu]", i));
		json_array_append_new(addresses, json_sprintf("10.250.%zu.%zu", i % 4, i + 10));
		json_array_append_new(owners, json_integer((json_int_t)i));
		for (size_t k = 0; k < n; k++) {
			const bool unasked = i == 1 || i == k;
			const size_t what = (i * 7 + k) % 9;
			json_array_append_new(
				times, unasked || what < 2 ? json_null() : json_real(0.4 + what));
			json_array_append_new(losses, unasked     ? json_null()
						      : what == 0 ? json_real(1)
						      : what == 2 ? json_real(0.5)
								  : json_real(0));
		}
		json_array_append_new(rtt, times);
		json_array_append_new(loss, losses);
	}
	json_array_append_new(json_object_get(json_object_get(model, "report"), "steps"),
		json_pack(
			"{s:s, s:s, s:s, s:s, s:s, s:f, s:f, s:{s:i, s:i, s:i, s:s, s:s, s:{s:o, s:o, "
			"s:o, s:o, s:o}}}",
			"name", "mesh", "kind", "mesh", "component", "", "state", "failed", "fault",
			"packet_loss", "start_ms", 100.0, "ready_ms", 900.0, "measured", "PAIRS",
			(int)(n * (n - 1)), "LOST", 3, "RETRIED", 5, "RTT", "4400us", "RTT_MAX",
			"8400us", "MATRIX", "names", names, "addresses", addresses, "owners",
			owners, "rtt_ms", rtt, "loss", loss));
	return model;
}

static json_t *run_mesh(void)
{
	return run_mesh_of(9);
}

static json_t *run_mesh_many(void)
{
	return run_mesh_of(110);
}

/* What a journal of another hand might hold. */
static json_t *run_mesh_wild(void)
{
	json_t *model = run_mesh_of(3), *steps;
	steps = json_object_get(json_object_get(model, "report"), "steps");
	json_t *measured =
		json_object_get(json_array_get(steps, json_array_size(steps) - 1), "measured");
	json_t *matrix = json_object_get(measured, "MATRIX");
	json_object_set_new(measured, "RTT", json_integer(5));
	json_object_set_new(
		matrix, "names", json_pack("[s, i, s]", "<b>&\"'", 7, "\xd7\xa9\xd7\x9c"));
	json_object_set_new(matrix, "owners", json_pack("[i, s]", -5, "x"));
	json_object_set_new(matrix, "loss", json_pack("[[s], {}, i]", "x", 4));
	json_object_set_new(matrix, "rtt_ms", json_null());
	return model;
}

static json_t *run_hostile(void)
{
	return model_run(MOOD_HOSTILE);
}

static json_t *hosts(void)
{
	return model_hosts(MOOD_MIXED);
}

static json_t *hosts_hostile(void)
{
	return model_hosts(MOOD_HOSTILE);
}

static json_t *hosts_none(void)
{
	return json_pack("{s:b, s:[]}", "more", 0, "clouds");
}

static json_t *calls(void)
{
	return model_calls(MOOD_MIXED);
}

static json_t *calls_hostile(void)
{
	return model_calls(MOOD_HOSTILE);
}

static json_t *calls_none(void)
{
	return json_pack("{s:s, s:i, s:i, s:i, s:i, s:i, s:[], s:[]}", "view", "7d", "from_ms", 0,
		"to_ms", 1, "unread", 1, "more_waits", 0, "more_calls", 0, "waits", "calls");
}

static json_t *evidence(void)
{
	return model_evidence(MOOD_MIXED, false);
}

static json_t *evidence_operators(void)
{
	return model_evidence(MOOD_MIXED, true);
}

static json_t *event(void)
{
	return model_event(MOOD_MIXED, false);
}

static json_t *event_operators(void)
{
	return model_event(MOOD_MIXED, true);
}

static json_t *event_hostile(void)
{
	return model_event(MOOD_HOSTILE, true);
}

static json_t *history(void)
{
	return model_history(MOOD_MIXED, false);
}

static json_t *history_none(void)
{
	return model_history(MOOD_UNKNOWN, false);
}

static json_t *history_hostile(void)
{
	return model_history(MOOD_HOSTILE, true);
}

static json_t *alerts(void)
{
	return model_alerts(MOOD_MIXED);
}

static json_t *alerts_none(void)
{
	return model_alerts(MOOD_UNKNOWN);
}

static json_t *alerts_hostile(void)
{
	return model_alerts(MOOD_HOSTILE);
}

static json_t *explore(void)
{
	return model_explore(MOOD_MIXED);
}

static json_t *explore_none(void)
{
	return model_explore(MOOD_UNKNOWN);
}

static json_t *explore_hostile(void)
{
	return model_explore(MOOD_HOSTILE);
}

static json_t *evidence_hostile(void)
{
	return model_evidence(MOOD_HOSTILE, true);
}

static json_t *problem_403(void)
{
	return model_problem(403, "/runs/tp3k6o-cbmv");
}

static json_t *problem_404(void)
{
	return model_problem(404, "/<script>");
}

static json_t *problem_500(void)
{
	return model_problem(500, "/");
}

static json_t *problem_503(void)
{
	return model_problem(503, "/");
}

static json_t *problem_405(void)
{
	return model_problem(405, "/");
}

#define KB 1000

static const struct shown all[] = {
	{"status", PAGE_STATUS, "/", site_50, site_50, false, 50 * KB, 14 * KB},
	{"status-good", PAGE_STATUS, "/", site_good, site_good, false, 50 * KB, 14 * KB},
	{"status-few", PAGE_STATUS, "/", site_few, site_few, false, 20 * KB, 6 * KB},
	{"status-unknown", PAGE_STATUS, "/", site_unknown, site_unknown, false, 0, 0},
	{"status-blind", PAGE_STATUS, "/", site_blind, site_blind, false, 0, 0},
	{"status-none", PAGE_STATUS, "/", site_none, site_none, false, 0, 0},
	{"status-hostile", PAGE_STATUS, "/", site_hostile, site_hostile, true, 0, 0},
	{"status-wild", PAGE_STATUS, "/", site_wild, site_wild, false, 90 * KB, 14 * KB},
	{"status-operators", PAGE_STATUS, "/", site_operators, site_operators, true, 0, 0},
	{"component", PAGE_COMPONENT, "/components/images", component, site_50, false, 50 * KB,
		14 * KB},
	{"component-operators", PAGE_COMPONENT, "/components/images", component_operators,
		site_operators, true, 0, 0},
	{"component-hostile", PAGE_COMPONENT, "/components/images", component_hostile, site_hostile,
		true, 0, 0},
	{"availability", PAGE_AVAILABILITY, "/availability", availability, site_50, false, 50 * KB,
		14 * KB},
	{"availability-hostile", PAGE_AVAILABILITY, "/availability", availability_hostile,
		site_hostile, true, 0, 0},
	{"scenario", PAGE_SCENARIO, "/scenarios/server-login", scenario, site_50, false, 80 * KB,
		16 * KB},
	{"scenario-operators", PAGE_SCENARIO, "/scenarios/server-login", scenario_operators,
		site_operators, true, 0, 0},
	{"scenario-hostile", PAGE_SCENARIO, "/scenarios/server-login", scenario_hostile,
		site_hostile, true, 0, 0},
	{"run", PAGE_RUN, "/runs/tp3k6o-cbmv", run_failed, site_operators, true, 50 * KB, 14 * KB},
	{"run-passed", PAGE_RUN, "/runs/tp3k6o-cbmv", run_passed, site_operators, true, 0, 0},
	{"run-mesh", PAGE_RUN, "/runs/tp3k6o-cbmv", run_mesh, site_operators, true, 60 * KB,
		14 * KB},
	{"run-mesh-many", PAGE_RUN, "/runs/tp3k6o-cbmv", run_mesh_many, site_operators, true,
		400 * KB, 30 * KB},
	{"run-mesh-wild", PAGE_RUN, "/runs/tp3k6o-cbmv", run_mesh_wild, site_hostile, true, 0, 0},
	{"run-hostile", PAGE_RUN, "/runs/tp3k6o-cbmv", run_hostile, site_hostile, true, 0, 0},
	{"hosts", PAGE_HOSTS, "/hosts", hosts, site_operators, true, 30 * KB, 8 * KB},
	{"hosts-hostile", PAGE_HOSTS, "/hosts", hosts_hostile, site_hostile, true, 0, 0},
	{"hosts-none", PAGE_HOSTS, "/hosts", hosts_none, site_operators, true, 10 * KB, 0},
	{"calls", PAGE_CALLS, "/calls", calls, site_operators, true, 150 * KB, 30 * KB},
	{"calls-hostile", PAGE_CALLS, "/calls", calls_hostile, site_hostile, true, 0, 0},
	{"calls-none", PAGE_CALLS, "/calls/7d", calls_none, site_operators, true, 10 * KB, 0},
	{"explore", PAGE_EXPLORE, "/explore", explore, site_operators, true, 50 * KB, 14 * KB},
	{"explore-none", PAGE_EXPLORE, "/explore", explore_none, site_operators, true, 10 * KB, 0},
	{"explore-hostile", PAGE_EXPLORE, "/explore", explore_hostile, site_hostile, true, 0, 0},
	{"evidence", PAGE_EVIDENCE, "/evidence/498", evidence, site_50, false, 20 * KB, 6 * KB},
	{"evidence-operators", PAGE_EVIDENCE, "/evidence/498", evidence_operators, site_operators,
		true, 0, 0},
	{"evidence-hostile", PAGE_EVIDENCE, "/evidence/498", evidence_hostile, site_hostile, true,
		0, 0},
	{"event", PAGE_EVENT, "/events/2026-11-26-volumes-fail", event, site_50, false, 20 * KB,
		6 * KB},
	{"event-operators", PAGE_EVENT, "/events/2026-11-26-volumes-fail", event_operators,
		site_operators, true, 0, 0},
	{"event-hostile", PAGE_EVENT, "/events/2026-11-26-volumes-fail", event_hostile,
		site_hostile, true, 0, 0},
	{"history", PAGE_HISTORY, "/history", history, site_50, false, 30 * KB, 8 * KB},
	{"history-none", PAGE_HISTORY, "/history/2026-09", history_none, site_good, false, 20 * KB,
		0},
	{"history-hostile", PAGE_HISTORY, "/history", history_hostile, site_hostile, true, 0, 0},
	{"alerts", PAGE_ALERTS, "/alerts", alerts, site_operators, true, 20 * KB, 6 * KB},
	{"alerts-none", PAGE_ALERTS, "/alerts", alerts_none, site_operators, true, 10 * KB, 0},
	{"alerts-hostile", PAGE_ALERTS, "/alerts", alerts_hostile, site_hostile, true, 0, 0},
	{"problem-403", PAGE_PROBLEM, "/runs/tp3k6o-cbmv", problem_403, site_50, false, 10 * KB, 0},
	{"problem-404", PAGE_PROBLEM, "/nowhere", problem_404, site_50, false, 10 * KB, 0},
	{"problem-405", PAGE_PROBLEM, "/", problem_405, site_50, false, 10 * KB, 0},
	{"problem-500", PAGE_PROBLEM, "/", problem_500, site_50, false, 10 * KB, 0},
	{"problem-503", PAGE_PROBLEM, "/", problem_503, json_object, false, 10 * KB, 0},
};

char *shown_html(const struct shown *s, const char *lang)
{
	struct error err = {0};
	struct buf out = BUF(BUF_PAGE);
	json_t *model = s->model(), *whole = s->site();
	json_t *site = s->page == PAGE_STATUS ? json_incref(whole) : page_frame(whole);
	assert_non_null(model);
	if (!page_render(s->page, model, site, s->path, lang, s->operators, &out, &err))
		fail_msg("%s (%s): %s", s->name, lang, err.msg);
	json_decref(model);
	json_decref(whole);
	json_decref(site);
	return buf_take(&out);
}

void shown_each(void (*look)(const struct shown *s, const char *lang, const char *html))
{
	for (size_t i = 0; i < array_len(all); i++) {
		for (const char *const *lang = page_languages(); *lang; lang++) {
			char *html = shown_html(&all[i], *lang);
			look(&all[i], *lang, html);
			free(html);
		}
	}
}

const struct shown *shown_find(const char *name)
{
	for (size_t i = 0; i < array_len(all); i++)
		if (!strcmp(all[i].name, name))
			return &all[i];
	fail_msg("no page %s", name);
	return NULL;
}

void assert_lacks(const struct shown *s, const char *html, const char *text)
{
	const char *at = strstr(html, text);
	if (at)
		fail_msg("%s: \"%s\" in: %.120s", s->name, text, at > html + 40 ? at - 40 : at);
}

void assert_has(const struct shown *s, const char *html, const char *text)
{
	if (!strstr(html, text))
		fail_msg("%s: no \"%s\"", s->name, text);
}

int shown_begin(void **state)
{
	struct error err = {0};
	if (!page_init(&err))
		print_message("%s: %s\n", err.file, err.msg);
	return err.msg[0] ? -1 : 0;
}

int shown_end(void **state)
{
	page_fini();
	return 0;
}
