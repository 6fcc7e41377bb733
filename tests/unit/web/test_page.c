/*
 * Pages from documents as the house gives them: complete, well-formed, small, harmless, true, and
 * in both languages. GLASSHOUSE_PAGES=DIR keeps what was rendered there, to be looked at.
 */
#include "../check.h"

#include <pthread.h>
#include <stdlib.h>

#include <zlib.h>

#include "base/fault.h"
#include "base/json.h"
#include "models.h"
#include "web/page.h"

struct shown {
	const char *name;
	enum page page;
	const char *path;
	json_t *(*model)(void);
	json_t *(*site)(void);
	bool operators;
	size_t most, most_packed; /* bytes; 0: not said */
};

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

#define KB  1000
#define FSI "\xe2\x81\xa8"
#define PDI "\xe2\x81\xa9"

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

/* Owned. */
static char *render(const struct shown *s, const char *lang)
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

static void each(void (*look)(const struct shown *s, const char *lang, const char *html))
{
	for (size_t i = 0; i < array_len(all); i++) {
		for (const char *const *lang = page_languages(); *lang; lang++) {
			char *html = render(&all[i], *lang);
			look(&all[i], *lang, html);
			free(html);
		}
	}
}

static void keep_file(const char *dir, const char *name, const void *p, size_t n)
{
	char *path = mem_printf("%s/%s", dir, name);
	FILE *f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	fclose(f);
	free(path);
}

static void keep(const struct shown *s, const char *lang, const char *html)
{
	char *name = mem_printf("%s.%s.html", s->name, lang);
	keep_file(getenv("GLASSHOUSE_PAGES"), name, html, strlen(html));
	free(name);
}

static void keep_all(const char *dir)
{
	const struct page_file *files;
	each(keep);
	for (size_t i = 0; i < page_files(&files); i++)
		keep_file(dir, files[i].name, files[i].file->plain.p, files[i].file->plain.n);
}

/* --- form ------------------------------------------------------------------------------------- */

static bool is_void(struct slice name)
{
	return slice_in_words(name, "meta link br hr img input path circle line use");
}

/* Every element that is opened is closed in its order; every attribute is quoted. */
static void well_formed(const struct shown *s, const char *lang, const char *html)
{
	struct slice open[64];
	size_t depth = 0;
	assert_int_equal(strncmp(html, "<!doctype html>\n<html lang=\"", 28), 0);
	assert_true(utf8_valid(slice_of(html)));
	for (const char *p = strchr(html + 1, '<'); p; p = strchr(p, '<')) {
		const bool closing = p[1] == '/';
		const char *name = p + 1 + closing, *end = name;
		while ((*end >= 'a' && *end <= 'z') || (*end >= '0' && *end <= '9'))
			end++;
		const struct slice tag = slice_from(name, (size_t)(end - name));
		if (!tag.n)
			fail_msg("%s: a < that opens nothing: %.60s", s->name, p);
		const char *close = end;
		for (bool quoted = false; *close && (quoted || *close != '>'); close++) {
			if (*close == '<')
				fail_msg("%s: a < inside a tag: %.80s", s->name, p);
			quoted = *close == '"' ? !quoted : quoted;
			if (*close == '=' && !quoted && close[1] != '"')
				fail_msg("%s: an attribute without quotes: %.80s", s->name, p);
		}
		assert_int_equal(*close, '>');
		const bool alone = close[-1] == '/' || is_void(tag);
		if (closing) {
			if (!depth || !slice_eq(open[depth - 1], tag))
				fail_msg("%s (%s): </%.*s> closes another: %.120s", s->name, lang,
					SLICE_ARG(tag), p - 60);
			depth--;
		} else if (!alone) {
			assert_true(depth < array_len(open));
			open[depth++] = tag;
		}
		p = close;
	}
	assert_int_equal(depth, 0);
}

static void test_form(void **state)
{
	each(well_formed);
}

static void lacks(const struct shown *s, const char *html, const char *text)
{
	const char *at = strstr(html, text);
	if (at)
		fail_msg("%s: \"%s\" in: %.120s", s->name, text, at > html + 40 ? at - 40 : at);
}

static void has(const struct shown *s, const char *html, const char *text)
{
	if (!strstr(html, text))
		fail_msg("%s: no \"%s\"", s->name, text);
}

