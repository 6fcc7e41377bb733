/* script.c - sh of the simulated guests: any text is a tree or an error, and is freed. */
#include "fuzz.h"

#include "sim/script.h"

static unsigned depth_of(const struct node *n)
{
	unsigned most = 0;
	fuzz_hold(n->type != NODE_LIST ||
		  (n->joins.n == n->parts.n && n->background.n == n->parts.n));
	fuzz_hold(n->type != NODE_FOR || (n->words.n > 0 && n->parts.n == 1));
	fuzz_hold(n->type != NODE_IF || n->parts.n >= 2);
	for (size_t i = 0; i < n->parts.n; i++) {
		const unsigned d = depth_of(n->parts.p[i]);
		most = d > most ? d : most;
	}
	return most + 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char *text = slice_dup(slice_from((const char *)p, n));
	const char *wrong = NULL;
	struct node *tree = script_parse(slice_of(text), &wrong);
	fuzz_hold((tree != NULL) == (wrong == NULL));
	if (tree)
		fuzz_hold(depth_of(tree) < 8 * SCRIPT_DEPTH_MAX);
	node_free(tree);
	free(text);
	return 0;
}
