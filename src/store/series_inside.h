/*
 * series_inside.h - what the files of the series store share; series.h is for everybody else.
 * Thread: the loop's, but for what is said to be fixed.
 */
#ifndef STORE_SERIES_INSIDE_H
#define STORE_SERIES_INSIDE_H

#include <stdatomic.h>

#include "base/map.h"
#include "store/series_block.h"
#include "store/series_coded.h"
#include "store/series_roll.h"
#include "store/series_writer.h"
#include "store/worker.h"

/* Unsealed samples of one series and hour. A head whose samples are being sealed gets no more:
 * later ones begin another, so that a seal that succeeds takes whole heads away. */
struct head {
	struct head *next; /* newest first */
	int32_t hour;      /* small: there are twenty thousand of it when an hour has just ended */
	bool sealing;
	bool spilling; /* on its way to a scratch file, or waiting for that */
	uint8_t file; /* where what was cut off is: 1 + its place in `spill.files`; 0: nothing was */
	struct coded_samples samples;
	struct spilled spilled; /* what was cut off of them */
};

/* A sealed block that is still kept in memory, as it stands in the file. */
struct kept_block {
	struct kept_block *next;
	int64_t hour;
	unsigned part;
	char *p;
	size_t n;
};

struct series {
	/* fixed */
	struct series_store *store;
	uint32_t number;
	enum series_kind kind;
	const char *unit, *location,
		*name;       /* the store's words; without tags the name is the text */
	const char *text;    /* the end of the key */
	_Atomic uint32_t id; /* the writer sets it once */
	/* the loop's */
	uint32_t position; /* in the batch */
	uint64_t batch;    /* serial of the one it has a position in */
	struct series_listener *listeners;
	struct head *heads;
	struct kept_block *kept;
	char key[]; /* "kind\nunit\nlocation\nname{tags}" */
};

struct series_query;

/* Of one item of an outbox, and of the names of its series. */
#define OUTBOX_ROW_BYTES  (64u << 10)
#define OUTBOX_NAME_BYTES (1u << 20)

#define CACHE_MAX    256  /* answers kept until the next seal */
#define CACHE_POINTS 1000 /* of one of them; longer ones would be too much memory */

struct cached {
	char *key;
	struct series_points points;
};

struct series_store {
	struct loop *loop;
	char *dir;
	struct series_options options;
	int64_t keep_ms[LEVELS];
	struct worker *write, *read;
	struct writer *writer;      /* the writer thread's */
	struct files *readers[2];   /* one for each reader thread */
	struct map by_key;          /* struct series, which have their keys */
	struct map words;           /* units, locations, names: each once, for ever */
	VEC(struct series *) all;   /* in order of definition */
	VEC(struct series *) by_id; /* index: id; with holes */
	struct batch *batches;      /* being filled */
	states_list states;
	notes_list notes;
	size_t note_bytes; /* in `notes`, or with the writer */
	marks_list marks;
	struct map inbox; /* source -> int64_t *: stored through */
	struct outbox_state outbox;
	uint64_t lost_notes;
	uint64_t batch_serial;
	bool turn_due, seal_due; /* a turn of the writer is under way; it seals */
	bool again, seal_again;  /* and another is wanted after it */
	bool seal_wanted;        /* the last one failed */
	struct timer flush, seal;
	VEC(struct hour_parts) hours; /* sealed ones that raw files hold, by hour */
	int64_t sealed_hour;          /* the newest of them */
	int64_t memory_hour;          /* samples from this hour on are all in memory */
	uint64_t generation;          /* of the roll-ups */
	struct map cache;             /* struct cached, of this generation */
	struct {
		struct series_query *first, *last; /* under way, in order */
		struct series_query *waiting;      /* the first that no reader has yet */
		size_t reading;                    /* readers have, or were done with */
	} queries;
	struct {
		struct spill_file *files[SPILL_FILES];
		uint8_t file;            /* heads begin in it; 1 + its place, 0: none yet */
		VEC(struct head *) full; /* `spilling`, and not handed over */
		spill_files gone;        /* nobody uses them */
		int64_t not_before_ns;
		bool failed;
	} spill;
	struct series_status status;
	struct {
		series_watcher *cb;
		void *arg;
	} watchers[SERIES_WATCHERS];
	size_t watcher_count;
	size_t open_samples; /* in `batches` */
	size_t due_samples;  /* handed over, unanswered or waiting */
};

/* --- series_head.c -----------------------------------------------------------------------------
 */

/* False: no room in this hour. */
bool head_add(struct series *s, const struct series_sample *sample);
/* No head of an hour before this one gets any more. */
void heads_close(struct series_store *st, int64_t before_hour);
/* These are in the files. */
void heads_sealed(struct series_store *st, int64_t hour);
void heads_keep(struct series *s, const struct recent_block *b); /* takes its bytes */
void heads_forget(struct series_store *st, int64_t before_hour); /* kept blocks */
void heads_free(struct series *s);
/* Adds what they take in memory, and what of them is in scratch files. */
void heads_count(const struct series *s, size_t *bytes, size_t *spilled);

/* --- series_spill.c ----------------------------------------------------------------------------
 */

/* Whether it has so much in memory that it goes; over: hardly any more comes. */
void spill_look(struct series_store *st, struct head *h, bool over);
/* Heads of this hour that are being sealed are about to be freed. */
void spill_forget(struct series_store *st, int64_t hour);
void spill_begin(struct series_store *st, struct spill_turn *t);
void spill_end(struct series_store *st, struct spill_turn *t);
bool spill_due(const struct series_store *st); /* some wait, and it is worth trying */
void spill_next_file(struct series_store *st);
/* Of a head; NULL: all of it is in memory. Whoever gets it uses it until he leaves it. */
struct spill_file *spill_use(struct series_store *st, const struct head *h);
void spill_leave(struct series_store *st, struct spill_file *f);
void spill_free(struct series_store *st, struct head *h); /* the head goes */
void spill_fini(struct series_store *st);                 /* heads and queries are gone */

/* --- series_turn.c -----------------------------------------------------------------------------
 */

/* Hands over what is waiting, soon again if a turn is under way. */
void turn_start(struct series_store *st, bool seal);

/* --- series.c ----------------------------------------------------------------------------------
 */

/* Of a series by its key; made when it is not there. NULL at SERIES_MAX. Copies. */
struct series *store_get(struct series_store *st, enum series_kind kind, const char *unit,
	const char *location, const char *name, const char *tags);
int64_t store_now_ms(const struct series_store *st);
void store_flush_soon(struct series_store *st);
unsigned store_parts(const struct series_store *st, int64_t hour);
struct series *store_series(const struct series_store *st, uint32_t id); /* or NULL */

/* --- outbox.c ----------------------------------------------------------------------------------
 */

void outbox_learn(struct series_store *st, struct turn *t);
void outbox_fini(struct series_store *st);

/* --- series_query.c ----------------------------------------------------------------------------
 */

void cache_clear(struct series_store *st);
void queries_cancel(struct series_store *st);

#endif
