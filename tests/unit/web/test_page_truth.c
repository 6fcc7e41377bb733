/* Pages say what their documents say, to whom it is for, and nothing that is not known. */
#include "shown.h"

#include <stdlib.h>

#include "base/fault.h"
#include "base/json.h"

static void test_truth(void **state)
{
	const struct shown *s = shown_find("status-unknown");
	char *html = shown_html(s, "en");
	assert_has(s, html, "<h1>The state of the cloud is unknown</h1>");
	assert_has(s, html, "<section class=\"verdict unknown\">");
	/* only a scenario's run is good there, and it says so of itself */
	assert_ptr_equal(strstr(html, "state operational"),
		strstr(html,
			"state operational\"><svg><use href=\"#i-operational\"/></svg>Passed"));
	assert_lacks(s, html, "none\"><path class=\"o\"");
	assert_has(s, html, "<span class=\"none\">not known</span>");
	free(html);

	s = shown_find("status-blind");
	html = shown_html(s, "en");
	assert_has(s, html, "<h1>We cannot see the cloud at the moment</h1>");
	assert_has(s, html, "This is a simulated cloud.");
	assert_has(s, html, "Observations are not being stored.");
	assert_lacks(s, html, "components are operational");
	assert_lacks(s, html, "no witness answers"); /* the reason is the operators' */
	free(html);

	s = shown_find("status-none");
	html = shown_html(s, "en");
	assert_has(s, html, "<h1>Nothing is observed yet</h1>");
	assert_lacks(s, html, "class=\"verdict operational\"");
	free(html);

	s = shown_find("status");
	html = shown_html(s, "en");
	assert_has(s, html, "<h1>1 of 50 components has an outage: " FSI "Network" PDI "</h1>");
	assert_has(s, html, "<p>1 of 50 components is degraded: " FSI "Images" PDI "</p>");
	assert_has(s, html, "<p>The state of 1 of 50 components is unknown: " FSI "DNS" PDI "</p>");
	assert_has(s, html,
		"<p>1 of 50 components is under maintenance: " FSI "Block storage" PDI "</p>");
	assert_has(s, html, "This is a simulated cloud.");
	free(html);

	s = shown_find("status-good");
	html = shown_html(s, "de");
	assert_has(s, html, "<h1>Alle 50 Komponenten sind in Betrieb</h1>");
	assert_has(s, html, "#f\">100\xc2\xa0%</a></td>");
	assert_lacks(s, html, "simulierte");
	free(html);
}

/* A day that was mostly not observed, or unknown, is not drawn as good; one bad second is seen. */
static void test_days(void **state)
{
	const struct shown *s = shown_find("status-few");
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
	assert_has(s, html, "<span class=\"vh\">1 outage, 1 unknown, 88 not observed");
	assert_has(s, html, "<path class=\"g\" d=\"M0 20h351\"/>");
	assert_has(s, html, "<path class=\"u\" d=\"M352 20h3\"/>");
	assert_has(s, html, "<path class=\"x\" d=\"M356 14h3\"/>");
	assert_lacks(s, html, "<path class=\"o\" d=\"M3");
	buf_fini(&out);
	json_decref(site);
}

/* Whether 90 days have a figure of which that share is known, all of it good. */
static bool gives_figure(double known)
{
	struct buf out = BUF(BUF_PAGE);
	struct error err = {0};
	json_t *site = model_site(MOOD_GOOD, 1, false);
	json_t *c = json_array_get(json_object_get(site, "components"), 0);
	json_object_set_new(json_object_get(c, "availability"), "d90",
		json_pack("{s:f, s:f, s:f, s:f}", "up", 1.0, "best", 1.0, "worst", known, "seen",
			known));
	assert_true(page_render(PAGE_STATUS, site, site, "/", "en", false, &out, &err));
	const char *html = buf_str(&out);
	const bool given = strstr(html, "#f\">100%<small>"),
		   not_known = strstr(html, "#f\"><span class=\"none\">not known</span><small>");
	assert_true(given != not_known);
	assert_non_null(strstr(html, "% \xe2\x80\x93 100%</small>")); /* told in either case */
	buf_fini(&out);
	json_decref(site);
	return given;
}

