/*
 * house_rules.c - our own rules and objectives, as they were judged last.
 */

#include <string.h>

#include "text/exposition.h"
#include "web/house_inside.h"

void house_rules(struct house *h, const struct rules *rules, const struct slos *slos)
{
	h->rules = rules;
	h->slos = slos;
}

/* The name of a component for customers; NULL: it is on no page. */
static const char *shown_name(const struct judge *j, const char *id)
{
	for (size_t i = 0; i < judge_component_count(j); i++)
		if (!strcmp(judge_component_at(j, i)->id, id))
			return judge_component_at(j, i)->name;
	return NULL;
}

json_t *house_slos(const struct house *h, bool operators)
{
	json_t *all = slos_json(h->slos), *shown = json_array(), *slo;
	size_t i;
	json_array_foreach (all, i, slo) {
		const char *name = shown_name(h->judge, json_str(slo, "component"));
		put_text(slo, "component_name", name);
		if (!operators)
			json_object_del(slo, "burn");
		if (operators || name)
			json_array_append(shown, slo);
	}
	json_decref(all);
	return shown;
}

static int begin_rules(struct house_asked *a)
{
	(void)a;
	return 0;
}

static int end_rules(struct house_asked *a)
{
	a->doc = json_object();
	put(a->doc, "rules", rules_json(a->house->rules));
	put(a->doc, "slos", house_slos(a->house, true));
	return 200;
}

const struct house_question rules_question = {"rules", true, begin_rules, NULL, end_rules};

/* --- numbers -------------------------------------------------------------------------------------
 */

static void add_rules(struct buf *b, const struct house *h)
{
	json_t *all = rules_json(h->rules), *rule, *state;
	size_t i, k;
	exposition_family(
		b, "rule_state", "gauge", "What our own rule says: 0 good, 1 firing, 2 unknown.");
	json_array_foreach (all, i, rule) {
		json_array_foreach (json_object_get(rule, "states"), k, state) {
			const char *is = json_str(state, "state");
			const struct exposition_label l[] = {{"rule", json_str(rule, "name")},
				{"component", json_str(state, "component")},
				{"group", json_str(state, "group")}};
			exposition_value(b, "rule_state", l, 3,
				!strcmp(is, "firing") ? 1
				: !strcmp(is, "good") ? 0
						      : 2);
		}
	}
	json_decref(all);
}

static void add_slo(struct buf *b, const json_t *slo, const char *family, const char *key)
{
	const json_t *value = json_object_get(slo, key);
	const struct exposition_label l[] = {
		{"slo", json_str(slo, "name")}, {"component", json_str(slo, "component")}};
	if (json_is_number(value))
		exposition_value(b, family, l, 2, json_number_value(value));
}

static void add_burn(struct buf *b, const json_t *slo)
{
	const json_t *burn;
	size_t i;
	json_array_foreach (json_object_get(slo, "burn"), i, burn) {
		const json_t *value = json_object_get(burn, "long");
		char *window = mem_printf("%llds", (long long)json_int(burn, "long_ms", 0) / 1000);
		const struct exposition_label l[] = {{"slo", json_str(slo, "name")},
			{"component", json_str(slo, "component")}, {"window", window}};
		if (json_is_number(value))
			exposition_value(b, "slo_burn_rate", l, 3, json_number_value(value));
		free(window);
	}
}

void rules_expose(struct buf *b, const struct house *h)
{
	static const struct {
		const char *name, *key, *help;
	} rows[] = {{"slo_objective", "objective", "The share of good that is wanted."},
		{"slo_ratio", "ratio", "The share of good within the window."},
		{"slo_budget_left", "budget_left",
			"What is left of the budget of errors: 1 all, 0 none, below 0 more is spent."}};
	json_t *all = slos_json(h->slos), *slo;
	size_t i;
	add_rules(b, h);
	for (size_t r = 0; r < array_len(rows); r++) {
		exposition_family(b, rows[r].name, "gauge", rows[r].help);
		json_array_foreach (all, i, slo)
			add_slo(b, slo, rows[r].name, rows[r].key);
	}
	exposition_family(b, "slo_burn_rate", "gauge",
		"How many times too fast the budget burns, over the long window of each alert.");
	json_array_foreach (all, i, slo)
		add_burn(b, slo);
	json_decref(all);
}
