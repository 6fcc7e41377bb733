/*
 * objectstore_list.c - listings of accounts and containers: as text, JSON or XML; in the order of
 * their bytes; whole, or what lies below a prefix, with what follows a delimiter folded into
 * "subdirs".
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "sim/objectstore.h"

#define LIMIT 10000

static const char *argument(const struct call *c, const char *name)
{
	const char *value = call_query(c, name);

	return value ? value : "";
}

/* --- which form --------------------------------------------------------------------------------
 */

static enum listing by_accept(const struct call *c)
{
	static const struct {
		const char *type;
		enum listing form;
	} types[] = {{"text/plain", LISTING_TEXT}, {"application/json", LISTING_JSON},
		{"application/xml", LISTING_XML}, {"text/xml", LISTING_XML}};
	enum listing best = LISTING_NONE;
	int most = 0;

	if (!c->accept || !*c->accept)
		return LISTING_TEXT;
	for (size_t i = 0; i < array_len(types); i++)
		if (call_welcomes(c, types[i].type) > most) {
			most = call_welcomes(c, types[i].type);
			best = types[i].form;
		}
	return best;
}

enum listing objectstore_listing(struct call *c)
{
	const char *format = argument(c, "format");
	char *end;

	if (strtol(argument(c, "limit"), &end, 10) > LIMIT && !*end) {
		call_text(c, 412, "text/html; charset=UTF-8", "Maximum limit is 10000");
		return LISTING_NONE;
	}
	if (!strcmp(format, "json"))
		return LISTING_JSON;
	if (!strcmp(format, "xml"))
		return LISTING_XML;
	const enum listing form = *format ? LISTING_TEXT : by_accept(c);
	if (form == LISTING_NONE)
		objectstore_page(c, 406);
	else if (!*format)
		call_header(c, "Vary", "Accept");
	return form;
}

/* --- which entries -----------------------------------------------------------------------------
 */

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct entry *)a)->name, ((const struct entry *)b)->name);
}

static int by_name_back(const void *a, const void *b)
{
	return by_name(b, a);
}

struct wanted {
	char *prefix; /* owned */
	const char *delimiter, *marker, *end_marker;
	long limit;
	bool reverse;
	bool path; /* the old `path`: no subdirs */
};

static bool is_true(const char *text)
{
	static const char *const words[] = {"true", "1", "yes", "on", "t", "y"};

	for (size_t i = 0; i < array_len(words); i++)
		if (slice_is_nocase(slice_of(text), words[i]))
			return true;
	return false;
}

static struct wanted read_wanted(const struct call *c)
{
	struct wanted w = {.prefix = mem_strdup(argument(c, "prefix")),
		.delimiter = argument(c, "delimiter"),
		.marker = argument(c, "marker"),
		.end_marker = argument(c, "end_marker"),
		.reverse = is_true(argument(c, "reverse")),
		.path = call_query(c, "path")};
	const char *path = argument(c, "path"), *limit = argument(c, "limit");
	char *end;

	w.limit = strtol(limit, &end, 10);
	if (!*limit || *end || w.limit < 0)
		w.limit = LIMIT;
	if (w.path) {
		const char *slash = !*path || path[strlen(path) - 1] == '/' ? "" : "/";
		free(w.prefix);
		w.prefix = mem_printf("%s%s", path, slash);
		w.delimiter = "/";
	}
	return w;
}

static bool between(const struct wanted *w, const char *name)
{
	const int order = w->reverse ? -1 : 1;

	return (!*w->marker || strcmp(name, w->marker) * order > 0) &&
	       (!*w->end_marker || strcmp(name, w->end_marker) * order < 0) &&
	       !strncmp(name, w->prefix, strlen(w->prefix));
}

/* What the name is folded into, owned, or NULL. */
static char *subdir(const struct wanted *w, const char *name)
{
	const char *at = *w->delimiter ? strstr(name + strlen(w->prefix), w->delimiter) : NULL;

	return at ? mem_strndup(name, (size_t)(at - name) + strlen(w->delimiter)) : NULL;
}

