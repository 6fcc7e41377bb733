/*
 * expr_eval.c - evaluation: typed, bounded in steps and bytes, pulling what it needs from the
 * scope.
 */

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
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

static enum expr_result eval_plain_node(
	struct evaluation *v, const struct node *n, struct value *ret)
{
	const enum expr_result r = eval_node(v, n, ret);
	return r == EXPR_OK ? eval_plain(v, ret) : r;
}

/* --- operators -----------------------------------------------------------------------------------
 */

static bool is_number(const struct value *v)
{
	return v->type == VALUE_INT || v->type == VALUE_REAL;
}

static double number(const struct value *v)
{
	return v->type == VALUE_INT ? (double)v->integer : v->real;
}

const char *op_text(enum op op)
{
	static const char *const texts[] = {"", "+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">",
		">=", "in", "&&", "||", "??"};
	return texts[op];
}

static enum expr_result bad_types(
	struct evaluation *v, const struct node *n, const struct value *a, const struct value *b)
{
	return eval_fail(v, n, "%s does not work between %s and %s", op_text(n->op),
		value_type_name(a->type), value_type_name(b->type));
}

static enum expr_result integers(
	struct evaluation *v, const struct node *n, int64_t a, int64_t b, int64_t *ret)
{
	bool over = false;
	switch ((int)n->op) {
	case OP_ADD: over = __builtin_add_overflow(a, b, ret); break;
	case OP_SUB: over = __builtin_sub_overflow(a, b, ret); break;
	case OP_MUL: over = __builtin_mul_overflow(a, b, ret); break;
	default:
		if (!b)
			return eval_fail(v, n, "division by zero");
		if (a == INT64_MIN && b == -1) {
			over = n->op == OP_DIV;
			*ret = 0;
		} else if (n->op == OP_DIV) {
			*ret = a / b - (a % b != 0 && (a < 0) != (b < 0)); /* rounds down */
		} else {
			*ret = a - b * (a / b - (a % b != 0 && (a < 0) != (b < 0)));
		}
	}
	return over ? eval_fail(v, n, "the result of %s is too large", op_text(n->op)) : EXPR_OK;
}

static enum expr_result reals(
	struct evaluation *v, const struct node *n, double a, double b, struct value *ret)
{
	double x = 0;
	switch ((int)n->op) {
	case OP_ADD: x = a + b; break;
	case OP_SUB: x = a - b; break;
	case OP_MUL: x = a * b; break;
	case OP_DIV:
	case OP_MOD:
		if (b == 0)
			return eval_fail(v, n, "division by zero");
		x = n->op == OP_DIV ? a / b : fmod(a, b);
		break;
	default: break;
	}
	if (!isfinite(x))
		return eval_fail(v, n, "the result of %s is too large", op_text(n->op));
	*ret = value_real(x);
	return EXPR_OK;
}

static enum expr_result join(struct evaluation *v, const struct node *n, const struct value *a,
	const struct value *b, struct value *ret)
{
	if (a->type == VALUE_LIST) {
		const size_t bytes = (value_count(a) + value_count(b)) * sizeof(struct value);
		if (!eval_spend(v, n, bytes))
			return EXPR_ERROR;
		*ret = value_list_new();
		for (size_t i = 0; i < value_count(a); i++)
			value_list_add(ret, value_copy(*value_item(a, i)));
		for (size_t i = 0; i < value_count(b); i++)
			value_list_add(ret, value_copy(*value_item(b, i)));
		return EXPR_OK;
	}
	struct buf text = BUF(EXPR_BYTES);
	buf_add_slice(&text, value_slice(a));
	buf_add_slice(&text, value_slice(b));
	const bool good = eval_spend(v, n, text.over ? EXPR_BYTES + 1 : text.n);
	if (good)
		*ret = value_text(buf_slice(&text));
	buf_fini(&text);
	return good ? EXPR_OK : EXPR_ERROR;
}

static bool is_share(const struct value *v)
{
	return v->type == VALUE_PERCENT || v->type == VALUE_RATE;
}

