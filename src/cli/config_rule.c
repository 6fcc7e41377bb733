/*
 * config_rule.c - `judge: {rules:, slos:, slo:}`: our own rules and objectives; what an item says
 * is the room's to read (judge/rules/).
 *
 * An item of a later file goes over the one of the same name, key by key.
 */

#include <string.h>

#include "cli/config_reader.h"

/* --- rules --------------------------------------------------------------------------------------
 */

static bool is_again(struct config_reader *r, const struct yaml *item, const char *what,
	const char *touched, unsigned line)
{
	if (touched != r->file)
		return false;
	config_wrong(r, item,
		"two %s are called \"%.64s\"; give one another name (the first is in line %u)",
		what, config_text(item, "name")->text.p, line);
	return true;
}

static struct rule_draft *rule_of(struct config_reader *r, const struct yaml *item)
{
	const struct yaml *name = config_text(item, "name");
	VEC_EACH (&r->rules, struct rule_draft, d) {
		if (!name || !d->text.name || !slice_is(name->text, d->text.name))
			continue;
		return is_again(r, item, "rules", d->text.file, d->text.line) ? NULL : d;
	}
	if (r->rules.n == RULES_MAX) {
		config_wrong(r, item, "judge: more than %d rules", RULES_MAX);
		return NULL;
	}
	struct rule_draft *d = vec_add(&r->rules);
	rule_text_init(&d->text);
	return d;
}

static void read_rules(struct config_reader *r, const struct yaml *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct yaml *item = list->items[i];
		struct rule_draft *d = config_is_item(r, item, "a rule") ? rule_of(r, item) : NULL;
		if (d && !rule_text_read(&d->text, item, r->file, r->errors))
			d->broken = true;
	}
}

static void finish_rules(struct config_reader *r)
{
	struct config *c = r->config;
	c->rules = mem_new_array(r->rules.n + 1, sizeof(*c->rules));
	VEC_EACH (&r->rules, struct rule_draft, d) {
		struct rule *rule = d->broken ? NULL : rule_new(&d->text, r->errors);
		if (rule)
			c->rules[c->rule_count++] = rule;
	}
}

/* --- objectives
 * ------------------------------------------------------------------------------------ */

static struct slo_draft *slo_of(struct config_reader *r, const struct yaml *item)
{
	const struct yaml *name = config_text(item, "name");
	VEC_EACH (&r->slos, struct slo_draft, d) {
		if (!name || !d->text.name || !slice_is(name->text, d->text.name))
			continue;
		return is_again(r, item, "SLOs", d->text.file, d->text.line) ? NULL : d;
	}
	if (r->slos.n == SLOS_MAX) {
		config_wrong(r, item, "judge: more than %d SLOs", SLOS_MAX);
		return NULL;
	}
	struct slo_draft *d = vec_add(&r->slos);
	slo_text_init(&d->text);
	return d;
}

static void read_slos(struct config_reader *r, const struct yaml *list)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct yaml *item = list->items[i];
		struct slo_draft *d = config_is_item(r, item, "an SLO") ? slo_of(r, item) : NULL;
		if (d && !slo_text_read(&d->text, item, r->file, r->errors))
			d->broken = true;
	}
}

static void on_note(void *arg, const char *file, unsigned line, unsigned col, const char *text)
{
	struct config *c = arg;
	c->notes = mem_resize(c->notes, c->note_count + 1, sizeof(*c->notes));
	c->notes[c->note_count++] = mem_printf("%s:%u:%u: %s", file, line, col, text);
}

/* A name that comes twice would be told as one. */
static void check_names(struct config_reader *r)
{
	const struct slo_list *all = &r->config->slos;
	for (size_t i = 0; i < all->n; i++)
		for (size_t k = 0; k < i; k++)
			if (!strcmp(all->p[i]->name, all->p[k]->name))
				error_list_at(r->errors, all->p[i]->file, all->p[i]->line,
					all->p[i]->col,
					"two SLOs are called \"%.64s\"; give one another name",
					all->p[i]->name);
}

static void finish_slos(struct config_reader *r)
{
	struct config *c = r->config;
	c->slo_texts = json_array();
	VEC_EACH (&r->slos, struct slo_draft, d) {
		struct slo *s = d->broken || !d->text.name ? NULL : slo_new(&d->text, r->errors);
		if (!s)
			continue;
		json_array_append_new(c->slo_texts, slo_text_json(&d->text));
		vec_push(&c->slos, s);
	}
	for (size_t i = 0; r->looks && r->slo_files && r->slo_files[i]; i++) {
		char *path = config_path(c, r->slo_files[i]);
		openslo_load(path, &c->slos, on_note, c, r->errors);
		free(path);
	}
	check_names(r);
	c->slo_files = r->slo_files ? r->slo_files : mem_new_array(1, sizeof(*c->slo_files));
	r->slo_files = NULL;
}

/* --- for the others
 * ------------------------------------------------------------------------------------ */

void config_read_rules(struct config_reader *r, const struct yaml *rules, const struct yaml *slos,
	char ***slo_files)
{
	if (rules)
		read_rules(r, rules);
	if (slos)
		read_slos(r, slos);
	if (*slo_files)
		config_texts_append(&r->slo_files, slo_files);
}

void config_finish_rules(struct config_reader *r)
{
	finish_rules(r);
	finish_slos(r);
}

void config_rules_drafts_free(struct config_reader *r)
{
	VEC_EACH (&r->rules, struct rule_draft, d)
		rule_text_fini(&d->text);
	VEC_EACH (&r->slos, struct slo_draft, s)
		slo_text_fini(&s->text);
	vec_fini(&r->rules);
	vec_fini(&r->slos);
	config_texts_free(r->slo_files);
}

void config_rules_free(struct config *c)
{
	rules_unload(c->rules, c->rule_count);
	slo_list_fini(&c->slos);
	json_decref(c->slo_texts);
	config_texts_free(c->slo_files);
	for (size_t i = 0; i < c->note_count; i++)
		free(c->notes[i]);
	free(c->notes);
}

json_t *config_rules_json(const struct config *c)
{
	json_t *all = json_array();
	for (size_t i = 0; i < c->rule_count; i++)
		json_array_append_new(all, rule_json(c->rules[i]));
	return all;
}
