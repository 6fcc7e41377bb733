/*
 * expr_condition.c - conditions of expect, warn, until and wait: "[STATUS] == 200",
 * "[OUTPUT] == ${it.name}", "${pool.status} in [ACTIVE, ERROR]".
 *
 * An operand is a measurement with a path, exactly one ${expr}, a function, a quoted text or a
 * number; anything else up to the next operator is plain text, in which ${} may stand.
 */

#include <ctype.h>
#include <string.h>

#include "text/expr_tree.h"

static struct node *parse_or(struct parser *p, size_t to);

static void skip_space(struct parser *p, size_t to)
{
	while (p->at < to && isspace((unsigned char)p->text.p[p->at]))
		p->at++;
}

static bool at_text(const struct parser *p, size_t to, const char *what)
{
	const size_t n = strlen(what);
	return to - p->at >= n && !memcmp(p->text.p + p->at, what, n);
}

static size_t skip_quoted(struct slice text, size_t at, size_t to)
{
	const char quote = text.p[at];
	size_t i = at + 1;
	while (i < to && text.p[i] != quote)
		i += text.p[i] == '\\' ? 2 : 1;
	return i < to ? i + 1 : at + 1;
}

static bool is_word_char(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* Where the operand that begins at p->at ends: at an operator, or at `close` on its own level. */
static size_t operand_end(const struct parser *p, size_t to, bool right)
{
	int depth = 0;
	for (size_t i = p->at; i < to; i++) {
		const char c = p->text.p[i];
		const bool two = i + 1 < to;
		if (two && c == '$' && p->text.p[i + 1] == '{') {
			const size_t close = lex_close(p->text, i + 2);
			if (close > to)
				return to;
			i = close - 1;
			continue;
		}
		if ((c == '\'' || c == '"') && (i == p->at || !is_word_char(p->text.p[i - 1]))) {
			i = skip_quoted(p->text, i, to) - 1;
			continue;
		}
		if (c == '(' || c == '[')
			depth++;
		if ((c == ')' || c == ']') && depth-- == 0)
			return i;
		if (depth)
			continue;
		if (two && ((c == '&' && p->text.p[i + 1] == '&') ||
				   (c == '|' && p->text.p[i + 1] == '|')))
			return i;
		if (right)
			continue;
		if ((two && strchr("=!<>", c) && p->text.p[i + 1] == '=') || c == '<' || c == '>')
			return i;
		if (i > p->at && two && i + 2 < to && isspace((unsigned char)p->text.p[i - 1]) &&
			c == 'i' && p->text.p[i + 1] == 'n' &&
			isspace((unsigned char)p->text.p[i + 2]))
			return i;
	}
	return to;
}

static struct node *literal(struct parser *p, size_t at, struct value v)
{
	struct node *n = expr_node(p->e, NODE_LITERAL, at);
	n->value = v;
	return n;
}

/* Plain words with perhaps ${} among them: the pieces in order. */
static struct node *words(struct parser *p, size_t from, size_t to)
{
	struct node *n = expr_node(p->e, NODE_CONCAT, from);
	size_t plain = from;
	for (size_t i = from; i < to; i++) {
		if (p->text.p[i] != '$' || i + 1 >= to || p->text.p[i + 1] != '{')
			continue;
		const size_t close = lex_close(p->text, i + 2);
		if (close > to) {
			parse_fail(p, i, "this ${ has no closing }");
			return NULL;
		}
		if (i > plain)
			vec_push(&n->items,
				literal(p, plain,
					value_text(slice_sub(p->text, plain, i - plain))));
		struct node *inner = parse_part(p, i + 2, close - 1);
		if (!inner)
			return NULL;
		vec_push(&n->items, inner);
		plain = close;
		i = close - 1;
	}
	if (n->items.n == 1 && plain == to)
		return n->items.p[0]; /* exactly one ${} keeps its type */
	if (to > plain)
		vec_push(&n->items,
			literal(p, plain, value_text(slice_sub(p->text, plain, to - plain))));
	return n;
}

/* [NAME] and the path behind it. */
static struct node *measurement(struct parser *p, size_t from, size_t to)
{
	size_t end = from + 1;
	while (end < to && (isupper((unsigned char)p->text.p[end]) ||
				   isdigit((unsigned char)p->text.p[end]) || p->text.p[end] == '_'))
		end++;
	if (end == from + 1 || end >= to || p->text.p[end] != ']') {
		parse_fail(p, from, "expected a measurement such as [STATUS]");
		return NULL;
	}
	struct node *n = expr_node(p->e, NODE_MEASURE, from);
	n->text = slice_sub(p->text, from + 1, end - from - 1);
	const struct slice whole = p->text;
	p->text = slice_sub(p->text, 0, to);
	p->at = end + 1;
	p->dashes = true; /* nothing is subtracted in the path of a measurement */
	lex_next(p);
	n = parse_suffixes(p, n);
	p->dashes = false;
	if (n && p->token.type != TOKEN_END) {
		parse_fail(p, p->token.at, "expected an operator after the measurement");
		n = NULL;
	}
	value_drop(&p->token.value);
	p->token = (struct token){0};
	p->text = whole;
	return n;
}

static struct node *operand(struct parser *p, size_t from, size_t to, bool right, bool in_list);

/* The arguments between from and to, cut at commas of their own level. */
static bool arguments(struct parser *p, struct node *n, size_t from, size_t to, bool right)
{
	int depth = 0;
	size_t start = from;
	for (size_t i = from; i <= to; i++) {
		const char c = i < to ? p->text.p[i] : ',';
		if (i < to && c == '$' && i + 1 < to && p->text.p[i + 1] == '{') {
			const size_t close = lex_close(p->text, i + 2);
			if (close > to) {
				parse_fail(p, i, "this ${ has no closing }");
				return false;
			}
			i = close - 1;
			continue;
		}
		if (i < to && (c == '\'' || c == '"')) {
			i = skip_quoted(p->text, i, to) - 1;
			continue;
		}
		depth += (c == '(' || c == '[') - (c == ')' || c == ']');
		if (c != ',' || depth > 0)
			continue;
		struct node *item = operand(p, start, i, right, true);
		if (!item)
			return false;
		vec_push(&n->items, item);
		start = i + 1;
	}
	if (start <= to)
		parse_fail(p, start, "a bracket is not closed here");
	return start > to;
}

/* The pattern as it is written, in quotes or without: what is special in it is its own. */
static struct node *regex(struct parser *p, struct node *n, size_t from, size_t to)
{
	struct slice pattern = slice_trim(slice_sub(p->text, from, to - from));
	const bool quoted = pattern.n > 1 && (pattern.p[0] == '\'' || pattern.p[0] == '"') &&
			    pattern.p[pattern.n - 1] == pattern.p[0];
	if (quoted)
		pattern = slice_sub(pattern, 1, pattern.n - 2);
	return parse_regex(p, n, pattern, from) ? n : NULL;
}

static struct node *function(struct parser *p, size_t from, size_t to, size_t name_n, bool right)
{
	struct node *n = expr_node(p->e, NODE_CALL, from);
	n->text = slice_sub(p->text, from, name_n);
	if (slice_is(n->text, "re"))
		return regex(p, n, from + name_n + 1, to - 1);
	if (slice_is(n->text, "any")) /* is compared piece by piece, not called: any number */
		return arguments(p, n, from + name_n + 1, to - 1, right) ? n : NULL;
	if (!slice_is(n->text, "pat"))
		return arguments(p, n, from + name_n + 1, to - 1, right) &&
				       parse_count_arguments(p, n)
			       ? n
			       : NULL;
	vec_push(&n->items, words(p, from + name_n + 1, to - 1));
	return n->items.p[0] ? n : NULL;
}

static struct node *operand(struct parser *p, size_t from, size_t to, bool right, bool in_list)
{
	struct value v;
	while (from < to && isspace((unsigned char)p->text.p[from]))
		from++;
	while (to > from && isspace((unsigned char)p->text.p[to - 1]))
		to--;
	const struct slice s = slice_sub(p->text, from, to - from);
	if (!s.n) {
		parse_fail(p, from,
			"expected a measurement such as [STATUS], a ${expression} or a value");
		return NULL;
	}
	if ((s.p[0] == '\'' || s.p[0] == '"') && skip_quoted(p->text, from, to) == to)
		return literal(p, from, value_text(slice_sub(s, 1, s.n - 2)));
	if (s.p[0] == '[' && right && !in_list) { /* a list, after `in` */
		struct node *n = expr_node(p->e, NODE_LIST, from);
		if (s.p[s.n - 1] != ']')
			parse_fail(p, from, "expected \"]\" at the end of the list");
		return !p->failed && arguments(p, n, from + 1, to - 1, true) ? n : NULL;
	}
	if (s.p[0] == '[')
		return measurement(p, from, to);
	static const char *const functions[] = {"len", "has", "pat", "any", "re"};
	for (size_t i = 0; i < array_len(functions); i++) {
		const size_t n = strlen(functions[i]);
		if (slice_starts(s, functions[i]) && s.n > n + 1 && s.p[n] == '(' &&
			s.p[s.n - 1] == ')')
			return function(p, from, to, n, right);
	}
	/* As words it would compare with its own text, which never is what was meant. */
	const struct slice name = slice_sub(s, 0, slice_find(s, '('));
	size_t min, max;
	if (name.n < s.n && s.p[s.n - 1] == ')' && function_known(name, &min, &max)) {
		parse_fail(p, from,
			"%.*s() cannot be called here: write it in ${}, or put the text into quotes",
			SLICE_ARG(name));
		return NULL;
	}
	if (lex_literal(s, &v))
		return literal(p, from, v);
	return words(p, from, to);
}

static enum op comparison(struct parser *p, size_t to)
{
	static const struct {
		const char *text;
		enum op op;
	} ops[] = {{"==", OP_EQ}, {"!=", OP_NE}, {"<=", OP_LE}, {">=", OP_GE}, {"<", OP_LT},
		{">", OP_GT}, {"in ", OP_IN}};
	for (size_t i = 0; i < array_len(ops); i++)
		if (at_text(p, to, ops[i].text)) {
			p->at += strlen(ops[i].text);
			return ops[i].op;
		}
	return OP_NONE;
}

static struct node *parse_comparison(struct parser *p, size_t to)
{
	skip_space(p, to);
	if (++p->depth > EXPR_DEPTH) {
		parse_fail(p, p->at, "nested too deeply: at most %d levels", EXPR_DEPTH);
		return NULL;
	}
	if (p->at < to && p->text.p[p->at] == '!' && !at_text(p, to, "!=")) {
		struct node *n = expr_node(p->e, NODE_NOT, p->at++);
		n->a = parse_comparison(p, to);
		p->depth--;
		return n->a ? n : NULL;
	}
	if (p->at < to && p->text.p[p->at] == '(') {
		p->at++;
		struct node *n = parse_or(p, to);
		skip_space(p, to);
		if (n && (p->at >= to || p->text.p[p->at] != ')'))
			parse_fail(p, p->at, "expected \")\"");
		p->at++;
		p->depth--;
		return p->failed ? NULL : n;
	}
	const size_t from = p->at;
	size_t end = operand_end(p, to, false);
	struct node *a = operand(p, from, end, false, false);
	if (!a)
		return NULL;
	p->at = end;
	const size_t at = p->at;
	const enum op op = comparison(p, to);
	p->depth--;
	if (op == OP_NONE)
		return a;
	skip_space(p, to);
	const size_t start = p->at;
	end = operand_end(p, to, true);
	struct node *n = expr_node(p->e, NODE_BINARY, at);
	n->op = op;
	n->a = a;
	n->b = operand(p, start, end, op == OP_IN, op != OP_IN);
	p->at = end;
	return n->b ? n : NULL;
}

static struct node *chain(struct parser *p, size_t to, const char *text, enum op op,
	struct node *(*part)(struct parser *p, size_t to))
{
	struct node *n = part(p, to);
	while (n && parse_within_limits(p)) {
		skip_space(p, to);
		if (!at_text(p, to, text))
			return n;
		struct node *b = expr_node(p->e, NODE_BINARY, p->at);
		p->at += 2;
		b->op = op;
		b->a = n;
		b->b = part(p, to);
		n = b->b ? b : NULL;
	}
	return NULL;
}

static struct node *parse_and(struct parser *p, size_t to)
{
	return chain(p, to, "&&", OP_AND, parse_comparison);
}

static struct node *parse_or(struct parser *p, size_t to)
{
	return chain(p, to, "||", OP_OR, parse_and);
}

struct expr *expr_parse_condition(
	struct slice text, const char *file, unsigned line, unsigned col, struct error *err)
{
	struct expr *e = expr_new(text, file, line, col);
	struct parser p = {.e = e, .text = slice_from(e->text, text.n), .err = err};
	e->root = parse_within_limits(&p) ? parse_or(&p, text.n) : NULL;
	skip_space(&p, text.n);
	if (e->root && p.at < text.n)
		parse_fail(&p, p.at, "expected && or || or the end");
	if (e->root && !p.failed)
		return e;
	expr_free(e);
	return NULL;
}
