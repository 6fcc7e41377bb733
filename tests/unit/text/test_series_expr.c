/* Conditions over series: selectors, times ago, what is not known, shares that are not numbers. */
#include "../check.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "text/expr.h"

/* f() gives its arguments as a list, unknown() nothing, share() 50 %, yes() and no() what they say.
 */
static enum expr_result call(void *arg, struct slice function, const struct value *args, size_t n,
	struct value *ret, struct error *err)
{
	if (slice_is(function, "unknown"))
		return EXPR_ABSENT;
	if (slice_is(function, "share"))
		*ret = (struct value){.type = VALUE_PERCENT, .real = 0.5};
	else if (slice_is(function, "yes") || slice_is(function, "no"))
		*ret = value_bool(slice_is(function, "yes"));
	else
		*ret = value_list_new();
	for (size_t i = 0; ret->type == VALUE_LIST && i < n; i++)
		value_list_add(ret, value_copy(args[i]));
	return EXPR_OK;
}

static char *evaluate(const char *text)
{
	const struct expr_scope scope = {.call = call};
	struct error err = {0};
	struct value v = VALUE_NOTHING;
	struct expr *e = expr_parse(slice_of(text), EXPR_SERIES, "f", 3, 10, &err);
	const enum expr_result r = e ? expr_eval(e, &scope, &v, &err) : EXPR_ERROR;
	expr_free(e);
	if (r == EXPR_ERROR)
		return mem_printf("!%u:%u %s", err.line, err.col, err.msg);
	if (r != EXPR_OK)
		return mem_strdup("unknown");
	json_t *j = value_json(&v);
	char *out = json_text(j);
	json_decref(j);
	value_drop(&v);
	return out;
}

static void yields(const char *text, const char *expected)
{
	char *got = evaluate(text);
	if (strncmp(got, expected, strlen(expected)) != 0)
		fail_msg("%s gives %s", text, got);
	free(got);
}

static void test_selectors_are_texts(void **state)
{
	yields("f(probe)", "[\"probe\"]");
	yields("f(call{service=\"a}b\", x!=\"y\"})",
		"[\"call{service=\\\"a}b\\\", x!=\\\"y\\\"}\"]");
	yields("f(server-login.a*{b='c'})", "[\"server-login.a*{b='c'}\"]");
	yields("f(a.5xx, 7d ago)", "[\"a.5xx\",\"-604800s\"]");
	yields("f('stats.*.count')", "[\"stats.*.count\"]");
	yields("f(a{}, 7d ago)", "[\"a{}\",\"-604800s\"]");
	yields("f(max(a))", "[[\"a\"]]"); /* the language's own functions are not there */
	yields("f(a{b=\"c\"", "!3:");
	yields("f(a{b", "!3:13 this \"{\" has no closing");
}

static void test_what_is_not_known_decides_nothing(void **state)
{
	yields("unknown() || yes()", "true");
	yields("yes() || unknown()", "true");
	yields("no() && unknown()", "false");
	yields("unknown() && no()", "false");
	yields("unknown() || no()", "unknown");
	yields("no() || unknown()", "unknown");
	yields("yes() && unknown()", "unknown");
	yields("!unknown()", "unknown");
	yields("unknown() > 3", "unknown");
	yields("unknown() ?? 3", "3");
	yields("unknown() || no() || yes()", "true");
	yields("yes() || 1 < 2s", "!3:"); /* both sides are looked at */
}

static void test_shares(void **state)
{
	yields("share() < 60%", "true");
	yields("share() - 10% < 45%", "true");
	yields("2 * share() > 99%", "true");
	yields("share() / 2 == 25%", "true");
	yields("share() / share()", "1.0");
	yields("share() * share()", "!3:");
	yields("share() < 60", "!3:18 < does not work between");
	yields("200/s / 4 > 49/s", "true");
	yields("200/s + 1%", "!3:");
}

struct calls {
	char text[200];
};

static void on_call(void *arg, const struct expr_call *c)
{
	struct calls *all = arg;
	const size_t n = strlen(all->text);
	snprintf(all->text + n, sizeof(all->text) - n, "%.*s/%zu@%u%s%s ", SLICE_ARG(c->function),
		c->n, c->col, c->args[0] ? "=" : "", c->inner ? "^" : "");
}

static void test_calls_come_from_the_inside(void **state)
{
	struct error err = {0};
	struct calls calls = {""};
	struct expr *e = expr_parse(SLICE("g(f(a)) || h(b, 1)"), EXPR_SERIES, "f", 3, 10, &err);
	expr_calls(e, on_call, &calls);
	assert_string_equal(calls.text, "f/1@12= g/1@10^ h/2@21= ");
	expr_free(e);
}

int test_series_expr(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_selectors_are_texts),
		cmocka_unit_test(test_what_is_not_known_decides_nothing),
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_calls_come_from_the_inside),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
