/* What pages say of events: declared beside measured, corrections kept, machines marked as such. */
#include "../check.h"

#include "base/json.h"
#include "models.h"
#include "web/page.h"

/* Takes both documents; owned. */
static char *render(enum page p, json_t *model, json_t *site, const char *lang, bool operators)
{
	struct error err = {0};
	struct buf out = BUF(BUF_PAGE);
	json_t *shown = p == PAGE_STATUS ? json_incref(site) : page_frame(site);
	if (!page_render(p, model, shown, "/events/x", lang, operators, &out, &err))
		fail_msg("%s", err.msg);
	json_decref(model);
	json_decref(shown);
	if (site != model)
		json_decref(site);
	return buf_take(&out);
}

static void has(const char *html, const char *text)
{
	assert_non_null(html);
	if (!strstr(html, text))
		fail_msg("no \"%s\"", text);
}

static void lacks(const char *html, const char *text)
{
	const char *at = strstr(html, text);
	if (at)
		fail_msg("\"%s\" in: %.200s", text, at > html + 80 ? at - 80 : html);
}

static size_t count(const char *html, const char *text)
{
	size_t n = 0;
	for (const char *p = html; (p = strstr(p, text)); p++)
		n++;
	return n;
}

static void declared_and_measured_stand_side_by_side(void **state)
{
	char *html = render(PAGE_EVENT, model_event(MOOD_MIXED, false),
		model_site(MOOD_MIXED, 20, false), "en", false);
	has(html, "<h1><bdi>New volumes cannot be made</bdi></h1>");
	has(html, "<path d=\"M0 0h50v8H0z\"/></svg>partial outage <small>50/100</small>");
	/* network is out as declared, load balancing is measured well, of images less is claimed */
	const char *network = strstr(html, "components/network"),
		   *images = strstr(html, "components/images"),
		   *balancing = strstr(html, "components/load-balancing");
	assert_true(network && images && balancing);
	assert_int_equal(count(html, "class=\"disagrees\""), 1);
	has(balancing,
		"measured: Operational; declared: partial outage. What is measured is better.");
	has(images, "#i-degraded\"/></svg>Degraded");
	has(network, "href=\"/evidence/404?lang=en\"");
	has(html, "Affected earlier:");
	free(html);

	/* what is over is measured no more */
	json_t *event = model_event(MOOD_MIXED, false);
	json_object_set_new(event, "phase", json_string("resolved"));
	json_object_set_new(event, "ended_ms", json_integer(MODELS_NOW_MS - 60000));
	html = render(PAGE_EVENT, event, model_site(MOOD_MIXED, 20, false), "en", false);
	lacks(html, "What is measured is");
	lacks(html, ">Measured<");
	has(html, "<section class=\"card operational\"");
	free(html);
}

/* Work may go better than was announced; what was announced as nothing and is an outage is told. */
static void maintenance_is_held_to_what_it_announced(void **state)
{
	static const struct {
		const char *phase;
		int impact;
		enum mood mood;
		const char *text;
	} rows[] = {
		{"in_progress", 100, MOOD_GOOD, NULL},
		{"in_progress", 0, MOOD_GOOD, NULL},
		{"in_progress", 30, MOOD_MIXED,
			"gemessen: Ausgefallen; erklärt: beeinträchtigt. Gemessen wird Schlechteres."},
		{"in_progress", 50, MOOD_MIXED, NULL},
		{"planned", 0, MOOD_MIXED, NULL},
		{"in_progress", 0, MOOD_UNKNOWN, NULL},
	};
	for (size_t i = 0; i < array_len(rows); i++) {
		json_t *event = model_event(rows[i].mood, false);
		json_object_set_new(event, "kind", json_string("maintenance"));
		json_object_set_new(event, "phase", json_string(rows[i].phase));
		json_object_set_new(event, "components",
			json_pack("[{s:s, s:i}]", "id", "network", "impact", rows[i].impact));
		char *html =
			render(PAGE_EVENT, event, model_site(rows[i].mood, 20, false), "de", false);
		if (rows[i].text)
			has(html, rows[i].text);
		else
			lacks(html, "class=\"contradiction\"");
		free(html);
	}
}