/* Attributes that run or style what the policy forbids; only inside tags, not in text. */
static void no_inline(const struct shown *s, const char *lang, const char *html)
{
	bool tag = false, quoted = false;
	for (const char *p = html; *p; p++) {
		if (!tag) {
			tag = *p == '<';
			continue;
		}
		quoted = *p == '"' ? !quoted : quoted;
		if (*p == '>' && !quoted)
			tag = false;
		if (quoted || *p != ' ')
			continue;
		if (!strncmp(p, " style=", 7) || !strncmp(p, " on", 3))
			fail_msg("%s: inline: %.60s", s->name, p);
	}
	lacks(s, html, "<style");
	lacks(s, html, "<script>");
	lacks(s, html, "javascript:");
}

/* Whether a link is in what the operator wrote: of his site, or of an event. */
static bool is_prose(const char *html, const char *at)
{
	static const char open[] = "<div class=\"prose\"";
	for (const char *from = html; (from = strstr(from, open)); from++) {
		const char *to = from;
		for (int depth = 1; depth && to;) { /* tables are in a div of their own */
			const char *next = strstr(to + 1, "<div"), *end = strstr(to + 1, "</div>");
			const bool deeper = next && end && next < end;
			depth += deeper ? 1 : -1;
			to = deeper ? next : end;
		}
		if (to && at > from && at < to)
			return true;
	}
	return false;
}

/* Links stay on this host, but for those the site's owner wrote. Other foreign addresses are text:
 * what a request was sent to. */
static void no_foreign(const struct shown *s, const char *lang, const char *html)
{
	static const char *const attributes[] = {" href=\"", " src=\"", " action=\""};
	for (size_t i = 0; i < array_len(attributes); i++) {
		for (const char *p = html; (p = strstr(p, attributes[i])); p++) {
			const char *to = p + strlen(attributes[i]);
			const bool owners =
				is_prose(html, p) &&
				(!strncmp(to, "https://", 8) || !strncmp(to, "mailto:", 7));
			if (!(to[0] == '#' || (to[0] == '/' && to[1] != '/') || owners))
				fail_msg("%s: a foreign link: %.60s", s->name, p);
		}
	}
	lacks(s, html, "@import");
	lacks(s, html, "url(");
}

static void test_policy(void **state)
{
	const struct page_file *files;
	each(no_inline);
	each(no_foreign);
	for (size_t i = 0; i < page_files(&files); i++) {
		char *body = slice_dup(files[i].file->plain);
		if (strcmp(files[i].type, "image/svg+xml") != 0)
			assert_null(strstr(body, "://"));
		assert_true(files[i].file->plain.n > 100);
		assert_ptr_equal(page_file(files[i].name), &files[i]);
		free(body);
	}
	assert_null(page_file("style.css"));
}

/* --- size ------------------------------------------------------------------------------------- */

static size_t packed(const char *html)
{
	const size_t n = strlen(html);
	unsigned long room = compressBound(n);
	unsigned char *p = mem_alloc(room);
	assert_int_equal(compress2(p, &room, (const unsigned char *)html, n, 9), Z_OK);
	free(p);
	return room;
}

static void small_enough(const struct shown *s, const char *lang, const char *html)
{
	const size_t n = strlen(html), z = packed(html);
	if (s->most)
		print_message("%-24s %s %6zu bytes, %5zu compressed\n", s->name, lang, n, z);
	if (s->most && n > s->most)
		fail_msg("%s (%s): %zu bytes", s->name, lang, n);
	if (s->most_packed && z > s->most_packed)
		fail_msg("%s (%s): %zu bytes compressed", s->name, lang, z);
}

static void test_size(void **state)
{
	each(small_enough);
}

/* --- what every page has ---------------------------------------------------------------------- */

static void has_frame(const struct shown *s, const char *lang, const char *html)
{
	const bool german = !strcmp(lang, "de"), empty = s->site == json_object;
	char *link = mem_printf("<a href=\"%s?lang=%s", s->path, german ? "en" : "de");
	has(s, html, german ? "<html lang=\"de\">" : "<html lang=\"en\">");
	has(s, html, "<a class=\"skip\" href=\"#main\">");
	has(s, html, "<main id=\"main\">");
	has(s, html, "<h1>");
	has(s, html, link);
	if (!empty) {
		has(s, html,
			german ? "Stand 06:41:22 UTC, 26. Nov. 2026"
			       : "As of 06:41:22 UTC, 26 Nov 2026");
		has(s, html, "berlin-outside");
	}
	lacks(s, html, "{{");
	lacks(s, html, "{1}");
	free(link);
}

