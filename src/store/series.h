/*
 * series.h - what was measured over time: appended on the loop, kept in blocks, read with limits.
 *
 * A sample goes three ways at once. The head holds the current hour, already coded: what is newest
 * in memory, the rest in a scratch file without a name, which nothing is ever recovered from. The
 * tail (tail.db) is the crash log: once a second all samples of that second, one row a location and
 * hour. Ten minutes after its end an hour is sealed: the tail's rows become one block
 * a series in raw-YYYY-Www.db and slots of the roll-ups 10m-YYYY-MM.db, 1h-YYYY.db and days.db.
 * Samples that come later go to a further part of their hour (at most SERIES_PARTS), and what is
 * older than the raw files, or an hour ahead of the clock, is counted and refused.
 * docs/formats/series.md has the bytes.
 *
 * Storing never holds up observing: appending cannot fail and never waits. When the disk is full,
 * read-only or broken, what waits is kept up to SERIES_WAITING_MAX samples, then counted as lost;
 * series_status() and the `trouble` callback say so, and say when it is over.
 * Several processes may use one directory. One of them, which holds series.lock, seals. What others
 * append is known here after the next turn of our own writer, which comes with what we append, at
 * the latest with the next seal; until then an answer may lack it. None ever counts it twice.
 *
 * Times are milliseconds since 1970, UTC, from the loop's clock, so that a year of schedule can be
 * tested in virtual time. Ranges are half-open. Thread: the loop's.
 */
#ifndef STORE_SERIES_H
#define STORE_SERIES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/fault.h"
#include "net/loop.h"
#include "store/series_hist.h"

#define SERIES_MAX           200000         /* series in one directory */
#define SERIES_ID_MAX        (1 << 24)      /* ids ever given in one directory */
#define SERIES_KEY_MAX       2048           /* bytes of a name with its tags */
#define SERIES_PARTS         16             /* seals of one hour */
#define SERIES_WAITING_MAX   (1 << 20)      /* samples not yet in the tail */
#define SERIES_BLOCK_SAMPLES (1 << 18)      /* of one series in one seal of an hour */
#define SERIES_POINTS_MAX    10000          /* of one answer */
#define SERIES_DECODED_MAX   2000000        /* samples decoded for one answer */
#define SERIES_RUNS_MAX      100000         /* samples in one answer */
#define SERIES_DEADLINE_NS   (5 * NS_PER_S) /* of one query, real time */

#define SERIES_HOUR_MS 3600000LL
#define SERIES_DAY_MS  86400000LL

struct series_store;
struct series; /* one series; lives as long as its store */

/* --- opening ---------------------------------------------------------------------------------- */

struct series_options {
	bool read_only; /* look only: nothing is created, sealed or removed */
	/* How long, in days; 0: 14, 90, 1096. A file goes when all of it is older. */
	unsigned raw_days, ten_minute_days, hour_days;
	/* Storing stopped (why), or works again (NULL). May be NULL. */
	void (*trouble)(void *arg, const struct error *why);
	/* Samples that should leave memory stay there (why), or leave it again (NULL). May be NULL. */
	void (*crowded)(void *arg, const struct error *why);
	void *trouble_arg;         /* of all of these */
	int64_t outbox_bytes;      /* outbox.h; 0: nothing is kept to be sent */
	void (*stored)(void *arg); /* inbox_taken() has moved. May be NULL. */
};

/* The files stand in DIR/series. Replays the tail. A disk that refuses does not fail here, it is
 * trouble; NULL when the directory has no name, holds what a newer program wrote, or, with
 * read_only, nothing. options may be NULL; copied. */
struct series_store *series_open(const char *dir, struct loop *l,
	const struct series_options *options, struct error *err) must_check;
/* Stores what was appended, cancels queries (their callbacks run from in here), stops the threads.
 */
void series_close(struct series_store *st);
/* Hands over what was appended and waits until all that was handed over is done. For the end of a
 * command and for tests: it stops the loop's thread. */
void series_settle(struct series_store *st);

/* How long each is kept, as opened; days are kept for ever. */
struct series_kept {
	int64_t raw_ms, ten_minutes_ms, hours_ms;
};
struct series_kept series_kept(const struct series_store *st);

struct series_status {
	bool storing;
	struct error why;        /* when not */
	uint64_t appended, lost; /* lost: not stored for lack of room */
	uint64_t refused_old, refused_ahead, refused_parts, refused_value;
	uint64_t corrupt; /* blocks and rows that could not be read and were left out */
	size_t waiting;   /* appended, not yet in the tail */
	size_t series, head_bytes;
	size_t spilled_bytes; /* of the heads, in scratch files and not in memory */
};
struct series_status series_status(const struct series_store *st);

/* --- series ----------------------------------------------------------------------------------- */

enum series_kind { SERIES_PROBE, SERIES_GAUGE, SERIES_SUM, SERIES_DIST };
const char *series_kind_name(enum series_kind kind);

struct series_tag {
	const char *key, *value;
};

struct series_key {
	enum series_kind kind;
	const char *unit;     /* "us" of probes and most dists; "" */
	const char *location; /* where it was measured; "" */
	const char *name;
	const struct series_tag *tags; /* any order, no key twice; a NULL value is left out */
	size_t tag_count;
};

/* Finds or defines. Borrows the key, returns borrowed. NULL beyond the limits above. The id in the
 * files is given when the first sample is stored, for ever. */
struct series *series_get(struct series_store *st, const struct series_key *key);
/* Calls cb for each whose name, or name{key="value",...}, matches the pattern (`*`, `?`, `[...]`)
 * and which has all the tags, in order of definition, until it returns false. */
void series_find(struct series_store *st, const char *pattern, const struct series_tag *tags,
	size_t tag_count, bool (*cb)(void *arg, struct series *s), void *arg);

