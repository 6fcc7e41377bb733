/*
 * target.c - see target.h: a recursive descent over the text.
 */

#include "judge/graphite/target.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/units.h"

struct target {
	char *text;
	size_t n;
	struct target_node *root;
};

struct parser {
	struct target *t;
	size_t at;
	unsigned depth;
	size_t nodes;
	struct error *err;
	bool failed;
};

/* --- the tree --------------------------------------------------------------------------------- */

static void node_free(struct target_node *n)
{
	if (!n)
		return;
	VEC_EACH (&n->args, struct target_node *, a)
		node_free(*a);
	vec_fini(&n->args);
	free(n->text);
	free(n->raw);
	free(n->keyword);
	free(n);
}

void target_free(struct target *t)
{
	if (!t)
		return;
	node_free(t->root);
	free(t->text);
	free(t);
}

const struct target_node *target_root(const struct target *t)
{
	return t->root;
}

static void error_here(const struct target *t, size_t at, struct error *err, const char *text)
{
	const unsigned col = 1 + (unsigned)utf8_length(slice_from(t->text, at < t->n ? at : t->n));
	error_at(err, "", 0, col, "%s", text);
}

void target_error(const struct target *t, const struct target_node *at, struct error *err,
	const char *fmt, ...)
{
	char text[600];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	error_here(t, at->at, err, text);
}

/* --- parsing ---------------------------------------------------------------------------------- */

static void fail(struct parser *p, size_t at, const char *fmt, ...) like_printf(3, 4);

static void fail(struct parser *p, size_t at, const char *fmt, ...)
{
	char text[300];
	va_list ap;
	if (p->failed)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	error_here(p->t, at, p->err, text);
	p->failed = true;
}

static char peek(const struct parser *p)
{
	return p->at < p->t->n ? p->t->text[p->at] : '\0';
}

static void skip(struct parser *p)
{
	while (p->at < p->t->n && isspace((unsigned char)p->t->text[p->at]))
		p->at++;
}

static struct target_node *node_new(struct parser *p, enum target_type type, size_t at)
{
	struct target_node *n = mem_new(struct target_node);
	n->type = type;
	n->at = at;
	if (++p->nodes > TARGET_NODES)
		fail(p, at, "a target has at most %d parts", TARGET_NODES);
	return n;
}

static bool is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* The word at `at`; empty when there is none. */
static struct slice word_at(const struct parser *p, size_t at)
{
	size_t n = 0;
	const char *s = p->t->text + at;
	if (at < p->t->n && (isalpha((unsigned char)s[0]) || s[0] == '_'))
		while (at + n < p->t->n && is_name(s[n]))
			n++;
	return slice_from(s, n);
}

static bool is_path_char(char c)
{
	return (unsigned char)c > ' ' && c != 0x7f && !strchr("(){},.'\"\\|", c);
}

/* One run of characters of a path, with escapes undone. */
static bool path_run(struct parser *p, struct buf *out)
{
	const size_t begin = p->at;
	while (p->at < p->t->n) {
		const char c = p->t->text[p->at];
		const char next = p->at + 1 < p->t->n ? p->t->text[p->at + 1] : '\0';
		if (c == '\\' && next && strchr("(){},.'\"\\|=", next))
			p->at++;
		else if (!is_path_char(c))
			break;
		buf_add_char(out, p->t->text[p->at++]);
	}
	return p->at > begin;
}

static bool path_braces(struct parser *p, struct buf *out)
{
	const size_t begin = p->at;
	buf_add_char(out, p->t->text[p->at++]);
	do {
		path_run(p, out); /* none: `{,b}` */
		if (peek(p) != ',')
			break;
		buf_add_char(out, ',');
		p->at++;
	} while (!p->failed);
	if (peek(p) != '}') {
		fail(p, p->at < p->t->n ? p->at : begin,
			"expected \",\" or \"}\" in the braces that began at \"%.*s\"",
			(int)(p->t->n - begin < 20 ? p->t->n - begin : 20), p->t->text + begin);
		return false;
	}
	buf_add_char(out, '}');
	p->at++;
	return true;
}

