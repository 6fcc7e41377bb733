/*
 * test_house_many.c - metrics and health, and what is so much that it is told in turns.
 */

#include "town.h"

#include <stdlib.h>

/* --- metrics and health ----------------------------------------------------------------------- */

static void metrics_are_text_with_escaped_labels(void **state)
{
	struct town *t = *state;
	house_expect(t->h, "versions", EVERY_MS);
	house_see(t->h, "versions", FAULT_NONE);
	const json_t *doc = town_ask(t, "metrics", NULL, AUDIENCE_OPERATORS);
	const char *text = json_str(doc, "text");
	static const char *const lines[] = {
		"glasshouse_component_health{component=\"compute\",cloud=\"prod\"} 0\n",
		"glasshouse_component_state{component=\"compute\",cloud=\"prod\",state=\"operational\"} 1\n",
		"glasshouse_component_state{component=\"compute\",cloud=\"prod\",state=\"outage\"} 0\n",
		"glasshouse_probe_runs_total{probe=\"MARK-\\\"job\\\"\\n\"} 7\n",
		"glasshouse_probe_worst_late_seconds{probe=\"MARK-\\\"job\\\"\\n\"} 1.5\n",
		"# TYPE glasshouse_component_health gauge\n", "glasshouse_series_storing 1\n",
		"glasshouse_build_info{version=\"", "\nprocess_resident_memory_bytes "};
	for (size_t i = 0; i < array_len(lines); i++)
		if (!strstr(text, lines[i]))
			fail_msg("not there: %s", lines[i]);
	/* each line is a comment or ends in a number; each family is said once, before its values
	 */
	char *copy = mem_strdup(text), *save = NULL;
	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *end;
		const char *space = strrchr(line, ' ');
		assert_non_null(space);
		if (line[0] == '#')
			continue;
		(void)strtod(space + 1, &end);
		assert_true(end > space + 1 && !*end);
	}
	free(copy);
}

#define RULES 1000

static struct rules *a_thousand_rules(struct town *t, const char *path, struct rule ***ret)
{
	size_t n = 0;
	struct error_list errors = {0};
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "rules:\n");
	for (int i = 0; i < RULES; i++)
		fprintf(f, "- {name: r%d, component: compute, when: 'failures(probe) > %d'}\n", i,
			i);
	fclose(f);
	*ret = rules_load(path, &n, &errors);
	assert_int_equal(errors.n, 0);
	assert_int_equal(n, RULES);
	struct rules *r =
		rules_new(t->h->loop, t->h->series, &(struct rules_options){.rules = *ret, .n = n});
	rules_start(r, NULL);
	return r;
}

/* What a thousand rules say is made in many turns of the loop, and is what it would be in one. */
static void a_thousand_rules_are_told_piece_by_piece(void **state)
{
	struct town *t = *state;
	struct rule **list = NULL;
	char *path = mem_printf("%s/rules.yaml", t->h->root);
	struct rules *r = a_thousand_rules(t, path, &list);
	struct buf lines = BUF(BUF_PAGE);
	house_rules(t->house, r, NULL);
	town_settle(t);
	json_t *all = json_array();
	for (size_t i = 0; i < rules_count(r); i++) {
		json_t *rule = rules_json(r, i);
		buf_printf(&lines,
			"glasshouse_rule_state{rule=\"r%zu\",component=\"compute\",group=\"\"} 2\n",
			i);
		json_array_append_new(all, rule);
	}
	char *wanted = json_text(all);
	char *got =
		json_text(json_object_get(town_ask(t, "rules", NULL, AUDIENCE_OPERATORS), "rules"));
	assert_string_equal(got, wanted);
	const char *text = json_str(town_ask(t, "metrics", NULL, AUDIENCE_OPERATORS), "text");
	assert_non_null(strstr(text, buf_str(&lines)));
	assert_null(strstr(
		strstr(text, "TYPE glasshouse_rule_state") + 1, "TYPE glasshouse_rule_state"));
	/* nobody is told half of the old and half of the new */
	const unsigned answers = t->answers;
	house_ask(t->house, "rules", NULL, AUDIENCE_OPERATORS, town_on_answer, t);
	house_ask(t->house, "metrics", NULL, AUDIENCE_OPERATORS, town_on_answer, t);
	house_rules(t->house, NULL, NULL);
	town_settle(t);
	assert_int_equal(t->answers, answers + 2);
	assert_null(strstr(json_str(t->doc, "text"), "rule_state{"));
	free(wanted);
	free(got);
	json_decref(all);
	buf_fini(&lines);
	rules_free(r);
	rules_unload(list, RULES);
	free(path);
}

