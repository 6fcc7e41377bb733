/*
 * rules_read.c - the files of a rule set, one after the other, into drafts.
 */

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/json.h"
#include "judge/cloudmon/rules_inside.h"
#include "judge/graphite/eval.h"

#define FILES_MAX 100

/* --- one document ----------------------------------------------------------------------------- */

static void take_template(struct rules_reader *rd, const char *name, struct part p)
{
	static const char *const keys[] = {"query", "promql", "op", "threshold", NULL};
	if (!rules_is(rd, p, YAML_MAP, "a template"))
		return;
	struct template *t = map_get(&rd->templates, name);
	if (!t) {
		t = mem_new(struct template);
		t->name = mem_strdup(name);
		map_put(&rd->templates, name, t);
	}
	rules_known(rd, p, keys);
	struct part *fields[] = {&t->query, &t->promql, &t->op, &t->threshold};
	for (size_t i = 0; i < array_len(fields); i++) {
		const struct part got = rules_get(p, keys[i]);
		if (rules_is(rd, got, YAML_SCALAR, keys[i]))
			*fields[i] = got;
	}
	t->at = p;
}

static void take_health(struct rules_reader *rd, const char *key, struct part p)
{
	static const char *const keys[] = {
		"service", "component_name", "category", "metrics", "expressions", NULL};
	if (!rules_is(rd, p, YAML_MAP, "a health metric"))
		return;
	struct health_draft *h = map_get(&rd->healths, key);
	if (!h) {
		h = mem_new(struct health_draft);
		h->key = mem_strdup(key);
		map_put(&rd->healths, key, h);
	}
	rules_known(rd, p, keys);
	struct part *fields[] = {
		&h->service, &h->component_name, &h->category, &h->metrics, &h->expressions};
	for (size_t i = 0; i < array_len(fields); i++) {
		const struct part got = rules_get(p, keys[i]);
		const enum yaml_kind kind = i < 3 ? YAML_SCALAR : YAML_LIST;
		if (!rules_is(rd, got, kind, keys[i]))
			continue;
		if (kind == YAML_LIST && fields[i]->y)
			rules_note(rd, *fields[i],
				"%s of \"%.80s\": this list is replaced by that of %s:%u, it is not"
				" added to it",
				keys[i], key, got.file, got.y->line);
		*fields[i] = got;
	}
	h->at = p;
}

static void take_list(struct rules_reader *rd, struct part *to, struct part p, const char *what)
{
	if (!rules_is(rd, p, YAML_LIST, what))
		return;
	if (to->y)
		rules_note(rd, *to,
			"%s: this list is replaced by that of %s:%u, it is not added to it", what,
			p.file, p.y->line);
	*to = p;
}

static void take_text(struct rules_reader *rd, const char **to, struct part p, const char *what)
{
	if (rules_is(rd, p, YAML_SCALAR, what))
		*to = rules_keep(rd->rules, mem_strdup(rules_text(p)));
}

static void take_datasource(struct rules_reader *rd, struct part p)
{
	static const char *const keys[] = {"url", "timeout", "type", NULL};
	if (!rules_is(rd, p, YAML_MAP, "datasource"))
		return;
	rules_known(rd, p, keys);
	take_text(rd, &rd->rules->datasource.url, rules_get(p, "url"), "url");
	const struct part timeout = rules_get(p, "timeout");
	if (!rules_is(rd, timeout, YAML_SCALAR, "timeout"))
		return;
	char *end;
	const double seconds = strtod(rules_text(timeout), &end);
	if (*end || !(seconds >= 0.1 && seconds <= 600))
		rules_wrong(rd, timeout, "timeout: expected seconds, 0.1 to 600");
	else
		rd->rules->datasource.timeout_ns = (int64_t)(seconds * (double)NS_PER_S);
}

static void take_patience(struct rules_reader *rd, struct part p)
{
	static const char *const keys[] = {"query_from", "query_to", NULL};
	if (!rules_is(rd, p, YAML_MAP, "health_query"))
		return;
	rules_known(rd, p, keys);
	int64_t *const to[] = {&rd->rules->patience.hold_s, &rd->rules->patience.late_s};
	for (size_t i = 0; i < array_len(to); i++) {
		const struct part got = rules_get(p, keys[i]);
		int64_t s = 0;
		if (!rules_is(rd, got, YAML_SCALAR, keys[i]))
			continue;
		const char *text = rules_text(got);
		if (strcmp(text, "now") != 0 && (!interval_parse(text, &s) || s > 0 || s < -86400))
			rules_wrong(rd, got,
				"%s: expected a time back from now, such as \"-5min\", at most a day",
				keys[i]);
		else
			*to[i] = -s;
	}
}

static void take_dashboard(struct rules_reader *rd, struct part p)
{
	static const char *const keys[] = {"url", "secret", "jwt_secret", "auth", NULL};
	if (!rules_is(rd, p, YAML_MAP, "status_dashboard"))
		return;
	rules_known(rd, p, keys);
	take_text(rd, &rd->rules->dashboard.url, rules_get(p, "url"), "url");
	take_text(rd, &rd->rules->dashboard.secret, rules_get(p, "secret"), "secret");
}

