/* target.c - targets of Graphite: a refusal has a column, and what was taken has parts that lie in
 * it. */
#include "fuzz.h"

#include <stdlib.h>

#include "judge/graphite/target.h"

static void look(const struct target_node *n, size_t size)
{
	fuzz_hold(n->at <= size);
	fuzz_hold(n->type != TARGET_PATH || (n->text && n->text[0]));
	VEC_EACH (&n->args, struct target_node *, a)
		look(*a, size);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct error err = {0};
	const struct slice text = slice_from((const char *)p, n);
	struct target *t = target_parse(text, &err);
	if (t)
		look(target_root(t), n);
	else
		fuzz_hold(err.msg[0] && err.col > 0);
	target_free(t);
	free(target_first_path(text));
	return 0;
}
