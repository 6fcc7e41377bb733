/*
 * house_graphite.c - what Graphite's users ask, from judge/graphite: see model.h's DOCUMENT. What
 * is wrong with a question is told to who asked it, with status 400.
 */

#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "web/house_graphite.h"

/* What was asked for: it may be large, so it goes on the thread that made a text of it. */
static void answers_free(struct graphite_asked *g)
{
	graphite_lines_free(g->lines);
	g->lines = NULL;
	while (g->name_count)
		json_decref(g->names[--g->name_count]);
}

static void own_fini(void *own)
{
	struct graphite_asked *g = own;
	answers_free(g);
	free(g->zone_name);
}

static struct graphite_asked *own_new(struct house_asked *a)
{
	struct graphite_asked *g = mem_new(struct graphite_asked);
	a->own = g;
	a->own_fini = own_fini;
	return g;
}

/* The question is answered with what is wrong. */
static int wrong(struct graphite_asked *g, const char *fmt, ...) like_printf(2, 3);

static int wrong(struct graphite_asked *g, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	g->err.kind = ERROR_INPUT;
	vsnprintf(g->err.msg, sizeof(g->err.msg), fmt, ap);
	va_end(ap);
	return 0;
}

static const char *parameter(const struct house_asked *a, const char *name)
{
	const char *text = json_str(a->args, name);
	return text && text[0] ? text : NULL;
}

/* The texts of a list, at most `max`; how many there are. */
static size_t texts(const struct house_asked *a, const char *name, const char **ret, size_t max)
{
	const json_t *list = json_object_get(a->args, name);
	for (size_t i = 0; i < json_array_size(list) && i < max; i++)
		ret[i] = json_string_value(json_array_get(list, i));
	return json_array_size(list);
}

static bool flag(const struct house_asked *a, const char *name)
{
	const char *text = parameter(a, name);
	return text && strcmp(text, "0") != 0 && strcmp(text, "false") != 0;
}

static int end_document(struct house_asked *a)
{
	a->doc = json_incref(a->read);
	return 200;
}

/* --- /render ------------------------------------------------------------------------------------
 */

static bool read_time(
	struct house_asked *a, const char *name, const char *otherwise, int64_t now_s, int64_t *ret)
{
	struct graphite_asked *g = a->own;
	const char *text = parameter(a, name);
	if (graphite_moment(text ? text : otherwise, now_s, g->zone_name, ret, &g->err))
		return true;
	error_wrap(&g->err, "%s", name);
	g->err.kind = ERROR_INPUT;
	return false;
}

static bool read_zone(struct graphite_asked *g, const char *name)
{
	struct zone *z = zone_load(name, &g->err);
	zone_free(z);
	if (!z)
		wrong(g, "tz: \"%.60s\" is no time zone: expected one such as Europe/Berlin", name);
	return z != NULL;
}

static bool read_times(struct house_asked *a, struct graphite_question *q)
{
	struct graphite_asked *g = a->own;
	g->zone_name = mem_strdup(parameter(a, "tz"));
	q->zone = g->zone_name;
	if (!read_zone(g, g->zone_name) ||
		!read_time(a, "now", "now", a->now_ms / 1000, &q->now_s) ||
		!read_time(a, "from", "-1d", q->now_s, &q->from_s) ||
		!read_time(a, "until", "now", q->now_s, &q->until_s))
		return false;
	if (q->from_s > q->until_s) {
		const int64_t later = q->from_s;
		q->from_s = q->until_s;
		q->until_s = later;
	}
	if (q->from_s == q->until_s)
		wrong(g, "from and until are the same moment");
	return !g->err.kind;
}

static bool read_format(struct house_asked *a)
{
	static const char *const formats[] = {"json", "csv", "raw"};
	struct graphite_asked *g = a->own;
	const char *format = parameter(a, "format");
	if (!format && json_object_get(a->args, "rawData"))
		format = "raw";
	for (size_t i = 0; format && i < array_len(formats); i++)
		if (strcmp(formats[i], format) == 0)
			g->format = formats[i];
	if (!g->format)
		wrong(g, "format is json, csv or raw, not %.40s: pictures are not drawn here",
			format ? format : "missing");
	else if (json_object_get(a->args, "jsonp"))
		wrong(g, "jsonp is not offered");
	return !g->err.kind;
}

