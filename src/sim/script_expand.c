/*
 * script_expand.c - words as written to words: quotes, variables, $( ) and $(( )).
 */

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "sim/script.h"

#define SHELL_PID 4242 /* $$ */

struct expansion {
	struct script *s;
	struct slice rest;
	struct buf word;
	bool some, split; /* there is a word, if an empty one; blanks of what is expanded divide */
	struct words *ret;
};

void words_fini(struct words *w)
{
	VEC_EACH (&w->list, char *, word)
		free(*word);
	vec_fini(&w->list);
}

static void skip(struct expansion *x, size_t n)
{
	x->rest = slice_sub(x->rest, n, x->rest.n);
}

static void end_word(struct expansion *x)
{
	if (x->some || x->word.n)
		vec_push(&x->ret->list, mem_strdup(buf_str(&x->word)));
	buf_clear(&x->word);
	x->some = false;
}

static void add_expanded(struct expansion *x, const char *text, bool quoted)
{
	if (quoted || !x->split) {
		buf_add_str(&x->word, text);
		return;
	}
	for (; *text; text++) {
		if (!strchr(" \t\n", *text))
			buf_add_char(&x->word, *text);
		else if (x->word.n)
			end_word(x);
	}
}

/* --- $(( )) -------------------------------------------------------------------------------------
 */

/* A number or a variable. */
static bool operand(struct script *s, struct slice *rest, int64_t *ret)
{
	size_t n = 0;
	*rest = slice_trim(*rest);
	if (rest->n && *rest->p == '$')
		*rest = slice_sub(*rest, 1, rest->n);
	while (n < rest->n && (isalnum((unsigned char)rest->p[n]) || rest->p[n] == '_'))
		n++;
	char *name = slice_dup(slice_sub(*rest, 0, n));
	const char *value = isdigit((unsigned char)*name) ? name : map_get(&s->vars, name);
	*rest = slice_trim(slice_sub(*rest, n, rest->n));
	*ret = 0;
	const bool good = n > 0 && (!value || !*value || units_parse_int(slice_of(value), ret));
	free(name);
	return good;
}

/* From left to right, all operators alike: more is not needed here. */
static bool arithmetic(struct script *s, struct slice text, int64_t *ret)
{
	int64_t right;
	if (!operand(s, &text, ret))
		return false;
	while (text.n) {
		const char op = *text.p;
		text = slice_sub(text, 1, text.n);
		if (!op || !strchr("+-*/", op) || !operand(s, &text, &right) ||
			(op == '/' && !right))
			return false;
		const uint64_t a = (uint64_t)*ret, b = (uint64_t)right;
		*ret = op == '+'     ? (int64_t)(a + b)
		       : op == '-'   ? (int64_t)(a - b)
		       : op == '*'   ? (int64_t)(a * b)
		       : right == -1 ? (int64_t)(0 - a)
				     : *ret / right;
	}
	return true;
}

/* --- $ ------------------------------------------------------------------------------------------
 */

static bool bracketed(struct expansion *x, bool quoted)
{
	struct slice text = x->rest;
	unsigned open = 0;
	size_t n = 0;
	/* the parser has made sure that it closes; quotes were looked at there */
	do {
		open += text.p[n] == '(';
		open -= text.p[n] == ')';
		n++;
	} while (open && n < text.n);
	skip(x, n);
	struct slice inside = slice_sub(text, 1, n - 2);
	if (slice_starts(inside, "(") && slice_ends(inside, ")")) {
		char number[24];
		int64_t value;
		if (!arithmetic(x->s, slice_sub(inside, 1, inside.n - 2), &value)) {
			x->s->wrong = "$(( ))";
			return false;
		}
		snprintf(number, sizeof(number), "%" PRId64, value);
		add_expanded(x, number, quoted);
		return true;
	}
	char *said = script_capture(x->s, inside);
	add_expanded(x, said, quoted);
	free(said);
	return !x->s->wrong;
}

static void add_variable(struct expansion *x, struct slice name, bool quoted)
{
	char *key = slice_dup(name), home[40];
	const struct shell *sh = x->s->sh;
	const char *value = map_get(&x->s->vars, key);
	if (!value && !strcmp(key, "USER"))
		value = sh->user;
	else if (!value && !strcmp(key, "HOME")) {
		snprintf(home, sizeof(home), "%s%s", strcmp(sh->user, "root") ? "/home/" : "/",
			sh->user);
		value = home;
	} else if (!value && !strcmp(key, "PATH")) {
		value = "/usr/bin:/bin";
	}
	if (value)
		add_expanded(x, value, quoted);
	free(key);
}

static bool dollar(struct expansion *x, bool quoted)
{
	char number[24] = "";
	size_t n = 0;
	skip(x, 1);
	const char c = x->rest.n ? *x->rest.p : ' ';
	if (c == '(')
		return bracketed(x, quoted);
	if (c == '?' || c == '!' || c == '$') {
		snprintf(number, sizeof(number), "%u",
			c == '?'   ? (unsigned)x->s->status
			: c == '!' ? x->s->background
				   : SHELL_PID);
		skip(x, 1);
		add_expanded(x, number, quoted);
		return true;
	}
	const bool braces = c == '{';
	skip(x, braces);
	while (n < x->rest.n && (isalnum((unsigned char)x->rest.p[n]) || x->rest.p[n] == '_'))
		n++;
	if (!n && !braces) {
		buf_add_char(&x->word, '$');
		return true;
	}
	add_variable(x, slice_sub(x->rest, 0, n), quoted);
	skip(x, n);
	if (braces && !(x->rest.n && *x->rest.p == '}')) {
		x->s->wrong = "${";
		return false;
	}
	skip(x, braces);
	return true;
}

/* --- quotes -------------------------------------------------------------------------------------
 */

static void single_quoted(struct expansion *x)
{
	skip(x, 1);
	const size_t n = slice_find(x->rest, '\'');
	buf_add(&x->word, x->rest.p, n);
	skip(x, n + 1);
}

static bool double_quoted(struct expansion *x)
{
	skip(x, 1);
	while (x->rest.n && *x->rest.p != '"') {
		if (*x->rest.p == '$') {
			if (!dollar(x, true))
				return false;
			continue;
		}
		if (*x->rest.p == '\\' && x->rest.n > 1 && strchr("\\\"$`", x->rest.p[1]))
			skip(x, 1);
		buf_add_char(&x->word, *x->rest.p);
		skip(x, 1);
	}
	skip(x, 1);
	return true;
}

bool script_expand(struct script *s, const char *word, bool split, struct words *ret)
{
	struct expansion x = {.s = s,
		.rest = slice_of(word),
		.word = BUF(SHELL_OUTPUT_MAX),
		.split = split,
		.ret = ret};
	bool good = true;
	while (good && x.rest.n) {
		const char c = *x.rest.p;
		if (c == '\'') {
			x.some = true;
			single_quoted(&x);
		} else if (c == '"') {
			x.some = true;
			good = double_quoted(&x);
		} else if (c == '$') {
			good = dollar(&x, false);
		} else {
			skip(&x, c == '\\' && x.rest.n > 1);
			buf_add_char(&x.word, *x.rest.p);
			skip(&x, 1);
		}
	}
	if (!split)
		x.some = true;
	end_word(&x);
	buf_fini(&x.word);
	return good;
}
