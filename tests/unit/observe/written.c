/* Scenarios and worlds of texts; see written.h. */
#include "written.h"

struct kinds *written_kinds;

int written_setup(void **state)
{
	struct error_list errors = {0};
	written_kinds = kinds_load(NULL, &errors);
	return written_kinds ? 0 : 1;
}

int written_teardown(void **state)
{
	kinds_free(written_kinds);
	return 0;
}

char *written_errors(struct error_list *errors)
{
	struct buf all = BUF(BUF_PAGE);
	char line[ERROR_TEXT + 300];
	for (size_t i = 0; i < errors->n; i++)
		buf_printf(&all, "%s\n", error_text(&errors->p[i], line, sizeof(line)));
	error_list_fini(errors);
	return buf_take(&all);
}

static void same(char *got, const char *expected)
{
	if (strcmp(got, expected) != 0) /* cmocka cuts long texts */
		fprintf(stderr, "got:\n%s\nexpected:\n%s\n", got, expected);
	assert_string_equal(got, expected);
	free(got);
}

struct scenario *written_parse(const char *text)
{
	struct error_list errors = {0};
	struct scenario *s = scenario_parse(slice_of(text), "t.yaml", NULL, written_kinds, &errors);
	same(written_errors(&errors), "");
	assert_non_null(s);
	return s;
}

void written_refused(const char *text, const char *expected)
{
	struct error_list errors = {0};
	struct scenario *s = scenario_parse(slice_of(text), "t.yaml", NULL, written_kinds, &errors);
	assert_true((s == NULL) == (errors.n > 0));
	scenario_free(s);
	same(written_errors(&errors), expected);
}

static struct random seeded;

static struct world *make(const struct scenario *s, const char *params, const char *zones,
	bool symbolic, struct error_list *errors)
{
	json_t *given = params ? json_parse(slice_of(params), BUF_PAGE, NULL) : json_object();
	json_t *places = zones ? json_parse(slice_of(zones), BUF_PAGE, NULL) : NULL;
	assert_non_null(given);
	random_init_seed(&seeded, 1);
	const struct world_options o = {.run = "t2k9f1-x7qa",
		.instance = "site-a",
		.location = "here",
		.region = "north",
		.zones = places,
		.random = &seeded,
		.symbolic = symbolic};
	struct world *w = world_new(s, given, &o, errors);
	json_decref(given);
	json_decref(places);
	return w;
}

struct world *written_world(const char *text, const char *params, const char *zones, bool symbolic)
{
	struct error_list errors = {0};
	struct scenario *s = written_parse(text);
	struct world *w = make(s, params, zones, symbolic, &errors);
	same(written_errors(&errors), "");
	assert_non_null(w);
	return w;
}

void written_world_free(struct world *w)
{
	struct scenario *s = (struct scenario *)w->scenario;
	world_free(w);
	scenario_free(s);
}

void written_unbound(const char *text, const char *params, const char *expected)
{
	struct error_list errors = {0};
	struct scenario *s = written_parse(text);
	assert_null(make(s, params, NULL, false, &errors));
	same(written_errors(&errors), expected);
	scenario_free(s);
}

enum expr_result written_expand(struct world *w, const char *step)
{
	struct error err = {0};
	const int at = scenario_step(w->scenario, slice_of(step));
	assert_true(at >= 0);
	const enum expr_result r = world_expand(w, (size_t)at, &err);
	if (r == EXPR_ERROR)
		print_message("%s\n", err.msg);
	return r;
}

struct element *written_element(struct world *w, const char *step, size_t i)
{
	struct step_world *sw = &w->steps[scenario_step(w->scenario, slice_of(step))];
	if (!sw->expanded)
		(void)!(written_expand(w, step) == EXPR_OK);
	assert_true(sw->expanded && i < sw->count);
	return &sw->elements[i];
}

void written_ready(struct world *w, const char *step, size_t i, const char *object)
{
	struct element *e = written_element(w, step, i);
	json_t *j = json_parse(slice_of(object), BUF_PAGE, NULL);
	assert_non_null(j);
	json_decref(e->object);
	e->object = j;
	free(e->id);
	e->id = mem_strdup(json_str(j, "id"));
	e->state = ELEMENT_READY;
}

char *written_body(struct world *w, const char *step, size_t i)
{
	struct element *e = written_element(w, step, i);
	struct error err = {0};
	json_t *j = NULL;
	const struct step *s = w->steps[e->step].step;
	const enum expr_result r = world_body_json(w, e, s->body, &j, &err);
	if (r == EXPR_ERROR)
		return mem_printf("!%u:%u: %s", err.line, err.col, err.msg);
	if (r != EXPR_OK)
		return mem_printf("#%d", (int)r);
	char *text = json_text(j);
	json_decref(j);
	return text;
}

void written_body_is(struct world *w, const char *step, size_t i, const char *expected)
{
	same(written_body(w, step, i), expected);
}