static void updates_keep_their_earlier_wordings(void **state)
{
	char *html = render(PAGE_EVENT, model_event(MOOD_MIXED, false),
		model_site(MOOD_MIXED, 20, false), "en", false);
	const char *third = strstr(html, "<li id=\"u3\">"),
		   *second = strstr(html, "<li id=\"u2\">"),
		   *first = strstr(html, "<li id=\"u1\">");
	assert_true(third && second && first && third < second && second < first);
	has(second, "<strong>corrected <time datetime=\"2026-11-26T05:51:22Z\">");
	has(second, "<summary>Earlier wording</summary>");
	has(second, "fail <em>everywhere</em>");
	has(first, "by a machine");
	has(first, "<bdi>DNS</bdi> <small>degraded</small>");
	assert_int_equal(count(html, "<summary>Earlier wording"), 1);
	has(html, "taken over by a human");
	lacks(html, "alice");
	lacks(html, "suspect");
	free(html);
	html = render(PAGE_EVENT, model_event(MOOD_MIXED, true), model_site(MOOD_MIXED, 20, true),
		"de", true);
	has(html, "von einem Menschen (<bdi>alice</bdi>)");
	has(html, "von einer Maschine (<bdi>suspect</bdi>)");
	has(html, "<strong>berichtigt <time");
	free(html);
}

/* What is the operators' is not shown to others, though it stood in their document. */
static void who_wrote_is_for_operators(void **state)
{
	char *html = render(PAGE_EVENT, model_event(MOOD_MIXED, true),
		model_site(MOOD_MIXED, 20, true), "en", false);
	lacks(html, "alice");
	lacks(html, "suspect");
	free(html);
}

static void the_front_page_tells_events_below_its_sentence(void **state)
{
	json_t *site = model_site(MOOD_MIXED, 20, false);
	char *html = render(PAGE_STATUS, site, site, "en", false);
	const char *verdict = strstr(html, "<h1>"), *open = strstr(html, "New volumes cannot"),
		   *work = strstr(html, "In progress</span>"),
		   *planned = strstr(html, "Planned</span>"),
		   *over = strstr(html, "Resolved</span>"),
		   *table = strstr(html, "<table class=\"components\">");
	assert_true(verdict && open && work && planned && over && table);
	assert_true(
		verdict < open && open < work && work < planned && planned < over && over < table);
	/* rows name what concerns them: an incident, work under way; not what is to come or over */
	assert_int_equal(count(table, "events/2026-11-26-volumes-fail"), 3);
	assert_int_equal(count(table, "events/2026-11-26-firmware"), 1);
	lacks(table, "events/2026-11-28-firmware");
	lacks(table, "events/2026-11-25-dns-slow");
	has(html, "Opened by a machine; no human has said anything yet.");
	free(html);

	/* what ended more than a day ago is in the history */
	site = model_site(MOOD_MIXED, 20, false);
	json_t *events = json_object_get(site, "events");
	json_object_set_new(
		json_array_get(events, 2), "ended_ms", json_integer(MODELS_NOW_MS - 86400001));
	html = render(PAGE_STATUS, site, site, "en", false);
	lacks(html, "DNS answers late");
	free(html);
	site = model_site(MOOD_GOOD, 20, false);
	html = render(PAGE_STATUS, site, site, "en", false);
	lacks(html, "h-events");
	free(html);
}

static void a_draft_is_called_so(void **state)
{
	json_t *event = model_event(MOOD_MIXED, true);
	json_object_set_new(event, "public", json_false());
	char *html = render(PAGE_EVENT, event, model_site(MOOD_MIXED, 3, true), "en", true);
	has(html, "Draft: operators alone see it.");
	/* of three components two are no longer on the page: no link leads nowhere */
	lacks(html, "href=\"/components/load-balancing");
	has(html, "<th scope=\"row\"><bdi>Load balancing</bdi></th>");
	free(html);
}