/* A percentage or rate with a number, or two of the same unit. */
static enum expr_result shares(struct evaluation *v, const struct node *n, const struct value *a,
	const struct value *b, struct value *ret)
{
	const bool scaling = n->op == OP_MUL || n->op == OP_DIV;
	const bool same = a->type == b->type && n->op != OP_MUL && n->op != OP_MOD;
	const bool by_number = scaling && is_number(b);
	const bool of_number = n->op == OP_MUL && is_number(a);
	if (!same && !by_number && !of_number)
		return bad_types(v, n, a, b);
	const enum expr_result r = reals(v, n, number(a), number(b), ret);
	if (r == EXPR_OK && !(same && n->op == OP_DIV))
		ret->type = of_number ? b->type : a->type;
	return r;
}

/* A time or size with a number, or two of the same unit. */
static enum expr_result units(struct evaluation *v, const struct node *n, const struct value *a,
	const struct value *b, struct value *ret)
{
	int64_t i = 0;
	if (a->type == b->type && n->op == OP_DIV)
		return reals(v, n, (double)a->integer, (double)b->integer, ret);
	const bool scaling = n->op == OP_MUL || n->op == OP_DIV;
	const bool same = a->type == b->type && !scaling;
	const bool by_number = scaling && is_number(b);
	const bool of_number = n->op == OP_MUL && is_number(a);
	if (!same && !by_number && !of_number)
		return bad_types(v, n, a, b);
	if (scaling && (a->type == VALUE_REAL || b->type == VALUE_REAL)) {
		const double x = of_number ? number(a) : (double)a->integer;
		const double y = of_number ? (double)b->integer : number(b);
		const enum expr_result r = reals(v, n, x, y, ret);
		if (r != EXPR_OK || fabs(ret->real) > 9e18)
			return r != EXPR_OK ? r : eval_fail(v, n, "the result is too large");
		i = (int64_t)ret->real;
	} else {
		const enum expr_result r = integers(v, n, a->integer, b->integer, &i);
		if (r != EXPR_OK)
			return r;
	}
	*ret = of_number ? *b : *a;
	ret->integer = i;
	return EXPR_OK;
}

static enum expr_result arithmetic(struct evaluation *v, const struct node *n,
	const struct value *a, const struct value *b, struct value *ret)
{
	if (n->op == OP_ADD && a->type == b->type &&
		(a->type == VALUE_TEXT || a->type == VALUE_LIST))
		return join(v, n, a, b, ret);
	if (a->type == VALUE_INT && b->type == VALUE_INT) {
		*ret = value_int(0);
		return integers(v, n, a->integer, b->integer, &ret->integer);
	}
	if (is_number(a) && is_number(b))
		return reals(v, n, number(a), number(b), ret);
	if (is_share(a) || is_share(b))
		return shares(v, n, a, b, ret);
	const bool unit_a = a->type == VALUE_TIME || a->type == VALUE_SIZE;
	const bool unit_b = b->type == VALUE_TIME || b->type == VALUE_SIZE;
	return unit_a || unit_b ? units(v, n, a, b, ret) : bad_types(v, n, a, b);
}

/* A measured text beside a value with a unit is read as one. */
static void adapt(struct value *text, const struct value *other)
{
	struct value v;
	if (text->type != VALUE_TEXT || other->type == VALUE_TEXT)
		return;
	if (!lex_literal(slice_trim(value_slice(text)), &v))
		return;
	if (v.type == other->type || (is_number(&v) && is_number(other))) {
		value_drop(text);
		*text = v;
	}
}

/* Two measurements beside each other are texts both: "9ms" is less than "1s". Numbers are left
 * alone, as texts of digits are often names. */
static void adapt_both(struct value *a, struct value *b)
{
	struct value x, y;
	if (a->type != VALUE_TEXT || b->type != VALUE_TEXT ||
		!lex_literal(slice_trim(value_slice(a)), &x) ||
		!lex_literal(slice_trim(value_slice(b)), &y) || x.type != y.type || is_number(&x))
		return;
	value_drop(a);
	value_drop(b);
	*a = x;
	*b = y;
}

