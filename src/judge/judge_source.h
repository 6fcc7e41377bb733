/*
 * judge_source.h - one source of a component, and what its newest results say.
 *
 * A source is a probe, or a step of a scenario ("server[1]" and "server[0]" are two). It keeps its
 * newest results in order of the time at which they began, whatever the order they came in, and
 * what it says is a fold over them: one small machine, moved by each result. Every move is monotone
 * in "how bad", and a failing result never moves it towards good, so that one more failure can
 * never make a component look better (docs/judging.md has the rules in words).
 * Thread: the loop's.
 */
#ifndef JUDGE_JUDGE_SOURCE_H
#define JUDGE_JUDGE_SOURCE_H

#include "store/observation.h"

#define SOURCE_RESULTS   50               /* kept at most */
#define SOURCE_GOOD      20               /* beyond these no good one is the oldest that is kept */
#define SOURCE_WINDOW    10               /* newest results that `failing` looks at; always kept */
#define SOURCE_WINDOW_MS (15 * 60 * 1000) /* the others are kept as long as this */
#define SOURCE_TEXT_MAX  2000             /* bytes of each text of a result */

/* Texts of a result that failed or was slow; NULL where there was none. */
struct result_texts {
	unsigned refs; /* results that say all the same */
	char *detail, *shared, *request, *request_id, *service_request_id, *run;
};

struct result {             /* there are many: a house may have ten thousand sources */
	int64_t at_ms : 44; /* when it began: to 2248, and none is an hour ahead of our clock */
	uint64_t fault : 8, severity : 2; /* enum fault, enum severity */
	uint64_t warned : 1;
	uint64_t again : 1;     /* needed more than one try */
	uint64_t muted : 1;     /* the cloud's fault, seen while blind: says nothing */
	uint64_t total_us : 40; /* at most 12 days */
	int64_t status : 24;    /* of three digits, whoever told it */
};

struct proof {             /* of a result that is not simply good */
	uint32_t heard_ms; /* so much later we heard of it, at most 49 days */
	uint8_t at;        /* which result */
	uint8_t texts;     /* which of `texts` */
};

/* What all results so far made of the source. Runs of results end counting at 65,535. */
struct fold {
	bool heard; /* anything good yet */
	bool good;  /* answers, as far as is confirmed */
	bool bad;   /* fails, confirmed */
	bool ours;  /* cannot tell, confirmed */
	bool slow, failing;
	uint8_t bad_fault, ours_fault; /* enum fault: the newest of each */
	uint16_t good_run, bad_run, ours_run, slow_run, fast_run, good_after_ours;
	uint16_t window; /* bit 0: the newest result, 1: failed */
	uint8_t window_n;
	int64_t last_ms, last_good_ms, last_bad_ms, last_ours_ms; /* when they began; 0: never */
	int64_t hold_bad_ms, hold_failing_ms, hold_slow_ms;       /* said until then at least */
};

enum says { SAYS_NOTHING, SAYS_STALE, SAYS_GOOD, SAYS_SLOW, SAYS_FAILING, SAYS_BAD, SAYS_OURS };

struct place;    /* judge_inside.h */
struct expected; /* likewise */
struct judged;   /* likewise */

struct source {
	const char *cloud, *probe, *step; /* step may be NULL */
	const char *location;             /* "": ours */
	const char *key;                  /* all of them: judge_source_key() */
	struct judged *component;
	struct place *place;       /* where that is, or NULL */
	struct expected *expected; /* by whom it is */
	struct source *beside;     /* the next one that is expected by the same */
	struct source **held;      /* what points to this one of them */
	uint8_t n, room;           /* of `results` */
	uint8_t proofs_n, proofs_room;
	uint8_t texts_n;  /* places of `texts` */
	uint8_t forgive;  /* good results in a row */
	bool last_failed; /* its newest result is the cloud's fault, counted or not */
	bool quick;       /* the first good result of all is enough */
	unsigned confirm; /* results in a row */
	int64_t minimum_ms;
	int64_t fresh_ms; /* 3 x its rate + its timeout */
	struct fold base; /* of the results no longer kept */
	struct fold now;
	struct result *results;      /* oldest first */
	struct proof *proofs;        /* in their order; NULL when all are good */
	struct result_texts **texts; /* what they say; a place that is free is NULL */
	char names[];                /* what the texts above point to */
};

/* Of a source of a component. Owned. */
char *judge_source_key(
	const char *cloud, const char *probe, const char *step, const char *location);
struct source *source_new(
	const char *cloud, const char *probe, const char *step, const char *location);
void source_free(struct source *s);
/* Of the i-th result; NULL when it is good. */
const struct result_texts *source_texts(const struct source *s, size_t i);
/* Copies what it needs of o. What was taken already changes nothing. */
void source_take(struct source *s, const struct observation *o, int64_t now_ms, bool muted);
/* Failures that are not confirmed yet no longer count: we were blind. */
void source_mute(struct source *s);
/* A new rate. */
void source_pace(struct source *s, int64_t every_ms, int64_t timeout_ms, unsigned confirm);
/* For how long a result of one at this pace is fresh. */
int64_t source_lasts_ms(int64_t every_ms, int64_t timeout_ms, unsigned confirm);

enum says source_says(const struct source *s, int64_t now_ms);
const char *says_name(enum says says);
/* A good result that is still fresh. */
bool source_answers(const struct source *s, int64_t now_ms);
/* When its bad news went stale without being taken back; another source must have answered after
 * that. 0: they did not. */
int64_t source_left_bad_ms(const struct source *s, int64_t now_ms);
enum severity source_severity(const struct source *s);
/* The first moment after now at which it may say something else although nothing new is heard;
 * INT64_MAX: never. */
int64_t source_next_ms(const struct source *s, int64_t now_ms);
/* Until when its newest result is fresh. */
int64_t source_fresh_until_ms(const struct source *s);

#endif
