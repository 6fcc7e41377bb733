#include "import/shell.h"

#include <ctype.h>
#include <string.h>

#include "base/buf.h"
#include "base/map.h"

struct reader {
	const char *p, *end;
	unsigned line, col;
	const char *name;
	struct map variables; /* name -> char *, owned: those whose value is known */
	struct shell_script *script;
	VEC(char *) documents; /* ends of here-documents that follow the line */
	struct error *err;
	bool wrong;
};

static bool at_end(const struct reader *r)
{
	return r->p == r->end;
}

static char look(const struct reader *r)
{
	return at_end(r) ? '\0' : *r->p;
}

static char take(struct reader *r)
{
	const char c = *r->p++;
	if (c == '\n') {
		r->line++;
		r->col = 1;
	} else if (((unsigned char)c & 0xc0) != 0x80) {
		r->col++;
	}
	return c;
}

/* A backslash before the end of a line: both are as if not there. */
static bool skip_continued(struct reader *r)
{
	if (r->end - r->p < 2 || r->p[0] != '\\' || r->p[1] != '\n')
		return false;
	take(r);
	take(r);
	return true;
}

static void fail(struct reader *r, unsigned line, unsigned col, const char *what)
{
	if (!r->wrong)
		error_at(r->err, r->name, line, col, "%s", what);
	r->wrong = true;
}

static bool begins_name(char c)
{
	return isalpha((unsigned char)c) || c == '_';
}