static void test_frame(void **state)
{
	each(has_frame);
}

/* --- truth ------------------------------------------------------------------------------------ */

static const struct shown *find(const char *name)
{
	for (size_t i = 0; i < array_len(all); i++)
		if (!strcmp(all[i].name, name))
			return &all[i];
	fail_msg("no page %s", name);
	return NULL;
}

static void test_truth(void **state)
{
	const struct shown *s = find("status-unknown");
	char *html = render(s, "en");
	has(s, html, "<h1>The state of the cloud is unknown</h1>");
	has(s, html, "<section class=\"verdict unknown\">");
	/* only a scenario's run is good there, and it says so of itself */
	assert_ptr_equal(strstr(html, "state operational"),
		strstr(html,
			"state operational\"><svg><use href=\"#i-operational\"/></svg>Passed"));
	lacks(s, html, "none\"><path class=\"o\"");
	has(s, html, "<span class=\"none\">not known</span>");
	free(html);

	s = find("status-blind");
	html = render(s, "en");
	has(s, html, "<h1>We cannot see the cloud at the moment</h1>");
	has(s, html, "This is a simulated cloud.");
	has(s, html, "Observations are not being stored.");
	lacks(s, html, "components are operational");
	lacks(s, html, "no witness answers"); /* the reason is the operators' */
	free(html);

	s = find("status-none");
	html = render(s, "en");
	has(s, html, "<h1>Nothing is observed yet</h1>");
	lacks(s, html, "class=\"verdict operational\"");
	free(html);

	s = find("status");
	html = render(s, "en");
	has(s, html, "<h1>1 of 50 components has an outage: " FSI "Network" PDI "</h1>");
	has(s, html, "<p>1 of 50 components is degraded: " FSI "Images" PDI "</p>");
	has(s, html, "<p>The state of 1 of 50 components is unknown: " FSI "DNS" PDI "</p>");
	has(s, html, "<p>1 of 50 components is under maintenance: " FSI "Block storage" PDI "</p>");
	has(s, html, "This is a simulated cloud.");
	free(html);

	s = find("status-good");
	html = render(s, "de");
	has(s, html, "<h1>Alle 50 Komponenten sind in Betrieb</h1>");
	has(s, html, "#f\">100\xc2\xa0%</a></td>");
	lacks(s, html, "simulierte");
	free(html);
}

/* A day that was mostly not observed, or unknown, is not drawn as good; one bad second is seen. */
static void test_days(void **state)
{
	const struct shown *s = find("status-few");
	struct buf out = BUF(BUF_PAGE);
	struct error err = {0};
	json_t *site = model_site(MOOD_GOOD, 1, false);
	json_t *days =
		json_object_get(json_array_get(json_object_get(site, "components"), 0), "days");
	json_array_clear(days);
	json_array_append_new(days, json_pack("{s:i, s:[i,i,i,i,i], s:i}", "day", 20780, "s", 1000,
					    0, 0, 0, 0, "gap", 85400));
	json_array_append_new(days, json_pack("{s:i, s:[i,i,i,i,i], s:i}", "day", 20781, "s", 1000,
					    0, 0, 85400, 0, "gap", 0));
	json_array_append_new(days, json_pack("{s:i, s:[i,i,i,i,i], s:i}", "day", 20782, "s", 86399,
					    0, 1, 0, 0, "gap", 0));
	assert_true(page_render(PAGE_STATUS, site, site, "/", "en", false, &out, &err));
	const char *html = buf_str(&out);
	/* 90 days: 88 that are not there or mostly unobserved, one unknown, one with a second down
	 */
	has(s, html, "<span class=\"vh\">1 outage, 1 unknown, 88 not observed");
	has(s, html, "<path class=\"g\" d=\"M0 20h351\"/>");
	has(s, html, "<path class=\"u\" d=\"M352 20h3\"/>");
	has(s, html, "<path class=\"x\" d=\"M356 14h3\"/>");
	lacks(s, html, "<path class=\"o\" d=\"M3");
	buf_fini(&out);
	json_decref(site);
}

