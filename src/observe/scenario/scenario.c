/*
 * scenario.c - what can be asked of a scenario that was read; see read.c for the reading.
 */

#include "observe/scenario/scenario.h"

#include <string.h>

static void free_conditions(struct condition_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->p[i].text);
		expr_free(l->p[i].expr);
	}
	free(l->p);
}

static void free_step(struct step *s)
{
	free(s->name);
	interp_free(s->body);
	expr_free(s->when);
	expr_free(s->count);
	interp_free(s->each);
	free(s->after);
	free(s->around);
	expr_free(s->until);
	expr_free(s->ready);
	free(s->lock);
	interp_free(s->login);
	interp_free(s->undo);
	free(s->must_fail.p);
	free(s->retry.on.p);
	free_conditions(&s->expect);
	free_conditions(&s->warn);
	free(s->component);
	free(s->metric);
	interp_free(s->upload);
	interp_free(s->allowed);
	free(s->needs);
}

void scenario_free(struct scenario *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->step_count; i++)
		free_step(&s->steps[i]);
	for (size_t i = 0; i < s->param_count; i++) {
		free(s->params[i].name);
		interp_free(s->params[i].value);
	}
	for (size_t i = 0; i < s->text_count; i++) {
		free(s->texts[i].name);
		interp_free(s->texts[i].value);
	}
	for (size_t i = 0; i < s->file_count; i++)
		free(s->files[i]);
	free(s->steps);
	free(s->params);
	free(s->texts);
	free(s->files);
	free(s->order);
	free(s->name);
	free(s->title);
	free(s->file);
	free(s->directory);
	free(s);
}

int scenario_step(const struct scenario *s, struct slice name)
{
	for (size_t i = 0; i < s->step_count; i++)
		if (slice_is(name, s->steps[i].name))
			return (int)i;
	return -1;
}

const char *verb_name(const struct step *step)
{
	static const char *const names[VERB_COUNT] = {
		[VERB_FIND] = "find",
		[VERB_GROUP] = "group",
		[VERB_SET] = "set",
		[VERB_SERVER_ACTION] = "server_action",
		[VERB_DELETE] = "delete",
		[VERB_CALL] = "call",
		[VERB_WAIT] = "wait",
		[VERB_PING] = "ping",
		[VERB_TCP] = "tcp",
		[VERB_HTTP] = "http",
		[VERB_SSH] = "ssh",
		[VERB_DNS] = "dns",
		[VERB_STREAM] = "stream",
		[VERB_DOWNLOAD] = "download",
		[VERB_LIST] = "list",
		[VERB_TOKEN] = "token",
		[VERB_VALUE] = "value",
		[VERB_GUEST] = "guest",
		[VERB_MESH] = "mesh",
		[VERB_THROUGHPUT] = "throughput",
		[VERB_BENCH] = "bench",
	};
	return step->verb == VERB_CREATE ? step->kind->name : names[step->verb];
}

bool verb_is_check(enum verb v)
{
	return v >= VERB_PING && v <= VERB_BENCH;
}

bool verb_reaches(enum verb v)
{
	return v == VERB_PING || v == VERB_TCP || v == VERB_HTTP || v == VERB_SSH ||
	       verb_works_in_guest(v);
}

bool verb_works_in_guest(enum verb v)
{
	return v >= VERB_GUEST && v <= VERB_BENCH;
}

bool step_is_many(const struct step *step)
{
	return step->count || step->each || step->verb == VERB_GROUP ||
	       (step->verb == VERB_CREATE && step->kind && step->kind->several);
}

/* --- is a function called, a name used anywhere? -----------------------------------------------
 */

struct search {
	const char *function, *name; /* one of them */
	bool found;
};

static void on_call(void *arg, struct slice function, size_t args, unsigned line, unsigned col)
{
	struct search *s = arg;
	s->found = s->found || slice_is(function, s->function);
}

static void on_name(void *arg, const struct expr_use *use)
{
	struct search *s = arg;
	s->found = s->found || slice_is(use->name, s->name);
}

static void in_interp(struct search *s, const struct interp *t)
{
	if (t && s->function)
		interp_functions(t, on_call, s);
	else if (t)
		interp_names(t, on_name, s);
}

static void in_expr(struct search *s, const struct expr *e)
{
	if (e && s->function)
		expr_functions(e, on_call, s);
	else if (e)
		expr_names(e, on_name, s);
}

static bool search(const struct scenario *s, struct search search)
{
	for (size_t i = 0; i < s->step_count; i++) {
		const struct step *step = &s->steps[i];
		const struct interp *const trees[] = {step->body, step->each, step->login,
			step->undo, step->upload, step->allowed};
		const struct expr *const exprs[] = {
			step->when, step->count, step->until, step->ready};
		for (size_t k = 0; k < array_len(trees); k++)
			in_interp(&search, trees[k]);
		for (size_t k = 0; k < array_len(exprs); k++)
			in_expr(&search, exprs[k]);
		for (size_t k = 0; k < step->expect.n; k++)
			in_expr(&search, step->expect.p[k].expr);
		for (size_t k = 0; k < step->warn.n; k++)
			in_expr(&search, step->warn.p[k].expr);
	}
	for (size_t i = 0; i < s->param_count; i++)
		in_interp(&search, s->params[i].value);
	for (size_t i = 0; i < s->text_count; i++)
		in_interp(&search, s->texts[i].value);
	return search.found;
}

bool scenario_calls(const struct scenario *s, const char *function)
{
	return search(s, (struct search){.function = function});
}

bool scenario_names(const struct scenario *s, const char *name)
{
	return search(s, (struct search){.name = name});
}

const char *const *scenario_dirs(void)
{
	static const char *dirs[4];
	const char *own = getenv("GLASSHOUSE_SCENARIOS");
	size_t n = 0;
	if (own)
		dirs[n++] = own;
	dirs[n++] = "scenarios";
	dirs[n++] = GLASSHOUSE_DATADIR "/scenarios";
	dirs[n] = NULL;
	return dirs;
}