static struct target_node *parse_path(struct parser *p)
{
	struct buf text = BUF(TARGET_TEXT);
	struct target_node *n = node_new(p, TARGET_PATH, p->at);
	bool more = true;
	while (more && !p->failed) {
		const size_t begin = p->at;
		while (!p->failed &&
			(path_run(p, &text) || (peek(p) == '{' && path_braces(p, &text))))
			;
		if (p->at == begin && !p->failed)
			fail(p, p->at,
				p->at >= p->t->n ? "expected a path or a function, found the end"
						 : "expected a path or a function, found \"%c\"",
				peek(p));
		more = !p->failed && peek(p) == '.';
		if (more) {
			buf_add_char(&text, '.');
			p->at++;
		}
	}
	n->text = buf_take(&text);
	return n;
}

/* Digits, a fraction, an exponent, and then nothing that could go on as a path. */
static size_t number_length(const struct parser *p)
{
	const char *s = p->t->text + p->at;
	const char *e = s;
	if (*e == '-')
		e++;
	if (!isdigit((unsigned char)*e))
		return 0;
	while (isdigit((unsigned char)*e))
		e++;
	if (*e == '.' && isdigit((unsigned char)e[1]))
		for (e++; isdigit((unsigned char)*e);)
			e++;
	if ((*e == 'e' || *e == 'E') &&
		(isdigit((unsigned char)e[1]) || (e[1] == '-' && isdigit((unsigned char)e[2]))))
		for (e += 2; isdigit((unsigned char)*e);)
			e++;
	const size_t n = (size_t)(e - s);
	while (isspace((unsigned char)*e))
		e++;
	return *e == ',' || *e == ')' || *e == '\0' ? n : 0;
}

static struct target_node *parse_number(struct parser *p, size_t n)
{
	struct target_node *node = node_new(p, TARGET_NUMBER, p->at);
	int64_t whole;
	node->text = mem_strndup(p->t->text + p->at, n);
	node->number = strtod(node->text, NULL);
	node->whole = units_parse_int(slice_of(node->text), &whole);
	if (!isfinite(node->number) || (!node->whole && !strpbrk(node->text, ".eE")))
		fail(p, p->at, "the number %.40s is too large", node->text);
	p->at += n;
	return node;
}

static struct target_node *parse_string(struct parser *p)
{
	const size_t begin = p->at;
	const char quote = p->t->text[p->at++];
	while (p->at < p->t->n && p->t->text[p->at] != quote)
		p->at += p->t->text[p->at] == '\\' && p->at + 1 < p->t->n ? 2 : 1;
	struct target_node *n = node_new(p, TARGET_STRING, begin);
	if (p->at >= p->t->n) {
		fail(p, begin, "this text has no closing quote");
		return n;
	}
	n->text = mem_strndup(p->t->text + begin + 1, p->at - begin - 1);
	p->at++;
	return n;
}

static struct target_node *parse_target(struct parser *p);

static struct target_node *parse_argument(struct parser *p)
{
	skip(p);
	const size_t number = number_length(p);
	const struct slice word = word_at(p, p->at);
	const char after = p->t->text[p->at + word.n];
	const bool alone = word.n && !is_path_char(after) && after != '.' && after != '(';
	if (number)
		return parse_number(p, number);
	if (peek(p) == '"' || peek(p) == '\'')
		return parse_string(p);
	if (alone && (slice_is_nocase(word, "true") || slice_is_nocase(word, "false"))) {
		struct target_node *n = node_new(p, TARGET_BOOL, p->at);
		n->whole = slice_is_nocase(word, "true");
		p->at += word.n;
		return n;
	}
	if (alone && (slice_is_nocase(word, "none") || slice_is_nocase(word, "inf"))) {
		const bool none = slice_is_nocase(word, "none");
		struct target_node *n = node_new(p, none ? TARGET_NONE : TARGET_NUMBER, p->at);
		n->number = INFINITY;
		n->text = none ? NULL : mem_strdup("inf");
		p->at += word.n;
		return n;
	}
	return parse_target(p);
}

/* `name =`, when that is what stands here. */
static char *parse_keyword(struct parser *p)
{
	skip(p);
	const size_t begin = p->at;
	const struct slice word = word_at(p, p->at);
	p->at += word.n;
	skip(p);
	if (!word.n || peek(p) != '=') {
		p->at = begin;
		return NULL;
	}
	p->at++;
	return slice_dup(word);
}

