/*
 * read_keys.c - the pieces that steps are made of: expressions, conditions, lists of steps and of
 * faults, retry.
 */

#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "observe/scenario/reader.h"
#include "text/keys.h"

/* Names beside an expression that does not parse are judged all the same. */
static void names_of_rest(
	struct reader *r, const struct yaml *y, const char *file, const struct place *place)
{
	for (size_t i = 0; i < y->n; i++) {
		struct error_list known = {0};
		struct interp *t = interp_parse(y->items[i], file, &known);
		if (t)
			names_of_interp(r, t, place);
		else
			names_of_rest(r, y->items[i], file, place);
		interp_free(t);
		error_list_fini(&known);
	}
}

struct interp *read_interp(
	struct reader *r, const struct yaml *y, const char *file, const struct place *place)
{
	struct interp *t = interp_parse(y, file, r->errors);
	if (t)
		names_of_interp(r, t, place);
	else
		names_of_rest(r, y, file, place);
	return t;
}

/* Where the text of a scalar begins. */
static unsigned text_col(const struct yaml *y)
{
	return y->col + (y->plain ? 0 : 1);
}

/* `when count until wait ready`: an expression as it is, or conditions with ${} and [NAME]. */
struct expr *read_expression(
	struct reader *r, const struct source_key *k, const struct place *place)
{
	const struct yaml *y = k->value;
	struct error err = {0};
	if (y->kind != YAML_SCALAR || !slice_trim(y->text).n) {
		reader_error(r, k->file, y, "%s must be an expression, not %s", k->key->text.p,
			y->kind == YAML_SCALAR ? "empty" : yaml_kind_name(y));
		return NULL;
	}
	const bool conditions = slice_find_text(y->text, SLICE("${")) < y->text.n ||
				slice_starts(slice_trim(y->text), "[");
	struct expr *e =
		conditions ? expr_parse_condition(y->text, k->file, y->line, text_col(y), &err)
			   : expr_parse(y->text, 0, k->file, y->line, text_col(y), &err);
	if (e)
		names_of_expr(r, e, place);
	else
		error_list_add(r->errors, &err);
	return e;
}

static void add_condition(struct reader *r, const struct yaml *y, const char *file,
	const struct place *place, struct condition_list *ret)
{
	struct error err = {0};
	if (y->kind != YAML_SCALAR) {
		reader_error(r, file, y,
			"a condition is text such as \"[STATUS] == 200\", not %s%s",
			yaml_kind_name(y), y->kind == YAML_LIST ? " (put it in quotes)" : "");
		return;
	}
	struct expr *e = expr_parse_condition(y->text, file, y->line, text_col(y), &err);
	if (!e) {
		error_list_add(r->errors, &err);
		return;
	}
	names_of_expr(r, e, place);
	ret->p = mem_resize(ret->p, ret->n + 1, sizeof(*ret->p));
	ret->p[ret->n++] = (struct condition){
		.text = slice_dup(y->text), .expr = e, .line = y->line, .col = y->col};
}

void read_conditions(struct reader *r, const struct source_key *k, const struct place *place,
	struct condition_list *ret)
{
	if (k->value->kind != YAML_LIST)
		add_condition(r, k->value, k->file, place, ret);
	for (size_t i = 0; k->value->kind == YAML_LIST && i < k->value->n; i++)
		add_condition(r, k->value->items[i], k->file, place, ret);
}

/* --- faults ----------------------------------------------------------------------------------- */

static void add_fault(
	struct reader *r, const struct yaml *y, const char *file, struct fault_list *ret)
{
	struct fault_match m = {0};
	int64_t status = 0;
	if (y->kind == YAML_SCALAR && yaml_int(y, &status) && status >= 100 && status <= 599) {
		m.status = (int)status;
	} else if (y->kind != YAML_SCALAR || !fault_parse(y->text, &m.fault) ||
		   m.fault == FAULT_NONE) {
		const char *names[FAULT_COUNT];
		char meant[MEANT_TEXT];
		for (int i = 0; i < FAULT_COUNT; i++)
			names[i] = fault_name((enum fault)i);
		reader_error(r, file, y,
			"\"%.60s\" is neither a fault such as timeout nor an HTTP status%s",
			y->kind == YAML_SCALAR ? y->text.p : yaml_kind_name(y),
			reader_meant(y->text, names, FAULT_COUNT, meant));
		return;
	}
	ret->p = mem_resize(ret->p, ret->n + 1, sizeof(*ret->p));
	ret->p[ret->n++] = m;
}

