/*
 * read_names.c - what names mean, what needs what, cycles, and the order.
 *
 * A step has two ends: it starts and it ends. A name in its body lets it start after the named step
 * has ended; one in its conditions lets it end after; a stream ends after the steps it goes around
 * and these start after the stream has started. A cycle among these is what could never run.
 */

#include <string.h>

#include "observe/scenario/reader.h"

/* A text is judged once for each place that uses it, however often others name it. */
enum text_state { TEXT_NEW, TEXT_BUSY, TEXT_JUDGED };

struct naming {
	struct reader *r;
	const struct place *place;
};

/* --- functions -------------------------------------------------------------------------------- */

/* What the language has, whose arguments its parser has counted. */
static const char *const functions[] = {"len", "has", "min", "max", "ceil", "cidr", "join", "lower",
	"string", "without", "base64", "yaml", "pat", "any", "size_for", "file", "sample",
	"secret"};

/* What scenarios add, see world_call.c. */
static const struct {
	const char *name;
	size_t min, max;
	const char *takes;
} added[] = {{"size_for", 1, 1, "an image"}, {"file", 1, 1, "a name"},
	{"sample", 2, 2, "a list and how many of it"}, {"secret", 0, 1, "at most a length"}};

static void on_function(void *arg, struct slice function, size_t args, unsigned line, unsigned col)
{
	struct naming *n = arg;
	char meant[MEANT_TEXT];
	for (size_t i = 0; i < array_len(added); i++)
		if (slice_is(function, added[i].name) &&
			(args < added[i].min || args > added[i].max))
			error_list_at(n->r->errors, n->place->file, line, col, "%s takes %s",
				added[i].name, added[i].takes);
	for (size_t i = 0; i < array_len(functions); i++)
		if (slice_is(function, functions[i]))
			return;
	error_list_at(n->r->errors, n->place->file, line, col, "unknown function \"%.*s\"%s",
		SLICE_ARG(function),
		reader_meant(function, functions, array_len(functions), meant));
}

/* --- names ------------------------------------------------------------------------------------ */

static void add_link(struct reader *r, const struct place *place, size_t to)
{
	if (place->link == LINK_NONE)
		return;
	struct links *l = &r->links[place->step];
	switch (place->link) {
	case LINK_NONE: break;
	case LINK_START: vec_push(&l->start, to); break;
	case LINK_END: vec_push(&l->end, to); break;
	case LINK_VIA:
		vec_push(&l->via, to); /* and */
		__attribute__((fallthrough));
	case LINK_LOGIN: vec_push(&l->login, to); break;
	}
}

static void unknown_name(struct naming *n, const struct expr_use *use)
{
	const struct scenario *s = n->r->s;
	const char **names =
		mem_new_array(s->step_count + s->param_count + s->text_count + 8, sizeof(*names));
	size_t count = 0;
	static const char *const own[] = {"run", "i", "it", "zones", "cloud", "location"};
	for (size_t i = 0; i < s->step_count && !n->place->outside; i++)
		names[count++] = s->steps[i].name;
	for (size_t i = 0; i < s->param_count; i++)
		names[count++] = s->params[i].name;
	for (size_t i = 0; i < s->text_count && !n->place->outside; i++)
		names[count++] = s->texts[i].name;
	for (size_t i = 0; i < array_len(own); i++)
		names[count++] = own[i];
	char meant[MEANT_TEXT] = "";
	if (!n->r->errors->dropped) /* nobody will read it: do not search */
		reader_meant(use->name, names, count, meant);
	error_list_at(n->r->errors, n->place->file, use->line, use->col,
		"there is no step, param or text \"%.*s\"%s", SLICE_ARG(use->name), meant);
	free(names);
}

static void use_own(struct naming *n, const struct expr_use *use)
{
	const bool index = slice_is(use->name, "i");
	if (index ? n->place->index : n->place->it)
		return;
	error_list_at(n->r->errors, n->place->file, use->line, use->col,
		index ? "there is no `i` here: the step has neither count nor each"
		      : "there is no `it` here: the step has no each");
}

