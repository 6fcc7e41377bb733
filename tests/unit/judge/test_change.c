/* changed(): how often it alarms over noise, and how soon over a shift. Fixed seeds: what is
 * counted here is the same everywhere. */
#include "../check.h"

#include <math.h>
#include <stdlib.h>

#include "judge/rules/change.h"

static uint64_t state;

static double uniform(void) /* splitmix64, in (0, 1) */
{
	uint64_t z = state += 0x9e3779b97f4a7c15ULL;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return ((double)((z ^ (z >> 31)) >> 11) + 0.5) / 9007199254740992.0;
}

static double normal(void)
{
	return sqrt(-2 * log(uniform())) * cos(2 * M_PI * uniform());
}

enum noise { LATENCY, HEAVY, SHARE };

/* Latencies; latencies with a heavy tail; failed of 30 runs, one in a hundred: mostly none. */
static double value(enum noise noise, double shift)
{
	unsigned failed = 0;
	switch (noise) {
	case LATENCY: return exp(normal() * 0.3 + shift * 0.3);
	case HEAVY: return pow(uniform(), -1 / 1.5) + shift;
	case SHARE: break;
	}
	for (int i = 0; i < 30; i++)
		failed += uniform() < 0.01 + shift;
	return failed / 30.0;
}

#define DAY    288 /* values of five minutes */
#define DAYS   70
#define SERIES 50

static unsigned alarms(enum noise noise)
{
	unsigned n = 0;
	for (unsigned s = 0; s < SERIES; s++) {
		struct change c;
		bool before = false;
		state = s * 7919 + (unsigned)noise;
		change_init(&c, s + 1);
		for (unsigned i = 0; i < DAYS * DAY; i++) {
			const bool now = change_take(&c, value(noise, 0));
			n += now && !before;
			before = now;
		}
	}
	return n;
}

/* The bound is CHANGE_RUN values to an alarm: 1,008,000 values, 100 alarms. */
static void holds_the_bound(enum noise noise, const char *name)
{
	const unsigned n = alarms(noise);
	const double values = (double)SERIES * DAYS * DAY;
	print_message("%s: %u false alarms over %.0f values: one in %.0f, %.4f a series and day\n",
		name, n, values, values / n, n / (double)(SERIES * DAYS));
	assert_true(n > 0);
	assert_true(n <= values / CHANGE_RUN);
}

static void test_false_alarms_are_rare(void **unused)
{
	holds_the_bound(LATENCY, "latency");
	holds_the_bound(HEAVY, "heavy tail");
	holds_the_bound(SHARE, "failure share");
}

/* Mean and longest delay in values over 200 series; each must alarm before the past is new. */
static double delay(enum noise noise, double shift, unsigned *ret_worst)
{
	unsigned all = 0;
	*ret_worst = 0;
	for (unsigned s = 0; s < 200; s++) {
		struct change c;
		unsigned n = 0;
		state = s * 104729 + 5;
		change_init(&c, s + 1);
		for (unsigned i = 0; i < 2 * DAY; i++)
			change_take(&c, value(noise, 0));
		c.changed = false; /* a false alarm just now is none of this test's */
		c.sum = 0;
		while (!change_take(&c, value(noise, shift)) && n < DAY)
			n++;
		all += n + 1;
		*ret_worst = n + 1 > *ret_worst ? n + 1 : *ret_worst;
	}
	return all / 200.0;
}

static void test_shifts_are_found(void **unused)
{
	static const struct {
		enum noise noise;
		double shift, mean;
		unsigned worst;
		const char *text;
	} cases[] = {
		{LATENCY, 1, 25, 100, "one standard deviation"},
		{LATENCY, 2, 7, 15, "two standard deviations"},
		{LATENCY, 5, 4, 5, "five standard deviations"},
		{SHARE, 0.05, 8, 20, "1 % of failures become 6 %"},
		{SHARE, 0.49, 4, 5, "1 % of failures become 50 %"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned worst;
		const double mean = delay(cases[i].noise, cases[i].shift, &worst);
		print_message(
			"%s: found after %.1f values, at most %u\n", cases[i].text, mean, worst);
		assert_true(mean <= cases[i].mean);
		assert_true(worst <= cases[i].worst);
	}
}

static void test_ends_when_it_is_as_before(void **unused)
{
	struct change c;
	unsigned n = 0;
	state = 3;
	change_init(&c, 1);
	for (int i = 0; i < 300; i++)
		change_take(&c, value(LATENCY, 0));
	for (int i = 0; i < 40; i++)
		change_take(&c, value(LATENCY, 4));
	assert_true(c.changed);
	while (change_take(&c, value(LATENCY, 0)) && n < 200)
		n++;
	assert_true(n > 2 && n < 40);
}

static void test_what_lasts_becomes_normal(void **unused)
{
	struct change c;
	unsigned n = 0;
	state = 4;
	change_init(&c, 1);
	for (int i = 0; i < 300; i++)
		change_take(&c, value(LATENCY, 0));
	for (int i = 0; i < 40; i++)
		change_take(&c, value(LATENCY, 4));
	while (change_take(&c, value(LATENCY, 4)) && n < 2000)
		n++;
	assert_true(n > 400 && n <= CHANGE_PAST);
	assert_true(change_is_young(&c));
}

int test_change(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_false_alarms_are_rare),
		cmocka_unit_test(test_shifts_are_found),
		cmocka_unit_test(test_ends_when_it_is_as_before),
		cmocka_unit_test(test_what_lasts_becomes_normal),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