static void test_audience(void **state)
{
	struct error err = {0};
	struct buf out = BUF(BUF_PAGE);
	json_t *model = model_run(MOOD_GOOD), *site = model_site(MOOD_GOOD, 3, true);
	assert_false(page_render(PAGE_RUN, model, site, "/runs/x", "en", false, &out, &err));
	json_decref(model);
	model = model_hosts(MOOD_GOOD);
	assert_false(page_render(PAGE_HOSTS, model, site, "/hosts", "en", false, &out, &err));
	json_decref(model);
	/* operators' facts in a document do not reach others */
	model = model_evidence(MOOD_MIXED, true);
	assert_true(
		page_render(PAGE_EVIDENCE, model, site, "/evidence/1", "en", false, &out, &err));
	assert_null(strstr(buf_str(&out), "curl -sS"));
	assert_null(strstr(buf_str(&out), "req-3d49506d"));
	assert_null(strstr(buf_str(&out), "example-berlin"));
	assert_null(strstr(buf_str(&out), "rules.yaml"));
	assert_null(strstr(buf_str(&out), "answers take 812 ms"));
	assert_non_null(strstr(buf_str(&out), "series: image; p95: 812.5"));
	buf_clear(&out);
	assert_true(page_render(PAGE_EVIDENCE, model, site, "/evidence/1", "en", true, &out, &err));
	assert_non_null(strstr(buf_str(&out), "curl -sS"));
	assert_non_null(strstr(buf_str(&out), "rules.yaml"));
	json_decref(model);
	buf_clear(&out);
	model = model_scenario(MOOD_MIXED, true);
	assert_true(
		page_render(PAGE_SCENARIO, model, site, "/scenarios/x", "en", false, &out, &err));
	assert_null(strstr(buf_str(&out), "/runs/"));
	assert_null(strstr(buf_str(&out), "status BUILD after"));
	json_decref(model);
	json_decref(site);
	buf_fini(&out);
}

/* What explains a state, and what others concluded of series, is told to everybody. */
static void test_evidence(void **state)
{
	char *html = render(find("evidence"), "de");
	const struct shown *s = find("evidence");
	has(s, html,
		"Dies ist eine Folge von: <a href=\"/components/identity?lang=de\"><bdi>Identity</bdi></a>.");
	has(s, html,
		"<a href=\"/events/2026-11-26-firmware?lang=de\">In angekündigter Wartung.</a>");
	has(s, html, "<bdi>1 of 3 locations sees an outage: bonn-outside</bdi>");
	has(s, html, "Der Zustand wechselt");
	has(s, html, "<a href=\"/api/ops/v1/evidence/498.json\">JSON</a>");
	has(s, html, "<dt>Schlagen fehl</dt><dd>1</dd>");
	has(s, html, "<code>p95('image') &gt; 800ms</code>");
	has(s, html, "series: image-eu-2; p95: \xe2\x80\x93");
	free(html);
}

/* Servers of a run side by side on one scale, and why one cannot be logged in to. */
static void test_boots(void **state)
{
	const struct shown *s = find("run");
	char *html = render(s, "en");
	has(s, html, "<h2 id=\"h-boots\">Boots</h2>");
	/* the longest, of 15.98 s, is as wide as the picture; negative times are not drawn */
	has(s, html, "<path class=\"p-schedule\" d=\"M0.0 6h50.8v4h-50.8z\"/>");
	has(s, html, "<path class=\"p-guest\" d=\"M499.4 3h500.6v10h-500.6z\"/>");
	lacks(s, html, "<path class=\"p-guest\" d=\"M455");
	has(s, html, "<li>network 1.6\xc2\xa0s</li>");
	has(s, html,
		"<code title=\"3735d7a5a0c8b2f1e4d6c9b8a7f6e5d4c3b2a1908f7e6d5c4b3a2918\">"
		"3735d7a5\xe2\x80\xa6</code>");
	has(s, html, "Tried without success on: <code title=\"3735d7a5");
	has(s, html, "<code>login[0]</code>: the server refused our SSH key");
	has(s, html, "<p>The console says: the guest got no answer from the metadata service</p>");
	has(s, html, "Calling 'http://169.254.169.254/' failed</bdi></pre>");
	free(html);
	html = render(s, "de");
	has(s, html, "<p>Die Konsole sagt: Der Gast bekam keine Antwort vom Metadatendienst</p>");
	free(html);
	html = render(find("run-passed"), "en");
	lacks(s, html, "The console says");
	free(html);
}

