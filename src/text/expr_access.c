/*
 * expr_access.c - fields, items and all of a value, or of what the scope refers to.
 */

#include "text/expr_tree.h"

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

enum expr_result access_eval(struct evaluation *v, const struct node *n, struct value *ret)
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
