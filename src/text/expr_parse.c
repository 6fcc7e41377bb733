/*
 * expr_parse.c - the expression language: a Pratt parser over expr_lex.c's tokens.
 */

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "text/expr_tree.h"

struct expr *expr_new(struct slice text, const char *file, unsigned line, unsigned col)
{
	struct expr *e = mem_new(struct expr);
	e->text = slice_dup(text);
	e->file = mem_strdup(file ? file : "");
	e->line = line;
	e->col = col;
	return e;
}

void expr_free(struct expr *e)
{
	if (!e)
		return;
	for (size_t i = 0; i < e->memory.n; i++) {
		struct node *n = e->memory.p[i];
		value_drop(&n->value);
		vec_fini(&n->items);
		vec_fini(&n->keys);
		regex_free(n->regex);
		free(n);
	}
	vec_fini(&e->memory);
	free(e->text);
	free(e->file);
	free(e);
}

struct node *expr_node(struct expr *e, enum node_type type, size_t at)
{
	struct node *n = mem_new(struct node);
	n->type = type;
	n->at = at;
	vec_push(&e->memory, (void *)n);
	return n;
}

void parse_fail(struct parser *p, size_t at, const char *fmt, ...)
{
	if (p->failed)
		return;
	char text[400];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	const struct expr *e = p->e;
	const unsigned col = e->col + (unsigned)utf8_length(slice_sub(slice_of(e->text), 0, at));
	error_at(p->err, e->file, e->line, e->col ? col : 0, "%s", text);
	p->failed = true;
}

bool parse_within_limits(struct parser *p)
{
	const size_t n = strlen(p->e->text);
	if (n > EXPR_TEXT)
		parse_fail(p, 0, "an expression is at most 64 KiB long, not %zu bytes", n);
	else if (p->e->memory.n > EXPR_NODES)
		parse_fail(p, 0, "an expression has at most %d parts", EXPR_NODES);
	return !p->failed;
}

static bool is_punct(const struct parser *p, char c)
{
	return p->token.type == TOKEN_PUNCT && p->token.punct == c;
}

static bool take(struct parser *p, char c, const char *after)
{
	if (is_punct(p, c)) {
		lex_next(p);
		return true;
	}
	if (p->token.type == TOKEN_END)
		parse_fail(p, p->token.at, "expected \"%c\" %s, found the end", c, after);
	else
		parse_fail(p, p->token.at, "expected \"%c\" %s, found \"%.*s\"", c, after,
			(int)p->token.n, p->text.p + p->token.at);
	return false;
}

static struct node *literal(struct parser *p)
{
	struct node *n = expr_node(p->e, NODE_LITERAL, p->token.at);
	n->value = value_copy(p->token.value);
	lex_next(p);
	if ((p->flags & EXPR_SERIES) && n->value.type == VALUE_TIME &&
		p->token.type == TOKEN_NAME && slice_is(p->token.text, "ago")) {
		n->value.integer = -n->value.integer;
		lex_next(p);
	}
	return n;
}

static struct node *list(struct parser *p)
{
	struct node *n = expr_node(p->e, NODE_LIST, p->token.at);
	lex_next(p);
	while (!p->failed && !is_punct(p, ']')) {
		struct node *item = parse_expression(p, 0);
		vec_push(&n->items, item);
		if (!is_punct(p, ']') && !take(p, ',', "or \"]\" in a list"))
			return NULL;
	}
	return take(p, ']', "at the end of a list") ? n : NULL;
}

static struct node *map(struct parser *p)
{
	struct node *n = expr_node(p->e, NODE_MAP, p->token.at);
	lex_next(p);
	while (!p->failed && !is_punct(p, '}')) {
		const bool quoted =
			p->token.type == TOKEN_LITERAL && p->token.value.type == VALUE_TEXT;
		if (p->token.type != TOKEN_NAME && !quoted) {
			parse_fail(
				p, p->token.at, "expected a key of a map: a word or a quoted text");
			return NULL;
		}
		struct slice key = p->token.text;
		if (quoted) { /* a literal node owns the text */
			struct node *k = expr_node(p->e, NODE_LITERAL, p->token.at);
			k->value = value_copy(p->token.value);
			key = value_slice(&k->value);
		}
		vec_push(&n->keys, key);
		lex_next(p);
		if (!take(p, ':', "after the key"))
			return NULL;
		struct node *item = parse_expression(p, 0);
		vec_push(&n->items, item);
		if (!is_punct(p, '}') && !take(p, ',', "or \"}\" in a map"))
			return NULL;
	}
	return take(p, '}', "at the end of a map") ? n : NULL;
}

