/* rules.c - one rule of glasshouse.yaml, and the condition alone. */
#include "fuzz.h"
#include "judge/rules/rule.h"

static void read_condition(struct slice text)
{
	struct error_list errors = {0};
	struct rule_text t;
	rule_text_init(&t);
	t.name = mem_strdup("r");
	t.component = mem_strdup("c");
	t.when = slice_dup(text);
	t.file = "fuzz";
	t.when_line = t.when_col = 1;
	struct rule *r = rule_new(&t, &errors);
	fuzz_hold(r != NULL || errors.n > 0);
	if (r)
		fuzz_hold(r->terms.n > 0 && r->watches.n > 0);
	rule_free(r);
	rule_text_fini(&t);
	fuzz_errors(&errors);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct slice text = slice_from((const char *)p, n);
	struct error_list errors = {0};
	struct yaml_file *f = yaml_parse(text, "fuzz", &errors);
	const struct yaml *root = f && yaml_documents(f) ? yaml_root(f, 0) : NULL;
	struct rule_text t;
	if (n <= RULE_TEXT_MAX && !memchr(p, 0, n))
		read_condition(text);
	rule_text_init(&t);
	if (root && root->kind == YAML_MAP && rule_text_read(&t, root, "fuzz", &errors)) {
		struct rule *r = rule_new(&t, &errors);
		fuzz_hold(r != NULL || errors.n > 0);
		if (r)
			json_decref(rule_json(r));
		rule_free(r);
	}
	rule_text_fini(&t);
	yaml_free(f);
	fuzz_errors(&errors);
	return 0;
}
