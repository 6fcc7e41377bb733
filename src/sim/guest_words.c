/*
 * guest_words.c - from a command line to words: quotes, a few variables, what joins commands.
 */

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "sim/guest_shell.h"

void shell_words_fini(struct shell_words *w)
{
	VEC_EACH (&w->argv, char *, word)
		free(*word);
	vec_fini(&w->argv);
	*w = (struct shell_words){0};
}

static void skip(struct slice *rest, size_t n)
{
	*rest = slice_sub(*rest, n, rest->n);
}

static bool takes(struct slice *rest, const char *text)
{
	if (!slice_starts(*rest, text))
		return false;
	skip(rest, strlen(text));
	return true;
}

static void skip_blanks(struct slice *rest)
{
	while (rest->n && (*rest->p == ' ' || *rest->p == '\t' || slice_starts(*rest, "\\\n")))
		skip(rest, *rest->p == '\\' ? 2 : 1);
	if (rest->n && *rest->p == '#')
		skip(rest, slice_find(*rest, '\n'));
}

/* After a `$`: $?, $NAME, ${NAME}; nothing else is known here. */
static bool expand(struct slice *rest, const struct shell *sh, struct buf *word)
{
	const bool braces = takes(rest, "{");
	size_t n = 0;
	if (takes(rest, "?")) {
		buf_printf(word, "%d", sh->status);
		return !braces || takes(rest, "}");
	}
	while (n < rest->n && (isalnum((unsigned char)rest->p[n]) || rest->p[n] == '_'))
		n++;
	const struct slice name = slice_sub(*rest, 0, n);
	skip(rest, n);
	if (slice_is(name, "USER"))
		buf_add_str(word, sh->user);
	else if (slice_is(name, "HOME"))
		buf_printf(word, "%s%s", strcmp(sh->user, "root") ? "/home/" : "/", sh->user);
	return n > 0 && (!braces || takes(rest, "}"));
}

static bool quoted(struct slice *rest, const struct shell *sh, struct buf *word)
{
	while (rest->n && *rest->p != '"') {
		if (*rest->p == '`')
			return false;
		if (*rest->p == '$' && rest->n > 1 && rest->p[1] != '"' && rest->p[1] != ' ') {
			skip(rest, 1);
			if (!expand(rest, sh, word))
				return false;
			continue;
		}
		if (*rest->p == '\\' && rest->n > 1 && strchr("\\\"$`", rest->p[1]))
			skip(rest, 1);
		buf_add_char(word, *rest->p);
		skip(rest, 1);
	}
	return takes(rest, "\"");
}

static bool single_quoted(struct slice *rest, struct buf *word)
{
	const size_t end = slice_find(*rest, '\'');
	if (end == rest->n)
		return false;
	buf_add(word, rest->p, end);
	skip(rest, end + 1);
	return true;
}

static const char *const specials[] = {"<", ">", "(", ")", "`"}; /* unknown here */

/* One word, up to a blank or something that ends a command. */
static const char *read_word(struct slice *rest, const struct shell *sh, struct buf *word)
{
	const char *const from = rest->p;
	while (rest->n && !strchr(" \t\n;&|", *rest->p)) {
		const char c = *rest->p;
		if (c == '>' && rest->p > from)
			return NULL; /* perhaps a redirection that is known */
		for (size_t i = 0; i < array_len(specials); i++)
			if (c == *specials[i])
				return specials[i];
		skip(rest, 1);
		if (c == '\'') {
			if (!single_quoted(rest, word))
				return "unterminated quoted string";
		} else if (c == '"') {
			if (!quoted(rest, sh, word))
				return "unterminated quoted string";
		} else if (c == '$') {
			if (!expand(rest, sh, word))
				return "$";
		} else if (c == '\\' && rest->n) {
			buf_add_char(word, *rest->p);
			skip(rest, 1);
		} else {
			buf_add_char(word, c);
		}
	}
	return NULL;
}

/* Where output goes, of that as much as scripts of monitors use. */
static bool redirected(struct slice *rest, struct shell_words *w)
{
	static const struct {
		const char *text;
		bool out, err, join;
	} known[] = {{"2>&1", false, false, true}, {"2>/dev/null", false, true, false},
		{">/dev/null", true, false, false}, {"> /dev/null", true, false, false},
		{"2> /dev/null", false, true, false}, {"&>/dev/null", true, true, false}};
	for (size_t i = 0; i < array_len(known); i++)
		if (takes(rest, known[i].text)) {
			w->drop_out |= known[i].out;
			w->drop_err |= known[i].err || (known[i].join && w->drop_out);
			w->err_to_out |= known[i].join;
			return true;
		}
	return false;
}

/* What ends a command; false if nothing of it is here. */
static bool joined(struct slice *rest, struct shell_words *w, const char **ret_wrong)
{
	if (takes(rest, "&&"))
		w->next = JOIN_AND;
	else if (takes(rest, "||"))
		w->next = JOIN_OR;
	else if (takes(rest, ";") || takes(rest, "\n"))
		w->next = JOIN_ALWAYS;
	else if (rest->n && strchr("|&", *rest->p))
		*ret_wrong = *rest->p == '|' ? "|" : "&";
	else
		return false;
	return true;
}

bool shell_parse(
	struct slice *rest, const struct shell *sh, struct shell_words *ret, const char **ret_wrong)
{
	struct buf word = BUF(SHELL_LINE_MAX);
	bool ended = false;
	*ret = (struct shell_words){0};
	*ret_wrong = NULL;
	while (!ended && !*ret_wrong) {
		skip_blanks(rest);
		if (!rest->n)
			break;
		if (redirected(rest, ret))
			continue;
		if (joined(rest, ret, ret_wrong)) {
			/* empty lines and commands are nothing; `&&` needs something before it */
			ended = ret->argv.n > 0;
			if (!ended && ret->next != JOIN_ALWAYS)
				*ret_wrong = ret->next == JOIN_AND ? "&&" : "||";
			continue;
		}
		buf_clear(&word);
		*ret_wrong = ret->argv.n == SHELL_WORDS_MAX ? "too many words"
							    : read_word(rest, sh, &word);
		if (!*ret_wrong)
			vec_push(&ret->argv, mem_strdup(buf_str(&word)));
	}
	buf_fini(&word);
	if (!*ret_wrong && ret->argv.n > 0)
		return true;
	shell_words_fini(ret);
	return false;
}