bool parse_count_arguments(struct parser *p, const struct node *n)
{
	size_t min, max;
	char range[48];
	if ((p->flags & EXPR_SERIES) || !function_known(n->text, &min, &max) ||
		(n->items.n >= min && n->items.n <= max))
		return true;
	snprintf(range, sizeof(range), min == max ? "%zu" : "%zu to %zu", min, max);
	parse_fail(p, n->at, "%.*s takes %s argument%s, not %zu", SLICE_ARG(n->text), range,
		max == 1 ? "" : "s", n->items.n);
	return false;
}

bool parse_regex(struct parser *p, struct node *call, struct slice pattern, size_t at)
{
	struct error err = {0};
	call->regex = regex_new(pattern, &err);
	if (!call->regex)
		parse_fail(p, at, "%.300s", err.msg);
	return call->regex != NULL;
}

/* Its pattern is made when it is read, so that a wrong one is told before anything runs. */
static bool regex_of_argument(struct parser *p, struct node *n)
{
	const struct node *pattern = n->items.p[0];
	if (pattern->type == NODE_LITERAL && pattern->value.type == VALUE_TEXT)
		return parse_regex(p, n, value_slice(&pattern->value), pattern->at);
	parse_fail(p, pattern->at, "re() wants its pattern as a text in quotes");
	return false;
}

static struct node *call(struct parser *p, size_t at, struct slice name)
{
	struct node *n = expr_node(p->e, NODE_CALL, at);
	n->text = name;
	lex_next(p);
	while (!p->failed && !is_punct(p, ')')) {
		struct node *item = parse_expression(p, 0);
		vec_push(&n->items, item);
		if (!is_punct(p, ')') && !take(p, ',', "or \")\" after an argument"))
			return NULL;
	}
	if (p->failed || !take(p, ')', "at the end of the arguments"))
		return NULL;
	if (!parse_count_arguments(p, n))
		return NULL;
	return !slice_is(name, "re") || (p->flags & EXPR_SERIES) || regex_of_argument(p, n) ? n
											    : NULL;
}

static bool is_of_series(char c)
{
	return isalnum((unsigned char)c) || strchr("_.-*", c);
}

/* A name of series, with dots, dashes and stars, and what is in braces behind it, as it stands. */
static struct node *series(struct parser *p, size_t at)
{
	struct node *n = expr_node(p->e, NODE_LITERAL, at);
	size_t end = at;
	while (end < p->text.n && p->text.p[end] && is_of_series(p->text.p[end]))
		end++;
	p->at = end;
	lex_next(p);
	if (is_punct(p, '{')) {
		end = lex_close(p->text, p->token.at + 1);
		if (end > p->text.n) {
			parse_fail(p, p->token.at, "this \"{\" has no closing \"}\"");
			return NULL;
		}
		p->at = end;
		lex_next(p);
	}
	n->value = value_text(slice_sub(p->text, at, end - at));
	return n;
}

static struct node *name(struct parser *p)
{
	const size_t at = p->token.at;
	const struct slice text = p->token.text;
	lex_next(p);
	if (is_punct(p, '('))
		return call(p, at, text);
	if (p->flags & EXPR_SERIES)
		return series(p, at);
	struct node *n = expr_node(p->e, NODE_NAME, at);
	n->text = text;
	return n;
}

static struct node *unary(struct parser *p, enum node_type type)
{
	struct node *n = expr_node(p->e, type, p->token.at);
	lex_next(p);
	n->a = parse_expression(p, 90);
	return n;
}

static struct node *primary(struct parser *p)
{
	if (p->token.type == TOKEN_LITERAL)
		return literal(p);
	if (p->token.type == TOKEN_NAME)
		return name(p);
	if (is_punct(p, '['))
		return list(p);
	if (is_punct(p, '{'))
		return map(p);
	if (is_punct(p, '!'))
		return unary(p, NODE_NOT);
	if (is_punct(p, '-'))
		return unary(p, NODE_MINUS);
	if (is_punct(p, '(')) {
		lex_next(p);
		struct node *n = parse_expression(p, 0);
		return take(p, ')', "to close the \"(\"") ? n : NULL;
	}
	if (p->token.type == TOKEN_END)
		parse_fail(p, p->token.at, "expected a value, found the end");
	else
		parse_fail(p, p->token.at, "expected a value, found \"%.*s\"", (int)p->token.n,
			p->text.p + p->token.at);
	return NULL;
}

