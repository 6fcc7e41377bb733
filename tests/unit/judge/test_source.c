/*
 * test_source.c - what a source keeps of its results: each has its own texts, in whatever order
 * they came, and results that say the same share them.
 */
#include "../check.h"

#include <stdlib.h>

#include "base/random.h"
#include "judge/judge_source.h"

#define T0 1800000000000LL

/* Of some milliseconds, by themselves: good ones, ones that say what no other says, ones that say
 * what many say. */
static enum fault fault_at(int64_t at_ms)
{
	return at_ms % 3 ? FAULT_TIMEOUT : FAULT_NONE;
}

static void detail_at(int64_t at_ms, char ret[32])
{
	snprintf(ret, 32, at_ms % 3 == 1 ? "silent" : "alone %d", (int)(at_ms - T0));
}

static void assert_own_texts(const struct source *s)
{
	const struct result_texts *silent = NULL;

	for (size_t i = 0; i < s->n; i++) {
		const int64_t at_ms = s->results[i].at_ms;
		const struct result_texts *t = source_texts(s, i);
		char detail[32];

		assert_true(i == 0 || s->results[i - 1].at_ms <= at_ms);
		assert_int_equal(!t, fault_at(at_ms) == FAULT_NONE);
		if (!t)
			continue;
		detail_at(at_ms, detail);
		assert_string_equal(t->detail, detail);
		assert_null(t->shared);
		if (at_ms % 3 == 1) {
			assert_true(!silent || silent == t);
			silent = t;
		}
	}
}

static void every_result_keeps_its_own_texts(void **state)
{
	struct random r;

	random_init_seed(&r, 1);
	for (int round = 0; round < 50; round++) {
		struct source *s = source_new("c", "p", NULL, "");
		int64_t now = T0;

		s->confirm = 3;
		s->fresh_ms = 60000;
		for (int k = 0; k < 300; k++) {
			char detail[32];
			struct observation o = {.total_us = 1000};

			now += (int64_t)random_below(&r, 4000);
			o.at_ms = now - (int64_t)random_below(&r, 20000);
			o.fault = fault_at(o.at_ms);
			detail_at(o.at_ms, detail);
			if (o.fault != FAULT_NONE)
				o.detail = detail;
			source_take(s, &o, now, false);
			assert_own_texts(s);
		}
		/* what is good again forgets all */
		for (int k = 0; k < 100; k++) {
			const struct observation o = {.at_ms = now += 10000, .total_us = 1000};

			source_take(s, &o, o.at_ms, false);
		}
		assert_null(s->proofs);
		assert_null(s->texts);
		source_free(s);
	}
}

int test_source(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_result_keeps_its_own_texts),
	};

	return cmocka_run_group_tests_name("source", tests, NULL, NULL);
}
