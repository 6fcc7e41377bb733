/*
 * outposts_inside.h - shared by outposts.c (who they are, how they are), outposts_take.c (parcels)
 * and outposts_rows.c (what is kept).
 */
#ifndef OBSERVE_REPORT_OUTPOSTS_INSIDE_H
#define OBSERVE_REPORT_OUTPOSTS_INSIDE_H

#include "base/map.h"
#include "base/vec.h"
#include "observe/report/outposts.h"

struct paced { /* a probe of an outpost */
	int64_t every_ms, timeout_ms;
};

struct taking { /* a parcel under way */
	struct parcel *parcel;
	struct series **series; /* of parcel->series; NULL: none could be had */
	size_t next;            /* of its items */
	char source[INBOX_SOURCE];
	int64_t wanted; /* what must be stored before it is answered */
	bool whole;     /* all of it is appended */
	bool behind;    /* more waits there */
	outposts_done *done;
	void *arg;
};

struct outpost {
	struct outposts *all;
	char *location;
	/* what it said last */
	char *instance, *version, *stream, *stream_before, *blind;
	char *about_id;
	json_t *about;
	struct map probes;           /* "cloud\nprobe" -> struct paced */
	int64_t heard_ms, stored_ms; /* by our clock; 0: never */
	int64_t listed_ms;           /* since when it is waited for */
	int64_t clock_ms, lag_ms;
	int64_t items, bytes, samples, too_old, too_many, lost_notes;
	int64_t doubled_ms; /* when a second stream came between; 0: never */
	/* what became of it */
	uint64_t taken, refused;
	int64_t appended; /* of its stream */
	struct taking *taking;
	struct timer turn;
	int trouble; /* which was told; 0: none */
	char *why;
};

struct outposts {
	struct loop *loop;
	struct facts *facts;
	struct series_store *store;
	struct outposts_options options;
	VEC(struct outpost *) list;
	struct timer look;
};

int64_t outposts_now_ms(const struct outposts *all);
struct outpost *outposts_find(const struct outposts *all, const char *location);
/* Looks whether something is wrong with it, and tells what changed. */
void outpost_look(struct outpost *o);
/* Takes `about` (as outposts_about() makes it). */
void outpost_set_about(struct outpost *o, const char *id, json_t *about);

/* outposts_take.c */
void taking_end(struct outpost *o, int status, const char *why);
/* Answers a parcel whose items are stored. */
void taking_stored(struct outpost *o);

/* outposts_rows.c */
bool outposts_rows_open(struct outposts *all, struct error *err) must_check;
void outpost_read(struct outpost *o);
/* What it is, and that it was heard; about: what it runs too. */
void outpost_write(struct outpost *o, bool about);

#endif
