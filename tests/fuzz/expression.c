/* expression.c - the expression language: parsed, walked, evaluated within its budget, written. */
#include "fuzz.h"

#include "base/json.h"

static void on_name(void *arg, const struct expr_use *use)
{
	fuzz_hold(use->name.n > 0 && use->line > 0 && use->col > 0);
}

static void on_function(void *arg, struct slice function, size_t args, unsigned line, unsigned col)
{
	fuzz_hold(function.n > 0 && line > 0 && col > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct error err = {0};
	struct value v = VALUE_NOTHING;
	struct buf out = BUF(BUF_PAGE);
	struct expr *e;
	enum expr_result r;

	if (n == 0)
		return 0;
	e = expr_parse(slice_from((const char *)p + 1, n - 1), p[0] & EXPR_MEASUREMENTS, "fuzz", 1,
		1, &err);
	if (!e) {
		fuzz_hold(err.msg[0] && err.line > 0 && err.col > 0);
		return 0;
	}
	expr_names(e, on_name, NULL);
	expr_functions(e, on_function, NULL);
	r = expr_eval(e, &fuzz_scope, &v, &err);
	fuzz_hold(r != EXPR_ERROR || err.msg[0]);
	if (r == EXPR_OK && v.type != VALUE_REF) {
		struct value same = value_copy(v);
		json_t *json;

		value_write(&out, &v);
		value_equal(&v, &same);
		value_drop(&same);
		json = value_json(&v);
		fuzz_hold(json != NULL);
		json_decref(json);
	}
	value_drop(&v);
	buf_clear(&out);
	expr_explain(e, &fuzz_scope, &out);
	buf_fini(&out);
	expr_free(e);
	return 0;
}
