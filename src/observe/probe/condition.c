/*
 * condition.c - conditions of `expect` and `warn`.
 *
 * What a condition names is asked of the kind when it is evaluated and not before: a probe whose
 * conditions hold builds nothing that none of them looks at.
 */

#include <string.h>

#include "observe/probe/inside.h"
#include "observe/probe/talk.h"

static const char *const common[] = {"CONNECTED", "RESPONSE_TIME", "IP", "TRIES"};

/* --- reading ---------------------------------------------------------------------------------- */

struct reading {
	struct probe_reader *r;
	const struct yaml *at;
	const struct probe_kind *kind;
	struct conditions *into;
	bool good;
};

static bool measures(const struct probe_kind *k, struct slice name)
{
	for (size_t i = 0; i < array_len(common); i++)
		if (slice_is(name, common[i]))
			return true;
	for (size_t i = 0; k->measurements && k->measurements[i]; i++)
		if (slice_is(name, k->measurements[i]))
			return true;
	return false;
}

static void no_such_measurement(struct reading *c, struct slice name)
{
	const char *names[64];
	size_t n = 0;
	struct buf all = BUF(BUF_LINE);
	for (size_t i = 0; i < array_len(common); i++)
		names[n++] = common[i];
	for (size_t i = 0; c->kind->measurements && c->kind->measurements[i] && n < 64; i++)
		names[n++] = c->kind->measurements[i];
	for (size_t i = 0; i < n; i++)
		buf_printf(&all, "%s[%s]", i ? " " : "", names[i]);
	const char *near = slice_nearest(name, names, n);
	probe_wrong(c->r, c->at, "%s does not measure [%.*s]%s%s%s (there are %s)", c->kind->name,
		SLICE_ARG(name), near ? "; did you mean [" : "", near ? near : "", near ? "]?" : "",
		buf_str(&all));
	buf_fini(&all);
}

static void on_measurement(void *arg, struct slice name, unsigned line, unsigned col)
{
	struct reading *c = arg;
	c->into->names_connected |= slice_is(name, "CONNECTED");
	if (measures(c->kind, name))
		return;
	c->good = false;
	no_such_measurement(c, name);
}

static void on_name(void *arg, const struct expr_use *use)
{
	struct reading *c = arg;
	if (c->good)
		probe_wrong(c->r, c->at,
			"a probe knows no names: ${%.*s} cannot stand in its conditions",
			SLICE_ARG(use->name));
	c->good = false;
}

static void on_function(void *arg, struct slice function, size_t args, unsigned line, unsigned col)
{
	struct reading *c = arg;
	static const char *const known[] = {"len", "has", "pat", "any", "re", "min", "max", "ceil",
		"join", "lower", "string", "without", "base64", "yaml", "cidr"};
	for (size_t i = 0; i < array_len(known); i++)
		if (slice_is(function, known[i]))
			return;
	if (c->good)
		probe_wrong(c->r, c->at, "there is no function %.*s() in conditions of probes",
			SLICE_ARG(function));
	c->good = false;
}

enum value_type probe_measurement_type(struct slice name)
{
	static const char *const times[] = {"RESPONSE_TIME", "CERTIFICATE_EXPIRATION",
		"CHAIN_EXPIRATION", "SIGNATURE_EXPIRATION", "TTL", "RTT", "RTT_MIN", "RTT_MAX",
		"SPREAD", "CPU_TIME"};
	for (size_t i = 0; i < array_len(times); i++)
		if (slice_is(name, times[i]))
			return VALUE_TIME;
	if (slice_is(name, "SIZE") || slice_is(name, "MEMORY"))
		return VALUE_SIZE;
	return slice_is(name, "LOSS") ? VALUE_PERCENT : VALUE_NULL;
}

/* A limit without a unit is told when it is written, not at the first run: "[LOSS] < 20" would
 * always hold, "[SIZE] == 20" never. */
static enum expr_result as_if(void *arg, struct slice name, struct value *ret, struct error *err)
{
	*ret = VALUE_NOTHING;
	return EXPR_OK;
}

static bool makes_sense(struct reading *c, const struct expr *e)
{
	const struct expr_scope scope = {.measurement = as_if};
	struct value v = VALUE_NOTHING;
	struct error err = {0};
	bool holds;
	const enum expr_result r = expr_units(e, probe_measurement_type, &err)
					   ? expr_eval(e, &scope, &v, &err)
					   : EXPR_ERROR;
	const bool is_condition = r == EXPR_OK && value_condition(&v, &holds);
	if (r != EXPR_OK)
		probe_wrong(c->r, c->at, "\"%.80s\": %.300s", c->at->text.p, err.msg);
	else if (!is_condition)
		probe_wrong(c->r, c->at, "\"%.80s\" is no condition: it is %s, not true or false",
			c->at->text.p, value_type_name(v.type));
	value_drop(&v);
	return is_condition;
}

static void add(struct conditions *into, char *text, struct expr *e)
{
	struct condition *to = &into->p[into->n++];
	to->text = text;
	to->expr = e;
}

static void read_one(struct reading *c, const char *what)
{
	struct error err = {0};
	c->good = true;
	if (c->at->kind != YAML_SCALAR || !c->at->text.n) {
		probe_wrong(c->r, c->at,
			"%s: a condition is a text such as \"[CONNECTED] == true\"", what);
		return;
	}
	struct expr *e = expr_parse_condition(c->at->text, NULL, c->at->line, c->at->col, &err);
	if (!e) {
		probe_wrong(c->r, c->at, "%s: \"%.80s\": %.300s", what, c->at->text.p, err.msg);
		return;
	}
	expr_names(e, on_name, c);
	expr_functions(e, on_function, c);
	expr_measurements(e, on_measurement, c);
	if (c->good && makes_sense(c, e))
		add(c->into, slice_dup(c->at->text), e);
	else
		expr_free(e);
}

