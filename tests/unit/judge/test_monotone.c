/*
 * test_monotone.c - promises, tried on thousands of drawn histories: one more failure at whatever
 * location never makes a component look better at any moment, silence never makes it green, and
 * without answers nothing is; order of arrival does not matter, and a repeat changes nothing. The
 * counts of sources never contradict what was decided.
 *
 * The decision alone is looked at, second by second, without a disk: component and sources are
 * filled by hand.
 */

#include "../check.h"

#include <stdlib.h>

#include "base/map.h"
#include "base/random.h"
#include "judge/judge_inside.h"

#define T0         1800000000000LL
#define LAST_MS    (40 * 60000LL)
#define EVENTS_MAX 400

#define PROBES      3
#define PLACES      3
#define SOURCES_ALL (PROBES * PLACES)

struct event {
	int64_t at_ms;
	unsigned source; /* PROBES of the first location, then those of the next */
	enum fault fault;
	bool warned;
};

struct history {
	struct event e[EVENTS_MAX];
	size_t n;
	int64_t every_ms[PROBES];
	enum severity severity[PROBES];
	unsigned confirm, quorum, places;
	int suspect; /* one of the places, or -1 */
	bool quick;
	struct statement told[3];
};

static uint64_t seed;

static unsigned draw(unsigned below)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(seed >> 33) % below;
}

static int by_time(const void *a, const void *b)
{
	const struct event *x = a, *y = b;
	return x->at_ms < y->at_ms ? -1 : x->at_ms > y->at_ms;
}

static enum fault draw_fault(unsigned mood)
{
	static const enum fault bad[] = {FAULT_TIMEOUT, FAULT_HTTP_503, FAULT_REFUSED};
	const unsigned x = draw(100);
	if (x < 4)
		return FAULT_HTTP_429;
	return x < 5 + mood ? bad[draw(3)] : FAULT_NONE;
}

/* Some said by others, each for a while. */
static void draw_told(struct history *h)
{
	static const enum health says[] = {
		HEALTH_OPERATIONAL, HEALTH_DEGRADED, HEALTH_OUTAGE, HEALTH_UNKNOWN};
	static char names[][8] = {"rule:a", "rule:b", "flag:c"}, none[] = "";
	for (unsigned i = 0; i < array_len(h->told); i++) {
		const int64_t at_ms = draw(2) ? T0 + draw(LAST_MS) : 0; /* 0: never */
		h->told[i] = (struct statement){.by = names[i],
			.text = none,
			.health = says[draw(4)],
			.at_ms = at_ms,
			.fresh_ms = at_ms + draw(20 * 60000)};
	}
}

static void draw_source(struct history *h, unsigned source)
{
	const int64_t every_ms = h->every_ms[source % PROBES];
	const size_t most = EVENTS_MAX / (h->places * PROBES) - 1;
	unsigned mood = draw(100);
	size_t n = 0;
	for (int64_t at = draw(20000); at < LAST_MS && n < most; at += every_ms) {
		if (!draw(8))
			mood = draw(3) * 45;
		if (!draw(15))
			at += every_ms * draw(6);
		h->e[h->n++] = (struct event){T0 + at, source, draw_fault(mood), draw(100) < 10};
		n++;
	}
}

/* Three probes of different rates, from one to three locations, each in moods that change, some
 * results lost. */
static void draw_history(struct history *h)
{
	static const int64_t rates[] = {10000, 30000, 30000, 60000, 300000};
	h->n = 0;
	h->confirm = 1 + draw(4);
	h->quick = draw(2);
	h->quorum = draw(3);
	h->places = 1 + draw(PLACES);
	h->suspect = h->places > 1 && !draw(3) ? (int)draw(h->places) : -1;
	for (unsigned p = 0; p < PROBES; p++) {
		h->every_ms[p] = rates[draw(5)];
		h->severity[p] = draw(3) ? SEVERITY_OUTAGE : (enum severity)draw(3);
	}
	for (unsigned i = 0; i < h->places * PROBES; i++)
		draw_source(h, i);
	qsort(h->e, h->n, sizeof(*h->e), by_time);
	draw_told(h);
}

struct bench {
	struct judge judge;
	struct judged c;
	struct source *s[SOURCES_ALL];
	struct place place[PLACES];
	struct statement told[3];
	const struct history *h;
};

static void bench_init(struct bench *b, const struct history *h)
{
	static const char *const names[] = {"a", "b", "c"}, *const places[] = {
								    "", "berlin", "rome"};
	memset(b, 0, sizeof(*b));
	b->c.judge = &b->judge;
	b->judge.options.quorum = h->quorum;
	b->h = h;
	if (h->suspect >= 0)
		b->place[h->suspect].told.suspect = true;
	for (unsigned i = 0; i < h->places * PROBES; i++) {
		const unsigned p = i % PROBES;
		char *key = mem_printf("%s %s", names[p], places[i / PROBES]);
		b->s[i] = source_new("", names[p], NULL, places[i / PROBES]);
		b->s[i]->place = &b->place[i / PROBES];
		b->s[i]->minimum_ms = 60000;
		b->s[i]->quick = h->quick;
		source_pace(b->s[i], h->every_ms[p], 10000,
			h->every_ms[p] >= JUDGE_RARE_MS ? 1 : h->confirm);
		map_put(&b->c.sources, key, b->s[i]);
		free(key);
	}
}