/* A minute that was good is not 90 days of which 100% were. */
static void test_figures(void **state)
{
	assert_false(gives_figure(0.00001));
	assert_false(gives_figure(0.49));
	assert_true(gives_figure(0.51));
	assert_true(gives_figure(0.99));
}

/* Of the page and of what it is asked with: `regions` in turn are those of its components. */
static bool tells_region(enum page p, const char *const *regions, const char *region)
{
	json_t *site = model_site(MOOD_GOOD, 4, false), *model = model_component(MOOD_GOOD, false);
	json_t *frame, *c;
	struct buf out = BUF(BUF_PAGE);
	struct error err = {0};
	size_t i;
	char shown[40];
	json_array_foreach (json_object_get(site, "components"), i, c)
		json_object_set_new(c, "region", json_string(regions[i % 2]));
	json_object_set_new(model, "region", json_string(region));
	frame = page_frame(site);
	assert_true(page_render(p, p == PAGE_STATUS ? site : model, p == PAGE_STATUS ? site : frame,
		"/", "en", false, &out, &err));
	snprintf(shown, sizeof(shown), "<bdi>%s</bdi>", region);
	const bool told = strstr(buf_str(&out), shown);
	buf_fini(&out);
	json_decref(frame);
	json_decref(site);
	json_decref(model);
	return told;
}

/* Which region it is in is told where there are several, and not in each row where there is one. */
static void test_regions(void **state)
{
	static const char *const one[] = {"eu-1", "eu-1"}, *const two[] = {"eu-1", "eu-2"},
				 *const some[] = {"", "eu-1"};
	const enum page pages[] = {PAGE_STATUS, PAGE_COMPONENT};
	for (size_t i = 0; i < array_len(pages); i++) {
		assert_false(tells_region(pages[i], one, "eu-1"));
		assert_true(tells_region(pages[i], two, "eu-1"));
		assert_false(tells_region(pages[i], some, "eu-1"));
	}
}

/* Components of two clouds are called the same: each row says which it is, and so does the sentence. */
static void test_clouds(void **state)
{
	static const char *const clouds[] = {"Public", "Sovereign"};
	json_t *site = model_site(MOOD_GOOD, 2, false), *c;
	struct buf out = BUF(BUF_PAGE);
	struct error err = {0};
	size_t i;
	json_array_foreach (json_object_get(site, "components"), i, c) {
		json_object_set_new(c, "name", json_string("Compute"));
		json_object_set_new(c, "cloud", json_string(clouds[i]));
		json_object_set_new(c, "health", json_string("outage"));
	}
	assert_true(page_render(PAGE_STATUS, site, site, "/", "en", false, &out, &err));
	const char *html = buf_str(&out);
	assert_non_null(strstr(html, "Compute</bdi></a> <bdi>Public</bdi>"));
	assert_non_null(strstr(html, "Compute</bdi></a> <bdi>Sovereign</bdi>"));
	assert_non_null(strstr(html, "Compute (Public)\xe2\x81\xa9 and "));
	assert_non_null(strstr(html, "Compute (Sovereign)\xe2\x81\xa9"));
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
	char *html = shown_html(shown_find("evidence"), "de");
	const struct shown *s = shown_find("evidence");
	assert_has(s, html,
		"Dies ist eine Folge von: <a href=\"/components/identity?lang=de\"><bdi>Identity</bdi></a>.");
	assert_has(s, html,
		"<a href=\"/events/2026-11-26-firmware?lang=de\">In angekündigter Wartung.</a>");
	assert_has(s, html, "<bdi>1 of 3 locations sees an outage: bonn-outside</bdi>");
	assert_has(s, html, "Der Zustand wechselt");
	assert_has(s, html, "<a href=\"/api/ops/v1/evidence/498.json\">JSON</a>");
	assert_has(s, html, "<dt>Schlagen fehl</dt><dd>1</dd>");
	assert_has(s, html, "<dt>Schweigen</dt><dd>0</dd>");
	assert_has(s, html, "<dt>Unentschieden</dt><dd>2</dd>");
	assert_lacks(s, html, "geringerer Schwere"); /* none */
	assert_has(s, html, "<code>p95('image') &gt; 800ms</code>");
	assert_has(s, html, "series: image-eu-2; p95: \xe2\x80\x93");
	free(html);
}

