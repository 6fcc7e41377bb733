/*
 * interpolate.c - documents with ${expressions}: parsed once, evaluated often; see interpolate.h.
 */

#include "text/interpolate.h"

#include <string.h>

#include "text/expr_tree.h"

struct interp {
	enum yaml_kind kind;
	unsigned line, col;
	/* a scalar: one of these */
	struct value literal;   /* without any expression */
	bool written_null;      /* a literal null is sent, one that was computed removes */
	struct expr *expr;      /* exactly one ${} */
	struct interp **pieces; /* text among ${}s: literals and expressions in order */
	/* lists and maps */
	struct interp **items;
	char **keys;
	size_t n;
};

static struct interp *interp_new(enum yaml_kind kind, unsigned line, unsigned col)
{
	struct interp *t = mem_new(struct interp);
	t->kind = kind;
	t->line = line;
	t->col = col;
	return t;
}

void interp_free(struct interp *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n; i++) {
		if (t->items)
			interp_free(t->items[i]);
		if (t->pieces)
			interp_free(t->pieces[i]);
		if (t->keys)
			free(t->keys[i]);
	}
	free(t->items);
	free(t->pieces);
	free(t->keys);
	expr_free(t->expr);
	value_drop(&t->literal);
	free(t);
}

/* --- parsing -------------------------------------------------------------------------------------
 */

static void add_piece(struct interp *t, struct interp *piece)
{
	/* room for twice as many whenever a power of two is full: a text may have 100,000 pieces */
	if ((t->n & (t->n - 1)) == 0)
		t->pieces = mem_resize(t->pieces, t->n ? 2 * t->n : 1, sizeof(*t->pieces));
	t->pieces[t->n++] = piece;
}

static void add_plain(struct interp *t, struct buf *plain)
{
	if (!plain->n)
		return;
	struct interp *piece = interp_new(YAML_SCALAR, t->line, t->col);
	piece->literal = value_text(buf_slice(plain));
	buf_clear(plain);
	add_piece(t, piece);
}

/* Where reading a text has come to: offsets only grow, so each byte is counted once. */
struct column {
	size_t at;
	unsigned col;
	bool lost; /* in a text of several lines columns mean nothing, its first line stands */
};

static unsigned column_at(
	const struct interp *t, struct slice text, size_t at, struct column *before)
{
	const struct slice piece = slice_sub(text, before->at, at - before->at);
	before->lost = before->lost || slice_find(piece, '\n') < piece.n;
	before->col += (unsigned)utf8_length(piece);
	before->at = at;
	return before->lost ? t->col : before->col;
}

static bool parse_pieces(
	struct interp *t, struct slice text, bool quoted, const char *file, struct error *err)
{
	struct buf plain = BUF(YAML_SIZE_MAX);
	struct column column = {.col = t->col + quoted};
	bool good = true;
	for (size_t i = 0; i < text.n && good;) {
		const struct slice rest = slice_sub(text, i, text.n);
		if (slice_starts(rest, "$${")) {
			buf_add_str(&plain, "${");
			i += 3;
		} else if (slice_starts(rest, "${")) {
			const size_t close = lex_close(text, i + 2);
			const unsigned col = column_at(t, text, i, &column);
			if (close > text.n) {
				error_at(err, file, t->line, col, "this ${ has no closing }");
				good = false;
				break;
			}
			add_plain(t, &plain);
			struct interp *piece = interp_new(YAML_SCALAR, t->line, col);
			piece->expr = expr_parse(slice_sub(text, i + 2, close - i - 3), 0, file,
				t->line, col + 2, err);
			good = piece->expr != NULL;
			add_piece(t, piece);
			i = close;
		} else {
			buf_add_char(&plain, text.p[i++]);
		}
	}
	if (good)
		add_plain(t, &plain);
	buf_fini(&plain);
	return good;
}

/* One ${} alone, or text without any, needs no pieces. */
static void simplify(struct interp *t)
{
	if (t->n == 0) {
		t->literal = value_text(slice_of(""));
		return;
	}
	if (t->n > 1)
		return;
	struct interp *only = t->pieces[0];
	t->expr = only->expr;
	t->literal = only->literal;
	only->expr = NULL;
	only->literal = VALUE_NOTHING;
	interp_free(only);
	free(t->pieces);
	t->pieces = NULL;
	t->n = 0;
}

