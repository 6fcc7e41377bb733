/*
 * world_body.c - evaluating bodies in an element's scope.
 *
 * A verb that acts on a step, or logs in to one, finds it as a reference in the whole body or under
 * one of a few keys; everywhere else, and everywhere in what is sent to a cloud, a reference has
 * become its object's id. In symbolic mode each scalar is evaluated by itself, so that one that
 * only the run can know does not spoil the rest.
 */

#include <string.h>

#include "observe/scenario/worlds.h"

/* --- references ------------------------------------------------------------------------------- */

static bool keeps_refs(struct slice key)
{
	static const char *const keys[] = {"of", "to", "from", "on", "key", "via"};
	for (size_t i = 0; i < array_len(keys); i++)
		if (slice_is(key, keys[i]))
			return true;
	return false;
}

/* The whole of a single step is its element; of many it is nothing. */
static enum expr_result settle_ref(struct world_scope *s, struct value *v, struct error *err)
{
	struct element *e;
	if (v->ref.object >= SYMBOL_BASE)
		return EXPR_OK;
	const enum expr_result r = scope_element(s, v->ref, &e, err);
	if (r == EXPR_OK && v->ref.element < 0)
		v->ref.element = 0;
	return r;
}

static enum expr_result settle(
	struct world_scope *s, struct value *v, enum settle how, unsigned depth, struct error *err)
{
	enum expr_result r = EXPR_OK;
	if (v->type == VALUE_REF && how == SETTLE_PLAIN) {
		struct value id = VALUE_NOTHING;
		r = s->scope.plain(s->scope.arg, v->ref, &id, err);
		if (r == EXPR_OK)
			*v = id;
		return r;
	}
	if (v->type == VALUE_REF)
		return settle_ref(s, v, err);
	if (v->type != VALUE_LIST && v->type != VALUE_MAP)
		return EXPR_OK;
	const bool list = v->type == VALUE_LIST;
	struct value out = list ? value_list_new() : value_map_new();
	for (size_t i = 0; i < value_count(v) && r == EXPR_OK; i++) {
		struct value item = value_copy(list ? *value_item(v, i) : *value_at(v, i));
		enum settle inner = how;
		if (how == SETTLE_VERB && !(depth == 0 && (list || keeps_refs(value_key(v, i)))))
			inner = SETTLE_PLAIN;
		/* `among` names several: its list is as the body of a verb that names several */
		const bool several = how == SETTLE_VERB && !list && depth == 0 &&
				     slice_is(value_key(v, i), "among");
		r = settle(s, &item, several ? SETTLE_VERB : inner, several ? 0 : depth + 1, err);
		if (list)
			value_list_add(&out, item);
		else
			value_map_put(&out, value_key(v, i), item);
	}
	value_drop(v);
	*v = out;
	return r;
}

enum expr_result world_settle(
	struct world_scope *s, struct value *v, enum settle how, struct error *err)
{
	return settle(s, v, how, 0, err);
}

/* --- symbolic mode ---------------------------------------------------------------------------- */

static enum expr_result symbolic_items(
	struct world_scope *s, const struct interp *t, struct value *ret, struct error *err)
{
	const bool map = interp_is_map(t);
	struct value out = map ? value_map_new() : value_list_new();
	for (size_t i = 0; i < interp_count(t); i++) {
		const struct interp *child = interp_item(t, i);
		struct value item = VALUE_NOTHING;
		const enum expr_result r = world_symbolic(s, child, &item, err);
		if (r != EXPR_OK) {
			value_drop(&item);
			value_drop(&out);
			return r;
		}
		if (item.type == VALUE_NULL && !interp_constant(child))
			continue;
		if (map)
			value_map_put(&out, slice_of(interp_key(t, i)), item);
		else
			value_list_add(&out, item);
	}
	*ret = out;
	return EXPR_OK;
}

enum expr_result world_symbolic(
	struct world_scope *s, const struct interp *t, struct value *ret, struct error *err)
{
	if (interp_is_map(t) || interp_is_list(t))
		return symbolic_items(s, t, ret, err);
	const bool before = s->unknown;
	s->unknown = false;
	enum expr_result r = interp_eval(t, &s->scope, ret, err);
	const bool computed = ret->type == VALUE_BOOL || ret->type == VALUE_INT ||
			      ret->type == VALUE_REAL || ret->type == VALUE_NULL;
	if (s->unknown && (r == EXPR_ERROR || (r == EXPR_OK && computed))) {
		value_drop(ret);
		*ret = value_str("<known in the run>");
		r = EXPR_OK;
	}
	s->unknown = s->unknown || before;
	return r;
}

/* --- bodies ----------------------------------------------------------------------------------- */

static enum expr_result evaluate(struct world *w, struct element *e, const struct interp *t,
	enum settle how, struct value *ret, struct error *err)
{
	struct world_scope scope;
	struct error own = {0};
	err = err ? err : &own;
	world_scope_init(&scope, w, e, NULL);
	*ret = VALUE_NOTHING;
	enum expr_result r = w->options.symbolic ? world_symbolic(&scope, t, ret, err)
						 : interp_eval(t, &scope.scope, ret, err);
	if (r == EXPR_OK)
		r = settle(&scope, ret, how, 0, err);
	if (r != EXPR_OK)
		value_drop(ret);
	if (r == EXPR_ERROR && !err->line) { /* what was asked of a ref knows no place */
		unsigned line, col;
		char text[ERROR_TEXT];
		memcpy(text, err->msg, sizeof(text));
		interp_place(t, &line, &col);
		error_at(err, e ? w->steps[e->step].step->file : w->scenario->file, line, col,
			"%.1000s", text);
	}
	return r;
}

enum expr_result world_body(struct world *w, struct element *e, const struct interp *t,
	struct value *ret, struct error *err)
{
	const struct step *step = w->steps[e->step].step;
	const bool sent =
		t == step->body &&
		(step->verb == VERB_CREATE || step->verb == VERB_FIND || step->verb == VERB_CALL);
	return evaluate(w, e, t, sent ? SETTLE_PLAIN : SETTLE_VERB, ret, err);
}

enum expr_result world_body_json(
	struct world *w, struct element *e, const struct interp *t, json_t **ret, struct error *err)
{
	struct value v = VALUE_NOTHING;
	const enum expr_result r = evaluate(w, e, t, SETTLE_PLAIN, &v, err);
	if (r == EXPR_OK)
		*ret = value_json(&v);
	value_drop(&v);
	return r;
}