static enum expr_result compare(struct evaluation *v, const struct node *n, struct value *a,
	struct value *b, struct value *ret)
{
	adapt(a, b);
	adapt(b, a);
	adapt_both(a, b);
	int order;
	if (a->type == VALUE_NULL || b->type == VALUE_NULL) {
		*ret = value_bool(false); /* what was not measured meets no limit */
		return EXPR_OK;
	}
	const bool real = is_share(a);
	/* Of a measured share "< 95" would always hold: nobody means it. */
	const bool strict = v->e->flags & EXPR_SERIES;
	if (a->type == VALUE_INT && b->type == VALUE_INT)
		order = (a->integer > b->integer) - (a->integer < b->integer);
	else if (is_number(a) && is_number(b))
		order = (number(a) > number(b)) - (number(a) < number(b));
	else if (a->type == b->type && (a->type == VALUE_TIME || a->type == VALUE_SIZE))
		order = (a->integer > b->integer) - (a->integer < b->integer);
	else if ((real && a->type == b->type) ||
		 (!strict && ((a->type == VALUE_PERCENT && is_number(b)) ||
				     (b->type == VALUE_PERCENT && is_number(a)))))
		order = (number(a) > number(b)) - (number(a) < number(b));
	else if (a->type == VALUE_TEXT && b->type == VALUE_TEXT)
		order = strcmp(value_slice(a).p, value_slice(b).p);
	else
		return bad_types(v, n, a, b);
	*ret = value_bool(n->op == OP_LT   ? order < 0
			  : n->op == OP_LE ? order <= 0
			  : n->op == OP_GT ? order > 0
					   : order >= 0);
	return EXPR_OK;
}

static enum expr_result contains(struct evaluation *v, const struct node *n, const struct value *a,
	const struct value *b, struct value *ret)
{
	bool found = false;
	if (b->type == VALUE_LIST) {
		for (size_t i = 0; i < value_count(b) && !found; i++) {
			if (!eval_spend(v, n, 0))
				return EXPR_ERROR;
			struct value item = value_copy(*value_item(b, i));
			const enum expr_result r = eval_plain(v, &item);
			found = r == EXPR_OK && value_equal(a, &item);
			value_drop(&item);
			if (r != EXPR_OK)
				return r;
		}
	} else if (b->type == VALUE_MAP && a->type == VALUE_TEXT) {
		found = value_field(b, value_slice(a)) != NULL;
	} else if (b->type == VALUE_TEXT && a->type == VALUE_TEXT) {
		found = slice_find_text(value_slice(b), value_slice(a)) < value_slice(b).n ||
			!value_slice(a).n;
	} else {
		return bad_types(v, n, a, b);
	}
	*ret = value_bool(found);
	return EXPR_OK;
}

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

