/* One expression in a small world; see evaluate.h. */
#include "evaluate.h"

enum { NODE = 1, NODES = 2 };

static enum expr_result name(void *arg, struct slice n, struct value *ret, struct error *err)
{
	if (slice_is(n, "x")) {
		*ret = value_int(7);
	} else if (slice_is(n, "list")) {
		*ret = value_list_new();
		value_list_add(ret, value_int(1));
		value_list_add(ret, value_int(2));
	} else if (slice_is(n, "run")) {
		*ret = value_str("abc");
	} else if (slice_is(n, "node")) {
		*ret = value_of_ref(NODE, 0);
	} else if (slice_is(n, "nodes")) {
		*ret = value_of_ref(NODES, -1);
	} else if (slice_is(n, "late")) {
		return EXPR_BLOCKED;
	} else if (slice_is(n, "never")) {
		return EXPR_ABSENT;
	} else if (slice_is(n, "broken")) {
		return EXPR_SKIPPED;
	} else {
		error_set(err, ERROR_INPUT, "unknown name %.*s", SLICE_ARG(n));
		return EXPR_ERROR;
	}
	return EXPR_OK;
}

static enum expr_result field(
	void *arg, struct value_ref ref, struct slice f, struct value *ret, struct error *err)
{
	*ret = slice_is(f, "size") ? value_int(3 + ref.element) : VALUE_NOTHING;
	return EXPR_OK;
}

static enum expr_result element(
	void *arg, struct value_ref ref, int64_t i, struct value *ret, struct error *err)
{
	*ret = value_of_ref(ref.object, (int32_t)((i % 3 + 3) % 3));
	return EXPR_OK;
}

static enum expr_result all(void *arg, struct value_ref ref, struct value *ret, struct error *err)
{
	*ret = value_list_new();
	for (int32_t i = 0; i < 3; i++)
		value_list_add(ret, value_of_ref(ref.object, i));
	return EXPR_OK;
}

static enum expr_result plain(void *arg, struct value_ref ref, struct value *ret, struct error *err)
{
	char text[40];
	if (ref.object == NODES && ref.element < 0) {
		error_set(err, ERROR_INPUT, "nodes are several");
		return EXPR_ERROR;
	}
	snprintf(text, sizeof(text), "node-id%s%.0d", ref.element ? "-" : "", ref.element);
	*ret = value_str(text);
	return EXPR_OK;
}

static enum expr_result measurement(void *arg, struct slice n, struct value *ret, struct error *err)
{
	json_t *measured = json_pack("{s:i, s:{s:s, s:[{s:i}]}, s:s, s:s, s:s}", "STATUS", 200,
		"BODY", "status", "UP", "items", "x", 3, "GAP", "300ms", "LOSS", "0.5%", "OUTPUT",
		"abc");
	char *key = slice_dup(n);
	*ret = value_from_json(json_object_get(measured, key));
	free(key);
	json_decref(measured);
	return EXPR_OK;
}

const struct expr_scope evaluate_scope = {.name = name,
	.field = field,
	.index = element,
	.all = all,
	.plain = plain,
	.measurement = measurement};

char *evaluate(const char *text, bool condition)
{
	struct error err = {0};
	struct value v = VALUE_NOTHING;
	struct expr *e = condition ? expr_parse_condition(slice_of(text), "f", 3, 10, &err)
				   : expr_parse(slice_of(text), 0, "f", 3, 10, &err);
	enum expr_result r = e ? expr_eval(e, &evaluate_scope, &v, &err) : EXPR_ERROR;
	expr_free(e);
	if (r == EXPR_ERROR)
		return mem_printf("!%u:%u %s", err.line, err.col, err.msg);
	if (r != EXPR_OK)
		return mem_printf("#%d", (int)r);
	json_t *j = value_json(&v);
	value_drop(&v);
	char *out = json_text(j);
	json_decref(j);
	return out;
}

static void compare(const char *text, const char *expected, bool condition)
{
	char *got = evaluate(text, condition);
	if (strcmp(got, expected) != 0)
		print_error("%s\n", text);
	assert_string_equal(got, expected);
	free(got);
}

void yields(const char *text, const char *expected)
{
	compare(text, expected, false);
}

void holds(const char *text, const char *expected)
{
	compare(text, expected, true);
}

void starts(const char *text, const char *expected, bool condition)
{
	char *got = evaluate(text, condition);
	if (strncmp(got, expected, strlen(expected)) != 0)
		fail_msg("%.200s gives %s", text, got);
	free(got);
}
