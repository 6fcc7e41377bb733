/*
 * blackbox_relabel.c - what a job of Prometheus does to its targets before it asks: the address,
 * and which module. Rules that take all of a value are followed.
 */

#include <stdlib.h>
#include <string.h>

#include "import/blackbox_inside.h"

#define MODULE "__param_module"

static bool has_source(const struct import_node *rule, const char *label)
{
	const struct import_node list = import_get(rule, "source_labels");
	for (size_t i = 0; i < import_size(&list); i++) {
		const struct import_node n = import_item(&list, i);
		if (import_text(&n) && !strcmp(import_text(&n), label))
			return true;
	}
	return false;
}

static bool takes_all(const struct import_node *rule)
{
	const struct import_node regex = import_get(rule, "regex");
	const char *text = import_text(&regex);
	return !text || !strcmp(text, "(.*)") || !strcmp(text, "(.+)") || !strcmp(text, "^(.*)$");
}

static bool replaces(const struct import_node *rule)
{
	const struct import_node action = import_get(rule, "action");
	return !import_text(&action) || !strcmp(import_text(&action), "replace");
}

/* The replacement of a rule that takes all of a value, with the value for $1; owned, or NULL: it
 * does more than that. */
static char *filled(const struct import_node *rule, const char *value)
{
	const struct import_node with = import_get(rule, "replacement");
	const char *text = import_text(&with) ? import_text(&with) : "$1";
	struct buf out = BUF(BUF_LINE);
	bool good = takes_all(rule) && replaces(rule);
	for (const char *p = text; *p && good; p++) {
		const bool braces = !strncmp(p, "${1}", 4);
		if (*p != '$')
			buf_add_char(&out, *p);
		else if (braces || !strncmp(p, "$1", 2))
			buf_add_str(&out, value), p += braces ? 3 : 1;
		else
			good = false;
	}
	char *made = good ? buf_take(&out) : NULL;
	buf_fini(&out);
	return made;
}

/* What a rule of __param_target makes of a target; owned, or NULL. */
static char *replaced(const struct import_node *rule, const char *target)
{
	return has_source(rule, "__address__") ? filled(rule, target) : NULL;
}

static const char *target_label(const struct import_node *rule)
{
	const struct import_node label = import_get(rule, "target_label");
	return import_text(&label) ? import_text(&label) : "";
}

char *blackbox_relabelled(const struct import_node *job, const char *target)
{
	const struct import_node rules = import_get(job, "relabel_configs");
	char *now = mem_strdup(target);
	for (size_t i = 0; i < import_size(&rules); i++) {
		const struct import_node rule = import_item(&rules, i);
		if (strcmp(target_label(&rule), "__param_target") != 0)
			continue;
		char *next = replaced(&rule, now);
		if (!next)
			continue;
		free(now);
		now = next;
	}
	return now;
}

/* --- modules ---------------------------------------------------------------------------------- */

/* The one label that a rule reads; NULL: none, or several. */
static const char *one_source(const struct import_node *rule)
{
	const struct import_node list = import_get(rule, "source_labels");
	if (import_size(&list) != 1)
		return NULL;
	const struct import_node label = import_item(&list, 0);
	return import_text(&label);
}

/* What a rule of __param_module makes of the module so far; owned, or NULL: it does more than put
 * there what is written, or all of one label of the targets. */
static char *module_by(
	const struct import_node *rule, const struct import_node *labels, const char *now)
{
	const struct import_node sources = import_get(rule, "source_labels"),
				 regex = import_get(rule, "regex");
	const char *name = one_source(rule), *value = "";
	if (import_size(&sources) && !name)
		return NULL;
	if (name && !strcmp(name, MODULE)) {
		value = now;
	} else if (name && !strncmp(name, "__", 2)) {
		return NULL; /* of the target itself */
	} else if (name) {
		const struct import_node label = import_get(labels, name);
		value = import_text(&label) ? import_text(&label) : "";
	}
	/* (.+) takes no value that is empty: such a rule does nothing */
	const bool some = import_text(&regex) && !strcmp(import_text(&regex), "(.+)");
	return some && !*value ? mem_strdup(now) : filled(rule, value);
}

char *blackbox_module_name(
	const struct import_node *job, const struct import_node *labels, const char *first)
{
	const struct import_node rules = import_get(job, "relabel_configs"),
				 own = import_get(labels, MODULE);
	char *now = mem_strdup(import_text(&own) ? import_text(&own) : first);
	for (size_t i = 0; now && i < import_size(&rules); i++) {
		const struct import_node rule = import_item(&rules, i);
		if (strcmp(target_label(&rule), MODULE) != 0)
			continue;
		char *next = module_by(&rule, labels, now);
		free(now);
		now = next;
	}
	if (now && !*now)
		mem_replace(&now, BLACKBOX_MODULE);
	return now;
}

static void tell_module_rule(struct blackbox *b, const struct import_node *rule)
{
	const struct import_node none = {0};
	char *made = module_by(rule, &none, "x");
	import_tell(b->in, rule, made ? IMPORT_CARRIED : IMPORT_DROPPED, "%s",
		made ? "it says which module each target has"
		     : "which module it makes is not known here: there are no probes of the job");
	free(made);
}

void blackbox_tell_labels(
	struct blackbox *b, const struct import_node *job, const struct import_node *group)
{
	const struct import_node labels = import_get(group, "labels"),
				 rules = import_get(job, "relabel_configs"),
				 own = import_get(&labels, MODULE);
	bool used = own.y != NULL;
	for (size_t i = 0; i < import_size(&rules); i++) {
		const struct import_node rule = import_item(&rules, i);
		const char *name = one_source(&rule);
		const struct import_node label = import_get(&labels, name ? name : "");
		used = used || (!strcmp(target_label(&rule), MODULE) && label.y);
	}
	import_tell(b->in, &labels, used ? IMPORT_CHANGED : IMPORT_DROPPED, "%s",
		used ? "they say which module it is; else probes have no labels of their own"
		     : "probes have no labels of their own");
}

/* --- telling ---------------------------------------------------------------------------------- */

void blackbox_tell_rules(struct blackbox *b, const struct import_node *job)
{
	const struct import_node rules = import_get(job, "relabel_configs");
	for (size_t i = 0; i < import_size(&rules); i++) {
		const struct import_node rule = import_item(&rules, i);
		const char *label = target_label(&rule);
		char *made = replaced(&rule, "x");
		if (!strcmp(label, "__param_target") && made)
			import_tell(b->in, &rule, IMPORT_CARRIED,
				"it is done to the targets of the job");
		else if (!strcmp(label, "__param_module"))
			tell_module_rule(b, &rule);
		else if (!strcmp(label, "instance") || !strcmp(label, "__address__"))
			import_tell(b->in, &rule, IMPORT_NEEDLESS,
				"targets are asked without an exporter");
		else
			import_tell(b->in, &rule, IMPORT_DROPPED,
				"probes have no labels of their own; only __param_target of the whole "
				"__address__ is carried");
		free(made);
	}
}