/* Appends what is listed of an entry; `last` is the subdir that came before, owned. */
static void add(const struct wanted *w, struct entry *e, char **last, json_t *out)
{
	char *dir = subdir(w, e->name);

	if (!dir) {
		json_array_append(out, e->row);
		return;
	}
	if (!w->path && strcmp(dir, w->marker) && (!*last || strcmp(dir, *last)))
		json_array_append_new(out, json_pack("{s:s}", "subdir", dir));
	free(*last);
	*last = dir;
}

/* --- how they are shown ------------------------------------------------------------------------
 */

static const char *name_of(const json_t *row)
{
	const char *name = json_str(row, "name");

	return name ? name : json_str(row, "subdir");
}

static void add_escaped(struct buf *out, const char *s)
{
	for (; *s; s++)
		switch (*s) {
		case '&': buf_add_str(out, "&amp;"); break;
		case '<': buf_add_str(out, "&lt;"); break;
		case '>': buf_add_str(out, "&gt;"); break;
		case '"': buf_add_str(out, "&quot;"); break;
		default: buf_add_char(out, *s);
		}
}

static void add_member(struct buf *out, const char *key, const json_t *value)
{
	buf_printf(out, "<%s>", key);
	if (json_is_integer(value))
		buf_printf(out, "%lld", (long long)json_integer_value(value));
	else
		add_escaped(out, json_string_value(value));
	buf_printf(out, "</%s>", key);
}

/* Rows of an account end in a new line, those of a container do not. */
static void add_xml_row(struct buf *out, bool account, const json_t *row)
{
	static const char *const members[] = {
		"name", "hash", "count", "bytes", "content_type", "last_modified"};
	const char *dir = json_str(row, "subdir");
	const char *tag = account ? "container" : "object", *end = account ? "\n" : "";

	if (dir) {
		buf_add_str(out, "<subdir name=\"");
		add_escaped(out, dir);
		buf_add_str(out, "\">");
		add_member(out, "name", json_object_get(row, "subdir"));
		buf_printf(out, "</subdir>%s", end);
		return;
	}
	buf_printf(out, "<%s>", tag);
	for (size_t i = 0; i < array_len(members); i++)
		if (json_object_get(row, members[i]))
			add_member(out, members[i], json_object_get(row, members[i]));
	buf_printf(out, "</%s>%s", tag, end);
}

static void answer_xml(struct call *c, const char *what, const char *name, const json_t *list)
{
	const bool account = !strcmp(what, "account");
	struct buf out = BUF(BUF_ANSWER);
	size_t i;
	json_t *row;

	buf_printf(&out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<%s name=\"", what);
	add_escaped(&out, name);
	buf_add_str(&out, account ? "\">\n" : "\">");
	json_array_foreach (list, i, row)
		add_xml_row(&out, account, row);
	buf_printf(&out, "</%s>", what);
	call_text(c, 200, "application/xml; charset=utf-8", buf_str(&out));
	buf_fini(&out);
}

static void answer_text(struct call *c, const json_t *list)
{
	struct buf out = BUF(BUF_ANSWER);
	size_t i;
	json_t *row;

	json_array_foreach (list, i, row)
		buf_printf(&out, "%s\n", name_of(row));
	call_text(c, out.n ? 200 : 204, "text/plain; charset=utf-8", buf_str(&out));
	buf_fini(&out);
}

void objectstore_list(struct call *c, enum listing form, const char *what, const char *name,
	struct entry *entries, size_t n)
{
	struct wanted w = read_wanted(c);
	json_t *list = json_array();
	char *last = NULL;

	if (n > 0)
		qsort(entries, n, sizeof(*entries), w.reverse ? by_name_back : by_name);
	for (size_t i = 0; i < n; i++) {
		if (between(&w, entries[i].name) && (long)json_array_size(list) < w.limit)
			add(&w, &entries[i], &last, list);
		json_decref(entries[i].row);
	}
	if (form == LISTING_XML) {
		answer_xml(c, what, name, list);
	} else if (form == LISTING_JSON) {
		call_json(c, 200, json_incref(list));
		c->type = "application/json; charset=utf-8";
	} else {
		answer_text(c, list);
	}
	json_decref(list);
	free(last);
	free(w.prefix);
}
