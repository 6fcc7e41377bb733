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

enum noise { LATENCY, HEAVY, SHARE, ALIKE, VERY_ALIKE, DAILY, DAILY_ALIKE, OFFICE };

#define DAY 288 /* values of five minutes */

struct series {
	enum noise noise;
	unsigned i; /* values so far */
	double last;
};

/* Each resembles the one before it: an autoregression with that coefficient. */
static double alike(struct series *s, double like)
{
	s->last = like * s->last + sqrt(1 - like * like) * normal();
	return s->last;
}

/* Latencies; latencies with a heavy tail; failed of 30 runs, one in a hundred: mostly none; what
 * depends on the value before, on the hour as a sine of two standard deviations, on both, and on
 * whether people work. */
static double value(struct series *s, double shift)
{
	const double hour = 2 * M_PI * s->i++ / DAY;
	unsigned failed = 0;
	switch (s->noise) {
	case LATENCY: return exp(normal() * 0.3 + shift * 0.3);
	case HEAVY: return pow(uniform(), -1 / 1.5) + shift;
	case ALIKE: return alike(s, 0.5) + shift;
	case VERY_ALIKE: return alike(s, 0.8) + shift;
	case DAILY: return normal() + 2 * sin(hour) + shift;
	case DAILY_ALIKE: return alike(s, 0.5) + 1.5 * sin(hour) + shift;
	case OFFICE: return normal() + 2 * (s->i % DAY < DAY / 3) + shift;
	case SHARE: break;
	}
	for (int i = 0; i < 30; i++)
		failed += uniform() < 0.01 + shift;
	return failed / 30.0;
}

#define DAYS   70
#define SERIES 15

static bool take(struct change *c, struct series *s, double shift)
{
	const int64_t at_ms = s->i * 300000LL;
	return change_take(c, value(s, shift), change_hour(at_ms, 300000));
}

static unsigned alarms(enum noise noise)
{
	unsigned n = 0;
	for (unsigned s = 0; s < SERIES; s++) {
		struct change c;
		struct series one = {.noise = noise};
		bool before = false;
		state = s * 7919 + (unsigned)noise;
		change_init(&c, s + 1);
		for (unsigned i = 0; i < DAYS * DAY; i++) {
			const bool now = take(&c, &one, 0);
			n += now && !before;
			before = now;
		}
	}
	return n;
}

/* The bound is CHANGE_RUN values to an alarm: 302,400 values, 30 alarms. */
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
	holds_the_bound(ALIKE, "alike, 0.5");
	holds_the_bound(VERY_ALIKE, "alike, 0.8");
	holds_the_bound(DAILY, "a daily sine");
	holds_the_bound(DAILY_ALIKE, "a daily sine, alike");
	holds_the_bound(OFFICE, "office hours");
}

/* Mean and longest delay in values over 60 series; each must alarm before the past is new. */
static double delay(enum noise noise, double shift, unsigned *ret_worst)
{
	unsigned all = 0;
	*ret_worst = 0;
	for (unsigned s = 0; s < 60; s++) {
		struct change c;
		struct series one = {.noise = noise};
		unsigned n = 0;
		state = s * 104729 + 5;
		change_init(&c, s + 1);
		for (unsigned i = 0; i < 3 * DAY + s; i++)
			take(&c, &one, 0);
		c.changed = false; /* a false alarm just now is none of this test's */
		c.sum = 0;
		while (!take(&c, &one, shift) && n < DAY)
			n++;
		all += n + 1;
		*ret_worst = n + 1 > *ret_worst ? n + 1 : *ret_worst;
	}
	return all / 60.0;
}

static void test_shifts_are_found(void **unused)
{
	static const struct {
		enum noise noise;
		double shift, mean;
		unsigned worst;
		const char *text;
	} cases[] = {
		{LATENCY, 1, 35, DAY, "one standard deviation"},
		{LATENCY, 2, 8, 20, "two standard deviations"},
		{LATENCY, 5, 6, 9, "five standard deviations"},
		{SHARE, 0.05, 10, 30, "1 % of failures become 6 %"},
		{SHARE, 0.49, 6, 7, "1 % of failures become 50 %"},
		{ALIKE, 3, 15, DAY, "alike, 0.5: three standard deviations"},
		{DAILY, 3, 20, DAY + 1, "a daily sine: three standard deviations"},
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
	struct series one = {.noise = LATENCY};
	unsigned n = 0;
	state = 3;
	change_init(&c, 1);
	for (int i = 0; i < 2 * DAY; i++)
		take(&c, &one, 0);
	for (int i = 0; i < 40; i++)
		take(&c, &one, 4);
	assert_true(c.changed);
	while (take(&c, &one, 0) && n < 200)
		n++;
	assert_true(n > 2 && n < 40);
}

static void test_what_lasts_becomes_normal(void **unused)
{
	struct change c;
	struct series one = {.noise = LATENCY};
	unsigned n = 0;
	state = 4;
	change_init(&c, 1);
	for (int i = 0; i < 2 * DAY; i++)
		take(&c, &one, 0);
	for (int i = 0; i < 40; i++)
		take(&c, &one, 4);
	while (take(&c, &one, 4) && n < 2000)
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