void conditions_read(
	struct probe_reader *r, const struct yaml *y, const char *what, struct conditions *into)
{
	struct reading c = {.r = r, .kind = r->config->kind, .into = into};
	const size_t n = !y ? 0 : y->kind == YAML_LIST ? y->n : 1;
	if (!n)
		return;
	if (n > PROBE_EXPECT_MAX) {
		probe_wrong(r, y, "%s: at most %d conditions", what, PROBE_EXPECT_MAX);
		return;
	}
	into->p = mem_new_array(n, sizeof(*into->p));
	into->p->refs = 1;
	for (size_t i = 0; i < n; i++) {
		c.at = y->kind == YAML_LIST ? y->items[i] : y;
		read_one(&c, what);
	}
}

void conditions_share(struct conditions *c, const struct conditions *like)
{
	if (!c->n || c->n != like->n || c->p == like->p)
		return;
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->p[i].text, like->p[i].text) != 0)
			return;
	conditions_fini(c);
	*c = *like;
	c->p->refs++;
}

void conditions_fini(struct conditions *c)
{
	if (c->p && --c->p->refs > 0)
		return;
	for (size_t i = 0; i < c->n; i++) {
		free(c->p[i].text);
		expr_free(c->p[i].expr);
	}
	free(c->p);
}

/* --- holding ---------------------------------------------------------------------------------- */

struct seen {
	const struct attempt *attempt;
	unsigned tries;
};

/* As people read it: no more digits than say something. */
static struct value response_time(const struct attempt *a)
{
	const int64_t ns = a->phases.total_ns, unit = ns < 10 * NS_PER_MS ? NS_PER_US : NS_PER_MS;
	return a->connected ? value_time((ns + unit / 2) / unit * unit) : VALUE_NOTHING;
}

bool attempt_measured(const struct attempt *a, unsigned tries, struct slice name, struct value *ret)
{
	if (slice_is(name, "CONNECTED")) {
		*ret = value_bool(a->connected);
	} else if (slice_is(name, "TRIES")) {
		*ret = value_int(tries);
	} else if (slice_is(name, "RESPONSE_TIME")) {
		*ret = response_time(a);
	} else if (slice_is(name, "IP")) {
		*ret = a->address[0] ? value_str(a->address) : VALUE_NOTHING;
	} else {
		return a->kind->measure && a->kind->measure(a, name, ret);
	}
	return ret->type != VALUE_NULL;
}

static enum expr_result measured(void *arg, struct slice name, struct value *ret, struct error *err)
{
	const struct seen *s = arg;
	if (!attempt_measured(s->attempt, s->tries, name, ret))
		*ret = VALUE_NOTHING;
	return EXPR_OK;
}

static enum expr_result written(void *arg, struct slice name, struct value *ret, struct error *err)
{
	const struct attempt *a = ((const struct seen *)arg)->attempt;
	struct slice text;
	if (a->kind->written && a->kind->written(a, name, &text))
		*ret = talk_text(slice_trim(text));
	return EXPR_OK;
}

/* OK: it was evaluated to *ret_holds. */
static bool holds(const struct condition *c, const struct expr_scope *scope, bool *ret_holds,
	struct error *err)
{
	struct value v = VALUE_NOTHING;
	*ret_holds = false;
	bool good = expr_eval(c->expr, scope, &v, err) == EXPR_OK;
	if (good && !value_condition(&v, ret_holds)) {
		error_set(err, ERROR_INPUT, "expected true or false, found %s",
			value_type_name(v.type));
		good = false;
	}
	value_drop(&v);
	return good;
}

enum held conditions_hold(
	const struct conditions *c, const struct attempt *a, unsigned tries, struct buf *why)
{
	struct seen seen = {a, tries};
	const struct expr_scope scope = {.arg = &seen, .measurement = measured, .written = written};
	for (size_t i = 0; i < c->n; i++) {
		struct error err = {0};
		bool good;
		if (!holds(&c->p[i], &scope, &good, &err)) {
			buf_printf(why, "%s cannot be evaluated: %s", c->p[i].text, err.msg);
			return err.kind == ERROR_LIMIT ? HELD_BROKEN : HELD_NOT;
		}
		if (good)
			continue;
		struct buf saw = BUF(BUF_LINE);
		expr_explain(c->p[i].expr, &scope, &saw);
		buf_printf(why, "expected %s; %s", c->p[i].text, buf_str(&saw));
		buf_fini(&saw);
		return HELD_NOT;
	}
	return HELD_ALL;
}

void conditions_tell(const struct conditions *c, const struct attempt *a, unsigned tries,
	const char *of, json_t *list)
{
	struct seen seen = {a, tries};
	const struct expr_scope scope = {.arg = &seen, .measurement = measured, .written = written};
	for (size_t i = 0; i < c->n; i++) {
		struct error err = {0};
		struct buf saw = BUF(BUF_LINE);
		bool good;
		if (holds(&c->p[i], &scope, &good, &err))
			expr_explain(c->p[i].expr, &scope, &saw);
		else
			buf_add_str(&saw, err.msg);
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:b, s:s}", "of", of, "text", c->p[i].text,
				      "ok", good, "saw", buf_str(&saw)));
		buf_fini(&saw);
	}
}
