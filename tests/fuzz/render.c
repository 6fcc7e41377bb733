/* render.c - targets of Graphite evaluated over small series: every refusal has a text, no curve is
 * out of bounds. */
#include "fuzz.h"

#include <stdlib.h>

#include "judge/graphite/eval.h"
#include "judge/graphite/graphite_inside.h"

#define BEGIN_S 1767000000

/* Of a path: no, one or three curves, in steps of 10 s or 60 s, with gaps. */
static void give(struct eval *e, const struct want *w)
{
	struct curves all = {0};
	const size_t kind = w->path[0] % 4, count = kind == 3 ? 0 : kind == 2 ? 1 : 3;
	const int64_t step = kind == 1 ? 60 : 10;
	for (size_t i = 0; i < count; i++) {
		const int64_t length = w->span.until_s - w->span.from_s;
		const size_t n = length <= 0           ? 1
				 : length / step > 100 ? 100
						       : (size_t)(length / step);
		struct curve *c = curve_new(mem_printf("a.b%zu.%.60s", i, w->path),
			w->span.from_s - w->span.from_s % step + step, step, n);
		mem_replace(&c->expr, w->path);
		for (size_t k = 0; k < n; k++)
			if ((k + i) % 7)
				c->v[k] = (double)((k * 31 + i * 7) % 50) - 10;
		vec_push(&all, c);
	}
	eval_give(e, w, &all);
}

static void evaluate(const struct target *t, size_t points_max)
{
	struct eval e;
	struct curves out = {0};
	eval_init(&e, BEGIN_S, NULL);
	e.deadline_ns = clock_mono_ns(&clock_system) + 2 * NS_PER_S;
	for (int round = 0; round < 8; round++) {
		curves_fini(&out);
		eval_again(&e);
		eval_target(&e, t, (struct span){BEGIN_S - 900, BEGIN_S}, &out);
		fuzz_hold(!e.failed || e.err.msg[0]);
		if (!e.wants.n)
			break;
		for (size_t i = 0; i < e.wants.n; i++)
			give(&e, &e.wants.p[i]);
	}
	for (size_t i = 0; i < out.n; i++)
		fuzz_hold(out.p[i]->name && out.p[i]->step_s > 0);
	graphite_lines_free(lines_of(&out, points_max));
	eval_fini(&e);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct error err = {0};
	struct target *t = target_parse(slice_from((const char *)p, n), &err);
	if (t)
		evaluate(t, n % 20);
	target_free(t);
	return 0;
}
