/*
 * cloudmon_judge.c - how CloudMon judges: the rules of metrics-processor stay where they are, in
 * their own words, and the judge reads them there: `judge: {cloudmon: PATH}`.
 */

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import/cloudmon_inside.h"
#include "judge/cloudmon/cloudmon.h"

static const char *const rule_keys[] = {"flag_metrics", "health_metrics", "metric_templates"};

static bool has_rules(const struct import_node *root)
{
	for (size_t i = 0; i < array_len(rule_keys); i++)
		if (import_get(root, rule_keys[i]).y)
			return true;
	return false;
}

/* What the judge is to be given for a file: the directory, of one in conf.d. Owned. */
static char *rules_of(const char *file)
{
	char whole[PATH_MAX];
	char *path = mem_strdup(realpath(file, whole) ? whole : file);
	char *slash = strrchr(path, '/');
	if (!slash)
		return path;
	*slash = '\0';
	const size_t n = strlen(path);
	if (n > 7 && strcmp(path + n - 7, "/conf.d") == 0)
		path[n - 7] = '\0';
	else
		*slash = '/';
	return path;
}

/* The same set when one is the other's directory. */
static bool same_rules(const char *a, const char *b)
{
	const size_t n = strlen(a), m = strlen(b);
	const size_t less = n < m ? n : m;
	return strncmp(a, b, less) == 0 && (n == m || (n < m ? b : a)[less] == '/');
}

void cloudmon_judge_look(struct cloudmon *c, const struct import_node *root)
{
	if (!has_rules(root))
		return;
	char *path = rules_of(root->file);
	if (!c->rules || (same_rules(c->rules, path) && strlen(path) < strlen(c->rules)))
		mem_replace(&c->rules, path);
	free(path);
}

/* Whether the judge would take it; else what it says, once. */
static bool is_sound(struct cloudmon *c, char *why, size_t size)
{
	struct error_list errors = {0};
	struct cloudmon_rules *rules = cloudmon_rules_load(c->rules, NULL, NULL, NULL, &errors);
	why[0] = '\0';
	if (errors.n)
		error_text(&errors.p[0], why, size);
	error_list_fini(&errors);
	cloudmon_rules_free(rules);
	return rules != NULL;
}

void cloudmon_judge(struct cloudmon *c, const struct import_node *root)
{
	static const struct import_answer carried[] = {
		{"health_query", IMPORT_CARRIED, "how long a value holds, and how late it may be"},
		{"datasource", IMPORT_CHANGED,
			"values are our own series; `judge: {cloudmon: {datasource: graphite}}` asks this "
			"one"},
	};
	char why[ERROR_TEXT], *own = has_rules(root) ? rules_of(root->file) : NULL;
	if (!c->rules)
		return;
	import_answer(c->in, root, carried, array_len(carried));
	if (!own)
		return;
	const bool mine = same_rules(c->rules, own), sound = mine && is_sound(c, why, sizeof(why));
	for (size_t i = 0; i < array_len(rule_keys); i++) {
		const struct import_node n = import_get(root, rule_keys[i]);
		if (sound)
			import_tell(c->in, &n, IMPORT_CARRIED,
				"judge: {cloudmon: ...}, read where it stands (%zu)",
				import_size(&n));
		else if (mine)
			import_tell(c->in, &n, IMPORT_DROPPED, "the judge cannot read it: %s", why);
		else
			import_tell(c->in, &n, IMPORT_DROPPED,
				"there is one set of rules for an instance, and this is another: %s "
				"is it",
				c->rules);
	}
	if (sound && !json_object_get(c->in->config, "judge"))
		json_object_set_new(
			c->in->config, "judge", json_pack("{s:s}", "cloudmon", c->rules));
	free(own);
}
