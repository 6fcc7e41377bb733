/* condition.c - the conditions of expect and warn, which have a grammar of their own. */
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct error err = {0};
	struct value v = VALUE_NOTHING;
	struct buf out = BUF(BUF_PAGE);
	struct expr *e = expr_parse_condition(slice_from((const char *)p, n), "fuzz", 1, 1, &err);
	enum expr_result r;
	bool holds;

	if (!e) {
		fuzz_hold(err.msg[0] && err.line > 0 && err.col > 0);
		return 0;
	}
	r = expr_eval(e, &fuzz_scope, &v, &err);
	fuzz_hold(r != EXPR_ERROR || err.msg[0]);
	if (r == EXPR_OK)
		value_condition(&v, &holds);
	value_drop(&v);
	expr_explain(e, &fuzz_scope, &out);
	buf_fini(&out);
	expr_free(e);
	return 0;
}