static void bench_fini(struct bench *b)
{
	for (unsigned i = 0; i < SOURCES_ALL; i++)
		source_free(b->s[i]);
	map_fini(&b->c.sources);
	map_fini(&b->c.told);
}

static void take_at(struct bench *b, const struct event *e, int64_t now_ms)
{
	const struct observation o = {.cloud = "",
		.probe = "",
		.at_ms = e->at_ms,
		.fault = e->fault,
		.severity = b->h->severity[e->source % PROBES],
		.warned = e->warned && e->fault == FAULT_NONE};
	source_take(b->s[e->source], &o, now_ms, false);
}

static void take(struct bench *b, const struct event *e)
{
	take_at(b, e, e->at_ms);
}

static struct decision decide(struct bench *b, int64_t now_ms)
{
	for (unsigned i = 0; i < array_len(b->told); i++)
		if (b->h->told[i].at_ms && b->h->told[i].at_ms <= now_ms) {
			b->told[i] = b->h->told[i];
			map_put(&b->c.told, b->told[i].by, &b->told[i]);
		}
	return judge_decide(&b->c, now_ms);
}

/* 0 good, 1 unknown, 2 degraded, 3 outage. A component in trouble that falls silent becomes
 * unknown; unknown and trouble are compared as "not green" only. */
static int level(struct bench *b, int64_t now_ms)
{
	switch (decide(b, now_ms).health) {
	case HEALTH_OPERATIONAL: return 0;
	case HEALTH_DEGRADED: return 2;
	case HEALTH_OUTAGE: return 3;
	case HEALTH_UNKNOWN:
	case HEALTH_MAINTENANCE:
	case HEALTH_COUNT: break;
	}
	return 1;
}

static void one_more_failure_never_looks_better(void **state)
{
	struct history *h = mem_new(struct history);
	for (unsigned round = 0; round < 3000; round++) {
		struct bench a, b;
		seed = round + 1;
		draw_history(h);
		bench_init(&a, h);
		bench_init(&b, h);
		const struct event more = {
			T0 + draw(LAST_MS), draw(h->places * PROBES), FAULT_CONNECTION_LOST, false};
		bool added = false;
		size_t i = 0;
		for (int64_t now = T0; now < T0 + LAST_MS + 600000; now += 5000) {
			for (; i < h->n && h->e[i].at_ms <= now; i++) {
				if (!added && more.at_ms <= h->e[i].at_ms) {
					take(&b, &more);
					added = true;
				}
				take(&a, &h->e[i]);
				take(&b, &h->e[i]);
			}
			if (!added && more.at_ms <= now) {
				take(&b, &more);
				added = true;
			}
			const int without = level(&a, now), with = level(&b, now);
			/* of a suspect it may make unknown what was believed bad, never green */
			const bool doubted = (int)(more.source / PROBES) == h->suspect;
			if (doubted ? !with && without : with < without)
				fail_msg(
					"round %u, %llds: %d became %d by one more failure of %u"
					" at %llds",
					round, (long long)(now - T0) / 1000, without, with,
					more.source, (long long)(more.at_ms - T0) / 1000);
		}
		bench_fini(&a);
		bench_fini(&b);
	}
	free(h);
}

static void silence_never_makes_it_green(void **state)
{
	struct history *h = mem_new(struct history);
	for (unsigned round = 0; round < 3000; round++) {
		struct bench a;
		seed = round + 100000;
		draw_history(h);
		bench_init(&a, h);
		const int64_t end = T0 + draw(LAST_MS);
		for (size_t i = 0; i < h->n && h->e[i].at_ms <= end; i++)
			take(&a, &h->e[i]);
		for (unsigned i = 0; i < array_len(h->told); i++)
			if (h->told[i].at_ms > end)
				h->told[i].at_ms = 0;
		int before = level(&a, end);
		for (int64_t now = end; now < end + 2 * LAST_MS; now += 1000) {
			const int is = level(&a, now);
			/* holding back after trouble may end; that is no new silence */
			bool held = false;
			for (unsigned p = 0; p < h->places * PROBES; p++)
				held |= now <= a.s[p]->now.hold_bad_ms + 1000 ||
					now <= a.s[p]->now.hold_failing_ms + 1000 ||
					now <= a.s[p]->now.hold_slow_ms + 1000;
			if (is == 0 && before != 0 && !held)
				fail_msg("round %u: green %llds after the last result", round,
					(long long)(now - end) / 1000);
			before = is;
		}
		assert_int_equal(before, 1);
		bench_fini(&a);
	}
	free(h);
}

/* What came of the last while is taken at its end, in another order by the one than by the other.
 */
