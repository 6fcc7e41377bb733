/*
 * expr_eval.c - evaluation: typed, bounded in steps and bytes, pulling what it needs from the
 * scope.
 */

#include <stdio.h>
#include <string.h>

#include "text/expr_tree.h"

enum expr_result eval_fail(struct evaluation *v, const struct node *n, const char *fmt, ...)
{
	char text[500];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	const struct expr *e = v->e;
	const unsigned col = e->col + (unsigned)utf8_length(slice_sub(slice_of(e->text), 0, n->at));
	error_at(v->err, e->file, e->line, e->col ? col : 0, "%s", text);
	return EXPR_ERROR;
}

bool eval_spend(struct evaluation *v, const struct node *n, size_t bytes)
{
	v->steps++;
	v->bytes += bytes;
	if (v->steps <= EXPR_STEPS && v->bytes <= EXPR_BYTES)
		return true;
	eval_fail(v, n, "this expression takes more than its budget of %s",
		v->steps > EXPR_STEPS ? "100000 steps" : "4 MiB");
	v->err->kind = ERROR_LIMIT;
	return false;
}

enum expr_result eval_plain(struct evaluation *v, struct value *value)
{
	if (value->type != VALUE_REF)
		return EXPR_OK;
	struct value plain = VALUE_NOTHING;
	const enum expr_result r = v->scope->plain(v->scope->arg, value->ref, &plain, v->err);
	value_drop(value);
	*value = plain;
	return r;
}

enum expr_result eval_plain_node(struct evaluation *v, const struct node *n, struct value *ret)
{
	const enum expr_result r = eval_node(v, n, ret);
	return r == EXPR_OK ? eval_plain(v, ret) : r;
}

/* --- operators -----------------------------------------------------------------------------------
 */

static enum expr_result equals_regex(
	struct evaluation *v, const struct node *n, const struct value *a, bool *ret)
{
	struct buf text = BUF(EXPR_BYTES);
	value_write(&text, a);
	const enum regex_result r = regex_find(n->regex, buf_slice(&text), NULL);
	buf_fini(&text);
	*ret = r == REGEX_FOUND && a->type != VALUE_NULL;
	if (r != REGEX_ENDLESS)
		return EXPR_OK;
	eval_fail(v, n, "re() gave up: the pattern takes too long over the text");
	v->err->kind = ERROR_LIMIT;
	return EXPR_ERROR;
}

/* [X] == pat(*a*), [X] == re(a+) and [X] == any(a, b). */
static enum expr_result equals_call(
	struct evaluation *v, const struct node *n, const struct value *a, bool *ret)
{
	*ret = false;
	if (n->regex)
		return equals_regex(v, n, a, ret);
	for (size_t i = 0; i < n->items.n && !*ret; i++) {
		struct value b = VALUE_NOTHING;
		const enum expr_result r = eval_plain_node(v, n->items.p[i], &b);
		if (r == EXPR_OK && slice_is(n->text, "any"))
			*ret = value_equal(a, &b);
		else if (r == EXPR_OK && b.type == VALUE_TEXT) {
			struct buf text = BUF(EXPR_BYTES);
			value_write(&text, a);
			*ret = function_glob(value_slice(&b), buf_slice(&text));
			buf_fini(&text);
		}
		value_drop(&b);
		if (r != EXPR_OK)
			return r;
	}
	return EXPR_OK;
}

/* Takes `x`, which `n` yielded. */
static enum expr_result as_condition(
	struct evaluation *v, const struct node *n, struct value *x, bool *ret)
{
	enum expr_result r = eval_plain(v, x);
	if (r == EXPR_OK && !value_condition(x, ret))
		r = eval_fail(v, n, "expected true or false, found %s", value_type_name(x->type));
	value_drop(x);
	return r;
}

