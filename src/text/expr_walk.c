/*
 * expr_walk.c - what an expression uses, and what it saw when a condition did not hold.
 */

#include "text/expr_tree.h"

struct walk {
	const struct expr *e;
	void (*use)(void *arg, const struct expr_use *use);
	void (*call)(void *arg, struct slice function, size_t args, unsigned line, unsigned col);
	void (*word)(void *arg, struct slice text);
	void (*measure)(void *arg, struct slice name, unsigned line, unsigned col);
	void *arg;
};

static unsigned column(const struct expr *e, const struct node *n)
{
	return e->col ? e->col + (unsigned)utf8_length(slice_sub(slice_of(e->text), 0, n->at)) : 0;
}

static void walk(
	const struct walk *w, const struct node *n, const struct node *above, bool optional)
{
	if (!n)
		return;
	if (n->type == NODE_NAME && w->use) {
		const struct expr_use use = {
			.name = n->text,
			.line = w->e->line,
			.col = column(w->e, n),
			.needs_all = above && above->type == NODE_ALL,
			.indexed = above && above->type == NODE_INDEX && above->a == n,
			.optional = optional,
		};
		w->use(w->arg, &use);
	}
	if (n->type == NODE_CALL && w->call)
		w->call(w->arg, n->text, n->items.n, w->e->line, column(w->e, n));
	if (n->type == NODE_LITERAL && n->value.type == VALUE_TEXT && w->word)
		w->word(w->arg, value_slice(&n->value));
	if (n->type == NODE_MEASURE && w->measure)
		w->measure(w->arg, n->text, w->e->line, column(w->e, n));
	const bool left = optional || (n->type == NODE_BINARY && n->op == OP_ELSE);
	walk(w, n->a, n, left);
	walk(w, n->b, n, optional);
	walk(w, n->c, n, optional);
	for (size_t i = 0; i < n->items.n; i++)
		walk(w, n->items.p[i], n, optional);
}

void expr_names(const struct expr *e, void (*cb)(void *arg, const struct expr_use *use), void *arg)
{
	const struct walk w = {.e = e, .use = cb, .arg = arg};
	walk(&w, e->root, NULL, false);
}

void expr_functions(const struct expr *e,
	void (*cb)(void *arg, struct slice function, size_t args, unsigned line, unsigned col),
	void *arg)
{
	const struct walk w = {.e = e, .call = cb, .arg = arg};
	walk(&w, e->root, NULL, false);
}

void expr_texts(const struct expr *e, void (*cb)(void *arg, struct slice text), void *arg)
{
	const struct walk w = {.e = e, .word = cb, .arg = arg};
	walk(&w, e->root, NULL, false);
}

void expr_measurements(const struct expr *e,
	void (*cb)(void *arg, struct slice name, unsigned line, unsigned col), void *arg)
{
	const struct walk w = {.e = e, .measure = cb, .arg = arg};
	walk(&w, e->root, NULL, false);
}

struct calls {
	const struct expr *e;
	void (*cb)(void *arg, const struct expr_call *call);
	void *arg;
};

static void walk_calls(const struct calls *c, const struct node *n);

static struct expr_call call_of(const struct expr *e, const struct node *n)
{
	struct expr_call call = {
		.function = n->text, .line = e->line, .col = column(e, n), .n = n->items.n};
	for (size_t i = 0; i < n->items.n && i < EXPR_CALL_ARGS; i++)
		if (n->items.p[i]->type == NODE_LITERAL)
			call.args[i] = &n->items.p[i]->value;
	return call;
}

static void walk_calls(const struct calls *c, const struct node *n)
{
	if (!n)
		return;
	walk_calls(c, n->a);
	walk_calls(c, n->b);
	walk_calls(c, n->c);
	for (size_t i = 0; i < n->items.n; i++)
		walk_calls(c, n->items.p[i]);
	if (n->type != NODE_CALL)
		return;
	struct expr_call call = call_of(c->e, n), inner;
	if (n->items.n && n->items.p[0]->type == NODE_CALL) {
		inner = call_of(c->e, n->items.p[0]);
		call.inner = &inner;
	}
	c->cb(c->arg, &call);
}

void expr_calls(
	const struct expr *e, void (*cb)(void *arg, const struct expr_call *call), void *arg)
{
	const struct calls c = {e, cb, arg};
	walk_calls(&c, e->root);
}

/* --- units ---------------------------------------------------------------------------------------
 */

static bool has_unit(enum value_type type)
{
	return type == VALUE_TIME || type == VALUE_SIZE || type == VALUE_PERCENT;
}

/* Texts are read as what they are beside, and null is what was not measured. */
static bool fits(enum value_type measured, const struct node *n)
{
	const enum value_type type = n->value.type;
	return n->type != NODE_LITERAL || type == VALUE_TEXT || type == VALUE_NULL ||
	       type == measured;
}

/* The first literal that does not fit: the side itself, or one of a list or of any(). */
static const struct node *misfit(enum value_type measured, const struct node *side)
{
	if (!fits(measured, side))
		return side;
	if (side->type == NODE_LIST || (side->type == NODE_CALL && slice_is(side->text, "any")))
		for (size_t i = 0; i < side->items.n; i++)
			if (!fits(measured, side->items.p[i]))
				return side->items.p[i];
	return NULL;
}