static void take_map(struct rules_reader *rd, struct part p, const char *what,
	void (*take)(struct rules_reader *rd, const char *name, struct part p))
{
	if (!rules_is(rd, p, YAML_MAP, what))
		return;
	for (size_t i = 0; i < p.y->n; i++)
		take(rd, p.y->keys[i]->text.p, rules_item(p, i));
}

static void take_root(struct rules_reader *rd, struct part root)
{
	static const char *const keys[] = {"datasource", "server", "metric_templates",
		"environments", "flag_metrics", "health_metrics", "status_dashboard",
		"health_query", NULL};
	if (!rules_is(rd, root, YAML_MAP, "a configuration"))
		return;
	rules_known(rd, root, keys);
	take_map(rd, rules_get(root, "metric_templates"), "metric_templates", take_template);
	take_map(rd, rules_get(root, "health_metrics"), "health_metrics", take_health);
	take_list(rd, &rd->environments, rules_get(root, "environments"), "environments");
	take_list(rd, &rd->flags, rules_get(root, "flag_metrics"), "flag_metrics");
	take_datasource(rd, rules_get(root, "datasource"));
	take_dashboard(rd, rules_get(root, "status_dashboard"));
	take_patience(rd, rules_get(root, "health_query"));
}

/* --- files ------------------------------------------------------------------------------------ */

void rules_read_file(struct rules_reader *rd, struct yaml_file *f)
{
	if (!f)
		return;
	vec_push(&rd->files, f);
	for (size_t i = 0; i < yaml_documents(f); i++) {
		const struct part root = {yaml_root(f, i), yaml_name(f)};
		if (!yaml_is_null(root.y))
			take_root(rd, root);
	}
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* How many files it has; < 0: no such directory. */
static int take_directory(struct rules_reader *rd, const char *dir)
{
	VEC(char *) names = {0};
	DIR *d = opendir(dir);
	for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
		const struct slice name = slice_of(e->d_name);
		if (e->d_name[0] != '.' && (slice_ends(name, ".yaml") || slice_ends(name, ".yml")))
			vec_push(&names, mem_printf("%s/%s", dir, e->d_name));
	}
	if (!d && errno != ENOENT && errno != ENOTDIR)
		error_list_at(rd->errors, dir, 0, 0, "cannot read: %s", strerror(errno));
	if (names.n)
		qsort(names.p, names.n, sizeof(*names.p), by_text);
	if (names.n > FILES_MAX)
		error_list_at(rd->errors, dir, 0, 0, "more than %d files", FILES_MAX);
	for (size_t i = 0; i < names.n; i++) {
		if (i < FILES_MAX)
			rules_read_file(rd, yaml_load(names.p[i], rd->errors));
		free(names.p[i]);
	}
	const int n = d ? (int)names.n : -1;
	vec_fini(&names);
	if (d)
		closedir(d);
	return n;
}

/* MP_DATASOURCE__URL=x is {datasource: {url: x}}; the name stands for the file. */
static void take_variable(struct rules_reader *rd, const char *variable)
{
	const char *equals = strchr(variable, '=');
	if (strncmp(variable, "MP_", 3) != 0 || !equals || equals == variable + 3)
		return;
	struct buf text = BUF(BUF_LINE);
	char *name = mem_strndup(variable, (size_t)(equals - variable));
	size_t open = 1;
	buf_add_str(&text, "{\"");
	for (const char *p = name + 3; *p; p++) {
		if (p[0] == '_' && p[1] == '_' && p[2]) {
			buf_add_str(&text, "\": {\"");
			open++;
			p++;
		} else if (isalnum((unsigned char)*p) || strchr("_-.", *p)) {
			buf_add_char(&text, (char)tolower((unsigned char)*p));
		}
	}
	buf_add_str(&text, "\": ");
	json_t *value = json_string(equals + 1);
	if (value)
		json_write(&text, value);
	else
		error_list_at(rd->errors, name, 0, 0, "expected text in UTF-8");
	json_decref(value);
	while (open--)
		buf_add_char(&text, '}');
	if (value)
		rules_read_file(rd, yaml_parse(buf_slice(&text), name, rd->errors));
	buf_fini(&text);
	free(name);
}

void rules_read_files(struct rules_reader *rd, const char *path)
{
	struct stat st;
	const bool is_dir = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
	const char *slash = strrchr(path, '/');
	char *dir = is_dir  ? mem_strdup(path)
		    : slash ? mem_strndup(path, (size_t)(slash - path))
			    : mem_strdup(".");
	char *main_file = is_dir ? mem_printf("%s/config.yaml", dir) : mem_strdup(path);
	char *more = mem_printf("%s/conf.d", dir);
	const bool there = stat(main_file, &st) == 0;
	if (there || !is_dir)
		rules_read_file(rd, yaml_load(main_file, rd->errors));
	if (take_directory(rd, more) <= 0 && !there && is_dir)
		error_list_at(rd->errors, path, 0, 0,
			"expected config.yaml or conf.d/NAME.yaml in it: the configuration of"
			" metrics-processor");
	free(dir);
	free(main_file);
	free(more);
}

void rules_read_environment(struct rules_reader *rd, char *const *environment)
{
	for (char *const *v = environment; v && *v; v++)
		take_variable(rd, *v);
}
