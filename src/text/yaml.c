/*
 * yaml.c - a tree of marked nodes from libfyaml's events; see yaml.h.
 *
 * An alias shares the node it names: memory never grows with expansion. What a reader of the tree
 * would walk is counted instead, and refused beyond YAML_ALIAS_MAX, before anybody walks it.
 */

#include "text/yaml.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libfyaml.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/json.h"
#include "base/map.h"
#include "base/units.h"
#include "base/vec.h"

struct yaml_file {
	char *name;
	VEC(void *) memory; /* everything the trees consist of */
	VEC(struct yaml *) roots;
};

struct frame { /* a collection that is open */
	struct yaml *node;
	struct yaml *key; /* of a map, waiting for its value */
	size_t cap, weight;
	struct map seen;
};

struct builder {
	struct yaml_file *file;
	struct error_list *errors;
	VEC(struct frame) stack;
	struct map anchors; /* name -> struct yaml * */
	struct map weights; /* name -> nodes a walk of it meets */
	size_t expanded;
	unsigned line, col; /* where the document begins */
	bool tags;          /* they are kept */
	bool refused;
};

static void *keep(struct yaml_file *f, void *p)
{
	vec_push(&f->memory, p);
	return p;
}

static void refuse(
	struct builder *b, unsigned line, unsigned col, const char *fmt, const char *what)
{
	char text[300];
	snprintf(text, sizeof(text), "%s%s", fmt, what);
	error_list_at(b->errors, b->file->name, line, col, "%s", text);
	b->refused = true;
}

/* --- nodes ---------------------------------------------------------------------------------------
 */

static struct yaml *node_at(struct builder *b, enum yaml_kind kind, struct fy_token *t)
{
	const struct fy_mark *m = t ? fy_token_start_mark(t) : NULL;
	struct yaml *y = keep(b->file, mem_new(struct yaml));
	y->kind = kind;
	y->line = m ? (unsigned)m->line + 1 : 0;
	y->col = m ? (unsigned)m->column + 1 : 0;
	y->text = slice_of("");
	return y;
}

static void grow(struct builder *b, struct frame *f)
{
	struct yaml *y = f->node;
	if (y->n < f->cap)
		return;
	const size_t cap = f->cap ? f->cap * 2 : 8;
	struct yaml **items = keep(b->file, mem_new_array(cap, sizeof(*items)));
	struct yaml **keys = keep(b->file, mem_new_array(cap, sizeof(*keys)));
	if (y->n) {
		memcpy(items, y->items, y->n * sizeof(*items));
		if (y->keys)
			memcpy(keys, y->keys, y->n * sizeof(*keys));
	}
	y->items = items;
	y->keys = y->kind == YAML_MAP ? keys : NULL;
	f->cap = cap;
}

static void add_pair(struct builder *b, struct frame *f, struct yaml *key, struct yaml *value)
{
	grow(b, f);
	f->node->keys[f->node->n] = key;
	f->node->items[f->node->n++] = value;
}

/* `<<`: the pairs of the merged maps that the map has not itself (YAML 1.1's merge type). */
static void merge(struct builder *b, struct frame *f, const struct yaml *from)
{
	if (from->kind == YAML_LIST) {
		for (size_t i = 0; i < from->n; i++)
			merge(b, f, from->items[i]);
		return;
	}
	if (from->kind != YAML_MAP) {
		refuse(b, from->line, from->col, "`<<` merges a map, or a list of maps", "");
		return;
	}
	for (size_t i = 0; i < from->n; i++)
		if (!yaml_get(f->node, from->keys[i]->text.p))
			add_pair(b, f, from->keys[i], from->items[i]);
}

static void finish_merges(struct builder *b, struct frame *f)
{
	struct yaml *y = f->node;
	for (size_t i = 0; y->kind == YAML_MAP && i < y->n;) {
		if (!y->keys[i]->plain || !slice_is(y->keys[i]->text, "<<")) {
			i++;
			continue;
		}
		const struct yaml *from = y->items[i];
		memmove(&y->keys[i], &y->keys[i + 1], (y->n - i - 1) * sizeof(*y->keys));
		memmove(&y->items[i], &y->items[i + 1], (y->n - i - 1) * sizeof(*y->items));
		y->n--;
		merge(b, f, from);
	}
}

static void take_key(struct builder *b, struct frame *f, struct yaml *y)
{
	if (y->kind != YAML_SCALAR) {
		refuse(b, y->line, y->col, "a key must be text, not ", yaml_kind_name(y));
	} else if (map_put_slice(&f->seen, y->text, y) && !slice_is(y->text, "<<")) {
		refuse(b, y->line, y->col, "this key is there twice: ", y->text.p);
	}
	f->key = y;
}