static bool read_numbers(struct house_asked *a, struct graphite_question *q)
{
	struct graphite_asked *g = a->own;
	const char *points = parameter(a, "maxDataPoints"), *xff = parameter(a, "xFilesFactor");
	int64_t n = 0;
	if (points && (!units_parse_int(slice_of(points), &n) || n < 1))
		wrong(g, "maxDataPoints: \"%.40s\" is no whole number over 0", points);
	if (xff && (!units_parse_real(slice_of(xff), &q->xff) || q->xff < 0 || q->xff > 1))
		wrong(g, "xFilesFactor: \"%.40s\" is no share within 0 and 1", xff);
	q->points_max = strcmp(g->format, "json") == 0 ? (size_t)n : 0;
	g->no_nulls = json_object_get(a->args, "noNullPoints") != NULL;
	return !g->err.kind;
}

static void on_lines(void *arg, struct graphite_lines *lines, const struct error *err)
{
	struct house_asked *a = arg;
	struct graphite_asked *g = a->own;
	g->lines = lines;
	if (err)
		g->err = *err;
	asked_part_done(a);
}

static int begin_render(struct house_asked *a)
{
	struct graphite_asked *g = own_new(a);
	const char *targets[GRAPHITE_TARGETS];
	struct graphite_question q = {.targets = targets};
	if (!a->house->graphite)
		return 503;
	const size_t count = texts(a, "target", targets, GRAPHITE_TARGETS);
	for (size_t i = 0; i < count && i < GRAPHITE_TARGETS; i++)
		if (slice_trim(slice_of(targets[i])).n) /* hidden ones are sent empty */
			targets[q.target_count++] = targets[i];
	if (!read_format(a) || !read_times(a, &q) || !read_numbers(a, &q))
		return 0;
	if (count > GRAPHITE_TARGETS)
		return wrong(
			g, "a question has at most %d targets, not %zu", GRAPHITE_TARGETS, count);
	a->parts_due++;
	graphite_render(a->house->graphite, &q, on_lines, a);
	return 0;
}

static bool read_render(struct house_asked *a)
{
	struct graphite_asked *g = a->own;
	a->read = g->err.kind ? graphite_error_document(&g->err) : graphite_render_document(g);
	answers_free(g);
	return true;
}

/* --- names --------------------------------------------------------------------------------------
 */

static void on_names(void *arg, json_t *answer, const struct error *err)
{
	struct house_asked *a = arg;
	struct graphite_asked *g = a->own;
	if (answer)
		g->names[g->name_count++] = answer;
	if (err)
		g->err = *err;
	asked_part_done(a);
}

static int ask(struct house_asked *a, struct graphite_naming *q)
{
	const char *exprs[100];
	if (!a->house->graphite)
		return 503;
	q->expr_count = texts(a, "expr", exprs, array_len(exprs));
	q->expr_count = q->expr_count > array_len(exprs) ? array_len(exprs) : q->expr_count;
	q->exprs = exprs;
	a->parts_due++;
	graphite_names(a->house->graphite, q, on_names, a);
	return 0;
}

/* The pattern before its last dot, with the dot. */
static size_t base_length(const char *pattern)
{
	const char *dot = strrchr(pattern, '.');
	return dot ? (size_t)(dot - pattern) + 1 : 0;
}

static int begin_find(struct house_asked *a)
{
	static const char *const formats[] = {"treejson", "completer", "json"};
	struct graphite_asked *g = own_new(a);
	const char *pattern = NULL, *format = parameter(a, "format");
	format = format ? format : "treejson";
	texts(a, "query", &pattern, 1);
	for (size_t i = 0; i < array_len(formats); i++)
		if (strcmp(formats[i], format) == 0)
			g->format = formats[i];
	if (!g->format)
		return wrong(g, "format is treejson, completer or json, not %.40s", format);
	if (!pattern || !pattern[0])
		return wrong(g, "query is missing: a pattern such as stats.*");
	struct buf full = BUF(BUF_LINE);
	buf_add_str(&full, pattern);
	if (strcmp(g->format, "completer") == 0 && pattern[strlen(pattern) - 1] != '*')
		buf_add_char(&full, '*');
	const int status = ask(a, &(struct graphite_naming){.about = GRAPHITE_ABOUT_NODES,
					  .pattern = buf_str(&full)});
	buf_fini(&full);
	return status;
}

/* One row of treejson; branches come before leaves, each text once. */
static void add_tree_row(json_t *rows, const char *base, const char *text, bool branch)
{
	char *id = mem_printf("%s%s", base, text);
	json_array_append_new(rows,
		json_pack("{s:s, s:s, s:i, s:i, s:i, s:{}}", "text", text, "id", id,
			"allowChildren", branch, "expandable", branch, "leaf", !branch, "context"));
	free(id);
}

