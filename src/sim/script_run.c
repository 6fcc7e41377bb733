/*
 * script_run.c - a script's tree, run.
 */

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "sim/guest_memory.h"
#include "sim/script.h"

static void on_nothing(void *arg)
{
}

static void say(struct script *s, const char *what, const char *more)
{
	shell_err(s->sh, "sh: %s%.200s\n", what, more);
}

/* --- simple commands ----------------------------------------------------------------------------
 */

/* A command that waits goes on at once, in the script's own time. */
static int wait_out(struct script *s)
{
	struct shell *sh = s->sh;
	while (sh->job != JOB_NONE) {
		void (*next)(struct timer * t) = sh->next;
		sh->next = NULL;
		s->now_ns += sh->wait_ns;
		sh->wait_ns = 0;
		if (!next)
			return sh->status; /* for input that has come to its end */
		next(&sh->timer);
	}
	return sh->status;
}

static int run_words(struct script *s, struct words *w)
{
	struct shell *sh = s->sh;
	const struct world_guest *g = world_guest(*sh->world, sh->guest);
	const struct command *command = shell_command(w->list.p[0]);
	if (!g)
		return 255;
	if (!command) {
		shell_err(sh, "sh: %.200s: not found\n", w->list.p[0]);
		return 127;
	}
	sh->job = JOB_NONE;
	sh->passed_ns = s->now_ns;
	const int status = command->run(sh, g, w->list.n, w->list.p);
	return status == SHELL_WAITS ? wait_out(s) : status;
}

/* Those that change the script itself. */
static bool is_own(struct script *s, struct words *w, int *ret_status)
{
	const char *name = w->list.p[0];
	int n;
	*ret_status = 0;
	if (!strcmp(name, "break")) {
		s->breaking = true;
	} else if (!strcmp(name, "wait")) {
		s->now_ns = s->until_ns > s->now_ns ? s->until_ns : s->now_ns;
	} else if (!strcmp(name, "exit")) {
		*ret_status = s->status;
		if (w->list.n > 1 && sscanf(w->list.p[1], "%d", &n) == 1)
			*ret_status = n & 0xff;
		s->exiting = true;
	} else if (strcmp(name, "export") && strcmp(name, "set")) {
		return false;
	}
	return true;
}

static size_t assignment(const char *word)
{
	size_t n = 0;
	while (isalnum((unsigned char)word[n]) || word[n] == '_')
		n++;
	return n && word[n] == '=' && !isdigit((unsigned char)word[0]) ? n : 0;
}

static bool assign(struct script *s, const char *word)
{
	struct words w = {0};
	const size_t n = assignment(word);
	if (!n || !script_expand(s, word + n + 1, false, &w))
		return n > 0;
	char *name = mem_strndup(word, n);
	free(map_put(&s->vars, name, w.list.n ? mem_strdup(w.list.p[0]) : mem_strdup("")));
	free(name);
	words_fini(&w);
	return true;
}

static void run_simple(struct script *s, const struct node *n)
{
	struct words w = {0};
	size_t i = 0;
	int status = 0;
	const int before = s->status;
	s->status = 0; /* an assignment alone has that of its $( ) */
	while (i < n->words.n && !s->wrong && assign(s, n->words.p[i]))
		i++;
	if (i < n->words.n)
		s->status = before;
	for (; i < n->words.n && !s->wrong; i++)
		if (!script_expand(s, n->words.p[i], true, &w))
			break;
	if (!s->wrong && w.list.n) {
		const bool exec = !strcmp(w.list.p[0], "exec") && w.list.n > 1;
		if (exec) {
			free(w.list.p[0]);
			vec_remove(&w.list, 0);
		}
		s->status = is_own(s, &w, &status) ? status : run_words(s, &w);
		s->exiting |= exec;
	}
	words_fini(&w);
}

/* --- redirections -------------------------------------------------------------------------------
 */

/* Where the output of a command goes: its two descriptors, and the files behind them. */
struct going {
	struct buf out, err; /* what was said, while it is caught */
	char *path[3];       /* NULL: not to a file */
	bool append[3];
	int to[3]; /* 1, 2: as the shell's own; 0: a file */
};

static char *expanded(struct script *s, const char *word)
{
	struct words w = {0};
	char *text = script_expand(s, word, false, &w) && w.list.n ? mem_strdup(w.list.p[0]) : NULL;
	words_fini(&w);
	return text;
}

/* As in double quotes: a here-document's expansions. */
static char *here_text(struct script *s, const struct redirect *r)
{
	if (r->plain)
		return mem_strdup(r->word);
	struct buf quoted = BUF(2 * SHELL_LINE_MAX);
	buf_add_char(&quoted, '"');
	for (const char *c = r->word; *c; c++) {
		if (*c == '"')
			buf_add_char(&quoted, '\\');
		buf_add_char(&quoted, *c);
	}
	buf_add_char(&quoted, '"');
	char *text = expanded(s, buf_str(&quoted));
	buf_fini(&quoted);
	return text;
}