static enum expr_result condition(struct evaluation *v, const struct node *n, bool *ret)
{
	struct value x = VALUE_NOTHING;
	const enum expr_result r = eval_node(v, n, &x);
	return r == EXPR_OK ? as_condition(v, n, &x, ret) : r;
}

static enum expr_result logic(struct evaluation *v, const struct node *n, struct value *left)
{
	bool x = false;
	enum expr_result r = as_condition(v, n->a, left, &x);
	if (r == EXPR_OK && x == (n->op == OP_AND))
		r = condition(v, n->b, &x);
	*left = value_bool(x);
	return r;
}

/* Kleene's: what is absent decides nothing. */
static enum expr_result logic_both(
	struct evaluation *v, const struct node *n, enum expr_result r, struct value *left)
{
	bool x = false, y = false;
	const bool decides = n->op == OP_OR;
	if (r == EXPR_OK)
		r = as_condition(v, n->a, left, &x);
	const enum expr_result right = condition(v, n->b, &y);
	if (r == EXPR_ERROR || right == EXPR_ERROR)
		return EXPR_ERROR;
	*left = value_bool(decides);
	if ((r == EXPR_OK && x == decides) || (right == EXPR_OK && y == decides))
		return EXPR_OK;
	*left = value_bool(!decides);
	return r != EXPR_OK ? r : right;
}

static enum expr_result otherwise(
	struct evaluation *v, const struct node *n, enum expr_result r, struct value *left)
{
	if (r == EXPR_OK && left->type == VALUE_REF) {
		/* A name alone asks nothing of its step: only its id tells that it is absent. */
		struct value id = VALUE_NOTHING;
		struct error any = {0};
		if (v->scope->plain(v->scope->arg, left->ref, &id, &any) == EXPR_ABSENT)
			r = EXPR_ABSENT;
		value_drop(&id);
	}
	if (r == EXPR_OK && left->type != VALUE_NULL)
		return r;
	if (r != EXPR_OK && r != EXPR_ABSENT)
		return r;
	value_drop(left);
	return eval_node(v, n->b, left);
}

static bool is_pattern(const struct node *n)
{
	return n->type == NODE_CALL &&
	       (n->regex || slice_is(n->text, "pat") || slice_is(n->text, "any"));
}

enum expr_result eval_as_written(struct evaluation *v, const struct node *n, struct value *measured)
{
	struct value text = VALUE_NOTHING;
	if (n->type != NODE_MEASURE || !v->scope->written || measured->type == VALUE_NULL ||
		measured->type == VALUE_TEXT)
		return EXPR_OK;
	const enum expr_result r = v->scope->written(v->scope->arg, n->text, &text, v->err);
	if (r == EXPR_OK && text.type != VALUE_NULL) {
		value_drop(measured);
		*measured = text;
	}
	return r;
}

static bool is_document(const struct value *v)
{
	return v->type == VALUE_MAP || v->type == VALUE_LIST;
}

static bool is_text(const struct node *n)
{
	return (n->type == NODE_LITERAL && n->value.type == VALUE_TEXT) || n->type == NODE_CONCAT;
}

/* Puts what `n` yields in the place of what its left side has yielded: `r` and *left. */
static enum expr_result operate(
	struct evaluation *v, const struct node *n, enum expr_result r, struct value *left)
{
	struct value b = VALUE_NOTHING, result = VALUE_NOTHING;
	bool same = false;
	if (n->op == OP_ELSE)
		return otherwise(v, n, r, left);
	if ((v->e->flags & EXPR_SERIES) && (n->op == OP_AND || n->op == OP_OR) && r != EXPR_ERROR)
		return logic_both(v, n, r, left);
	if (r != EXPR_OK)
		return r;
	if (n->op == OP_AND || n->op == OP_OR)
		return logic(v, n, left);
	r = eval_plain(v, left);
	const bool alike = n->op == OP_EQ || n->op == OP_NE;
	if (r == EXPR_OK && alike && (is_pattern(n->b) || (is_text(n->b) && is_document(left))))
		r = eval_as_written(v, n->a, left);
	if (r == EXPR_OK && alike && is_pattern(n->b)) {
		r = equals_call(v, n->b, left, &same);
		result = value_bool(same == (n->op == OP_EQ));
	} else if (r == EXPR_OK) {
		r = eval_plain_node(v, n->b, &b);
		if (r == EXPR_OK)
			r = operator_apply(v, n, left, &b, &result);
	}
	value_drop(left);
	value_drop(&b);
	*left = result;
	return r;
}