static json_t *tree_json(const json_t *nodes, const char *pattern, bool wildcards)
{
	json_t *rows = json_array(), *node;
	char *base = mem_strndup(pattern, base_length(pattern));
	struct map seen = {0};
	size_t i;
	bool any_branch = false;
	json_array_foreach (nodes, i, node)
		any_branch |= json_flag(node, "branch");
	if (wildcards && json_array_size(nodes) > 1)
		add_tree_row(rows, base, "*", any_branch);
	for (int pass = 1; pass >= 0; pass--)
		json_array_foreach (nodes, i, node)
			if (json_flag(node, "branch") == (pass == 1) &&
				!map_put(&seen, json_str(node, "text"), node))
				add_tree_row(rows, base, json_str(node, "text"), pass == 1);
	map_fini(&seen);
	free(base);
	return rows;
}

static json_t *completer_json(const json_t *nodes, bool wildcards)
{
	json_t *rows = json_array(), *node;
	size_t i;
	json_array_foreach (nodes, i, node) {
		for (int leaf = 0; leaf < 2; leaf++) {
			if (!json_flag(node, leaf ? "leaf" : "branch"))
				continue;
			char *path = mem_printf("%s%s", json_str(node, "path"), leaf ? "" : ".");
			json_array_append_new(
				rows, json_pack("{s:s, s:s, s:s}", "path", path, "name",
					      json_str(node, "text"), "is_leaf", leaf ? "1" : "0"));
			free(path);
		}
	}
	if (wildcards && json_array_size(rows) > 1)
		json_array_append_new(rows, json_pack("{s:s}", "name", "*"));
	return json_pack("{s:o}", "metrics", rows);
}

static json_t *nodes_json(const json_t *nodes)
{
	json_t *rows = json_array(), *node;
	size_t i;
	json_array_foreach (nodes, i, node) {
		for (int leaf = 0; leaf < 2; leaf++)
			if (json_flag(node, leaf ? "leaf" : "branch"))
				json_array_append_new(
					rows, json_pack("{s:s, s:b}", "path",
						      json_str(node, "path"), "is_leaf", leaf));
	}
	return rows;
}

static bool read_find(struct house_asked *a)
{
	struct graphite_asked *g = a->own;
	const char *pattern = NULL;
	json_t *value;
	if (g->err.kind || !g->name_count) {
		a->read = graphite_error_document(&g->err);
		return true;
	}
	texts(a, "query", &pattern, 1);
	if (strcmp(g->format, "treejson") == 0)
		value = tree_json(g->names[0], pattern, flag(a, "wildcards"));
	else if (strcmp(g->format, "completer") == 0)
		value = completer_json(g->names[0], flag(a, "wildcards"));
	else
		value = nodes_json(g->names[0]);
	a->read = graphite_json_document(value);
	json_decref(value);
	answers_free(g);
	return true;
}

