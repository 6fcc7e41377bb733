/*
 * house_rules.c - our own rules and objectives, as they were judged last.
 */

#include <string.h>

#include "text/exposition.h"
#include "web/house_inside.h"

#define PIECE 200 /* states, made in one turn of the loop */

void house_rules(struct house *h, const struct rules *rules, const struct slos *slos)
{
	h->rules = rules;
	h->slos = slos;
	h->rules_given++;
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

/* --- RULES --------------------------------------------------------------------------------------
 */

struct rules_read { /* own of the question */
	json_t *list;
	size_t next;
	unsigned given;
};

static void rules_fini(void *own)
{
	json_decref(((struct rules_read *)own)->list);
}

/* A piece a turn; where others took the place of the rules meanwhile, it begins again. */
static void read_on(struct timer *t)
{
	struct house_asked *a = t->arg;
	struct rules_read *r = a->own;
	const struct house *h = a->house;
	if (r->given != h->rules_given) {
		json_array_clear(r->list);
		r->next = 0;
		r->given = h->rules_given;
	}
	for (size_t states = 0; states < PIECE && r->next < rules_count(h->rules); r->next++) {
		json_t *rule = rules_json(h->rules, r->next);
		states += 1 + json_array_size(json_object_get(rule, "states"));
		json_array_append_new(r->list, rule);
	}
	if (a->answer && r->next < rules_count(h->rules))
		timer_start(h->loop, &a->turn, 0, read_on, a);
	else
		asked_part_done(a);
}

static int begin_rules(struct house_asked *a)
{
	struct rules_read *r = mem_new(struct rules_read);
	a->own = r;
	a->own_fini = rules_fini;
	r->list = json_array();
	r->given = a->house->rules_given;
	a->parts_due++;
	timer_start(a->house->loop, &a->turn, 0, read_on, a);
	return 0;
}

static int end_rules(struct house_asked *a)
{
	const struct rules_read *r = a->own;
	a->doc = json_object();
	put(a->doc, "rules", json_incref(r->list));
	put(a->doc, "slos", house_slos(a->house, true));
	return 200;
}

const struct house_question rules_question = {"rules", true, begin_rules, NULL, end_rules};

/* --- numbers -------------------------------------------------------------------------------------
 */

/* Returns how many states it has. */
static size_t add_rule(struct buf *b, const json_t *rule)
{
	const json_t *states = json_object_get(rule, "states"), *state;
	size_t i;
	json_array_foreach (states, i, state) {
		const char *is = json_str(state, "state");
		const struct exposition_label l[] = {{"rule", json_str(rule, "name")},
			{"component", json_str(state, "component")},
			{"group", json_str(state, "group")}};
		exposition_value(b, "rule_state", l, 3,
			!strcmp(is, "firing") ? 1
			: !strcmp(is, "good") ? 0
					      : 2);
	}
	return json_array_size(states);
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

static void add_slos(struct buf *b, const struct house *h)
{
	static const struct {
		const char *name, *key, *help;
	} rows[] = {{"slo_objective", "objective", "The share of good that is wanted."},
		{"slo_ratio", "ratio", "The share of good within the window."},
		{"slo_budget_left", "budget_left",
			"What is left of the budget of errors: 1 all, 0 none, below 0 more is spent."}};
	json_t *all = slos_json(h->slos), *slo;
	size_t i;
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

bool rules_expose(struct buf *b, const struct house *h, size_t *next)
{
	if (!*next)
		exposition_family(b, "rule_state", "gauge",
			"What our own rule says: 0 good, 1 firing, 2 unknown.");
	for (size_t states = 0; *next < rules_count(h->rules); ++*next) {
		if (states >= PIECE)
			return false;
		json_t *rule = rules_json(h->rules, *next);
		states += 1 + add_rule(b, rule);
		json_decref(rule);
	}
	add_slos(b, h);
	return true;
}