static void long_texts_are_told_in_short(void **state)
{
	json_t *site = model_site(MOOD_GOOD, 3, false);
	json_t *mixed = model_site(MOOD_MIXED, 3, false);
	json_t *event = json_array_get(json_object_get(mixed, "events"), 0);
	json_t *one = json_deep_copy(event), *two = json_deep_copy(event);
	json_decref(mixed);
	struct buf text = BUF(BUF_LINE);
	for (int i = 0; i < 700; i++)
		buf_add_str(&text, "\xc3\xa4");
	json_t *first = json_array_get(json_object_get(one, "updates"), 0);
	json_object_set_new(first, "text", json_string(buf_str(&text)));
	first = json_array_get(json_object_get(two, "updates"), 0);
	json_object_set_new(
		first, "text", json_string("## Cause\n\nShort *one*\n\nand more of it"));
	json_object_set_new(two, "title",
		json_string("W: 012345678901234567890123456789012345678901"
			    "234567890123456789"));
	json_object_set_new(site, "events", json_pack("[o, o]", two, one));
	char *html = render(PAGE_STATUS, site, site, "en", false);
	has(html, ">Short <em>one</em></p>");
	lacks(html, "and more of it");
	lacks(html, "Cause");
	has(html, "\xc3\xa4\xe2\x80\xa6</p>");
	assert_true(count(html, "\xc3\xa4") == 280);
	has(html, "W: 012345678901234567890123456789012345678901234567890123456\xe2\x80\xa6</bdi>");
	free(html);
	buf_fini(&text);
}

/* When everything fails and all of it is declared, the page must still be light. */
static void an_outage_of_everything_fits(void **state)
{
	for (const char *const *lang = page_languages(); *lang; lang++) {
		json_t *site = model_site(MOOD_MIXED, 50, false), *concerned = json_array(), *c;
		json_t *event = json_array_get(json_object_get(site, "events"), 0);
		size_t i;
		json_array_foreach (json_object_get(site, "components"), i, c) {
			json_object_set_new(c, "health", json_string("outage"));
			json_object_set_new(c, "rule", json_string("silent"));
			json_array_append_new(
				concerned, json_pack("{s:O, s:i}", "id", json_object_get(c, "id"),
						   "impact", 100));
		}
		json_object_set_new(event, "components", concerned);
		const size_t tables = json_array_size(json_object_get(site, "categories"));
		char *html = render(PAGE_STATUS, site, json_incref(site), *lang, false);
		print_message("all fail: %zu bytes (%s)\n", strlen(html), *lang);
		assert_int_equal(count(html, " id=\"e1\">"), 1);
		/* all of a category say it once, beside its name */
		assert_int_equal(count(html, "<small><a href=\"#e1\">"), tables);
		assert_int_equal(count(html, "</bdi> <small><a href=\"#e1\">"), tables);
		assert_true(strlen(html) <= 50000);
		free(html);
		/* where one is not concerned, each of the others says it */
		json_array_remove(concerned, 0);
		html = render(PAGE_STATUS, site, site, *lang, false);
		assert_int_equal(count(html, "</bdi> <small><a href=\"#e1\">"), tables - 1);
		assert_true(count(html, "</small><small><a href=\"#e1\">") > 1);
		free(html);
	}
}

static void the_history_is_chosen_by_links(void **state)
{
	json_t *history = model_history(MOOD_MIXED, false);
	json_object_set_new(history, "month", json_string("2026-11"));
	json_object_set_new(history, "kind", json_string("incident"));
	json_object_set_new(history, "component", json_string("gone"));
	char *html = render(PAGE_HISTORY, history, model_site(MOOD_MIXED, 3, false), "en", false);
	has(html, "href=\"/history/2026-10%3Aincident%3Agone?lang=en\">Oct 2026</a>");
	has(html, "href=\"/history/%3Aincident%3Agone?lang=en\">Newest</a>");
	has(html, "href=\"/history/2026-11%3A%3Agone?lang=en\">All kinds</a>");
	has(html, "href=\"/history/2026-11%3Aincident?lang=en\"><bdi>All components</bdi></a>");
	has(html, "aria-current=\"page\"><bdi>gone</bdi></a>");
	has(html, "<h2 id=\"m2026-11\">Nov 2026</h2>");
	has(html, "Older ones are listed by their month.");
	const char *october = strstr(html, "<h2 id=\"m2026-10\">");
	has(october, "Cancelled</span>");
	lacks(october, "New volumes");
	free(html);
	html = render(PAGE_HISTORY, model_history(MOOD_UNKNOWN, false),
		model_site(MOOD_MIXED, 3, false), "en", false);
	has(html, "Nothing was declared.");
	has(html, "href=\"/history?lang=en\">Newest</a>");
	free(html);
}