/* The address of another program stays text. */
static void test_alerts(void **state)
{
	const struct shown *s = find("alerts");
	char *html = render(s, "en");
	has(s, html, "<h2 id=\"h-alerts\">1 alert fires</h2>");
	has(s, html, "state outage\"><svg><use href=\"#i-outage\"/></svg>Fires</span>");
	has(s, html,
		"state operational\"><svg><use href=\"#i-operational\"/></svg>Resolved</span>");
	has(s, html, "<a href=\"/components/block-storage?lang=en\"><bdi>Block storage</bdi></a>");
	has(s, html, "<code>https://prometheus.example.org/graph?g0.expr=up</code>");
	has(s, html, "<p dir=\"auto\">Volumes cannot be made since 5 minutes</p>");
	free(html);
	s = find("alerts-none");
	html = render(s, "de");
	has(s, html, "Keine Meldung ist offen");
	has(s, html, "Niemand hat eine geschickt.");
	free(html);
}

static void test_boots_none(void **state)
{
	const struct shown *s = find("run-passed");
	struct error err = {0};
	struct buf out = BUF(BUF_PAGE);
	json_t *site = model_site(MOOD_GOOD, 1, true), *model = model_run(MOOD_GOOD), *step;
	size_t i;
	json_array_foreach (json_object_get(json_object_get(model, "report"), "steps"), i, step) {
		json_object_del(step, "boot");
	}
	assert_true(page_render(PAGE_RUN, model, site, "/runs/x", "en", true, &out, &err));
	lacks(s, buf_str(&out), "h-boots");
	buf_fini(&out);
	json_decref(model);
	json_decref(site);
}

/* Pairs that nobody asked are not among the good ones. */
static void test_mesh_unasked(void **state)
{
	const struct shown *s = find("run-mesh");
	char *html = render(s, "en");
	has(s, html, "72 pairs, 3 lost, 5 asked twice, 8 not asked: nothing is known of them");
	free(html);
	html = render(s, "de");
	has(s, html, "8 nicht gefragt: von ihnen ist nichts bekannt");
	free(html);
}

static void test_nowhere(void **state)
{
	const struct shown *s = find("status");
	struct error err = {0};
	struct buf out = BUF(BUF_PAGE);
	json_t *site = model_site(MOOD_GOOD, 1, false);
	json_object_set_new(json_object_get(site, "site"), "location", json_string(""));
	assert_true(page_render(PAGE_STATUS, site, site, "/", "en", false, &out, &err));
	lacks(s, buf_str(&out), "seen from");
	buf_fini(&out);
	json_decref(site);
}

/* A host is good only when it was tried lately and nothing failed; what is not known is hatched. */
static void test_hosts(void **state)
{
	const struct shown *s = find("hosts");
	char *html = render(s, "en");
	has(s, html,
		"In common:</strong> <bdi>all 4 failures of 24 hours were on host "
		"rack1-node07.example.org, where 0 of 4 came up; elsewhere 27 of 27 did");
	has(s, html, "<p class=\"bad\">1 failure in 24 hours was on no host</p>");
	has(s, html, "3 more hosts are not shown.");
	const char *failing = strstr(html, "Failed last"), *mixed = strstr(html, "Good again");
	const char *good = strstr(html, "</svg>Good</span>"),
		   *old = strstr(html, "Not tried lately");
	assert_true(failing && mixed && good && old);
	assert_true(failing < mixed && mixed < good && good < old);
	has(s, html, "rack1-node07.example.org</bdi></span>");
	has(s, html, "12\xc2\xa0min ago<small>");
	has(s, html, "none in 14 days</td>");
	has(s, html, "26 Nov: 6 good, 2 failed");
	has(s, html, "<td>0 / <span class=\"bad\">4</span></td>");
	has(s, html, "<a href=\"/runs/tp3k6o-cbmv");
	has(s, html, "The console says: the guest got no answer from the metadata service");
	free(html);
	html = render(s, "de");
	has(s, html, "Zuletzt gescheitert");
	has(s, html, "alle 4 Fehlschläge in 24 Stunden waren auf dem Host rack1-node07");
	has(s, html, "vor 12\xc2\xa0min<small>");
	free(html);
	html = render(find("hosts-none"), "en");
	has(s, html, "No scenario has started a server in the last 14 days.");
	lacks(s, html, "state operational");
	free(html);
}