static void faults_of(
	struct reader *r, const struct yaml *y, const char *file, struct fault_list *ret)
{
	if (y->kind != YAML_LIST)
		add_fault(r, y, file, ret);
	for (size_t i = 0; y->kind == YAML_LIST && i < y->n; i++)
		add_fault(r, y->items[i], file, ret);
}

void read_faults(struct reader *r, const struct source_key *k, struct fault_list *ret)
{
	faults_of(r, k->value, k->file, ret);
	if (k->value->kind == YAML_LIST && !k->value->n)
		reader_error(r, k->file, k->value, "%s needs at least one fault", k->key->text.p);
}

/* --- retry ------------------------------------------------------------------------------------ */

struct retry_fields {
	int64_t tries, until_ns, every_ns;
	const struct yaml *on;
};

#define DAY_NS (24 * 3600 * NS_PER_S)

static const struct key retry_keys[] = {
	{"tries", KEY_INT, offsetof(struct retry_fields, tries), false, 1, 10000, NULL, NULL},
	{"until", KEY_TIME, offsetof(struct retry_fields, until_ns), false, NS_PER_MS, DAY_NS, NULL,
		NULL},
	{"every", KEY_TIME, offsetof(struct retry_fields, every_ns), false, NS_PER_MS, DAY_NS, NULL,
		NULL},
	{"on", KEY_NODE, offsetof(struct retry_fields, on), false, 0, 0, NULL, NULL},
};

void read_retry(struct reader *r, const struct source_key *k, struct retry *ret)
{
	struct retry_fields f = {.every_ns = NS_PER_S};
	if (!keys_read(
		    k->value, k->file, "retry", retry_keys, array_len(retry_keys), &f, r->errors))
		return;
	if (!f.tries && !f.until_ns)
		reader_error(r, k->file, k->value, "retry needs tries or until");
	ret->set = true;
	ret->tries = f.tries;
	ret->until_ns = f.until_ns;
	ret->every_ns = f.every_ns;
	if (f.on)
		faults_of(r, f.on, k->file, &ret->on);
}

/* --- names of steps --------------------------------------------------------------------------- */

bool read_step_name(
	struct reader *r, const struct yaml *y, const char *file, const char *key, size_t *ret)
{
	if (y->kind != YAML_SCALAR || slice_find_text(y->text, SLICE("${")) < y->text.n) {
		reader_error(r, file, y, "%s takes names of steps, without ${}", key);
		return false;
	}
	const size_t i = (size_t)map_get_slice(&r->by_name, y->text);
	if (i) {
		*ret = i - 1;
		return true;
	}
	const char *names[SCENARIO_STEPS_MAX];
	char meant[MEANT_TEXT];
	for (size_t n = 0; n < r->s->step_count; n++)
		names[n] = r->s->steps[n].name;
	reader_error(r, file, y, "%s: there is no step \"%.60s\"%s", key, y->text.p,
		reader_meant(y->text, names, r->s->step_count, meant));
	return false;
}

void read_step_names(
	struct reader *r, const struct source_key *k, size_t **ret_steps, size_t *ret_n)
{
	const struct yaml *y = k->value;
	const bool list = y->kind == YAML_LIST;
	for (size_t i = 0; i < (list ? y->n : 1); i++) {
		size_t step;
		if (!read_step_name(r, list ? y->items[i] : y, k->file, k->key->text.p, &step))
			continue;
		*ret_steps = mem_resize(*ret_steps, *ret_n + 1, sizeof(**ret_steps));
		(*ret_steps)[(*ret_n)++] = step;
	}
}