static void a_component_shows_what_concerns_it(void **state)
{
	char *html = render(PAGE_COMPONENT, model_component(MOOD_MIXED, false),
		model_site(MOOD_MIXED, 20, false), "en", false);
	has(html, "New volumes cannot be made");
	lacks(html, "gets new firmware");
	has(html, "href=\"/history/%3A%3Aimages?lang=en\"");
	has(html,
		"<p>This is an effect of: <a href=\"/components/network?lang=en\"><bdi>Network</bdi></a>.</p>");
	has(html, "<bdi>1 of 3 locations sees an outage: bonn-outside</bdi>");
	lacks(html, "Within announced maintenance.");
	free(html);
	json_t *site = model_site(MOOD_MIXED, 20, false);
	html = render(PAGE_STATUS, site, site, "en", false);
	has(html,
		"<small>Affected by \xe2\x81\xa8Network\xe2\x81\xa9.</small><small>Some locations see it worse than most.</small>");
	free(html);
}

/* Wherever a strip leads there is something, also for days in the middle of a long state and for
 * those whose changes are not listed any more. */
static void each_day_that_was_not_green_leads_to_its_spans(void **state)
{
	const int64_t today = MODELS_NOW_MS / 86400000;
	json_t *component = model_component(MOOD_GOOD, false), *days = json_array();
	for (int64_t day = today - 89; day <= today; day++) {
		const bool bad = day == today - 70 || (day >= today - 20 && day <= today - 17);
		json_array_append_new(
			days, json_pack("{s:I, s:[i,i,i,i,i], s:i}", "day", (json_int_t)day, "s",
				      bad ? 0 : 86400, 0, bad ? 86400 : 0, 0, 0, "gap", 0));
	}
	/* one span over four days; that of the day 70 days ago is not listed */
	const int64_t begin = (today - 20) * 86400000LL + 1000, end = (today - 16) * 86400000LL - 1;
	json_object_set_new(component, "days", days);
	json_object_set_new(component, "spans",
		json_pack("[{s:i, s:I, s:I, s:s, s:b, s:s}, {s:i, s:I, s:I, s:s, s:b, s:s}]", "id",
			8, "from_ms", (json_int_t)end, "to_ms", (json_int_t)MODELS_NOW_MS, "health",
			"operational", "gap", 0, "rule", "good", "id", 7, "from_ms",
			(json_int_t)begin, "to_ms", (json_int_t)end, "health", "outage", "gap", 0,
			"rule", "silent"));
	char *html =
		render(PAGE_COMPONENT, component, model_site(MOOD_GOOD, 3, false), "en", false);
	assert_int_equal(count(html, "<a href=\"#d"), 2);
	for (int64_t day = today - 20; day <= today - 17; day++) {
		char *anchor = mem_printf("<span id=\"d%lld\"></span>", (long long)day);
		assert_int_equal(count(html, anchor), 1);
		assert_true(strstr(html, anchor) < strstr(html, "href=\"/evidence/7?"));
		assert_true(strstr(html, anchor) > strstr(html, "href=\"/evidence/8?"));
		free(anchor);
	}
	char *lost = mem_printf("<span id=\"d%lld\"></span>", (long long)(today - 70));
	assert_true(strstr(html, lost) > strstr(html, "</table>"));
	free(lost);
	free(html);
}

static int start(void **state)
{
	struct error err = {0};
	return page_init(&err) ? 0 : -1;
}

static int end(void **state)
{
	page_fini();
	return 0;
}

int test_page_events(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(declared_and_measured_stand_side_by_side),
		cmocka_unit_test(maintenance_is_held_to_what_it_announced),
		cmocka_unit_test(updates_keep_their_earlier_wordings),
		cmocka_unit_test(who_wrote_is_for_operators),
		cmocka_unit_test(the_front_page_tells_events_below_its_sentence),
		cmocka_unit_test(a_draft_is_called_so),
		cmocka_unit_test(long_texts_are_told_in_short),
		cmocka_unit_test(an_outage_of_everything_fits),
		cmocka_unit_test(the_history_is_chosen_by_links),
		cmocka_unit_test(a_component_shows_what_concerns_it),
		cmocka_unit_test(each_day_that_was_not_green_leads_to_its_spans),
	};
	return cmocka_run_group_tests_name("page_events", tests, start, end);
}