/* 1 + 2 + 3 … leans to the left and may be thousands long: a list, not the stack, holds the way
 * back. */
static enum expr_result binary(struct evaluation *v, const struct node *n, struct value *ret)
{
	VEC(const struct node *) chain = {0};
	bool within = true;
	for (; n->type == NODE_BINARY && within; n = n->a) {
		within = !chain.n || eval_spend(v, n, 0);
		vec_push(&chain, n);
	}
	enum expr_result r = within ? eval_node(v, n, ret) : EXPR_ERROR;
	while (within && chain.n)
		r = operate(v, vec_pop(&chain), r, ret);
	vec_fini(&chain);
	return r;
}

/* --- the rest ------------------------------------------------------------------------------------
 */

static enum expr_result collection(struct evaluation *v, const struct node *n, struct value *ret)
{
	*ret = n->type == NODE_LIST ? value_list_new() : value_map_new();
	for (size_t i = 0; i < n->items.n; i++) {
		struct value item = VALUE_NOTHING;
		const enum expr_result r = eval_node(v, n->items.p[i], &item);
		if (r != EXPR_OK) {
			value_drop(&item);
			value_drop(ret);
			return r;
		}
		if (n->type == NODE_LIST)
			value_list_add(ret, item);
		else
			value_map_put(ret, n->keys.p[i], item);
	}
	return EXPR_OK;
}

static enum expr_result concat(struct evaluation *v, const struct node *n, struct value *ret)
{
	struct buf text = BUF(EXPR_BYTES);
	enum expr_result r = EXPR_OK;
	for (size_t i = 0; i < n->items.n && r == EXPR_OK; i++) {
		struct value item = VALUE_NOTHING;
		r = eval_plain_node(v, n->items.p[i], &item);
		if (r == EXPR_OK)
			value_write(&text, &item);
		value_drop(&item);
	}
	if (r == EXPR_OK && !eval_spend(v, n, text.over ? EXPR_BYTES + 1 : text.n))
		r = EXPR_ERROR;
	if (r == EXPR_OK)
		*ret = value_text(buf_slice(&text));
	buf_fini(&text);
	return r;
}

static enum expr_result minus(struct evaluation *v, const struct node *n, struct value *ret)
{
	const enum expr_result r = eval_plain_node(v, n->a, ret);
	if (r != EXPR_OK)
		return r;
	if (ret->type == VALUE_REAL) {
		ret->real = -ret->real;
	} else if (ret->type == VALUE_INT || ret->type == VALUE_TIME || ret->type == VALUE_SIZE) {
		if (ret->integer == INT64_MIN)
			return eval_fail(v, n, "the result of - is too large");
		ret->integer = -ret->integer;
	} else {
		return eval_fail(v, n, "- wants a number, not %s", value_type_name(ret->type));
	}
	return EXPR_OK;
}

/* ceil(a / b) of whole numbers: what `/` would have rounded down is rounded up instead. */
static enum expr_result ceil_of_quotient(
	struct evaluation *v, const struct node *n, struct value *ret)
{
	struct value a = VALUE_NOTHING, b = VALUE_NOTHING;
	enum expr_result r = eval_plain_node(v, n->a, &a);
	if (r == EXPR_OK)
		r = eval_plain_node(v, n->b, &b);
	if (r == EXPR_OK)
		r = operator_apply(v, n, &a, &b, ret);
	if (r == EXPR_OK && a.type == VALUE_INT && b.type == VALUE_INT)
		ret->integer += a.integer % b.integer != 0;
	value_drop(&a);
	value_drop(&b);
	return r;
}