static void health_tells_when_it_is_ready(void **state)
{
	struct town *t = *state;
	town_ask(t, "health", NULL, AUDIENCE_PUBLIC);
	town_publish(t);
	const json_t *doc = town_ask(t, "health", NULL, AUDIENCE_PUBLIC);
	assert_true(json_is_true(json_object_get(doc, "ready")));
	assert_true(json_is_true(json_object_get(doc, "storing")));
	assert_true(json_is_false(json_object_get(doc, "blind")));
}

/* More than are looked at in one turn, so that others go between. */
static void many_series(struct town *t)
{
	for (int i = 0; i < 2500; i++) {
		char name[40];
		snprintf(name, sizeof(name), "many.%d", i);
		assert_non_null(series_get(t->h->series,
			&(struct series_key){
				.kind = SERIES_GAUGE, .unit = "", .name = name, .location = ""}));
	}
	town_measure(t);
}

static void many_series_are_looked_through_in_turns(void **state)
{
	struct town *t = *state;
	many_series(t);
	json_t *args = json_pack("{s:s, s:s}", "pattern", "versions", "from", "-1h");
	house_ask(t->house, "explore", args, AUDIENCE_PUBLIC, town_on_answer, t);
	assert_int_equal(t->status, 404);
	const json_t *doc = town_ask(t, "explore", args, AUDIENCE_OPERATORS);
	assert_int_equal(t->status, 200);
	assert_int_equal(json_array_size(json_object_get(doc, "list")), 1);
	const json_t *total = json_object_get(town_first(doc, "drawn"), "total");
	assert_int_equal(json_int(total, "n", 0), 2);
	assert_int_equal(json_int(total, "ok", 0), 1);
	const double median = json_number_value(json_array_get(json_object_get(total, "smoke"), 3));
	assert_true(median > 48 && median < 52);
	doc = town_ask(t, "explore", json_pack("{s:s}", "pattern", "many"), AUDIENCE_OPERATORS);
	assert_int_equal(json_array_size(json_object_get(doc, "list")), MODEL_LISTED);
	assert_int_equal(json_int(doc, "more", 0), 2500 - MODEL_LISTED);
	assert_int_equal(json_int(doc, "not_drawn", 0), 2500 - MODEL_DRAWN);
}

/* While it is still looking, in the middle of that, and while it reads. */
static void looking_ends_with_the_house(void **state)
{
	struct town *t = *state;
	many_series(t);
	for (int turns = 0; turns < 5; turns++) {
		const unsigned before = t->answers;
		json_t *args = json_pack("{s:s}", "pattern", "versions");
		house_ask(t->house, "explore", args, AUDIENCE_OPERATORS, town_on_answer, t);
		json_decref(args);
		for (int i = 0; i < turns && t->answers == before; i++)
			loop_advance(t->h->loop, 0);
		const bool early = t->answers == before;
		house_free(t->house);
		assert_int_equal(t->answers, before + 1);
		if (early)
			assert_int_equal(t->status, 503);
		series_settle(t->h->series);
		loop_advance(t->h->loop, 0);
		town_open(t);
		assert_int_equal(t->answers, before + 1);
	}
}

int test_house_many(void);
int test_house_many(void)
{
	const struct CMUnitTest tests[] = {
		town_test(metrics_are_text_with_escaped_labels),
		town_test(a_thousand_rules_are_told_piece_by_piece),
		town_test(health_tells_when_it_is_ready),
		town_test(many_series_are_looked_through_in_turns),
		town_test(looking_ends_with_the_house),
	};
	return cmocka_run_group_tests_name("house_many", tests, NULL, NULL);
}
