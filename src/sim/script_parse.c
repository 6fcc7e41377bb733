/*
 * script_parse.c - from the text of a script to a tree; a recursive descent, as sh's grammar is
 * written down in POSIX.
 */

#include <ctype.h>
#include <string.h>

#include "sim/script.h"

struct parser {
	struct slice rest;
	const char *wrong;
	unsigned depth;
	VEC(struct node *) here_of; /* whose here-documents the next line end begins */
	VEC(size_t) here_at;        /* and which of its redirections they are */
};

void node_free(struct node *n)
{
	if (!n)
		return;
	VEC_EACH (&n->words, char *, w)
		free(*w);
	VEC_EACH (&n->parts, struct node *, p)
		node_free(*p);
	VEC_EACH (&n->redirects, struct redirect, r)
		free(r->word);
	vec_fini(&n->words);
	vec_fini(&n->parts);
	vec_fini(&n->joins);
	vec_fini(&n->background);
	vec_fini(&n->redirects);
	free(n);
}

static void skip(struct parser *p, size_t n)
{
	p->rest = slice_sub(p->rest, n, p->rest.n);
}

static void skip_blanks(struct parser *p)
{
	while (p->rest.n &&
		(*p->rest.p == ' ' || *p->rest.p == '\t' || slice_starts(p->rest, "\\\n")))
		skip(p, *p->rest.p == '\\' ? 2 : 1);
	if (p->rest.n && *p->rest.p == '#')
		skip(p, slice_find(p->rest, '\n'));
}

/* --- words -------------------------------------------------------------------------------------
 */

static bool bracket_end(struct slice text, size_t *at);

/* Past a quote that begins at *at. */
static bool quote_end(struct slice text, size_t *at)
{
	const char quote = text.p[(*at)++];
	while (*at < text.n && text.p[*at] != quote) {
		if (quote == '"' && text.p[*at] == '\\')
			(*at)++;
		else if (quote == '"' && slice_starts(slice_sub(text, *at, text.n), "$(")) {
			(*at)++;
			if (!bracket_end(text, at))
				return false;
			continue;
		}
		(*at)++;
	}
	return *at < text.n && ++*at;
}

/* Past the brackets that begin at *at. */
static bool bracket_end(struct slice text, size_t *at)
{
	unsigned open = 0;
	do {
		if (*at >= text.n)
			return false;
		const char c = text.p[*at];
		if (c == '\'' || c == '"') {
			if (!quote_end(text, at))
				return false;
			continue;
		}
		open += c == '(';
		open -= c == ')';
		*at += c == '\\' ? 2 : 1;
	} while (open);
	return *at <= text.n;
}

bool script_word_end(struct slice text, size_t *ret)
{
	size_t at = 0;
	while (at < text.n && !strchr(" \t\n;&|<>()", text.p[at])) {
		const char c = text.p[at];
		if (c == '\'' || c == '"') {
			if (!quote_end(text, &at))
				return false;
		} else if (c == '$' && at + 1 < text.n && text.p[at + 1] == '(') {
			at++;
			if (!bracket_end(text, &at))
				return false;
		} else {
			at += c == '\\' ? 2 : 1;
		}
	}
	*ret = at < text.n ? at : text.n;
	return true;
}

/* The next word as written, owned; NULL: there is none here. */
static char *take_word(struct parser *p)
{
	size_t n;
	if (!script_word_end(p->rest, &n)) {
		p->wrong = "unterminated quoted string";
		return NULL;
	}
	if (!n)
		return NULL;
	char *word = slice_dup(slice_sub(p->rest, 0, n));
	skip(p, n);
	return word;
}

static bool sees_word(const struct parser *p, const char *word)
{
	size_t n;
	return script_word_end(p->rest, &n) && slice_is(slice_sub(p->rest, 0, n), word);
}

static bool takes_word(struct parser *p, const char *word)
{
	skip_blanks(p);
	if (!sees_word(p, word))
		return false;
	skip(p, strlen(word));
	return true;
}

/* --- here-documents -----------------------------------------------------------------------------
 */

static void read_here(struct parser *p, struct redirect *r)
{
	struct buf text = BUF(SHELL_LINE_MAX);
	struct slice line;
	bool ended = false;
	while (!ended && slice_next(&p->rest, '\n', &line)) {
		ended = slice_is(line, r->word);
		if (!ended) {
			buf_add_slice(&text, line);
			buf_add_char(&text, '\n');
		}
	}
	if (!ended)
		p->wrong = "a here-document that does not end";
	free(r->word);
	r->word = buf_take(&text);
}

