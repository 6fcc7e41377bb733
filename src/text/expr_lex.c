/*
 * expr_lex.c - tokens of the expression language.
 */

#include <ctype.h>
#include <string.h>

#include "base/units.h"
#include "text/expr_tree.h"

static bool is_name_start(char c)
{
	return isalpha((unsigned char)c) || c == '_';
}

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

bool lex_literal(struct slice s, struct value *ret)
{
	int64_t i;
	double x;
	if (slice_is(s, "true") || slice_is(s, "false"))
		*ret = value_bool(s.p[0] == 't');
	else if (slice_is(s, "null"))
		*ret = VALUE_NOTHING;
	else if (units_parse_int(s, &i))
		*ret = value_int(i);
	else if (units_parse_real(s, &x))
		*ret = value_real(x);
	else if (units_parse_time(s, &i))
		*ret = value_time(i);
	else if (units_parse_size(s, &i))
		*ret = value_size(i);
	else if (units_parse_percent(s, &x))
		*ret = (struct value){.type = VALUE_PERCENT, .real = x};
	else if (units_parse_rate(s, &x))
		*ret = (struct value){.type = VALUE_RATE, .real = x};
	else
		return false;
	return true;
}

/* A number and the unit that is written at it. `0.5%` is a percentage unless an operand follows. */
static size_t number_length(struct slice s)
{
	size_t n = 0;
	while (n < s.n && isdigit((unsigned char)s.p[n]))
		n++;
	if (n + 1 < s.n && s.p[n] == '.' && isdigit((unsigned char)s.p[n + 1]))
		for (n++; n < s.n && isdigit((unsigned char)s.p[n]);)
			n++;
	if (n + 1 < s.n && (s.p[n] == 'e' || s.p[n] == 'E') &&
		(isdigit((unsigned char)s.p[n + 1]) || (n + 2 < s.n && strchr("+-", s.p[n + 1]) &&
							       isdigit((unsigned char)s.p[n + 2]))))
		for (n += 2; n < s.n && isdigit((unsigned char)s.p[n]);)
			n++;
	if (n + 1 < s.n && s.p[n] == '/' && strchr("smhd", s.p[n + 1]) &&
		(n + 2 == s.n || !is_name(s.p[n + 2])))
		return n + 2;
	if (n < s.n && s.p[n] == '%') {
		const struct slice rest = slice_trim(slice_sub(s, n + 1, s.n));
		return !rest.n || strchr(")]},:&|?=!<>", rest.p[0]) ? n + 1 : n;
	}
	while (n < s.n && is_name(s.p[n])) /* 10ms, 1h30m */
		n++;
	return n;
}

static void bad(struct parser *p, size_t at, const char *what)
{
	p->token = (struct token){.type = TOKEN_BAD, .at = at};
	parse_fail(p, at, "%s", what);
}

static void lex_quoted(struct parser *p)
{
	const size_t start = p->at;
	const char quote = p->text.p[p->at++];
	struct buf b = BUF(EXPR_BYTES);
	while (p->at < p->text.n && p->text.p[p->at] != quote) {
		char c = p->text.p[p->at++];
		if (c == '\\' && p->at < p->text.n) {
			c = p->text.p[p->at++];
			c = c == 'n' ? '\n' : c == 't' ? '\t' : c;
		}
		buf_add_char(&b, c);
	}
	if (p->at >= p->text.n) {
		bad(p, start, "this text has no closing quote");
	} else {
		p->at++;
		p->token = (struct token){.type = TOKEN_LITERAL,
			.at = start,
			.n = p->at - start,
			.value = value_text(buf_slice(&b))};
	}
	buf_fini(&b);
}

static bool lex_operator(struct parser *p, struct slice rest)
{
	static const struct {
		const char *text;
		enum op op;
	} operators[] = {{"==", OP_EQ}, {"!=", OP_NE}, {"<=", OP_LE}, {">=", OP_GE}, {"&&", OP_AND},
		{"||", OP_OR}, {"??", OP_ELSE}, {"<", OP_LT}, {">", OP_GT}, {"+", OP_ADD},
		{"*", OP_MUL}, {"/", OP_DIV}, {"%", OP_MOD}};
	for (size_t i = 0; i < array_len(operators); i++) {
		if (!slice_starts(rest, operators[i].text))
			continue;
		p->token = (struct token){.type = TOKEN_OP,
			.at = p->at,
			.n = strlen(operators[i].text),
			.op = operators[i].op,
			.punct = rest.p[0]};
		p->at += p->token.n;
		return true;
	}
	return false;
}

void lex_next(struct parser *p)
{
	value_drop(&p->token.value);
	while (p->at < p->text.n && isspace((unsigned char)p->text.p[p->at]))
		p->at++;
	const struct slice rest = slice_sub(p->text, p->at, p->text.n);
	const size_t at = p->at;
	p->token = (struct token){.type = TOKEN_END, .at = at};
	if (!rest.n)
		return;
	const char c = rest.p[0];
	if (is_name_start(c)) {
		size_t n = 1;
		while (n < rest.n && (is_name(rest.p[n]) || (p->dashes && rest.p[n] == '-')))
			n++;
		const struct slice name = slice_sub(rest, 0, n);
		p->at += n;
		p->token = (struct token){.type = TOKEN_NAME, .at = at, .n = n, .text = name};
		if (slice_is(name, "in")) {
			p->token.type = TOKEN_OP;
			p->token.op = OP_IN;
		} else if (slice_is(name, "true") || slice_is(name, "false") ||
			   slice_is(name, "null")) {
			p->token.type = TOKEN_LITERAL;
			lex_literal(name, &p->token.value);
		}
	} else if (isdigit((unsigned char)c)) {
		const size_t n = number_length(rest);
		p->at += n;
		p->token = (struct token){.type = TOKEN_LITERAL, .at = at, .n = n};
		if (!lex_literal(slice_sub(rest, 0, n), &p->token.value))
			bad(p, at,
				"not a number with a unit I know (ns us ms s m h d, B KiB MiB GiB, /s, %)");
	} else if (c == '\'' || c == '"') {
		lex_quoted(p);
	} else if (lex_operator(p, rest)) {
		return;
	} else if (strchr("()[]{},:?.!-", c)) {
		p->at++;
		p->token = (struct token){.type = TOKEN_PUNCT, .at = at, .n = 1, .punct = c};
	} else {
		bad(p, at, "this character has no meaning in an expression");
	}
}

size_t lex_close(struct slice text, size_t at)
{
	unsigned depth = 0;
	for (; at < text.n; at++) {
		const char c = text.p[at];
		if (c == '\'' || c == '"') {
			for (at++; at < text.n && text.p[at] != c; at++)
				at += text.p[at] == '\\';
		} else if (c == '{') {
			depth++;
		} else if (c == '}' && depth-- == 0) {
			return at + 1;
		}
	}
	return text.n + 1;
}
