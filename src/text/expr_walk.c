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
	if (out->n)
		buf_add_str(out, ", ");
	write_path(out, n);
	value_write(&text, &value);
	if (r != EXPR_OK)
		buf_add_str(out, " is not known");
	else if (value.type == VALUE_NULL)
		buf_add_str(out, " = null");
	else
		buf_printf(out, " = %.*s%s", (int)(text.n > EXPLAIN_MAX ? EXPLAIN_MAX : text.n),
			buf_str(&text), text.n > EXPLAIN_MAX ? "…" : "");
	buf_fini(&text);
	value_drop(&value);
}

void expr_explain(const struct expr *e, const struct expr_scope *scope, struct buf *out)
{
	explain(e, scope, e->root, out);
}