/* Puts a finished node where it belongs. */
static void place(struct builder *b, struct yaml *y, size_t weight)
{
	if (!b->stack.n) {
		vec_push(&b->file->roots, y);
		return;
	}
	struct frame *f = &b->stack.p[b->stack.n - 1];
	f->weight += weight;
	if (f->node->kind == YAML_LIST) {
		grow(b, f);
		f->node->items[f->node->n++] = y;
	} else if (!f->key) {
		take_key(b, f, y);
	} else {
		add_pair(b, f, f->key, y);
		f->key = NULL;
	}
}

static void remember(struct builder *b, struct fy_token *anchor, struct yaml *y, size_t weight)
{
	size_t n = 0;
	const char *name = anchor ? fy_token_get_text(anchor, &n) : NULL;
	if (!name)
		return;
	map_put_slice(&b->anchors, slice_from(name, n), y);
	map_put_slice(&b->weights, slice_from(name, n), (void *)weight);
}

static void take_tag(struct builder *b, struct yaml *y, struct fy_token *tag)
{
	const struct fy_mark *m = tag ? fy_token_start_mark(tag) : NULL;
	size_t n = 0;
	const char *text = tag && b->tags ? fy_token_get_text(tag, &n) : NULL;
	if (text)
		y->tag = keep(b->file, mem_strndup(text, n));
	else if (m)
		refuse(b, (unsigned)m->line + 1, (unsigned)m->column + 1, "tags are not taken here",
			"");
}

/* --- events --------------------------------------------------------------------------------------
 */

static void open_collection(struct builder *b, enum yaml_kind kind, struct fy_token *start,
	struct fy_token *anchor, struct fy_token *tag)
{
	struct yaml *y = node_at(b, kind, start);
	take_tag(b, y, tag);
	if (b->stack.n >= YAML_DEPTH_MAX) {
		refuse(b, y->line, y->col, "nested too deeply: at most 64 levels", "");
		return;
	}
	/* Its anchor is known from the end on: an alias inside itself finds nothing. */
	struct frame *f = vec_add(&b->stack);
	f->node = y;
	f->weight = 1;
	if (anchor) {
		size_t n = 0;
		const char *name = fy_token_get_text(anchor, &n);
		char *copy = keep(b->file, mem_strndup(name, n));
		y->text = slice_of(copy); /* until close_collection() */
	}
}

static void close_collection(struct builder *b)
{
	assert(b->stack.p); /* libfyaml pairs its events */
	struct frame f = vec_pop(&b->stack);
	map_fini(&f.seen);
	if (f.node->text.n) {
		map_put_slice(&b->anchors, f.node->text, f.node);
		map_put_slice(&b->weights, f.node->text, (void *)f.weight);
		f.node->text = slice_of("");
	}
	finish_merges(b, &f);
	place(b, f.node, f.weight);
}

static void on_scalar(struct builder *b, struct fy_event *e)
{
	struct fy_token *t = e->scalar.value;
	struct yaml *y = node_at(b, YAML_SCALAR, t);
	size_t n = 0;
	const char *text = t ? fy_token_get_text(t, &n) : "";
	take_tag(b, y, e->scalar.tag);
	char *copy = keep(b->file, mem_strndup(text ? text : "", text ? n : 0));
	y->text = slice_from(copy, text ? n : 0);
	const enum fy_scalar_style style = t ? fy_scalar_token_get_style(t) : FYSS_PLAIN;
	y->plain = style == FYSS_PLAIN;
	if (y->col > 1 && (style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED))
		y->col--;             /* the mark lies behind the quote */
	if (!y->line && b->stack.n) { /* an empty value stands where its key does */
		const struct frame *f = &b->stack.p[b->stack.n - 1];
		y->line = f->key ? f->key->line : f->node->line;
		y->col = f->key ? f->key->col : f->node->col;
	} else if (!y->line) {
		y->line = b->line;
		y->col = b->col;
	}
	if (memchr(y->text.p, 0, y->text.n))
		refuse(b, y->line, y->col, "text may not hold a NUL character", "");
	remember(b, e->scalar.anchor, y, 1);
	place(b, y, 1);
}

static void on_alias(struct builder *b, struct fy_event *e)
{
	size_t n = 0;
	const char *name = fy_token_get_text(e->alias.anchor, &n);
	const struct fy_mark *m = fy_token_start_mark(e->alias.anchor);
	struct yaml *y = map_get_slice(&b->anchors, slice_from(name, n));
	const size_t weight = (size_t)map_get_slice(&b->weights, slice_from(name, n));
	const unsigned line = m ? (unsigned)m->line + 1 : 0, col = m ? (unsigned)m->column + 1 : 0;
	if (!y) {
		refuse(b, line, col, "no anchor of this name before it", "");
		return;
	}
	b->expanded += weight;
	if (b->expanded > YAML_ALIAS_MAX) {
		refuse(b, line, col, "aliases expand to more than 10000 nodes", "");
		return;
	}
	place(b, y, weight);
}