/* Names that want to be markup stay text: as often as they stand there, escaped and isolated. */
static void harmless(const struct shown *s, const char *lang, const char *html)
{
	if (!strstr(s->name, "hostile"))
		return;
	lacks(s, html, "<script>alert");
	lacks(s, html, "</title><script");
	lacks(s, html, "<b>");
	has(s, html, "&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;&quot; onload=&quot;x'");
}

static void test_hostile(void **state)
{
	struct error err = {0};
	struct buf out = BUF(BUF_PAGE);
	json_t *site = model_site(MOOD_GOOD, 1, false), *model = model_problem(404, "/");
	static const char *const paths[] = {"//evil.example/", "javascript:alert(1)", "/a\"b",
		"/\\evil", "/a?b=c", NULL, "\xff"};
	each(harmless);
	for (size_t i = 0; i < array_len(paths); i++) {
		buf_clear(&out);
		assert_true(
			page_render(PAGE_PROBLEM, model, site, paths[i], "en", false, &out, &err));
		if (!paths[i] || strcmp(paths[i], "/a\"b") != 0)
			assert_non_null(strstr(buf_str(&out), "<a href=\"/?lang=de\""));
		assert_null(strstr(buf_str(&out), "evil"));
	}
	buf_fini(&out);
	json_decref(site);
	json_decref(model);
}

/* What the site says of itself: in the reader's language or marked as another, below the
 * components, and shown as it was written when it cannot be rendered. */
static void test_about(void **state)
{
	const struct shown *s = find("status");
	char *html = render(s, "en");
	has(s, html, "<h2 id=\"h-about\">About this site</h2>\n<div class=\"prose\">\n<p dir=");
	has(s, html, "<h3 id=\"h-about-whom-to-ask\" dir=\"auto\">Whom to ask</h3>");
	has(s, html, "<h4 id=\"h-about-zones\" dir=\"auto\">Zones</h4>");
	has(s, html, "<a href=\"https://example.org/map.png\" rel=\"nofollow noopener\">");
	assert_true(strstr(html, "h-components") < strstr(html, "h-about"));
	free(html);

	html = render(s, "de");
	has(s, html, "<h2 id=\"h-about\">Über diese Seite</h2>\n<div class=\"prose\">\n<p dir=");
	lacks(s, html, "as its customers see it");
	free(html);

	html = render(find("status-good"), "en");
	has(s, html, "<div class=\"prose\" lang=\"de\">\n<p dir=\"auto\">Wir beobachten <strong>");
	free(html);

	html = render(find("status-blind"), "en");
	lacks(s, html, "h-about");
	lacks(s, html, "prose");
	free(html);

	html = render(find("status-hostile"), "en");
	has(s, html, "&lt;b&gt;raw&lt;/b&gt; &lt;img src=x onerror=alert(1)&gt;");
	has(s, html, "<p dir=\"auto\">a b c <a href=\"https://evil.example/%22onload=%22x\" rel=");
	has(s, html, "<p dir=\"auto\">&lt;/div&gt;&lt;/section&gt;</p>");
	free(html);
}

static void test_about_too_deep(void **state)
{
	const struct shown *s = find("status-few");
	struct error err = {0};
	struct buf out = BUF(BUF_PAGE), quotes = BUF(BUF_LINE);
	json_t *site = model_site(MOOD_GOOD, 1, false);
	for (int i = 0; i < 100; i++)
		buf_add_char(&quotes, '>');
	buf_add_str(&quotes, " <b>");
	json_object_set_new(
		json_object_get(site, "site"), "about", json_pack("{s:s}", "en", buf_str(&quotes)));
	assert_true(page_render(PAGE_STATUS, site, site, "/", "en", false, &out, &err));
	well_formed(s, "en", buf_str(&out));
	has(s, buf_str(&out), "<div class=\"prose\">\n<pre dir=\"auto\">&gt;&gt;&gt;");
	has(s, buf_str(&out), "&gt; &lt;b&gt;</pre>");
	buf_fini(&out);
	buf_fini(&quotes);
	json_decref(site);
}

