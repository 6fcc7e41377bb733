#include "import/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"

#define PATH_TEXT 300

/* --- nodes ------------------------------------------------------------------------------------ */

struct import_node import_root(const struct import *in, size_t file, size_t document)
{
	const struct yaml_file *f = in->files.p[file];
	return (struct import_node){.y = yaml_root(f, document), .file = yaml_name(f)};
}

struct import_node import_get(const struct import_node *map, const char *key)
{
	struct import_node n = {.up = map, .file = map->file};
	if (!map->y || map->y->kind != YAML_MAP)
		return n;
	for (size_t i = 0; i < map->y->n; i++)
		if (slice_is(map->y->keys[i]->text, key)) {
			n.key = map->y->keys[i];
			n.y = map->y->items[i];
			n.index = i;
		}
	return n;
}

struct import_node import_item(const struct import_node *of, size_t i)
{
	return (struct import_node){.up = of,
		.key = of->y->kind == YAML_MAP ? of->y->keys[i] : NULL,
		.y = of->y->items[i],
		.index = i,
		.file = of->file};
}

size_t import_size(const struct import_node *n)
{
	return n->y && n->y->kind != YAML_SCALAR ? n->y->n : 0;
}

static void add_path(const struct import_node *n, struct buf *out)
{
	if (!n->up)
		return;
	add_path(n->up, out);
	if (n->key)
		buf_printf(out, "%s%.60s", out->n ? "." : "", n->key->text.p);
	else if (n->y)
		buf_printf(out, "[%zu]", n->index);
}

const char *import_path(const struct import_node *n, char *text, size_t size)
{
	struct buf out = BUF(BUF_LINE);
	add_path(n, &out);
	snprintf(text, size, "%s", out.n ? buf_str(&out) : "the document");
	buf_fini(&out);
	return text;
}

/* --- values ----------------------------------------------------------------------------------- */

/* What a tag makes of it only who knows the tag can tell; texts it may say of what is text. */
static bool is_plain(const struct yaml *y)
{
	return !y->tag || !strcmp(y->tag, "tag:yaml.org,2002:str");
}

const char *import_text(const struct import_node *n)
{
	return n->y && is_plain(n->y) && n->y->kind == YAML_SCALAR && !yaml_is_null(n->y)
		       ? n->y->text.p
		       : NULL;
}

bool import_flag(const struct import_node *n)
{
	bool says = false;
	int64_t number; /* databases keep 0 and 1 */
	return n->y &&
	       ((yaml_bool(n->y, &says) && says) || (yaml_int(n->y, &number) && number != 0));
}

bool import_whole(const struct import_node *n, int64_t *ret)
{
	return n->y && n->y->kind == YAML_SCALAR && units_parse_int(n->y->text, ret);
}

bool import_time(const struct import_node *n, int64_t *ret_ns)
{
	const char *text = import_text(n);
	int64_t weeks;
	if (!text)
		return false;
	if (units_parse_time(slice_of(text), ret_ns))
		return true;
	const struct slice all = slice_of(text);
	if (!slice_ends(all, "w") || !units_parse_int(slice_sub(all, 0, all.n - 1), &weeks) ||
		weeks < 0 || weeks > 1000)
		return false;
	*ret_ns = weeks * 7 * 24 * 3600 * NS_PER_S;
	return true;
}

/* --- what became of them ---------------------------------------------------------------------- */

static void tell(struct import *in, const struct import_node *n, enum import_fate fate,
	const char *fmt, ...) like_printf(4, 5);

/* Where it is told of, and what it is known by: values may be aliases of one another. */
static const struct yaml *mark_of(const struct import_node *n)
{
	return n->key ? n->key : n->y;
}

static void vtell(struct import *in, const struct import_node *n, enum import_fate fate,
	const char *fmt, va_list ap) like_printf(4, 0);

static void vtell(struct import *in, const struct import_node *n, enum import_fate fate,
	const char *fmt, va_list ap)
{
	char path[PATH_TEXT];
	const struct yaml *mark = mark_of(n);
	struct import_note *note = import_note_in(in->report, fate, n->file, mark->line, mark->col,
		import_path(n, path, sizeof(path)), fmt, ap);
	note->whole = n->y->kind != YAML_SCALAR;
}

static void tell(
	struct import *in, const struct import_node *n, enum import_fate fate, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vtell(in, n, fate, fmt, ap);
	va_end(ap);
}

void import_tell(
	struct import *in, const struct import_node *n, enum import_fate fate, const char *fmt, ...)
{
	if (!n->y)
		return;
	va_list ap;
	va_start(ap, fmt);
	vtell(in, n, fate, fmt, ap);
	va_end(ap);
	vec_push(&in->told, mark_of(n));
}

void import_answer(struct import *in, const struct import_node *map,
	const struct import_answer *table, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct import_node it = import_get(map, table[i].key);
		import_tell(in, &it, table[i].fate, "%s", table[i].why);
	}
}

/* --- the rest --------------------------------------------------------------------------------- */

static int by_address(const void *va, const void *vb)
{
	const struct yaml *const *a = va, *const *b = vb;
	return (*a > *b) - (*a < *b);
}

static bool is_told(const struct import *in, const struct import_node *n)
{
	const struct yaml *mark = mark_of(n);
	return in->told.n &&
	       bsearch(&mark, in->told.p, in->told.n, sizeof(*in->told.p), by_address);
}

static bool is_told_below(const struct import *in, const struct import_node *n)
{
	for (size_t i = 0; i < import_size(n); i++) {
		const struct import_node item = import_item(n, i);
		if (is_told(in, &item) || is_told_below(in, &item))
			return true;
	}
	return false;
}

/* A part nobody looked into is told of once; of one that somebody did, what he left. */
static void tell_rest(struct import *in, const struct import_node *n)
{
	if (is_told(in, n))
		return;
	if (!is_told_below(in, n)) {
		tell(in, n, IMPORT_DROPPED,
			is_plain(n->y) ? "the importer does not know it"
				       : "a value with a tag that says what it is");
		return;
	}
	for (size_t i = 0; i < n->y->n; i++) {
		const struct import_node item = import_item(n, i);
		tell_rest(in, &item);
	}
}

void import_rest(struct import *in)
{
	if (in->told.n)
		qsort(in->told.p, in->told.n, sizeof(*in->told.p), by_address);
	for (size_t i = 0; i < in->files.n; i++)
		for (size_t d = 0; d < yaml_documents(in->files.p[i]); d++) {
			const struct import_node root = import_root(in, i, d);
			for (size_t k = 0; k < import_size(&root); k++) {
				const struct import_node item = import_item(&root, k);
				tell_rest(in, &item);
			}
			if (root.y->kind == YAML_SCALAR && !is_told(in, &root) &&
				!yaml_is_null(root.y))
				tell(in, &root, IMPORT_DROPPED, "the importer does not know it");
		}
}