static void order_of_arrival_does_not_matter(void **state)
{
	struct history *h = mem_new(struct history);
	for (unsigned round = 0; round < 1000; round++) {
		struct bench a, b;
		seed = round + 200000;
		draw_history(h);
		bench_init(&a, h);
		bench_init(&b, h);
		size_t from = 0, to = 0;
		for (int64_t now = T0; now < T0 + LAST_MS; now += 20000) {
			for (; to < h->n && h->e[to].at_ms <= now; to++)
				take_at(&a, &h->e[to], now);
			while (to - from > 1) { /* backwards, but for the oldest */
				take_at(&b, &h->e[--to], now);
			}
			for (; from < h->n && h->e[from].at_ms <= now; from++)
				take_at(&b, &h->e[from], now);
			to = from;
			assert_int_equal(level(&a, now), level(&b, now));
		}
		bench_fini(&a);
		bench_fini(&b);
	}
	free(h);
}

static void a_repeat_changes_nothing(void **state)
{
	struct history *h = mem_new(struct history);
	for (unsigned round = 0; round < 1000; round++) {
		struct bench a, b;
		seed = round + 300000;
		draw_history(h);
		bench_init(&a, h);
		bench_init(&b, h);
		size_t i = 0;
		for (int64_t now = T0; now < T0 + LAST_MS; now += 5000) {
			for (; i < h->n && h->e[i].at_ms <= now; i++) {
				take(&a, &h->e[i]);
				take(&b, &h->e[i]);
				take(&b, &h->e[i]);
				if (i > 3)
					take(&b, &h->e[i - draw(4)]);
			}
			assert_int_equal(level(&a, now), level(&b, now));
		}
		bench_fini(&a);
		bench_fini(&b);
	}
	free(h);
}

static void without_answers_nothing_is_green(void **state)
{
	struct history *h = mem_new(struct history);
	for (unsigned round = 0; round < 1000; round++) {
		struct bench a;
		seed = round + 400000;
		draw_history(h);
		bench_init(&a, h);
		size_t i = 0;
		for (int64_t now = T0; now < T0 + LAST_MS; now += 5000) {
			for (; i < h->n && h->e[i].at_ms <= now; i++)
				if (h->e[i].fault != FAULT_NONE)
					take(&a, &h->e[i]);
			assert_int_not_equal(level(&a, now), 0);
		}
		bench_fini(&a);
	}
	free(h);
}

/* Those that are looked at: a note only where there is nothing else. */
static unsigned looked_at(const struct bench *b)
{
	const unsigned n = b->h->places * PROBES;
	unsigned notes = 0, empty = 0;
	for (unsigned i = 0; i < n; i++) {
		notes += b->s[i]->n && source_severity(b->s[i]) == SEVERITY_NOTE;
		empty += !b->s[i]->n;
	}
	return notes + empty == n ? n : n - notes;
}

static void counts_do_not_contradict_what_was_decided(void **state)
{
	struct history *h = mem_new(struct history);
	unsigned outages = 0, unable = 0, undecided = 0, lesser = 0;
	for (unsigned round = 0; round < 3000; round++) {
		struct bench a;
		seed = round + 500000;
		draw_history(h);
		memset(h->told, 0, sizeof(h->told)); /* they are not counted */
		bench_init(&a, h);
		size_t i = 0;
		for (int64_t now = T0; now < T0 + LAST_MS; now += 5000) {
			for (; i < h->n && h->e[i].at_ms <= now; i++)
				take(&a, &h->e[i]);
			const struct decision d = decide(&a, now);
			const unsigned answer = d.good + d.slow;
			const unsigned all = answer + d.bad + d.failing + d.ours + d.stale +
					     d.undecided + d.lesser;
			if (d.health == HEALTH_OUTAGE || (d.decided && d.health == HEALTH_UNKNOWN))
				assert_int_equal(answer, 0);
			if (d.health == HEALTH_OPERATIONAL)
				assert_true(answer > 0);
			if (h->places == 1) /* else who cannot tell may be overruled */
				assert_int_equal(all, looked_at(&a));
			outages += d.health == HEALTH_OUTAGE;
			unable += d.decided && d.health == HEALTH_UNKNOWN;
			undecided += d.health == HEALTH_OUTAGE && d.undecided;
			lesser += d.lesser > 0;
		}
		bench_fini(&a);
	}
	free(h);
	assert_true(outages > 1000 && unable > 1000 && undecided > 1000 && lesser > 1000);
}

int test_monotone(void);
int test_monotone(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_more_failure_never_looks_better),
		cmocka_unit_test(silence_never_makes_it_green),
		cmocka_unit_test(order_of_arrival_does_not_matter),
		cmocka_unit_test(a_repeat_changes_nothing),
		cmocka_unit_test(without_answers_nothing_is_green),
		cmocka_unit_test(counts_do_not_contradict_what_was_decided),
	};
	return cmocka_run_group_tests_name("monotone", tests, NULL, NULL);
}