/* Servers of a run side by side on one scale, and why one cannot be logged in to. */
static void test_boots(void **state)
{
	const struct shown *s = shown_find("run");
	char *html = shown_html(s, "en");
	assert_has(s, html, "<h2 id=\"h-boots\">Boots</h2>");
	/* the longest, of 15.98 s, is as wide as the picture; negative times are not drawn */
	assert_has(s, html, "<path class=\"p-schedule\" d=\"M0.0 6h50.8v4h-50.8z\"/>");
	assert_has(s, html, "<path class=\"p-guest\" d=\"M499.4 3h500.6v10h-500.6z\"/>");
	assert_lacks(s, html, "<path class=\"p-guest\" d=\"M455");
	assert_has(s, html, "<li>network 1.6\xc2\xa0s</li>");
	assert_has(s, html,
		"<code title=\"3735d7a5a0c8b2f1e4d6c9b8a7f6e5d4c3b2a1908f7e6d5c4b3a2918\">"
		"3735d7a5\xe2\x80\xa6</code>");
	assert_has(s, html, "Tried without success on: <code title=\"3735d7a5");
	assert_has(s, html, "<code>login[0]</code>: the server refused our SSH key");
	assert_has(s, html,
		"<p>The console says: the guest got no answer from the metadata service</p>");
	assert_has(s, html, "Calling 'http://169.254.169.254/' failed</bdi></pre>");
	free(html);
	html = shown_html(s, "de");
	assert_has(s, html,
		"<p>Die Konsole sagt: Der Gast bekam keine Antwort vom Metadatendienst</p>");
	free(html);
	html = shown_html(shown_find("run-passed"), "en");
	assert_lacks(s, html, "The console says");
	free(html);
}

/* The address of another program stays text. */
static void test_alerts(void **state)
{
	const struct shown *s = shown_find("alerts");
	char *html = shown_html(s, "en");
	assert_has(s, html, "<h2 id=\"h-alerts\">1 alert fires</h2>");
	assert_has(s, html, "state outage\"><svg><use href=\"#i-outage\"/></svg>Fires</span>");
	assert_has(s, html,
		"state operational\"><svg><use href=\"#i-operational\"/></svg>Resolved</span>");
	assert_has(s, html,
		"<a href=\"/components/block-storage?lang=en\"><bdi>Block storage</bdi></a>");
	assert_has(s, html, "<code>https://prometheus.example.org/graph?g0.expr=up</code>");
	assert_has(s, html, "<p dir=\"auto\">Volumes cannot be made since 5 minutes</p>");
	free(html);
	s = shown_find("alerts-none");
	html = shown_html(s, "de");
	assert_has(s, html, "Keine Meldung ist offen");
	assert_has(s, html, "Niemand hat eine geschickt.");
	free(html);
}

static void test_boots_none(void **state)
{
	const struct shown *s = shown_find("run-passed");
	struct error err = {0};
	struct buf out = BUF(BUF_PAGE);
	json_t *site = model_site(MOOD_GOOD, 1, true), *model = model_run(MOOD_GOOD), *step;
	size_t i;
	json_array_foreach (json_object_get(json_object_get(model, "report"), "steps"), i, step) {
		json_object_del(step, "boot");
	}
	assert_true(page_render(PAGE_RUN, model, site, "/runs/x", "en", true, &out, &err));
	assert_lacks(s, buf_str(&out), "h-boots");
	buf_fini(&out);
	json_decref(model);
	json_decref(site);
}