static void line_end(struct parser *p)
{
	skip(p, 1);
	for (size_t i = 0; i < p->here_of.n; i++)
		read_here(p, &p->here_of.p[i]->redirects.p[p->here_at.p[i]]);
	p->here_of.n = p->here_at.n = 0;
}

/* Line ends and blanks between commands. */
static void skip_lines(struct parser *p)
{
	skip_blanks(p);
	while (!p->wrong && p->rest.n && *p->rest.p == '\n') {
		line_end(p);
		skip_blanks(p);
	}
}

/* --- redirections -------------------------------------------------------------------------------
 */

static void note_here(struct parser *p, struct node *n, struct redirect *r)
{
	const size_t len = strlen(r->word);
	if (r->word[0] == '\'' && len > 1) {
		r->plain = true;
		memmove(r->word, r->word + 1, len - 2);
		r->word[len - 2] = 0;
	}
	vec_push(&n->redirects, *r);
	vec_push(&p->here_of, n);
	vec_push(&p->here_at, n->redirects.n - 1);
}

static bool takes_redirect(struct parser *p, struct node *n)
{
	size_t at = p->rest.n > 1 && isdigit((unsigned char)*p->rest.p) ? 1 : 0;
	if (at >= p->rest.n || !strchr("<>", p->rest.p[at]))
		return false;
	struct redirect r = {.fd = at ? *p->rest.p - '0' : p->rest.p[at] == '>'};
	skip(p, at);
	if (slice_starts(p->rest, "<<")) {
		r.type = REDIRECT_HERE;
		skip(p, 2);
	} else if (slice_starts(p->rest, ">>")) {
		r.type = REDIRECT_APPEND;
		skip(p, 2);
	} else if (slice_starts(p->rest, ">&")) {
		r.type = REDIRECT_DUP;
		skip(p, 2);
	} else {
		r.type = *p->rest.p == '<' ? REDIRECT_FROM : REDIRECT_TO;
		skip(p, 1);
	}
	skip_blanks(p);
	r.word = take_word(p);
	if (!r.word) {
		p->wrong = p->wrong ? p->wrong : "a redirection to nothing";
		return true;
	}
	if (r.type == REDIRECT_HERE)
		note_here(p, n, &r);
	else
		vec_push(&n->redirects, r);
	return true;
}

/* --- commands -----------------------------------------------------------------------------------
 */

static struct node *read_list(struct parser *p, const char *const *ends);

static struct node *node_new(enum node_type type)
{
	struct node *n = mem_new(struct node);
	n->type = type;
	return n;
}

static void expect(struct parser *p, const char *word, const char *wrong)
{
	if (!p->wrong && !takes_word(p, word))
		p->wrong = wrong;
}

static struct node *read_if(struct parser *p)
{
	static const char *const then[] = {"then", NULL}, *const more[] = {
								  "elif", "else", "fi", NULL};
	struct node *n = node_new(NODE_IF);
	bool again = true;
	while (again && !p->wrong) {
		vec_push(&n->parts, read_list(p, then));
		expect(p, "then", "if without then");
		vec_push(&n->parts, read_list(p, more));
		again = !p->wrong && takes_word(p, "elif");
	}
	if (!p->wrong && takes_word(p, "else"))
		vec_push(&n->parts, read_list(p, more + 2));
	expect(p, "fi", "if without fi");
	return n;
}

static struct node *read_for(struct parser *p)
{
	static const char *const done[] = {"done", NULL};
	struct node *n = node_new(NODE_FOR);
	char *word;
	skip_blanks(p);
	if ((word = take_word(p)))
		vec_push(&n->words, word);
	expect(p, "in", "for without in");
	skip_blanks(p);
	while (!p->wrong && (word = take_word(p))) {
		vec_push(&n->words, word);
		skip_blanks(p);
	}
	if (p->rest.n && *p->rest.p == ';')
		skip(p, 1);
	skip_lines(p);
	expect(p, "do", "for without do");
	vec_push(&n->parts, read_list(p, done));
	expect(p, "done", "for without done");
	if (!p->wrong && !n->words.n)
		p->wrong = "for without a name";
	return n;
}

static struct node *read_while(struct parser *p)
{
	static const char *const begin[] = {"do", NULL}, *const done[] = {"done", NULL};
	struct node *n = node_new(NODE_WHILE);
	vec_push(&n->parts, read_list(p, begin));
	expect(p, "do", "while without do");
	vec_push(&n->parts, read_list(p, done));
	expect(p, "done", "while without done");
	return n;
}