static enum expr_result two(struct evaluation *v, const struct node *n, struct value *a,
	struct value *b, struct value *ret)
{
	if (n->op == OP_EQ || n->op == OP_NE) {
		*ret = value_bool(value_equal(a, b) == (n->op == OP_EQ));
		return EXPR_OK;
	}
	if (n->op == OP_IN)
		return contains(v, n, a, b, ret);
	if (n->op >= OP_LT && n->op <= OP_GE)
		return compare(v, n, a, b, ret);
	return arithmetic(v, n, a, b, ret);
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
			r = two(v, n, left, &b, &result);
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

/* --- access --------------------------------------------------------------------------------------
 */

static enum expr_result field_of(struct evaluation *v, const struct node *n, const struct value *a,
	struct slice field, struct value *ret)
{
	if (!eval_spend(v, n, 0))
		return EXPR_ERROR;
	if (a->type == VALUE_REF)
		return v->scope->field(v->scope->arg, a->ref, field, ret, v->err);
	if (a->type == VALUE_MAP) {
		const struct value *f = value_field(a, field);
		*ret = f ? value_copy(*f) : VALUE_NOTHING;
		return EXPR_OK;
	}
	if (a->type == VALUE_NULL) {
		*ret = VALUE_NOTHING;
		return EXPR_OK;
	}
	if (a->type != VALUE_LIST)
		return eval_fail(v, n, "%s has no field \"%.*s\"", value_type_name(a->type),
			SLICE_ARG(field));
	*ret = value_list_new(); /* of each item */
	for (size_t i = 0; i < value_count(a); i++) {
		struct value item = VALUE_NOTHING;
		const enum expr_result r = field_of(v, n, value_item(a, i), field, &item);
		if (r != EXPR_OK) {
			value_drop(ret);
			return r;
		}
		value_list_add(ret, item);
	}
	return EXPR_OK;
}

static enum expr_result item_of(struct evaluation *v, const struct node *n, const struct value *a,
	const struct value *at, struct value *ret)
{
	if (at->type == VALUE_TEXT)
		return field_of(v, n, a, value_slice(at), ret);
	if (at->type != VALUE_INT)
		return eval_fail(
			v, n, "an index is a number or a text, not %s", value_type_name(at->type));
	if (a->type == VALUE_REF)
		return v->scope->index(v->scope->arg, a->ref, at->integer, ret, v->err);
	if (a->type == VALUE_NULL)
		return EXPR_OK;
	if (a->type != VALUE_LIST)
		return eval_fail(v, n, "%s cannot be indexed", value_type_name(a->type));
	/* Striping: modulo the length, negative from the end; of an empty list null. */
	const int64_t count = (int64_t)value_count(a);
	const int64_t i = count ? (at->integer % count + count) % count : 0;
	*ret = count ? value_copy(*value_item(a, (size_t)i)) : VALUE_NOTHING;
	return EXPR_OK;
}

static enum expr_result all_of(
	struct evaluation *v, const struct node *n, const struct value *a, struct value *ret)
{
	if (a->type == VALUE_REF)
		return v->scope->all(v->scope->arg, a->ref, ret, v->err);
	if (a->type == VALUE_LIST) {
		*ret = value_copy(*a);
		return EXPR_OK;
	}
	if (a->type == VALUE_NULL) {
		*ret = value_list_new();
		return EXPR_OK;
	}
	return eval_fail(v, n, "[*] wants a list, not %s", value_type_name(a->type));
}

static bool is_measured(const struct node *n)
{
	while (n->type == NODE_FIELD || n->type == NODE_INDEX || n->type == NODE_ALL)
		n = n->a;
	return n->type == NODE_MEASURE;
}

/* The third of two is not the first again: only steps that are many go round. */
static bool is_beyond(const struct node *n, const struct value *a, const struct value *at)
{
	if (a->type != VALUE_LIST || at->type != VALUE_INT || !is_measured(n))
		return false;
	const int64_t count = (int64_t)value_count(a);
	return at->integer >= count || at->integer < -count;
}

/* What is measured has the form it has: an error page in the place of a document holds none of its
 * fields. That is no mistake of who asks for them. */
static bool holds_nothing(const struct node *n, const struct value *a)
{
	if (!is_measured(n))
		return false;
	if (a->type == VALUE_MAP)
		return n->type == NODE_ALL ||
		       (n->type == NODE_INDEX && n->b->type == NODE_LITERAL &&
			       n->b->value.type != VALUE_TEXT);
	return a->type != VALUE_LIST && a->type != VALUE_REF;
}

static enum expr_result access(struct evaluation *v, const struct node *n, struct value *ret)
{
	struct value a = VALUE_NOTHING, at = VALUE_NOTHING;
	enum expr_result r = eval_node(v, n->a, &a);
	if (r == EXPR_OK && holds_nothing(n, &a)) {
		value_drop(&a);
		a = VALUE_NOTHING;
	}
	if (r == EXPR_OK && n->type == NODE_FIELD)
		r = field_of(v, n, &a, n->text, ret);
	else if (r == EXPR_OK && n->type == NODE_ALL)
		r = all_of(v, n, &a, ret);
	else if (r == EXPR_OK) {
		r = eval_plain_node(v, n->b, &at);
		if (r == EXPR_OK && !is_beyond(n, &a, &at))
			r = item_of(v, n, &a, &at, ret);
	}
	value_drop(&a);
	value_drop(&at);
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
		r = arithmetic(v, n, &a, &b, ret);
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
	case NODE_ALL: return access(v, n, ret);
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