static void use_text(struct naming *n, const struct expr_use *use, const struct text_block *t)
{
	struct place inner = *n->place;
	unsigned char *state = &n->r->judged[t - n->r->s->texts];
	inner.file = t->file;
	inner.in_text = true;
	if (n->place->outside) {
		error_list_at(n->r->errors, n->place->file, use->line, use->col,
			"a param cannot use the text \"%s\"", t->name);
		return;
	}
	if (*state == TEXT_BUSY)
		error_list_at(n->r->errors, t->file, t->line, t->col,
			"the text \"%s\" contains itself", t->name);
	if (*state != TEXT_NEW || !t->value)
		return;
	*state = TEXT_BUSY;
	names_of_interp(n->r, t->value, &inner);
	*state = TEXT_JUDGED;
}

static void use_step(struct naming *n, const struct expr_use *use, size_t step)
{
	struct reader *r = n->r;
	const struct source *src = &r->sources.p[step];
	const char *name = r->s->steps[step].name;
	if (n->place->outside) {
		error_list_at(r->errors, n->place->file, use->line, use->col,
			"a param cannot use the step \"%s\": params are known before the run",
			name);
		return;
	}
	if (source_is_many(src) && !use->indexed && !use->needs_all)
		error_list_at(r->errors, n->place->file, use->line, use->col,
			"\"%s\" has several elements: write %s[i] for one, %s[*] for all", name,
			name, name);
	add_link(r, n->place, step);
}

static void on_name(void *arg, const struct expr_use *use)
{
	struct naming *n = arg;
	const struct scenario *s = n->r->s;
	static const char *const own[] = {"run", "zones", "cloud", "location"};
	if (slice_is(use->name, "i") || slice_is(use->name, "it")) {
		use_own(n, use);
		return;
	}
	for (size_t i = 0; i < array_len(own); i++)
		if (slice_is(use->name, own[i]))
			return;
	for (size_t i = 0; i < s->param_count; i++)
		if (slice_is(use->name, s->params[i].name))
			return;
	for (size_t i = 0; i < s->text_count; i++)
		if (slice_is(use->name, s->texts[i].name)) {
			use_text(n, use, &s->texts[i]);
			return;
		}
	const size_t step = (size_t)map_get_slice(&n->r->by_name, use->name);
	if (step)
		use_step(n, use, step - 1);
	else
		unknown_name(n, use);
}

static void begin_judging(struct reader *r, const struct place *place)
{
	const size_t n = r->s->text_count;
	if (place->in_text || !n)
		return;
	if (!r->judged)
		r->judged = mem_new_array(n, sizeof(*r->judged)); /* all texts are known by now */
	memset(r->judged, TEXT_NEW, n);
}

void names_of_interp(struct reader *r, const struct interp *t, const struct place *place)
{
	begin_judging(r, place);
	struct naming n = {r, place};
	interp_names(t, on_name, &n);
	interp_functions(t, on_function, &n);
}

void names_of_expr(struct reader *r, const struct expr *e, const struct place *place)
{
	begin_judging(r, place);
	struct naming n = {r, place};
	expr_names(e, on_name, &n);
	expr_functions(e, on_function, &n);
}

/* --- who logs in where ------------------------------------------------------------------------ */

static bool can_log_in(const struct source *src)
{
	return source_get(src, "login") || source_get(src, "group");
}

struct each_search {
	struct reader *r;
	size_t step;
};

static void on_each_name(void *arg, const struct expr_use *use)
{
	struct each_search *s = arg;
	const size_t to = (size_t)map_get_slice(&s->r->by_name, use->name);
	if (to && can_log_in(&s->r->sources.p[to - 1]))
		vec_push(&s->r->links[s->step].logs_in, to - 1);
}

/* The name in a text of exactly ${name} or ${name[…]}; empty for anything else. */
static struct slice whole_name(struct slice text)
{
	text = slice_trim(text);
	if (!slice_starts(text, "${") || !slice_ends(text, "}"))
		return SLICE("");
	text = slice_trim(slice_sub(text, 2, text.n - 3));
	size_t n = 0;
	while (n < text.n && (text.p[n] == '_' || (text.p[n] >= '0' && text.p[n] <= '9') ||
				     (text.p[n] >= 'a' && text.p[n] <= 'z') ||
				     (text.p[n] >= 'A' && text.p[n] <= 'Z')))
		n++;
	const bool whole = n == text.n || (text.p[n] == '[' && text.p[text.n - 1] == ']' &&
						  slice_find(text, ']') == text.n - 1);
	return whole ? slice_sub(text, 0, n) : SLICE("");
}