static struct node *brackets(struct parser *p, struct node *a)
{
	struct node *n = expr_node(p->e, NODE_INDEX, p->token.at);
	n->a = a;
	lex_next(p);
	if (p->token.type == TOKEN_OP && p->token.op == OP_MUL) {
		lex_next(p);
		n->type = NODE_ALL;
		return take(p, ']', "after \"[*\"") ? n : NULL;
	}
	n->b = parse_expression(p, 0);
	return take(p, ']', "after an index") ? n : NULL;
}

struct node *parse_suffixes(struct parser *p, struct node *n)
{
	unsigned count = 0;
	while (n && !p->failed) {
		if (is_punct(p, '.')) {
			struct node *f = expr_node(p->e, NODE_FIELD, p->token.at);
			lex_next(p);
			if (p->token.type != TOKEN_NAME &&
				!(p->token.type == TOKEN_OP && p->token.op == OP_IN)) {
				parse_fail(
					p, p->token.at, "expected the name of a field after \".\"");
				return NULL;
			}
			f->a = n;
			f->text = slice_sub(p->text, p->token.at, p->token.n);
			lex_next(p);
			n = f;
		} else if (is_punct(p, '[')) {
			n = brackets(p, n);
		} else {
			return n;
		}
		if (++count > EXPR_DEPTH) {
			parse_fail(p, p->token.at, "nested too deeply");
			return NULL;
		}
	}
	return NULL;
}

static unsigned binding_of(const struct parser *p)
{
	static const unsigned char binding[] = {[OP_ELSE] = 20,
		[OP_OR] = 30,
		[OP_AND] = 40,
		[OP_EQ] = 50,
		[OP_NE] = 50,
		[OP_LT] = 60,
		[OP_LE] = 60,
		[OP_GT] = 60,
		[OP_GE] = 60,
		[OP_IN] = 60,
		[OP_ADD] = 70,
		[OP_SUB] = 70,
		[OP_MUL] = 80,
		[OP_DIV] = 80,
		[OP_MOD] = 80};
	if (p->token.type == TOKEN_OP)
		return binding[p->token.op];
	if (is_punct(p, '-'))
		return binding[OP_SUB];
	return is_punct(p, '?') ? 10 : 0;
}

static struct node *choice(struct parser *p, struct node *a)
{
	struct node *n = expr_node(p->e, NODE_CHOICE, p->token.at);
	lex_next(p);
	n->a = a;
	n->b = parse_expression(p, 0);
	if (!take(p, ':', "between the two sides of \"?\""))
		return NULL;
	n->c = parse_expression(p, 9);
	return n;
}

struct node *parse_expression(struct parser *p, unsigned binding)
{
	if (++p->depth > EXPR_DEPTH) {
		parse_fail(p, p->token.at, "nested too deeply: at most %d levels", EXPR_DEPTH);
		return NULL;
	}
	struct node *n = parse_suffixes(p, primary(p));
	while (n && parse_within_limits(p) && binding_of(p) > binding) {
		const unsigned own = binding_of(p);
		if (is_punct(p, '?')) {
			n = choice(p, n);
			continue;
		}
		struct node *b = expr_node(p->e, NODE_BINARY, p->token.at);
		b->op = is_punct(p, '-') ? OP_SUB : p->token.op;
		lex_next(p);
		b->a = n;
		/* ?? leans right: a ?? b ?? c */
		b->b = parse_expression(p, b->op == OP_ELSE ? own - 1 : own);
		n = b;
	}
	p->depth--;
	return p->failed ? NULL : n;
}

struct node *parse_part(struct parser *p, size_t from, size_t to)
{
	const struct parser outer = *p;
	p->text = slice_sub(p->text, 0, to);
	p->at = from;
	p->token = (struct token){0};
	lex_next(p);
	struct node *n = parse_expression(p, 0);
	if (n && p->token.type != TOKEN_END) {
		parse_fail(p, p->token.at, "expected an operator or the end, found \"%.*s\"",
			(int)p->token.n, p->text.p + p->token.at);
		n = NULL;
	}
	value_drop(&p->token.value);
	p->text = outer.text;
	p->at = to;
	p->token = (struct token){0};
	return n;
}

struct expr *expr_parse(struct slice text, unsigned flags, const char *file, unsigned line,
	unsigned col, struct error *err)
{
	struct expr *e = expr_new(text, file, line, col);
	struct parser p = {.e = e, .text = slice_from(e->text, text.n), .flags = flags, .err = err};
	if (flags & EXPR_MEASUREMENTS) {
		expr_free(e);
		return expr_parse_condition(text, file, line, col, err);
	}
	e->flags = flags;
	e->root = parse_within_limits(&p) ? parse_part(&p, 0, p.text.n) : NULL;
	if (e->root)
		return e;
	expr_free(e);
	return NULL;
}