/* Pairs that nobody asked are not among the good ones. */
static void test_mesh_unasked(void **state)
{
	const struct shown *s = shown_find("run-mesh");
	char *html = shown_html(s, "en");
	assert_has(
		s, html, "72 pairs, 3 lost, 5 asked twice, 8 not asked: nothing is known of them");
	free(html);
	html = shown_html(s, "de");
	assert_has(s, html, "8 nicht gefragt: von ihnen ist nichts bekannt");
	free(html);
}

static void test_nowhere(void **state)
{
	const struct shown *s = shown_find("status");
	struct error err = {0};
	struct buf out = BUF(BUF_PAGE);
	json_t *site = model_site(MOOD_GOOD, 1, false);
	json_object_set_new(json_object_get(site, "site"), "location", json_string(""));
	assert_true(page_render(PAGE_STATUS, site, site, "/", "en", false, &out, &err));
	assert_lacks(s, buf_str(&out), "seen from");
	buf_fini(&out);
	json_decref(site);
}

/* A host is good only when it was tried lately and nothing failed; what is not known is hatched. */
static void test_hosts(void **state)
{
	const struct shown *s = shown_find("hosts");
	char *html = shown_html(s, "en");
	assert_has(s, html,
		"In common:</strong> <bdi>all 4 failures of 24 hours were on host "
		"rack1-node07.example.org, where 0 of 4 came up; elsewhere 27 of 27 did");
	assert_has(s, html, "<p class=\"bad\">1 failure in 24 hours was on no host</p>");
	assert_has(s, html, "3 more hosts are not shown.");
	const char *failing = strstr(html, "Failed last"), *mixed = strstr(html, "Good again");
	const char *good = strstr(html, "</svg>Good</span>"),
		   *old = strstr(html, "Not tried lately");
	assert_true(failing && mixed && good && old);
	assert_true(failing < mixed && mixed < good && good < old);
	assert_has(s, html, "rack1-node07.example.org</bdi></span>");
	assert_has(s, html, "12\xc2\xa0min ago<small>");
	assert_has(s, html, "none in 14 days</td>");
	assert_has(s, html, "26 Nov: 6 good, 2 failed");
	assert_has(s, html, ">0 / <span class=\"bad\">4</span></td>");
	assert_has(s, html, "<a href=\"/runs/tp3k6o-cbmv");
	assert_has(s, html, "The console says: the guest got no answer from the metadata service");
	free(html);
	html = shown_html(s, "de");
	assert_has(s, html, "Zuletzt gescheitert");
	assert_has(s, html, "alle 4 Fehlschläge in 24 Stunden waren auf dem Host rack1-node07");
	assert_has(s, html, "vor 12\xc2\xa0min<small>");
	free(html);
	html = shown_html(shown_find("hosts-none"), "en");
	assert_has(s, html, "No scenario has started a server in the last 14 days.");
	assert_lacks(s, html, "state operational");
	free(html);
}

int test_page_truth(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_truth),
		cmocka_unit_test(test_days),
		cmocka_unit_test(test_figures),
		cmocka_unit_test(test_regions),
		cmocka_unit_test(test_clouds),
		cmocka_unit_test(test_audience),
		cmocka_unit_test(test_evidence),
		cmocka_unit_test(test_boots),
		cmocka_unit_test(test_alerts),
		cmocka_unit_test(test_boots_none),
		cmocka_unit_test(test_mesh_unasked),
		cmocka_unit_test(test_nowhere),
		cmocka_unit_test(test_hosts),
	};
	return cmocka_run_group_tests_name("page_truth", tests, shown_begin, shown_end);
}