void names_logs_in(struct reader *r, const struct yaml *y, size_t step)
{
	const struct slice name = y && y->kind == YAML_SCALAR ? whole_name(y->text) : SLICE("");
	const struct step *s = &r->s->steps[step];
	for (size_t i = 0; y && y->kind == YAML_LIST && i < y->n; i++)
		names_logs_in(r, y->items[i], step);
	if (slice_is(name, "it")) {
		struct each_search search = {r, step};
		if (s->each_step >= 0)
			vec_push(&r->links[step].logs_in, (size_t)s->each_step);
		else if (s->each)
			interp_names(s->each, on_each_name, &search);
		return;
	}
	const size_t to = (size_t)map_get_slice(&r->by_name, name);
	if (!to)
		return;
	if (can_log_in(&r->sources.p[to - 1]))
		vec_push(&r->links[step].logs_in, to - 1);
	else if (s->verb == VERB_SSH || verb_works_in_guest(s->verb))
		reader_error(r, s->file, y, "the step \"%s\" has no `login` to log in with",
			r->s->steps[to - 1].name);
}

void names_check_params(struct reader *r)
{
	const struct scenario *s = r->s;
	for (size_t i = 0; i < s->param_count; i++) {
		const struct place place = {.file = s->params[i].file, .outside = true};
		if (s->params[i].value)
			names_of_interp(r, s->params[i].value, &place);
	}
	/* Texts that nobody uses are judged too; their users say whether there is an `it`. */
	for (size_t i = 0; i < s->text_count; i++) {
		const struct place place = {.file = s->texts[i].file, .index = true, .it = true};
		if (s->texts[i].value)
			names_of_interp(r, s->texts[i].value, &place);
	}
}

/* --- needs ------------------------------------------------------------------------------------ */

struct indices {
	size_t *p;
	size_t n, cap;
};

/* All that logging in at `step` names, jump servers' and members' included. */
static void login_names(struct reader *r, size_t step, unsigned depth, struct indices *into)
{
	const struct links *l = &r->links[step];
	for (size_t i = 0; i < l->login.n; i++)
		vec_push(into, l->login.p[i]);
	for (size_t i = 0; i < l->via.n && depth < 8; i++)
		login_names(r, l->via.p[i], depth + 1, into);
}

static int by_number(const void *a, const void *b)
{
	const size_t x = *(const size_t *)a, y = *(const size_t *)b;
	return (x > y) - (x < y);
}

static void collect_needs(struct reader *r, size_t step)
{
	struct step *s = &r->s->steps[step];
	const struct links *l = &r->links[step];
	struct indices all = {0};
	for (size_t i = 0; i < l->start.n; i++)
		vec_push(&all, l->start.p[i]);
	for (size_t i = 0; i < l->end.n; i++)
		vec_push(&all, l->end.p[i]);
	for (size_t i = 0; i < l->logs_in.n; i++)
		login_names(r, l->logs_in.p[i], 0, &all);
	if (all.n)
		qsort(all.p, all.n, sizeof(*all.p), by_number);
	size_t n = 0;
	for (size_t i = 0; i < all.n; i++)
		if (all.p[i] != step && (!n || all.p[n - 1] != all.p[i]))
			all.p[n++] = all.p[i];
	s->needs = all.p;
	s->need_count = n;
}

/* --- cycles ----------------------------------------------------------------------------------- */

enum colour { WHITE, GREY, BLACK };

struct walk {
	struct reader *r;
	struct indices *edges; /* of nodes: 2 * step starts, 2 * step + 1 ends */
	unsigned char *colour;
	struct indices path;
};

static void build_edges(struct reader *r, struct indices *edges)
{
	const struct scenario *s = r->s;
	for (size_t i = 0; i < s->step_count; i++) {
		const struct links *l = &r->links[i];
		struct indices names = {0};
		vec_push(&edges[2 * i + 1], 2 * i);
		for (size_t k = 0; k < l->start.n; k++)
			vec_push(&edges[2 * i], 2 * l->start.p[k] + 1);
		for (size_t k = 0; k < l->end.n; k++)
			vec_push(&edges[2 * i + 1], 2 * l->end.p[k] + 1);
		for (size_t k = 0; k < l->logs_in.n; k++)
			login_names(r, l->logs_in.p[k], 0, &names);
		for (size_t k = 0; k < names.n; k++)
			vec_push(&edges[2 * i], 2 * names.p[k] + 1);
		vec_fini(&names);
		for (size_t k = 0; k < s->steps[i].around_count; k++)
			vec_push(&edges[2 * s->steps[i].around[k]], 2 * i);
	}
}