/* In order of definition, from 0 on; NULL: no more. Borrowed. */
struct series *series_nth(const struct series_store *st, size_t i);
size_t series_number(const struct series *s); /* its i there */

/* Borrowed: name, name{key="value",...} with sorted keys, unit, location. */
const char *series_name(const struct series *s);
const char *series_text(const struct series *s);
/* The value of one of its tags, owned; NULL: it has no such tag. */
char *series_tag_value(const struct series *s, const char *key);
const char *series_unit(const struct series *s);
const char *series_location(const struct series *s);
enum series_kind series_kind(const struct series *s);
uint32_t series_id(const struct series *s); /* 0 before the first sample is stored */

/* --- appending -------------------------------------------------------------------------------- */

enum series_phase {
	SERIES_RESOLVE,
	SERIES_CONNECT,
	SERIES_TLS,
	SERIES_WAIT, /* request sent to answer */
	SERIES_BODY,
	SERIES_READY, /* answer to what was asked for being there */
	SERIES_PHASES
};

struct series_sample {
	int64_t at_ms;
	/* probe: one run. 0 us: did not happen. */
	enum fault fault;
	uint32_t tries; /* 1: the first one */
	int64_t phase_us[SERIES_PHASES], total_us;
	/* gauge: the value; sum: what was added since the sample before; dist: the sum of all */
	double value;
	/* dist: what was seen in the interval; whole numbers >= 0 */
	uint64_t n;
	double min, max;
	const struct series_hist *hist; /* borrowed */
};

/* Copies. Durations come back within 1.6 %, everything else as it was (at_ms to the millisecond).
 * Equal samples are two. False: refused, and counted in series_status(). */
bool series_append(struct series *s, const struct series_sample *sample);
/* Whether a sample of that time would be refused for it: then counted as such in series_status(), so
 * that who has no series yet need not make one for it. */
bool series_refuses_time(struct series_store *st, int64_t at_ms);

/* Sees each sample that is appended from now on, as it is; nothing may take long, append or unwatch
 * in there. At most SERIES_WATCHERS. */
#define SERIES_WATCHERS 8
typedef void series_watcher(void *arg, const struct series *s, const struct series_sample *sample);
void series_watch(struct series_store *st, series_watcher *cb, void *arg);
void series_unwatch(struct series_store *st, series_watcher *cb, void *arg);
/* Hears of each sample of one series that was taken, right then. The storage is the listener's,
 * zeroed before; it must have left before the store is closed. Nothing may be appended from inside.
 */
struct series_listener {
	struct series_listener *next;
	void (*heard)(void *arg, const struct series_sample *sample);
	void *arg;
};
void series_listen(struct series *s, struct series_listener *l);
void series_unlisten(
	struct series *s, struct series_listener *l); /* no-op when it does not listen */

/* --- reading ---------------------------------------------------------------------------------- */

struct series_query; /* under way; gone once its callback has returned */

/* Calls back soon with ERROR_CANCELLED. */
void series_cancel(struct series_query *q);

struct series_point {
	int64_t at_ms;  /* its begin */
	uint64_t n, ok; /* ok: runs without a fault; other kinds: n */
	/* Of ok runs (us), or of values. Gauges and sums have
	 * no histogram. */
	double sum, min, max;
	double phase_sum_us[SERIES_PHASES];
	uint32_t faults[FAULT_COUNT];
	struct series_hist hist;
};

/* series_hist_quantile() of its histogram, but never outside min and max. */
double series_point_quantile(const struct series_point *p, double q);

struct series_points {
	struct series_point *p;
	size_t n;
	int64_t resolution_ms; /* 0: from samples; 600,000, 3,600,000, 86,400,000: from roll-ups */
};

/* Each callback comes once, never from inside the call; the answer is valid during it, and holds
 * what was appended before the call. However many are asked for, few at a time take memory. Errors:
 * ERROR_LIMIT (a cap, the deadline, raw samples asked for that are no longer kept; the text says
 * what to ask instead), ERROR_CANCELLED, ERROR_STORE. Blocks that are corrupt are left out and
 * counted. */
typedef void series_points_done(
	void *arg, const struct series_points *points, const struct error *err);

/* Steps of [from, to), the last one whole. Roll-ups serve steps and begins that are whole ten
 * minutes, hours or UTC days; others need the samples. fill: a point for each step, n = 0 where
 * nothing was; otherwise only those with n > 0. */
struct series_query *series_read(struct series *s, int64_t from_ms, int64_t to_ms, int64_t step_ms,
	bool fill, series_points_done *done, void *arg);

typedef void series_runs_done(
	void *arg, const struct series_sample *p, size_t n, const struct error *err);
/* Each sample of [from, to) in order of time, equal times in order of arrival. */
struct series_query *series_runs(
	struct series *s, int64_t from_ms, int64_t to_ms, series_runs_done *done, void *arg);
/* The newest one, if there is any: n is 0 or 1. */
struct series_query *series_last(struct series *s, series_runs_done *done, void *arg);

/* What the judge made of a day; health as it stands there, operational first. */
struct series_states {
	uint32_t seconds[5];
	uint8_t worst, first, last;
};

struct series_day {
	struct series_point point;
	bool has_states;
	struct series_states states;
};

typedef void series_days_done(
	void *arg, const struct series_day *days, size_t n, const struct error *err);
/* n days from `day` (days since 1970), each there, n <= SERIES_POINTS_MAX. */
struct series_query *series_days(
	struct series *s, int64_t day, size_t n, series_days_done *done, void *arg);
/* Sets the day's; stored as samples are. */
void series_set_states(struct series *s, int64_t day, const struct series_states *states);

#endif