static void open_document(struct builder *b, struct fy_token *start)
{
	const struct fy_mark *m = start ? fy_token_start_mark(start) : NULL;
	map_fini(&b->anchors);
	map_fini(&b->weights);
	b->line = m ? (unsigned)m->line + 1 : 1; /* only the first can begin without its --- */
	b->col = m ? (unsigned)m->column + 1 : 1;
}

static void on_event(struct builder *b, struct fy_event *e)
{
	switch (e->type) {
	case FYET_MAPPING_START:
		open_collection(b, YAML_MAP, e->mapping_start.mapping_start,
			e->mapping_start.anchor, e->mapping_start.tag);
		break;
	case FYET_SEQUENCE_START:
		open_collection(b, YAML_LIST, e->sequence_start.sequence_start,
			e->sequence_start.anchor, e->sequence_start.tag);
		break;
	case FYET_MAPPING_END:
	case FYET_SEQUENCE_END: close_collection(b); break;
	case FYET_SCALAR: on_scalar(b, e); break;
	case FYET_ALIAS: on_alias(b, e); break;
	case FYET_DOCUMENT_START: open_document(b, e->document_start.document_start); break;
	case FYET_DOCUMENT_END:
	case FYET_STREAM_START:
	case FYET_STREAM_END:
	case FYET_NONE: break;
	}
}

/* --- parsing -------------------------------------------------------------------------------------
 */

static void collect(struct builder *b, struct fy_diag *diag)
{
	void *at = NULL;
	const struct fy_diag_error *e;
	bool any = false;
	while ((e = fy_diag_errors_iterate(diag, &at))) {
		any = true;
		error_list_at(b->errors, b->file->name, e->line > 0 ? (unsigned)e->line : 0,
			e->column > 0 ? (unsigned)e->column : 0, "%s",
			e->msg ? e->msg : "not YAML");
	}
	if (!any)
		error_list_at(b->errors, b->file->name, 0, 0, "not YAML");
	b->refused = true;
}

static void parse(struct builder *b, struct slice text)
{
	struct fy_diag_cfg dcfg;
	fy_diag_cfg_default(&dcfg);
	dcfg.fp = NULL;
	dcfg.level = FYET_ERROR;
	struct fy_diag *diag = fy_diag_create(&dcfg);
	fy_diag_set_collect_errors(diag, true);
	const struct fy_parse_cfg cfg = {.flags = FYPCF_COLLECT_DIAG, .diag = diag};
	struct fy_parser *p = fy_parser_create(&cfg);
	struct fy_event *e;
	if (!p || fy_parser_set_string(p, text.p, text.n) != 0)
		mem_panic("libfyaml cannot start");
	while (!b->refused && (e = fy_parser_parse(p))) {
		const bool last = e->type == FYET_STREAM_END;
		on_event(b, e);
		fy_parser_event_free(p, e);
		if (last)
			break;
	}
	if (!b->refused && fy_parser_get_stream_error(p))
		collect(b, diag);
	fy_parser_destroy(p);
	fy_diag_destroy(diag);
}

/* Finds the byte that no character of one to four bytes begins with. */
static void refuse_bytes(struct builder *b, struct slice text)
{
	unsigned line = 1, col = 1;
	size_t n;
	for (size_t i = 0; i < text.n; i += n) {
		for (n = 1; n <= 4 && !utf8_valid(slice_sub(text, i, n)); n++)
			;
		if (n > 4)
			break;
		line += text.p[i] == '\n';
		col = text.p[i] == '\n' ? 1 : col + 1;
	}
	refuse(b, line, col, "not UTF-8", "");
}

static struct yaml_file *parse_file(
	struct slice text, const char *name, bool tags, struct error_list *errors)
{
	struct yaml_file *f = mem_new(struct yaml_file);
	struct builder b = {.file = f, .errors = errors, .tags = tags};
	f->name = mem_strdup(name);
	if (text.n > YAML_SIZE_MAX)
		refuse(&b, 0, 0, "over the limit of 1 MiB for a YAML file", "");
	else if (!utf8_valid(text))
		refuse_bytes(&b, text);
	else
		parse(&b, text);
	VEC_EACH (&b.stack, struct frame, fr) {
		map_fini(&fr->seen);
	}
	vec_fini(&b.stack);
	map_fini(&b.anchors);
	map_fini(&b.weights);
	if (!b.refused)
		return f;
	yaml_free(f);
	return NULL;
}

struct yaml_file *yaml_parse(struct slice text, const char *name, struct error_list *errors)
{
	return parse_file(text, name, false, errors);
}