static struct interp *parse_scalar(
	const struct yaml *y, const char *file, struct error_list *errors)
{
	struct interp *t = interp_new(YAML_SCALAR, y->line, y->col);
	struct error err = {0};
	if (slice_find_text(y->text, SLICE("${")) == y->text.n) {
		json_t *j = yaml_json(y);
		t->literal = value_from_json(j);
		t->written_null = json_is_null(j);
		json_decref(j);
		return t;
	}
	if (parse_pieces(t, y->text, !y->plain, file, &err)) {
		simplify(t);
		return t;
	}
	error_list_add(errors, &err);
	interp_free(t);
	return NULL;
}

struct interp *interp_parse(const struct yaml *y, const char *file, struct error_list *errors)
{
	if (y->kind == YAML_SCALAR)
		return parse_scalar(y, file, errors);
	struct interp *t = interp_new(y->kind, y->line, y->col);
	bool good = true;
	t->items = mem_new_array(y->n, sizeof(*t->items));
	if (y->kind == YAML_MAP)
		t->keys = mem_new_array(y->n, sizeof(*t->keys));
	for (size_t i = 0; i < y->n; i++) {
		struct interp *item = interp_parse(y->items[i], file, errors);
		good = good && item;
		if (!item)
			continue;
		if (t->keys)
			t->keys[t->n] = slice_dup(y->keys[i]->text);
		t->items[t->n++] = item;
	}
	if (good)
		return t;
	interp_free(t);
	return NULL;
}

struct interp *interp_parse_text(
	struct slice text, const char *file, unsigned line, unsigned col, struct error *err)
{
	struct interp *t = interp_new(YAML_SCALAR, line, col);
	if (parse_pieces(t, text, false, file, err)) {
		simplify(t);
		return t;
	}
	interp_free(t);
	return NULL;
}

/* --- looking at it -------------------------------------------------------------------------------
 */

void interp_place(const struct interp *t, unsigned *ret_line, unsigned *ret_col)
{
	*ret_line = t->line;
	*ret_col = t->col;
}

const struct interp *interp_get(const struct interp *map, const char *key)
{
	for (size_t i = 0; map && map->keys && i < map->n; i++)
		if (!strcmp(map->keys[i], key))
			return map->items[i];
	return NULL;
}

size_t interp_count(const struct interp *t)
{
	return t->items ? t->n : 0;
}

const struct interp *interp_item(const struct interp *t, size_t i)
{
	return t->items[i];
}

const char *interp_key(const struct interp *map, size_t i)
{
	return map->keys[i];
}

bool interp_is_map(const struct interp *t)
{
	return t->kind == YAML_MAP;
}

bool interp_is_list(const struct interp *t)
{
	return t->kind == YAML_LIST;
}

bool interp_constant(const struct interp *t)
{
	if (t->expr || t->pieces)
		return false;
	for (size_t i = 0; t->items && i < t->n; i++)
		if (!interp_constant(t->items[i]))
			return false;
	return true;
}

void interp_names(
	const struct interp *t, void (*cb)(void *arg, const struct expr_use *use), void *arg)
{
	if (t->expr)
		expr_names(t->expr, cb, arg);
	for (size_t i = 0; i < t->n; i++)
		interp_names(t->items ? t->items[i] : t->pieces[i], cb, arg);
}

void interp_functions(const struct interp *t,
	void (*cb)(void *arg, struct slice function, size_t args, unsigned line, unsigned col),
	void *arg)
{
	if (t->expr)
		expr_functions(t->expr, cb, arg);
	for (size_t i = 0; i < t->n; i++)
		interp_functions(t->items ? t->items[i] : t->pieces[i], cb, arg);
}

/* --- evaluation ----------------------------------------------------------------------------------
 */

struct evaluating {
	const struct expr_scope *scope;
	struct error *err;
	bool plain; /* refs become their plain values */
};

static enum expr_result make_plain(const struct evaluating *v, struct value *value);

