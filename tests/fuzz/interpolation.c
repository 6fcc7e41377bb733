/* interpolation.c - documents with ${expressions}: a YAML tree, or one text after a 'T'. */
#include "fuzz.h"

#include "base/json.h"
#include "text/interpolate.h"

static void evaluate(const struct interp *t)
{
	struct error err = {0};
	struct value v = VALUE_NOTHING;
	json_t *json = NULL;
	enum expr_result r = interp_eval(t, &fuzz_scope, &v, &err);

	fuzz_hold(r != EXPR_ERROR || err.msg[0]);
	value_drop(&v);
	r = interp_eval_json(t, &fuzz_scope, &json, &err);
	fuzz_hold(r != EXPR_OK || json);
	json_decref(json);
}

static void try_text(struct slice text)
{
	struct error err = {0};
	struct interp *t = interp_parse_text(text, "fuzz", 1, 1, &err);

	fuzz_hold(t || err.msg[0]);
	if (t)
		evaluate(t);
	interp_free(t);
}

static void try_tree(struct slice text)
{
	struct error_list errors = {0};
	struct yaml_file *f = yaml_parse(text, "fuzz", &errors);

	for (size_t i = 0; f && i < yaml_documents(f); i++) {
		size_t before = errors.n + errors.dropped;
		struct interp *t = interp_parse(yaml_root(f, i), "fuzz", &errors);

		fuzz_hold((t == NULL) == (errors.n + errors.dropped > before));
		if (t)
			evaluate(t);
		interp_free(t);
	}
	fuzz_errors(&errors);
	yaml_free(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	if (n > 0 && p[0] == 'T')
		try_text(slice_from((const char *)p + 1, n - 1));
	else
		try_tree(slice_from((const char *)p, n));
	return 0;
}