static void parse_arguments(struct parser *p, struct target_node *call)
{
	bool named = false;
	skip(p);
	if (peek(p) == ')') {
		p->at++;
		return;
	}
	while (!p->failed) {
		char *keyword = parse_keyword(p);
		struct target_node *arg = parse_argument(p);
		arg->keyword = keyword;
		vec_push(&call->args, arg);
		if (named && !keyword)
			fail(p, arg->at, "an argument by position stands before those by name");
		named |= keyword != NULL;
		skip(p);
		if (p->failed)
			break;
		const char c = peek(p);
		if (c != ',' && c != ')')
			fail(p, p->at,
				c ? "expected \",\" or \")\" after an argument of %.60s, found \"%c\""
				  : "expected \",\" or \")\" after an argument of %.60s, found the end",
				call->text, c);
		p->at++;
		if (c == ')')
			break;
	}
}

static struct target_node *parse_call(struct parser *p, struct slice name)
{
	struct target_node *n = node_new(p, TARGET_CALL, p->at);
	n->text = slice_dup(name);
	p->at += name.n;
	skip(p);
	p->at++; /* ( */
	if (++p->depth > TARGET_DEPTH)
		fail(p, n->at, "functions stand at most %d deep in each other", TARGET_DEPTH);
	else
		parse_arguments(p, n);
	p->depth--;
	n->raw = mem_strndup(p->t->text + n->at, (p->at < p->t->n ? p->at : p->t->n) - n->at);
	return n;
}

static bool is_call(const struct parser *p, struct slice word)
{
	size_t at = p->at + word.n;
	while (at < p->t->n && isspace((unsigned char)p->t->text[at]))
		at++;
	return word.n && at < p->t->n && p->t->text[at] == '(';
}

/* Moves what was piped to the front. */
static void pipe_into(struct target_node *call, struct target_node *first)
{
	vec_push(&call->args, first);
	memmove(call->args.p + 1, call->args.p, (call->args.n - 1) * sizeof(*call->args.p));
	call->args.p[0] = first;
}

static struct target_node *parse_target(struct parser *p)
{
	skip(p);
	struct slice word = word_at(p, p->at);
	struct target_node *n = is_call(p, word) ? parse_call(p, word) : parse_path(p);
	unsigned piped = 0;
	for (skip(p); !p->failed && peek(p) == '|'; skip(p)) {
		p->at++;
		skip(p);
		word = word_at(p, p->at);
		if (!is_call(p, word)) {
			fail(p, p->at, "expected a function with its parentheses after \"|\"");
			break;
		}
		if (p->depth + ++piped > TARGET_DEPTH) {
			fail(p, p->at, "functions stand at most %d deep in each other",
				TARGET_DEPTH);
			break;
		}
		struct target_node *call = parse_call(p, word);
		pipe_into(call, n);
		n = call;
	}
	return n;
}

static unsigned depth_of(const struct target_node *n)
{
	unsigned most = 0;
	VEC_EACH (&n->args, struct target_node *, a) {
		const unsigned d = depth_of(*a);
		most = d > most ? d : most;
	}
	return most + (n->type == TARGET_CALL);
}

struct target *target_parse(struct slice text, struct error *err)
{
	struct target *t = mem_new(struct target);
	struct parser p = {.t = t, .err = err};
	t->text = slice_dup(text);
	t->n = strlen(t->text);
	if (text.n > TARGET_TEXT)
		fail(&p, 0, "a target is at most 64 KiB long, not %zu bytes", text.n);
	else if (t->n != text.n || !utf8_valid(text))
		fail(&p, 0, "a target is text in UTF-8");
	else
		t->root = parse_target(&p);
	if (!p.failed && p.at < t->n)
		fail(&p, p.at, "expected the end, found \"%c\"", peek(&p));
	if (!p.failed && depth_of(t->root) > TARGET_DEPTH)
		fail(&p, 0, "functions stand at most %d deep in each other", TARGET_DEPTH);
	if (!p.failed)
		return t;
	target_free(t);
	return NULL;
}

char *target_first_path(struct slice text)
{
	struct error err = {0};
	struct target *t = target_parse(text, &err);
	const struct target_node *n = t ? t->root : NULL;
	while (n && n->type == TARGET_CALL)
		n = n->args.n ? n->args.p[0] : NULL;
	char *path = n && n->type == TARGET_PATH ? mem_strdup(n->text) : NULL;
	target_free(t);
	return path;
}