static enum expr_result plain_list(const struct evaluating *v, struct value *value)
{
	struct value out = value_list_new();
	enum expr_result r = EXPR_OK;
	for (size_t i = 0; i < value_count(value) && r == EXPR_OK; i++) {
		struct value item = value_copy(*value_item(value, i));
		r = make_plain(v, &item);
		value_list_add(&out, item);
	}
	value_drop(value);
	*value = out;
	return r;
}

static enum expr_result plain_map(const struct evaluating *v, struct value *value)
{
	struct value out = value_map_new();
	enum expr_result r = EXPR_OK;
	for (size_t i = 0; i < value_count(value) && r == EXPR_OK; i++) {
		struct value item = value_copy(*value_at(value, i));
		r = make_plain(v, &item);
		value_map_put(&out, value_key(value, i), item);
	}
	value_drop(value);
	*value = out;
	return r;
}

static enum expr_result make_plain(const struct evaluating *v, struct value *value)
{
	if (value->type == VALUE_LIST)
		return plain_list(v, value);
	if (value->type == VALUE_MAP)
		return plain_map(v, value);
	if (value->type != VALUE_REF)
		return EXPR_OK;
	struct value plain = VALUE_NOTHING;
	const enum expr_result r = v->scope->plain(v->scope->arg, value->ref, &plain, v->err);
	value_drop(value);
	*value = plain;
	return r;
}

static enum expr_result eval(const struct evaluating *v, const struct interp *t, struct value *ret);

static enum expr_result eval_text(
	const struct evaluating *v, const struct interp *t, struct value *ret)
{
	const struct evaluating plain = {v->scope, v->err, true};
	struct buf text = BUF(EXPR_BYTES);
	enum expr_result r = EXPR_OK;
	for (size_t i = 0; i < t->n && r == EXPR_OK; i++) {
		struct value item = VALUE_NOTHING;
		r = eval(&plain, t->pieces[i], &item);
		value_write(&text, &item);
		value_drop(&item);
	}
	if (r == EXPR_OK && text.over) {
		error_set(v->err, ERROR_LIMIT, "the text is over 4 MiB");
		r = EXPR_ERROR;
	}
	if (r == EXPR_OK)
		*ret = value_text(buf_slice(&text));
	buf_fini(&text);
	return r;
}

static enum expr_result eval_items(
	const struct evaluating *v, const struct interp *t, struct value *ret)
{
	struct value out = t->keys ? value_map_new() : value_list_new();
	for (size_t i = 0; i < t->n; i++) {
		struct value item = VALUE_NOTHING;
		const enum expr_result r = eval(v, t->items[i], &item);
		if (r != EXPR_OK) {
			value_drop(&item);
			value_drop(&out);
			return r;
		}
		if (item.type == VALUE_NULL && !t->items[i]->written_null)
			continue; /* what an expression makes null is left out */
		if (t->keys)
			value_map_put(&out, slice_of(t->keys[i]), item);
		else
			value_list_add(&out, item);
	}
	*ret = out;
	return EXPR_OK;
}

static enum expr_result eval(const struct evaluating *v, const struct interp *t, struct value *ret)
{
	enum expr_result r = EXPR_OK;
	*ret = VALUE_NOTHING;
	if (t->items)
		return eval_items(v, t, ret);
	if (t->pieces)
		return eval_text(v, t, ret);
	if (!t->expr) {
		*ret = value_copy(t->literal);
		return EXPR_OK;
	}
	r = expr_eval(t->expr, v->scope, ret, v->err);
	if (r == EXPR_OK && v->plain)
		r = make_plain(v, ret);
	return r;
}

enum expr_result interp_eval(const struct interp *t, const struct expr_scope *scope,
	struct value *ret, struct error *err)
{
	struct error own = {0};
	const struct evaluating v = {scope, err ? err : &own, false};
	const enum expr_result r = eval(&v, t, ret);
	if (r != EXPR_OK)
		value_drop(ret);
	return r;
}

enum expr_result interp_eval_json(
	const struct interp *t, const struct expr_scope *scope, json_t **ret, struct error *err)
{
	struct error own = {0};
	const struct evaluating v = {scope, err ? err : &own, true};
	struct value value = VALUE_NOTHING;
	const enum expr_result r = eval(&v, t, &value);
	if (r == EXPR_OK)
		*ret = value_json(&value);
	value_drop(&value);
	return r;
}
