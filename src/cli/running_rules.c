/*
 * running_rules.c - our own rules and objectives: what they conclude, to the judge.
 */

#include "cli/running.h"

#include <string.h>

static void on_tell(void *arg, const struct judge_told *t)
{
	struct running *r = arg;
	judge_tell(r->judge, t);
}

static void on_untell(void *arg, const char *component, const char *by)
{
	struct running *r = arg;
	judge_untell(r->judge, component, by);
}

static void on_changed(void *arg, const struct rule_change *c)
{
	struct running *r = arg;
	if (c->to == RULE_IS_FIRING || c->from == RULE_IS_FIRING)
		running_say(r, "%s of %s is %s: %s", c->by, c->component, rule_state_name(c->to),
			c->text);
	if (r->house)
		house_changed(r->house);
}

static void on_rule_says(void *arg, const struct rule *rule, const char *text)
{
	running_say(arg, "%s:%u: rule %s: %s", rule->as.file, rule->as.line, rule->as.name, text);
}

static void on_slo_says(void *arg, const struct slo *slo, const char *text)
{
	running_say(arg, "%s:%u: SLO %s: %s", slo->file, slo->line, slo->name, text);
}

/* What names a component that is not there would be told to nobody. */
static void say_nobodys(
	struct running *r, const char *what, const char *name, const char *component)
{
	if (component && !judge_verdict(r->judge, component))
		running_say(r, "%s %s: there is no component %s (yet)", what, name, component);
}

static void say_components(struct running *r, const struct config *c)
{
	for (size_t i = 0; i < c->rule_count; i++)
		say_nobodys(r, "rule", c->rules[i]->as.name, c->rules[i]->as.component);
	for (size_t i = 0; i < c->slos.n; i++)
		say_nobodys(r, "SLO", c->slos.p[i]->name, c->slos.p[i]->component);
	for (size_t i = 0; i < c->note_count; i++)
		running_say(r, "%s", c->notes[i]);
}

void running_rules(struct running *r)
{
	const struct config *c = r->now->config;
	const struct rules_options rules = {.rules = c->rules,
		.n = c->rule_count,
		.tell = on_tell,
		.untell = on_untell,
		.changed = on_changed,
		.say = on_rule_says,
		.arg = r};
	const struct slos_options slos = {.slos = c->slos.p,
		.n = c->slos.n,
		.tell = on_tell,
		.untell = on_untell,
		.changed = on_changed,
		.say = on_slo_says,
		.arg = r};
	struct rules *rules_before = r->rules;
	struct slos *slos_before = r->slos;
	struct generation *before = r->rules_of;
	r->rules_of = generation_ref(r->now);
	r->rules = rules_new(r->session.loop, r->series, &rules);
	r->slos = slos_new(r->session.loop, r->series, &slos);
	house_rules(r->house, r->rules, r->slos);
	rules_start(r->rules, rules_before);
	slos_start(r->slos, slos_before);
	rules_free(rules_before);
	slos_free(slos_before);
	generation_unref(before);
	say_components(r, c);
}

void running_rules_close(struct running *r)
{
	if (r->house)
		house_rules(r->house, NULL, NULL);
	rules_free(r->rules);
	slos_free(r->slos);
	generation_unref(r->rules_of);
	r->rules = NULL;
	r->slos = NULL;
	r->rules_of = NULL;
}