static enum expr_result call(struct evaluation *v, const struct node *n, struct value *ret)
{
	struct value args[8];
	size_t min, max, count = 0;
	enum expr_result r = EXPR_OK;
	if (n->items.n > array_len(args))
		return eval_fail(v, n, "too many arguments");
	for (; count < n->items.n && r == EXPR_OK; count++) {
		const struct node *arg = n->items.p[count];
		args[count] = VALUE_NOTHING;
		r = arg->op == OP_DIV && slice_is(n->text, "ceil")
			    ? ceil_of_quotient(v, arg, &args[count])
			    : eval_node(v, arg, &args[count]);
	}
	if (r == EXPR_OK && !(v->e->flags & EXPR_SERIES) && function_known(n->text, &min, &max))
		r = function_call(v, n, args, count, ret);
	else if (r == EXPR_OK && v->scope->call)
		r = v->scope->call(v->scope->arg, n->text, args, count, ret, v->err);
	else if (r == EXPR_OK)
		r = eval_fail(v, n, "unknown function %.*s", SLICE_ARG(n->text));
	for (size_t i = 0; i < count; i++)
		value_drop(&args[i]);
	if (r == EXPR_ERROR && v->err && !v->err->line && v->err->msg[0]) {
		char text[ERROR_TEXT]; /* the scope does not know where it was called */
		memcpy(text, v->err->msg, sizeof(text));
		return eval_fail(v, n, "%.480s", text);
	}
	return r;
}

enum expr_result eval_node(struct evaluation *v, const struct node *n, struct value *ret)
{
	bool yes = false;
	enum expr_result r;
	if (!eval_spend(v, n, 0))
		return EXPR_ERROR;
	switch (n->type) {
	case NODE_LITERAL: *ret = value_copy(n->value); return EXPR_OK;
	case NODE_NAME:
		if (!v->scope->name)
			return eval_fail(v, n, "unknown name \"%.*s\"", SLICE_ARG(n->text));
		r = v->scope->name(v->scope->arg, n->text, ret, v->err);
		if (r == EXPR_ERROR && v->err && !v->err->line) {
			char text[ERROR_TEXT];
			memcpy(text, v->err->msg, sizeof(text));
			eval_fail(v, n, "%.480s", text);
		}
		return r;
	case NODE_MEASURE:
		if (!v->scope->measurement)
			return eval_fail(v, n, "[%.*s] is not measured here", SLICE_ARG(n->text));
		return v->scope->measurement(v->scope->arg, n->text, ret, v->err);
	case NODE_FIELD:
	case NODE_INDEX:
	case NODE_ALL: return access_eval(v, n, ret);
	case NODE_LIST:
	case NODE_MAP: return collection(v, n, ret);
	case NODE_NOT:
		r = condition(v, n->a, &yes);
		*ret = value_bool(!yes);
		return r;
	case NODE_MINUS: return minus(v, n, ret);
	case NODE_BINARY: return binary(v, n, ret);
	case NODE_CHOICE:
		r = condition(v, n->a, &yes);
		return r == EXPR_OK ? eval_node(v, yes ? n->b : n->c, ret) : r;
	case NODE_CALL: return call(v, n, ret);
	case NODE_CONCAT: return concat(v, n, ret);
	}
	return EXPR_ERROR;
}

enum expr_result expr_eval(
	const struct expr *e, const struct expr_scope *scope, struct value *ret, struct error *err)
{
	struct error own = {0};
	struct evaluation v = {.e = e, .scope = scope, .err = err ? err : &own};
	*ret = VALUE_NOTHING;
	const enum expr_result r = eval_node(&v, e->root, ret);
	if (r != EXPR_OK)
		value_drop(ret);
	return r;
}