static int begin_expand(struct house_asked *a)
{
	struct graphite_asked *g = own_new(a);
	const char *patterns[GRAPHITE_QUERIES];
	const size_t n = texts(a, "query", patterns, GRAPHITE_QUERIES);
	int status = 0;
	if (!n || n > GRAPHITE_QUERIES)
		return wrong(g, "1 to %d times query is asked for, not %zu", GRAPHITE_QUERIES, n);
	for (size_t i = 0; i < n && !status; i++)
		status = ask(a, &(struct graphite_naming){
					.about = GRAPHITE_ABOUT_NODES, .pattern = patterns[i]});
	return status;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The paths of all lists, sorted, none twice. */
static json_t *paths_json(json_t *const *lists, size_t n, bool leaves_only)
{
	VEC(const char *) all = {0};
	json_t *paths = json_array(), *node;
	for (size_t k = 0; k < n; k++) {
		size_t i;
		json_array_foreach (lists[k], i, node)
			if (json_flag(node, "leaf") || !leaves_only)
				vec_push(&all, json_str(node, "path"));
	}
	if (all.n)
		qsort(all.p, all.n, sizeof(*all.p), by_text);
	for (size_t i = 0; i < all.n; i++)
		if (!i || strcmp(all.p[i], all.p[i - 1]) != 0)
			json_array_append_new(paths, json_string(all.p[i]));
	vec_fini(&all);
	return paths;
}

/* The names thread answers in order: list i is of query i. */
static bool read_expand(struct house_asked *a)
{
	struct graphite_asked *g = a->own;
	const char *patterns[GRAPHITE_QUERIES];
	json_t *results = NULL;
	if (g->err.kind) {
		a->read = graphite_error_document(&g->err);
		return true;
	}
	texts(a, "query", patterns, GRAPHITE_QUERIES);
	if (flag(a, "groupByExpr")) {
		results = json_object();
		for (size_t i = 0; i < g->name_count; i++)
			json_object_set_new(results, patterns[i],
				paths_json(&g->names[i], 1, flag(a, "leavesOnly")));
	} else {
		results = paths_json(g->names, g->name_count, flag(a, "leavesOnly"));
	}
	json_t *value = json_pack("{s:o}", "results", results);
	a->read = graphite_json_document(value);
	json_decref(value);
	answers_free(g);
	return true;
}

/* --- lists ---------------------------------------------------------------------------------------
 */

static int begin_index(struct house_asked *a)
{
	own_new(a);
	return ask(a, &(struct graphite_naming){.about = GRAPHITE_ABOUT_INDEX});
}

static int begin_series(struct house_asked *a)
{
	struct graphite_asked *g = own_new(a);
	if (!json_array_size(json_object_get(a->args, "expr")))
		return wrong(g, "expr is missing: a tag expression such as name=cpu");
	return ask(a, &(struct graphite_naming){.about = GRAPHITE_ABOUT_SERIES});
}

static bool read_limit(struct house_asked *a, size_t *ret)
{
	struct graphite_asked *g = a->own;
	const char *text = parameter(a, "limit");
	int64_t n = 0;
	if (text && (!units_parse_int(slice_of(text), &n) || n < 1 || n > GRAPHITE_NODES))
		wrong(g, "limit: \"%.40s\" is no number from 1 to %d", text, GRAPHITE_NODES);
	*ret = (size_t)n;
	return !g->err.kind;
}

static int begin_tags(struct house_asked *a)
{
	struct graphite_naming q = {.about = GRAPHITE_ABOUT_TAGS};
	own_new(a);
	q.prefix = parameter(a, "tagPrefix");
	return read_limit(a, &q.limit) ? ask(a, &q) : 0;
}

static int begin_values(struct house_asked *a)
{
	struct graphite_naming q = {.about = GRAPHITE_ABOUT_VALUES};
	struct graphite_asked *g = own_new(a);
	q.tag = parameter(a, "tag");
	q.prefix = parameter(a, "valuePrefix");
	if (!q.tag)
		return wrong(g, "tag is missing");
	return read_limit(a, &q.limit) ? ask(a, &q) : 0;
}

static bool read_list(struct house_asked *a)
{
	struct graphite_asked *g = a->own;
	a->read = g->err.kind || !g->name_count ? graphite_error_document(&g->err)
						: graphite_json_document(g->names[0]);
	answers_free(g);
	return true;
}

/* --- what needs no series ------------------------------------------------------------------------
 */

static int begin_nothing(struct house_asked *a)
{
	own_new(a);
	return 0;
}

static bool read_functions(struct house_asked *a)
{
	json_t *all = graphite_functions(), *value = all, *f;
	const char *name, *group = parameter(a, "group");
	if (group || flag(a, "grouped")) {
		value = json_object();
		json_object_foreach (all, name, f) {
			const char *of = json_str(f, "group");
			json_t *to = flag(a, "grouped") ? json_object_get(value, of) : value;
			if (group && strcmp(group, of) != 0)
				continue;
			if (!to) {
				to = json_object();
				json_object_set_new(value, of, to);
			}
			json_object_set(to, name, f);
		}
		json_decref(all);
	}
	a->read = graphite_json_document(value);
	json_decref(value);
	return true;
}

static bool read_check(struct house_asked *a)
{
	struct buf text = BUF(BUF_LINE);
	buf_add_str(&text, "Ok\n");
	a->read = graphite_document(200, "text/plain; charset=utf-8", &text);
	buf_fini(&text);
	return true;
}

const struct house_question graphite_render_question = {
	"graphite_render", true, begin_render, read_render, end_document};
const struct house_question graphite_find_question = {
	"graphite_find", true, begin_find, read_find, end_document};
const struct house_question graphite_expand_question = {
	"graphite_expand", true, begin_expand, read_expand, end_document};
const struct house_question graphite_index_question = {
	"graphite_index", true, begin_index, read_list, end_document};
const struct house_question graphite_tags_question = {
	"graphite_tags", true, begin_tags, read_list, end_document};
const struct house_question graphite_values_question = {
	"graphite_values", true, begin_values, read_list, end_document};
const struct house_question graphite_series_question = {
	"graphite_series", true, begin_series, read_list, end_document};
const struct house_question graphite_functions_question = {
	"graphite_functions", true, begin_nothing, read_functions, end_document};
const struct house_question graphite_check_question = {
	"graphite_check", true, begin_nothing, read_check, end_document};