static const struct node *against(enum value_type (*type_of)(struct slice name),
	const struct node *measure, const struct node *side, enum value_type *ret_type)
{
	*ret_type = measure->type == NODE_MEASURE ? type_of(measure->text) : VALUE_NULL;
	return has_unit(*ret_type) ? misfit(*ret_type, side) : NULL;
}

static bool units_fit(const struct expr *e, const struct node *n,
	enum value_type (*type_of)(struct slice name), struct error *err)
{
	if (!n)
		return true;
	if (n->type == NODE_BINARY && n->op >= OP_EQ && n->op <= OP_IN) {
		enum value_type type;
		const struct node *wrong = against(type_of, n->a, n->b, &type);
		if (!wrong)
			wrong = against(type_of, n->b, n->a, &type);
		if (wrong) {
			struct evaluation v = {.e = e, .err = err};
			eval_fail(&v, n, "%s does not work between %s and %s", op_text(n->op),
				value_type_name(type), value_type_name(wrong->value.type));
			return false;
		}
	}
	return units_fit(e, n->a, type_of, err) && units_fit(e, n->b, type_of, err) &&
	       units_fit(e, n->c, type_of, err);
}

bool expr_units(
	const struct expr *e, enum value_type (*type_of)(struct slice name), struct error *err)
{
	return units_fit(e, e->root, type_of, err);
}

/* --- explaining ----------------------------------------------------------------------------------
 */

#define EXPLAIN_MAX 200

/* The path a person wrote: [BODY].status, server[0].name. */
static void write_path(struct buf *out, const struct node *n)
{
	if (n->type == NODE_MEASURE) {
		buf_printf(out, "[%.*s]", SLICE_ARG(n->text));
	} else if (n->type == NODE_NAME) {
		buf_add_slice(out, n->text);
	} else if (n->type == NODE_FIELD) {
		write_path(out, n->a);
		buf_printf(out, ".%.*s", SLICE_ARG(n->text));
	} else if (n->type == NODE_ALL) {
		write_path(out, n->a);
		buf_add_str(out, "[*]");
	} else if (n->type == NODE_INDEX) {
		write_path(out, n->a);
		buf_add_char(out, '[');
		if (n->b->type == NODE_LITERAL)
			value_write(out, &n->b->value);
		else
			write_path(out, n->b);
		buf_add_char(out, ']');
	}
}

/* Its first EXPLAIN_MAX bytes, whole characters of them. What came over the network may be no text
 * at all, and may hold what a terminal obeys. */
static void add_start(struct buf *out, struct slice s)
{
	size_t i = 0;
	while (i < s.n && i < EXPLAIN_MAX) {
		const size_t n = utf8_character(slice_sub(s, i, s.n - i));
		const unsigned char c = (unsigned char)s.p[i];
		const bool control =
			n == 1 ? c < ' ' || c == 0x7f
			       : n == 2 && c == 0xc2 && (unsigned char)s.p[i + 1] < 0xa0;
		if (!n)
			buf_add_str(out, "\xef\xbf\xbd");
		else if (control)
			buf_add_char(out, ' ');
		else
			buf_add_slice(out, slice_sub(s, i, n));
		i += n ? n : 1;
	}
	if (i < s.n)
		buf_add_str(out, "…");
}

static void explain(
	const struct expr *e, const struct expr_scope *scope, const struct node *n, struct buf *out)
{
	const bool path = n->type == NODE_MEASURE || n->type == NODE_NAME ||
			  n->type == NODE_FIELD || n->type == NODE_INDEX || n->type == NODE_ALL;
	if (!path) {
		if (n->a)
			explain(e, scope, n->a, out);
		if (n->b)
			explain(e, scope, n->b, out);
		if (n->c)
			explain(e, scope, n->c, out);
		for (size_t i = 0; i < n->items.n; i++)
			explain(e, scope, n->items.p[i], out);
		return;
	}
	struct error err = {0};
	struct evaluation v = {.e = e, .scope = scope, .err = &err};
	struct value value = VALUE_NOTHING;
	struct buf text = BUF(EXPR_BYTES);
	enum expr_result r = eval_node(&v, n, &value);
	if (r == EXPR_OK)
		r = eval_plain(&v, &value);
	if (r == EXPR_OK)
		r = eval_as_written(&v, n, &value);
	if (out->n)
		buf_add_str(out, ", ");
	write_path(out, n);
	if (r != EXPR_OK)
		buf_add_str(out, " is not known");
	else if (value.type == VALUE_NULL)
		buf_add_str(out, " = null");
	else {
		value_write_for_people(&text, &value);
		buf_add_str(out, " = ");
		add_start(out, buf_slice(&text));
	}
	buf_fini(&text);
	value_drop(&value);
}

void expr_explain(const struct expr *e, const struct expr_scope *scope, struct buf *out)
{
	explain(e, scope, e->root, out);
}