static void report_cycle(struct walk *w, size_t node)
{
	const struct scenario *s = w->r->s;
	struct buf text = BUF(BUF_LINE);
	size_t from = w->path.n;
	while (from && w->path.p[from - 1] != node)
		from--;
	size_t last = SIZE_MAX, first = w->path.p[from - 1] / 2, lowest = first;
	for (size_t i = from - 1; i < w->path.n; i++) {
		const size_t step = w->path.p[i] / 2;
		if (step < lowest)
			lowest = step;
		if (step != last)
			buf_printf(&text, "%s%s", last == SIZE_MAX ? "" : " needs ",
				s->steps[step].name);
		last = step;
	}
	if (last != first || text.n == strlen(s->steps[first].name))
		buf_printf(&text, " needs %s", s->steps[first].name);
	error_list_at(w->r->errors, s->steps[lowest].file, s->steps[lowest].line,
		s->steps[lowest].col, "these steps wait for each other: %s", buf_str(&text));
	buf_fini(&text);
}

/* Depth is at most two per step: bounded by SCENARIO_STEPS_MAX. */
static void visit(struct walk *w, size_t node)
{
	w->colour[node] = GREY;
	vec_push(&w->path, node);
	for (size_t i = 0; i < w->edges[node].n; i++) {
		const size_t to = w->edges[node].p[i];
		if (w->colour[to] == WHITE)
			visit(w, to);
		else if (w->colour[to] == GREY)
			report_cycle(w, to);
	}
	(void)vec_pop(&w->path);
	w->colour[node] = BLACK;
}

static void find_cycles(struct reader *r)
{
	const size_t n = 2 * r->s->step_count;
	struct walk w = {
		.r = r, .edges = mem_new_array(n, sizeof(*w.edges)), .colour = mem_new_array(n, 1)};
	build_edges(r, w.edges);
	for (size_t i = 0; i < n; i++)
		if (w.colour[i] == WHITE)
			visit(&w, i);
	for (size_t i = 0; i < n; i++)
		vec_fini(&w.edges[i]);
	free(w.edges);
	free(w.colour);
	vec_fini(&w.path);
}

/* --- order ------------------------------------------------------------------------------------ */

static void put_in_order(struct scenario *s, size_t step, bool *done, size_t *n)
{
	if (done[step])
		return;
	done[step] = true;
	for (size_t i = 0; i < s->steps[step].need_count; i++)
		put_in_order(s, s->steps[step].needs[i], done, n);
	s->order[(*n)++] = step;
}

/* What is kept outlives the run: it may stand only on what is kept too, or was found. */
static void check_kept(struct reader *r, const struct step *step)
{
	if (step->keep && step->kind && !step->kind->get)
		error_list_at(r->errors, step->file, step->line, step->col,
			"a %s cannot be kept: nothing tells whether it is still there",
			step->kind->name);
	if (step->keep && step->kind && !strcmp(step->kind->name, "keypair") &&
		!interp_get(step->body, "public_key"))
		error_list_at(r->errors, step->file, step->line, step->col,
			"a keypair can be kept only with a public_key of yours: a private key made "
			"in a run ends with it");
	if (step->keep && step->kind && step->kind->secret)
		error_list_at(r->errors, step->file, step->line, step->col,
			"a %s cannot be kept: its %s is said once, and ends with the run that made "
			"it",
			step->kind->name, step->kind->secret);
	for (size_t i = 0; step->keep && i < step->need_count; i++) {
		const struct step *need = &r->s->steps[step->needs[i]];
		if (need->verb == VERB_CREATE && !need->keep)
			error_list_at(r->errors, step->file, step->line, step->col,
				"%s is kept, so it cannot need %s, which is not", step->name,
				need->name);
	}
}

void names_order(struct reader *r)
{
	struct scenario *s = r->s;
	size_t n = 0;
	for (size_t i = 0; i < s->step_count; i++)
		collect_needs(r, i);
	find_cycles(r);
	s->order = mem_new_array(s->step_count, sizeof(*s->order));
	bool *done = mem_new_array(s->step_count, sizeof(*done));
	for (size_t i = 0; i < s->step_count; i++)
		put_in_order(s, i, done, &n);
	free(done);
	for (size_t i = 0; i < s->step_count; i++)
		check_kept(r, &s->steps[i]);
}