static struct node *read_simple(struct parser *p)
{
	struct node *n = node_new(NODE_SIMPLE);
	for (;;) {
		skip_blanks(p);
		if (p->wrong || !p->rest.n)
			break;
		if (takes_redirect(p, n))
			continue;
		char *word = take_word(p);
		if (!word)
			break;
		vec_push(&n->words, word);
	}
	if (!p->wrong && !n->words.n && !n->redirects.n)
		p->wrong = p->rest.n && *p->rest.p == '&' ? "&" : "a command is missing";
	return n;
}

static struct node *read_command(struct parser *p)
{
	static const char *const brace[] = {"}", NULL};
	struct node *n;
	skip_blanks(p);
	if (p->depth >= SCRIPT_DEPTH_MAX) {
		p->wrong = "it is nested too deeply";
		return node_new(NODE_SIMPLE);
	}
	p->depth++;
	if (takes_word(p, "{")) {
		n = node_new(NODE_GROUP);
		vec_push(&n->parts, read_list(p, brace));
		expect(p, "}", "{ without }");
	} else if (p->rest.n && *p->rest.p == '(') {
		skip(p, 1);
		n = node_new(NODE_SUBSHELL);
		vec_push(&n->parts, read_list(p, brace + 1));
		if (!p->wrong && !(p->rest.n && *p->rest.p == ')'))
			p->wrong = "( without )";
		else
			skip(p, 1);
	} else if (takes_word(p, "if")) {
		n = read_if(p);
	} else if (takes_word(p, "for")) {
		n = read_for(p);
	} else if (takes_word(p, "while")) {
		n = read_while(p);
	} else if (takes_word(p, "!")) {
		n = node_new(NODE_NOT);
		vec_push(&n->parts, read_command(p));
	} else {
		n = read_simple(p);
	}
	p->depth--;
	skip_blanks(p);
	while (!p->wrong && n->type != NODE_SIMPLE && takes_redirect(p, n))
		skip_blanks(p);
	return n;
}

static struct node *read_pipe(struct parser *p)
{
	struct node *first = read_command(p);
	skip_blanks(p);
	if (p->wrong || !p->rest.n || *p->rest.p != '|' || slice_starts(p->rest, "||"))
		return first;
	struct node *n = node_new(NODE_PIPE);
	vec_push(&n->parts, first);
	while (!p->wrong && p->rest.n && *p->rest.p == '|' && !slice_starts(p->rest, "||")) {
		skip(p, 1);
		skip_lines(p);
		vec_push(&n->parts, read_command(p));
		skip_blanks(p);
	}
	return n;
}

static bool at_end(struct parser *p, const char *const *ends)
{
	skip_lines(p);
	if (p->wrong || !p->rest.n || *p->rest.p == ')')
		return true;
	for (; *ends; ends++)
		if (sees_word(p, *ends))
			return true;
	return false;
}

/* `a && b || c`, with what comes after it. */
static struct node *read_chain(struct parser *p)
{
	struct node *n = node_new(NODE_LIST);
	enum shell_join join = JOIN_ALWAYS;
	for (;;) {
		vec_push(&n->parts, read_pipe(p));
		vec_push(&n->joins, join);
		vec_push(&n->background, false);
		skip_blanks(p);
		if (p->wrong || !(slice_starts(p->rest, "&&") || slice_starts(p->rest, "||")))
			return n;
		join = *p->rest.p == '&' ? JOIN_AND : JOIN_OR;
		skip(p, 2);
		skip_lines(p);
	}
}

static struct node *read_list(struct parser *p, const char *const *ends)
{
	struct node *n = node_new(NODE_LIST);
	while (!at_end(p, ends)) {
		vec_push(&n->parts, read_chain(p));
		vec_push(&n->joins, JOIN_ALWAYS);
		skip_blanks(p);
		const char next = p->rest.n ? *p->rest.p : '\n';
		vec_push(&n->background, next == '&');
		if (next == '&' || next == ';')
			skip(p, 1);
		else if (next != '\n' && next != ')' && !p->wrong)
			p->wrong = "unexpected word";
	}
	if (!p->wrong && !n->parts.n && p->depth)
		p->wrong = "a command is missing";
	return n;
}

struct node *script_parse(struct slice text, const char **ret_wrong)
{
	static const char *const none[] = {NULL};
	struct parser p = {.rest = text};
	struct node *n = read_list(&p, none);
	if (!p.wrong && p.rest.n)
		p.wrong = ")";
	if (!p.wrong && p.here_of.n)
		p.wrong = "a here-document that does not end";
	vec_fini(&p.here_of);
	vec_fini(&p.here_at);
	*ret_wrong = p.wrong;
	if (!p.wrong)
		return n;
	node_free(n);
	return NULL;
}
