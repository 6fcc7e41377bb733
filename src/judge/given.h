/*
 * given.h - what a judge was given and no sample holds, kept so that it can be judged once more
 * (`glasshouse judge replay`).
 *
 * Two things are kept. *Marks*, one for each result that is more than its sample says: every fault,
 * every answer held to be slow, every step of a run, whatever came late or has no sample. A mark is
 * a sample of the series GIVEN_SERIES{cloud, component, location, probe, step}, at the time the
 * result began. A result without a mark was good, counted fully, and was heard of when it ended, to
 * GIVEN_LATE_MS. And *givens*, rows of the facts: the life of the judge itself, how often a probe
 * was meant to run, when we were blind, which work was declared. They are kept as long as samples.
 */
#ifndef JUDGE_GIVEN_H
#define JUDGE_GIVEN_H

#include "store/facts.h"
#include "store/observation.h"

#define GIVEN_SERIES  "judge.given"
#define GIVEN_LATE_MS 50

struct given_mark {
	int64_t heard_ms; /* so much after it began we heard of it; 0 to 2^32 - 1 */
	enum fault fault; /* as which it counted */
	enum severity severity;
	bool warned;
};
/* As the value of a sample, exact; false: it is none of ours. */
double given_pack(const struct given_mark *m);
bool given_unpack(double value, struct given_mark *ret);

/*	what		one		other		third		x		y
 *	GIVEN_LIFE	""		""		""		0		0
 *	GIVEN_PACE	cloud		probe		location	every, ms	timeout, ms
 *	GIVEN_BLIND	""		why		""		0		0
 *	GIVEN_WINDOW	component	event		probe		begins, ms	ends, ms
 * as judge_expect(), judge_blind() and judge_windows() take them; component or probe "": NULL. */
enum given_what { GIVEN_LIFE, GIVEN_PACE, GIVEN_BLIND, GIVEN_WINDOW, GIVEN_WHATS };

struct given {
	enum given_what what;
	const char *one, *other, *third;
	int64_t x, y;
	int64_t from_ms, until_ms; /* when it was so; until INT64_MAX: it is */
};

/* Those that touch [from, to), in order of from_ms, lives first; borrowed for the call. cb returns
 * false to stop. Thread: any. */
bool given_each(struct facts *f, int64_t from_ms, int64_t to_ms,
	bool (*cb)(void *arg, const struct given *g), void *arg, struct error *err) must_check;

#endif
