/*
 * expr_operator.c - what operators make of two plain values: numbers, units, texts and lists.
 */

#include <math.h>
#include <string.h>

#include "text/expr_tree.h"

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

enum expr_result operator_apply(struct evaluation *v, const struct node *n, struct value *a,
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