/* Documents that are not what model.h says: refused or shown as unknown, never as good. */
static void test_broken(void **state)
{
	static const char *const documents[] = {"{}", "[]", "null", "{\"components\": 7}",
		"{\"components\": [null, 1, {}]}",
		"{\"components\": [{\"health\": 3, \"days\": {}}]}",
		"{\"name\": 1, \"probes\": [1], \"runs\": {}, \"steps\": [null]}",
		"{\"name\": \"x\", \"runs\": [7], \"steps\": [{}], \"spans\": [{}], \"probes\": [{}]}",
		"{\"report\": {\"steps\": [{\"start_ms\": 1e300}, {\"ready_ms\": -5}]}}",
		"{\"status\": 0}", "{\"status\": 404}"};
	for (size_t i = 0; i < array_len(documents); i++) {
		json_t *model = json_loads(documents[i], JSON_DECODE_ANY, NULL);
		for (int p = 0; p < PAGE_COUNT; p++) {
			struct error err = {0};
			struct buf out = BUF(BUF_PAGE);
			const bool good = page_render(
				(enum page)p, model, model, "/", "en", true, &out, &err);
			assert_true(good || err.msg[0]);
			assert_null(strstr(buf_str(&out), "state operational"));
			buf_fini(&out);
		}
		json_decref(model);
	}
	struct error err = {0};
	struct buf out = BUF(BUF_PAGE);
	json_t *model = model_problem(404, "/");
	assert_false(page_render(PAGE_PROBLEM, model, model, "/", "fr", false, &out, &err));
	json_decref(model);
}

/* Threads share compiled templates, texts and documents: each gets the same page. */
struct thread {
	pthread_t id;
	const json_t *site;
	bool good;
	struct buf out;
};

static void *render_often(void *arg)
{
	struct thread *t = arg;
	struct error err = {0};
	t->good = true;
	for (int i = 0; i < 8 && t->good; i++) {
		buf_clear(&t->out);
		t->good = page_render(PAGE_STATUS, t->site, t->site, "/", i % 2 ? "en" : "de",
			false, &t->out, &err);
	}
	return NULL;
}

static void test_threads(void **state)
{
	struct thread threads[4];
	json_t *site = model_site(MOOD_MIXED, 20, false);
	for (size_t i = 0; i < array_len(threads); i++) {
		threads[i] = (struct thread){.site = site, .out = BUF(BUF_PAGE)};
		assert_int_equal(
			pthread_create(&threads[i].id, NULL, render_often, &threads[i]), 0);
	}
	for (size_t i = 0; i < array_len(threads); i++)
		pthread_join(threads[i].id, NULL);
	for (size_t i = 0; i < array_len(threads); i++) {
		assert_true(threads[i].good);
		assert_string_equal(buf_str(&threads[i].out), buf_str(&threads[0].out));
	}
	for (size_t i = 0; i < array_len(threads); i++)
		buf_fini(&threads[i].out);
	json_decref(site);
}

static int start(void **state)
{
	struct error err = {0};
	if (!page_init(&err))
		print_message("%s: %s\n", err.file, err.msg);
	if (!err.msg[0] && getenv("GLASSHOUSE_PAGES"))
		keep_all(getenv("GLASSHOUSE_PAGES"));
	return err.msg[0] ? -1 : 0;
}

static int end(void **state)
{
	page_fini();
	return 0;
}

int test_page(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_policy),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_frame),
		cmocka_unit_test(test_truth),
		cmocka_unit_test(test_days),
		cmocka_unit_test(test_evidence),
		cmocka_unit_test(test_boots),
		cmocka_unit_test(test_boots_none),
		cmocka_unit_test(test_alerts),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_audience),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_mesh_unasked),
		cmocka_unit_test(test_nowhere),
		cmocka_unit_test(test_about),
		cmocka_unit_test(test_about_too_deep),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_threads),
	};
	return cmocka_run_group_tests_name("page", tests, start, end);
}