static bool take_input(struct script *s, const struct redirect *r)
{
	struct shell *sh = s->sh;
	char *text = r->type == REDIRECT_HERE ? here_text(s, r) : NULL;
	char *path = r->type == REDIRECT_FROM ? expanded(s, r->word) : NULL;
	struct buf file = BUF(SHELL_INPUT_MAX);
	const bool good = text || (path && !strcmp(path, "/dev/null")) ||
			  (path && guest_file_read(sh, path, &file));
	buf_clear(&sh->in);
	buf_add_slice(&sh->in, text ? slice_of(text) : buf_slice(&file));
	if (!good)
		shell_err(sh, "sh: can't open %.200s: no such file\n", path ? path : "");
	buf_fini(&file);
	free(text);
	free(path);
	return good;
}

static bool begin_going(struct script *s, const struct node *n, struct going *g)
{
	for (size_t i = 0; i < n->redirects.n; i++) {
		const struct redirect *r = &n->redirects.p[i];
		if (r->type == REDIRECT_HERE || r->type == REDIRECT_FROM) {
			if (!take_input(s, r))
				return false;
			continue;
		}
		char *word = expanded(s, r->word);
		const int from = r->fd == 2 ? 2 : 1, to = word && *word == '1' ? 1 : 2;
		if (r->type == REDIRECT_DUP) {
			g->to[from] = g->to[to];
			mem_replace(&g->path[from], g->path[to]);
			g->append[from] = true;
			free(word);
			continue;
		}
		free(g->path[from]);
		g->path[from] = word;
		g->append[from] = r->type == REDIRECT_APPEND;
		g->to[from] = 0;
	}
	return true;
}

static void end_going(struct script *s, struct going *g)
{
	for (int fd = 1; fd <= 2; fd++) {
		const struct slice said = buf_slice(fd == 1 ? &g->out : &g->err);
		if (g->to[fd] == 1)
			shell_out_text(s->sh, said.p, said.n);
		else if (g->to[fd] == 2)
			shell_err(s->sh, "%.*s", SLICE_ARG(said));
		else if (strcmp(g->path[fd], "/dev/null") != 0 &&
			 !guest_file_write(s->sh, g->path[fd], said, g->append[fd])) {
			shell_err(
				s->sh, "sh: can't create %.200s: Permission denied\n", g->path[fd]);
			s->status = 1;
		}
	}
	free(g->path[1]);
	free(g->path[2]);
}

/* Runs `run` with what it says caught. */
static void catching(struct script *s, const struct node *n, struct going *g,
	void (*run)(struct script *s, const struct node *n))
{
	struct shell *sh = s->sh;
	const struct buf out = sh->out, err = sh->err;
	sh->out = BUF(SHELL_OUTPUT_MAX);
	sh->err = BUF(SHELL_OUTPUT_MAX);
	run(s, n);
	g->out = sh->out;
	g->err = sh->err;
	sh->out = out;
	sh->err = err;
}

static void run_plain(struct script *s, const struct node *n);

static void run_redirected(struct script *s, const struct node *n)
{
	struct going g = {.to = {0, 1, 2}};
	const struct buf in = s->sh->in;
	s->sh->in = BUF(SHELL_INPUT_MAX);
	buf_add_slice(&s->sh->in, buf_slice(&in));
	if (begin_going(s, n, &g) && !s->wrong) {
		catching(s, n, &g, run_plain);
		end_going(s, &g);
	} else {
		s->status = 1;
		free(g.path[1]);
		free(g.path[2]);
	}
	buf_fini(&g.out);
	buf_fini(&g.err);
	buf_fini(&s->sh->in);
	s->sh->in = in;
}

/* --- compound commands --------------------------------------------------------------------------
 */

static void run_background(struct script *s, const struct node *n)
{
	const int64_t began = s->now_ns;
	struct guest_memory *m = shell_memory(s->sh);
	const bool exiting = s->exiting;
	s->sh->stays = 0;
	script_node(s, n);
	s->background = s->sh->stays ? s->sh->stays : m->next_pid++;
	s->sh->stays = 0;
	s->until_ns = s->now_ns > s->until_ns ? s->now_ns : s->until_ns;
	s->now_ns = began;
	s->exiting = exiting; /* it had a shell of its own */
	s->status = 0;
}

static void run_list(struct script *s, const struct node *n)
{
	for (size_t i = 0; i < n->parts.n && !s->exiting && !s->breaking && !s->wrong; i++) {
		const enum shell_join join = n->joins.p[i];
		if ((join == JOIN_AND && s->status) || (join == JOIN_OR && !s->status))
			continue;
		if (n->background.p[i])
			run_background(s, n->parts.p[i]);
		else
			script_node(s, n->parts.p[i]);
	}
}