struct yaml_file *yaml_parse_tagged(struct slice text, const char *name, struct error_list *errors)
{
	return parse_file(text, name, true, errors);
}

static struct yaml_file *load_file(const char *path, bool tags, struct error_list *errors)
{
	struct error err = {0};
	struct stat st;
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0 || S_ISDIR(st.st_mode)) {
		error_sys(&err, fd >= 0 && S_ISDIR(st.st_mode) ? EISDIR : errno, "cannot read");
		error_list_at(errors, path, 0, 0, "%s", err.msg);
		if (fd >= 0)
			close(fd);
		return NULL;
	}
	struct buf text = BUF(YAML_SIZE_MAX + 1);
	char piece[16384];
	ssize_t n;
	while ((n = read(fd, piece, sizeof(piece))) > 0 && !text.over)
		buf_add(&text, piece, (size_t)n);
	close(fd);
	struct yaml_file *f = NULL;
	if (n < 0)
		error_list_at(errors, path, 0, 0, "cannot read: %s", strerror(errno));
	else if (text.over)
		error_list_at(errors, path, 0, 0, "over the limit of 1 MiB for a YAML file");
	else
		f = parse_file(buf_slice(&text), path, tags, errors);
	buf_fini(&text);
	return f;
}

struct yaml_file *yaml_load(const char *path, struct error_list *errors)
{
	return load_file(path, false, errors);
}

struct yaml_file *yaml_load_tagged(const char *path, struct error_list *errors)
{
	return load_file(path, true, errors);
}

void yaml_free(struct yaml_file *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->memory.n; i++)
		free(f->memory.p[i]);
	vec_fini(&f->memory);
	vec_fini(&f->roots);
	free(f->name);
	free(f);
}

/* --- reading -------------------------------------------------------------------------------------
 */

const char *yaml_name(const struct yaml_file *f)
{
	return f->name;
}

size_t yaml_documents(const struct yaml_file *f)
{
	return f->roots.n;
}

const struct yaml *yaml_root(const struct yaml_file *f, size_t document)
{
	return f->roots.p[document];
}

const struct yaml *yaml_get(const struct yaml *map, const char *key)
{
	if (!map || map->kind != YAML_MAP)
		return NULL;
	for (size_t i = 0; i < map->n; i++)
		if (slice_is(map->keys[i]->text, key))
			return map->items[i];
	return NULL;
}

bool yaml_is_null(const struct yaml *y)
{
	if (y->kind != YAML_SCALAR || !y->plain)
		return false;
	return !y->text.n || slice_is(y->text, "~") || slice_is(y->text, "null") ||
	       slice_is(y->text, "Null") || slice_is(y->text, "NULL");
}

bool yaml_bool(const struct yaml *y, bool *ret)
{
	if (y->kind != YAML_SCALAR || !y->plain)
		return false;
	*ret = slice_is(y->text, "true") || slice_is(y->text, "True") || slice_is(y->text, "TRUE");
	return *ret || slice_is(y->text, "false") || slice_is(y->text, "False") ||
	       slice_is(y->text, "FALSE");
}

bool yaml_int(const struct yaml *y, int64_t *ret)
{
	return y->kind == YAML_SCALAR && y->plain && units_parse_int(y->text, ret);
}

bool yaml_real(const struct yaml *y, double *ret)
{
	return y->kind == YAML_SCALAR && y->plain && units_parse_real(y->text, ret);
}

static json_t *scalar_json(const struct yaml *y)
{
	bool b;
	int64_t i;
	double x;
	if (yaml_is_null(y))
		return json_null();
	if (yaml_bool(y, &b))
		return json_boolean(b);
	if (yaml_int(y, &i))
		return json_integer(i);
	if (yaml_real(y, &x))
		return json_real(x);
	return json_stringn(y->text.p, y->text.n);
}

json_t *yaml_json(const struct yaml *y)
{
	if (y->kind == YAML_SCALAR)
		return scalar_json(y);
	json_t *j = y->kind == YAML_MAP ? json_object() : json_array();
	for (size_t i = 0; i < y->n; i++) {
		if (y->kind == YAML_MAP)
			json_object_set_new(j, y->keys[i]->text.p, yaml_json(y->items[i]));
		else
			json_array_append_new(j, yaml_json(y->items[i]));
	}
	return j;
}

const char *yaml_kind_name(const struct yaml *y)
{
	if (y->kind == YAML_MAP)
		return "a map";
	if (y->kind == YAML_LIST)
		return "a list";
	bool b;
	double x;
	if (yaml_is_null(y))
		return "nothing";
	if (yaml_bool(y, &b))
		return "true or false";
	return yaml_real(y, &x) ? "a number" : "text";
}