static bool in_name(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static void remember(struct reader *r, const char *name, const struct shell_word *value)
{
	free(value->unknown ? map_remove(&r->variables, name)
			    : map_put(&r->variables, name, mem_strdup(value->text)));
}

/* --- one word ----------------------------------------------------------------------------------
 */

/* From behind the opening bracket to behind its end; text stands as written. */
static void skip_brackets(struct reader *r, struct buf *text, char open, char close)
{
	unsigned depth = 1;
	while (!at_end(r) && depth) {
		const char c = take(r);
		depth += (unsigned)(c == open);
		depth -= (unsigned)(c == close);
		buf_add_char(text, c);
	}
}

/* ${...}, behind the brace. */
static void read_braces(struct reader *r, struct shell_word *w, struct buf *text)
{
	const unsigned line = r->line, col = r->col;
	struct buf inside = BUF(BUF_LINE);
	skip_brackets(r, &inside, '{', '}');
	struct slice s = buf_slice(&inside);
	if (!s.n || s.p[s.n - 1] != '}') {
		fail(r, line, col, "the } that ends this is missing");
		buf_fini(&inside);
		return;
	}
	s.n--;
	size_t n = 0;
	while (n < s.n && in_name(s.p[n]))
		n++;
	struct slice rest = slice_sub(s, n, s.n);
	const char *value = map_get_slice(&r->variables, slice_sub(s, 0, n));
	if (value && (!rest.n || *rest.p == '-' || slice_starts(rest, ":-")))
		buf_add_str(text, value);
	else if (!value && n && (slice_starts(rest, ":-") || slice_starts(rest, "-")) &&
		 slice_find(rest, '$') == rest.n)
		buf_add_slice(text, slice_sub(rest, *rest.p == ':' ? 2 : 1, rest.n));
	else {
		w->unknown = true;
		buf_printf(text, "${%.*s}", SLICE_ARG(s));
	}
	buf_fini(&inside);
}

static void read_dollar(struct reader *r, struct shell_word *w, struct buf *text)
{
	take(r);
	const char c = look(r);
	if (c == '{') {
		take(r);
		read_braces(r, w, text);
	} else if (c == '(') {
		w->unknown = true;
		buf_add_char(text, '$');
		buf_add_char(text, take(r));
		skip_brackets(r, text, '(', ')');
	} else if (begins_name(c)) {
		const char *from = r->p;
		while (in_name(look(r)))
			take(r);
		const struct slice name = slice_from(from, (size_t)(r->p - from));
		const char *value = map_get_slice(&r->variables, name);
		w->unknown = w->unknown || !value;
		if (value)
			buf_add_str(text, value);
		else
			buf_printf(text, "$%.*s", SLICE_ARG(name));
	} else {
		const bool special = c && strchr("@*#?-$!0123456789", c);
		w->unknown = w->unknown || special;
		buf_add_char(text, '$');
		if (special)
			buf_add_char(text, take(r));
	}
}

static void read_backquotes(struct reader *r, struct shell_word *w, struct buf *text)
{
	w->unknown = true;
	do
		buf_add_char(text, take(r));
	while (!at_end(r) && look(r) != '`');
	if (!at_end(r))
		buf_add_char(text, take(r));
}

static void read_quoted(struct reader *r, struct shell_word *w, struct buf *text)
{
	const unsigned line = r->line, col = r->col;
	const char quote = take(r);
	while (!at_end(r) && look(r) != quote) {
		if (quote == '"' && look(r) == '$')
			read_dollar(r, w, text);
		else if (quote == '"' && look(r) == '`')
			read_backquotes(r, w, text);
		else if (quote == '"' && skip_continued(r))
			continue;
		else {
			if (quote == '"' && look(r) == '\\' && r->end - r->p > 1 &&
				strchr("$`\"\\", r->p[1]))
				take(r);
			buf_add_char(text, take(r));
		}
	}
	if (at_end(r))
		fail(r, line, col, "the quote that begins here has no end");
	else
		take(r);
}

static bool ends_word(char c)
{
	return strchr(" \t\r\n;&|<>()", c) != NULL; /* the end of the text too */
}

/* Returns whether there was any quote: "" is a word. */
static void read_word(struct reader *r, struct shell_word *ret)
{
	struct buf text = BUF(BUF_LINE);
	*ret = (struct shell_word){.line = r->line, .col = r->col};
	while (!at_end(r) && !r->wrong && !ends_word(look(r))) {
		const char c = look(r);
		if (skip_continued(r))
			continue;
		if (c == '\'' || c == '"') {
			read_quoted(r, ret, &text);
		} else if (c == '$') {
			read_dollar(r, ret, &text);
		} else if (c == '`') {
			read_backquotes(r, ret, &text);
		} else {
			ret->unknown = ret->unknown || c == '*' || c == '?';
			if (c == '\\' && r->end - r->p > 1)
				take(r);
			buf_add_char(&text, take(r));
		}
	}
	if (text.over)
		fail(r, ret->line, ret->col, "a word is at most 64 KiB long");
	ret->text = buf_take(&text);
}

/* --- one command -------------------------------------------------------------------------------
 */

/* How long the NAME of a NAME=value is that stands here; 0: none does. */
static size_t set_name(struct slice s)
{
	size_t n = 0;
	if (!s.n || !begins_name(*s.p))
		return 0;
	while (n < s.n && in_name(s.p[n]))
		n++;
	return n < s.n && s.p[n] == '=' ? n : 0;
}

static void read_set(struct reader *r, struct shell_command *c, size_t name_n)
{
	struct shell_set set = {.name = slice_dup(slice_from(r->p, name_n))};
	for (size_t i = 0; i <= name_n; i++)
		take(r);
	read_word(r, &set.value);
	remember(r, set.name, &set.value);
	vec_push(&c->sets, set);
}

/* Over a redirection; what a here-document holds is nothing of ours. */
static void skip_redirection(struct reader *r)
{
	const char *from = r->p;
	while (strchr("<>&|-", look(r)) && !at_end(r))
		take(r);
	const bool document = r->p - from >= 2 && from[0] == '<' && from[1] == '<';
	while (look(r) == ' ' || look(r) == '\t')
		take(r);
	struct shell_word w;
	read_word(r, &w);
	if (document)
		vec_push(&r->documents, w.text);
	else
		free(w.text);
}

static void skip_document(struct reader *r, const char *until)
{
	while (!at_end(r)) {
		const char *from = r->p;
		while (!at_end(r) && look(r) != '\n')
			take(r);
		const struct slice line = slice_trim(slice_from(from, (size_t)(r->p - from)));
		if (!at_end(r))
			take(r);
		if (slice_is(line, until))
			return;
	}
}

static void end_line(struct reader *r)
{
	take(r);
	for (size_t i = 0; i < r->documents.n; i++) {
		skip_document(r, r->documents.p[i]);
		free(r->documents.p[i]);
	}
	r->documents.n = 0;
}

/* `export NAME=value` sets it too. */
static void remember_exported(struct reader *r, const struct shell_command *c)
{
	const char *first = c->words.n ? c->words.p[0].text : "";
	if (strcmp(first, "export") != 0 && strcmp(first, "readonly") != 0)
		return;
	for (size_t i = 1; i < c->words.n; i++) {
		const struct slice s = slice_of(c->words.p[i].text);
		const size_t n = set_name(s);
		if (!n)
			continue;
		char *name = slice_dup(slice_sub(s, 0, n));
		const struct shell_word value = {
			.text = c->words.p[i].text + n + 1, .unknown = c->words.p[i].unknown};
		remember(r, name, &value);
		free(name);
	}
}

/* A number right before < or > belongs to it. */
static bool is_descriptor(const struct reader *r, const struct shell_word *w)
{
	return (look(r) == '<' || look(r) == '>') && *w->text && !w->text[1] &&
	       isdigit((unsigned char)*w->text);
}

static void read_word_of(struct reader *r, struct shell_command *c)
{
	struct shell_word w;
	read_word(r, &w);
	if (is_descriptor(r, &w)) {
		free(w.text);
		return;
	}
	vec_push(&c->words, w);
	if (c->words.n > SHELL_WORDS_MAX)
		fail(r, w.line, w.col, "a command has at most 1,000 words");
}

/* Up to the end of its line, or to what parts it from the next one. */
static void read_command(struct reader *r, struct shell_command *c)
{
	while (!at_end(r) && !r->wrong) {
		const char p = look(r);
		const size_t name =
			c->words.n ? 0 : set_name(slice_from(r->p, (size_t)(r->end - r->p)));
		if (p == ' ' || p == '\t' || p == '\r') {
			take(r);
		} else if (skip_continued(r)) {
			continue;
		} else if (p == '#') {
			while (!at_end(r) && look(r) != '\n')
				take(r);
		} else if (p == '\n') {
			end_line(r);
			return;
		} else if (p == '<' || p == '>') {
			skip_redirection(r);
		} else if (ends_word(p)) {
			take(r);
			return;
		} else {
			if (!c->line) {
				c->line = r->line;
				c->col = r->col;
			}
			if (name)
				read_set(r, c, name);
			else
				read_word_of(r, c);
		}
	}
}

static void command_fini(struct shell_command *c)
{
	VEC_EACH (&c->sets, struct shell_set, s) {
		free(s->name);
		free(s->value.text);
	}
	VEC_EACH (&c->words, struct shell_word, w) {
		free(w->text);
	}
	vec_fini(&c->sets);
	vec_fini(&c->words);
}

bool shell_read(struct slice text, const char *name, struct shell_script *ret, struct error *err)
{
	struct reader r = {.p = text.p,
		.end = text.p + text.n,
		.line = 1,
		.col = 1,
		.name = name,
		.script = ret,
		.err = err};
	*ret = (struct shell_script){0};
	if (text.n > SHELL_TEXT_MAX || !utf8_valid(text) || (text.n && memchr(text.p, 0, text.n)))
		fail(&r, 1, 1, "expected a shell script: UTF-8 text of at most 1 MiB");
	while (!at_end(&r) && !r.wrong) {
		struct shell_command c = {0};
		read_command(&r, &c);
		remember_exported(&r, &c);
		if (c.sets.n || c.words.n)
			vec_push(&ret->commands, c);
		else
			command_fini(&c);
		if (ret->commands.n > SHELL_COMMANDS_MAX)
			fail(&r, r.line, r.col, "a script has at most 10,000 commands");
	}
	for (size_t i = 0; i < r.documents.n; i++)
		free(r.documents.p[i]);
	vec_fini(&r.documents);
	MAP_EACH (&r.variables, e) {
		free(e->value);
	}
	map_fini(&r.variables);
	if (r.wrong)
		shell_script_fini(ret);
	return !r.wrong;
}

void shell_script_fini(struct shell_script *s)
{
	VEC_EACH (&s->commands, struct shell_command, c) {
		command_fini(c);
	}
	vec_fini(&s->commands);
}