static void run_pipe(struct script *s, const struct node *n)
{
	struct shell *sh = s->sh;
	const struct buf in = sh->in;
	struct buf between = BUF(SHELL_INPUT_MAX);
	const bool exiting = s->exiting;
	for (size_t i = 0; i < n->parts.n && !s->wrong; i++) {
		struct going g = {0};
		sh->in = BUF(SHELL_INPUT_MAX);
		buf_add_slice(&sh->in, i ? buf_slice(&between) : buf_slice(&in));
		catching(s, n->parts.p[i], &g, script_node);
		s->exiting = exiting;
		buf_fini(&between);
		between = g.out;
		shell_err(sh, "%.*s", (int)g.err.n, buf_str(&g.err));
		buf_fini(&g.err);
		buf_fini(&sh->in);
	}
	sh->in = in;
	shell_out_text(sh, buf_str(&between), between.n);
	buf_fini(&between);
}

static void run_for(struct script *s, const struct node *n)
{
	struct words w = {0};
	for (size_t i = 1; i < n->words.n && script_expand(s, n->words.p[i], true, &w); i++)
		;
	for (size_t i = 0; i < w.list.n && !s->exiting && !s->breaking && !s->wrong; i++) {
		free(map_put(&s->vars, n->words.p[0], mem_strdup(w.list.p[i])));
		script_node(s, n->parts.p[0]);
	}
	s->breaking = false;
	words_fini(&w);
}

static void run_while(struct script *s, const struct node *n)
{
	int status = 0;
	for (;;) {
		script_node(s, n->parts.p[0]);
		if (s->status || s->exiting || s->breaking || s->wrong)
			break;
		script_node(s, n->parts.p[1]);
		status = s->status;
		if (s->exiting || s->breaking || s->wrong)
			break;
	}
	if (!s->exiting)
		s->status = status;
	s->breaking = false;
}

static void run_if(struct script *s, const struct node *n)
{
	size_t i = 0;
	for (; i + 1 < n->parts.n; i += 2) {
		script_node(s, n->parts.p[i]);
		if (s->exiting || s->wrong)
			return;
		if (!s->status) {
			script_node(s, n->parts.p[i + 1]);
			return;
		}
	}
	s->status = 0;
	if (i < n->parts.n)
		script_node(s, n->parts.p[i]);
}

static void run_plain(struct script *s, const struct node *n)
{
	const bool exiting = s->exiting;
	switch (n->type) {
	case NODE_SIMPLE: run_simple(s, n); break;
	case NODE_LIST: run_list(s, n); break;
	case NODE_PIPE: run_pipe(s, n); break;
	case NODE_NOT:
		script_node(s, n->parts.p[0]);
		s->status = !s->status;
		break;
	case NODE_GROUP: script_node(s, n->parts.p[0]); break;
	case NODE_SUBSHELL: /* with the variables of this one: only its exit is its own */
		script_node(s, n->parts.p[0]);
		s->exiting = exiting;
		break;
	case NODE_IF: run_if(s, n); break;
	case NODE_FOR: run_for(s, n); break;
	case NODE_WHILE: run_while(s, n); break;
	}
}

void script_node(struct script *s, const struct node *n)
{
	if (s->wrong)
		return;
	if (++s->steps > SCRIPT_STEPS_MAX || s->depth >= 4 * SCRIPT_DEPTH_MAX) {
		s->wrong = "it does too much";
		return;
	}
	s->depth++;
	if (n->redirects.n)
		run_redirected(s, n);
	else
		run_plain(s, n);
	s->depth--;
}

/* --- a text -------------------------------------------------------------------------------------
 */

static void run_text(struct script *s, struct slice text)
{
	const char *wrong;
	struct node *n = script_parse(text, &wrong);
	if (n) {
		script_node(s, n);
	} else {
		say(s, "syntax error: ", wrong);
		s->status = 2;
	}
	node_free(n);
}

char *script_capture(struct script *s, struct slice text)
{
	struct shell *sh = s->sh;
	const struct buf out = sh->out;
	const bool exiting = s->exiting;
	sh->out = BUF(SHELL_OUTPUT_MAX);
	run_text(s, text);
	s->exiting = exiting;
	while (sh->out.n && sh->out.p[sh->out.n - 1] == '\n')
		buf_cut(&sh->out, sh->out.n - 1);
	char *said = buf_take(&sh->out);
	sh->out = out;
	return said;
}

int script_run(struct shell *sh, struct slice text, int64_t *ret_took_ns)
{
	struct script s = {.sh = sh};
	sh->in_script = true;
	sh->in_end = true;
	sh->timer.arg = sh;
	sh->wake = on_nothing;
	run_text(&s, text);
	if (s.wrong) {
		say(&s, "error: ", s.wrong);
		s.status = 2;
	}
	MAP_EACH (&s.vars, e)
		free(e->value);
	map_fini(&s.vars);
	*ret_took_ns = s.now_ns;
	return s.status;
}
