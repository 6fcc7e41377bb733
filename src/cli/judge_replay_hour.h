/*
 * judge_replay_hour.h - what a judge was given, hour by hour, in the order in which it was.
 */
#ifndef CLI_JUDGE_REPLAY_HOUR_H
#define CLI_JUDGE_REPLAY_HOUR_H

#include "cli/judge_replay.h"

struct replay_source {                  /* a probe or step of a component, from one location */
	struct series *samples, *marks; /* either may be NULL */
	char *cloud, *probe, *step, *component, *location;
	int64_t gap_ms; /* the usual one between its results; 0: not known yet */
};

enum happens { HAPPENS_END, HAPPENS_BEGIN, HAPPENS_TOLD, HAPPENS_SEEN };

struct happening {
	int64_t at_ms;
	int64_t began_ms, total_us; /* of a result */
	uint32_t index;             /* of a given, of what was told, of a source */
	uint8_t what, fault, severity;
	bool warned;
};

struct hours {
	const struct replay *replay;
	VEC(struct replay_source) sources;
	VEC(struct happening) all; /* sorted; those from `end` on are for the next hour */
	size_t due;                /* how many come before */
	/* inside */
	struct loop *loop;
	struct map by_key;
	size_t reading;
	VEC(int64_t) marked;
	int64_t begin_ms, end_ms;
	bool read;
	struct error err;
};

/* Borrows all. */
void hours_init(
	struct hours *h, const struct replay *r, struct loop *l, struct series_store *store);
/* The one after the other: [begin, end) within one hour. */
bool hours_read(struct hours *h, int64_t begin_ms, int64_t end_ms, struct error *err) must_check;
/* Whether within [from, to) a judge lived that kept what it was given. */
bool hours_lived(const struct replay *r, int64_t from_ms, int64_t to_ms);
void hours_fini(struct hours *h);

#endif
