/*
 * judge_inside.h - what the files of the judge share.
 *
 * judge_turn.c moves a component from state to state, judge_decide.c says what its sources say
 * together, as judge_quorum.c heard them and beside what judge_told.c knows; judge_depend.c,
 * judge_window.c and judge_flap.c say what explains it, judge_text.c puts it in words.
 * judge_rows.c holds the tables, judge_days.c counts seconds, judge_evidence.c writes down why,
 * judge_given.c of what.
 */
#ifndef JUDGE_JUDGE_INSIDE_H
#define JUDGE_JUDGE_INSIDE_H

#include "base/map.h"
#include "base/vec.h"
#include "judge/given.h"
#include "judge/judge.h"
#include "judge/judge_source.h"

#define JUDGE_SOURCES_MAX 500    /* of one component; the stalest leaves */
#define JUDGE_TOLD_MAX    1000   /* who may say something of one component; the stalest leaves */
#define JUDGE_TOLD_SHOWN  20     /* of them in one evidence, the worst first */
#define JUDGE_BEAT_MS     10000  /* how often how new everything is goes to the disk for sure */
#define JUDGE_JUMP_MS     60000  /* a clock that jumps further was a machine asleep */
#define JUDGE_RARE_MS     300000 /* at this rate or rarer a source speaks with each result */
#define DAY_MS            86400000LL

struct expected { /* a probe that reports from a location */
	int64_t every_ms, timeout_ms;
	struct place *place;    /* NULL: there are too many */
	struct source *sources; /* of it, of all components; on by `beside` */
	char key[];             /* "cloud\nprobe\nlocation" */
};

struct place { /* a location */
	struct judge_location told;
	char *name, *text;
	unsigned expected; /* probes that report from it */
	int64_t fresh_ms;  /* until when it is not silent */
	bool changed;      /* since it was last looked at */
};

/* A verdict that owns its texts; the rule is static. */
struct stored_verdict {
	struct verdict v;
	char *component, *text, *root, *maintenance, *dissent;
	int64_t from_ms;  /* of its row: a state may stand longer, for another cause */
	int64_t fresh_ms; /* until when its evidence is fresh */
};

struct statement { /* what one `by` says, judge_tell() */
	char *by, *text;
	enum health health;
	int64_t at_ms, fresh_ms;
	bool muted;       /* said while we were blind: nothing bad of it counts */
	json_t *evidence; /* or NULL */
};

struct window {
	char *component; /* NULL: all, or with a probe none */
	char *event, *probe;
	int64_t from_ms, to_ms;
};
typedef VEC(struct window) window_list;

struct change; /* a verdict on its way to the disk */
struct day_read;

/* Seconds of today in each state, kept in ms. */
struct day_count {
	struct series *series;      /* NULL: beyond the limits of series */
	struct day_read *read;      /* today's, from before this start */
	struct day_read *last_read; /* the day's on which it ended before this start */
	bool loaded;
	int64_t day, ms[HEALTH_COUNT];
	int64_t counted_ms; /* up to when */
	uint8_t worst, first, last;
};

struct flap_change {
	int64_t at_ms;
	enum health worst; /* of what it was and what it became */
};

struct flap {
	enum health raw; /* as it would be shown if it did not flap */
	bool active, was_blind;
	enum health worst;               /* shown while active */
	int64_t changed_ms;              /* when raw last changed */
	VEC(struct flap_change) changes; /* that count, oldest first */
};

struct judged { /* a component */
	struct judge *judge;
	char *id, *name, *category, *cloud, *region;
	struct component shown;
	uint64_t order;
	struct map sources; /* by its key, which is its own -> struct source */
	struct map told;    /* by -> struct statement */
	struct stored_verdict now;
	struct change *change; /* NULL: none on its way */
	bool unwritten;        /* `now` is not on the disk; the disk refused */
	int64_t added_ms;
	int64_t better_ms;          /* an outage: since when it seems to be less; 0: it does not */
	int64_t began_ms, ended_ms; /* its last outage that is over; 0: there was none */
	int64_t dissent_ms;         /* since when a location sees it worse; 0: none does */
	bool later;                 /* is looked at in the loop's next turn */
	struct flap flap;
	struct timer due;
	struct day_count days;
};

struct judge {
	struct loop *loop;
	struct facts *facts;
	struct series_store *series;
	struct judge_options options;
	judge_changed *changed;
	void *arg;
	VEC(struct judged *) components; /* by category, then order */
	uint64_t order;
	struct map by_id;
	struct map expected; /* by its key, which is its own -> struct expected */
	window_list windows;
	struct map rests; /* of judge_depend.c */
	struct timer later;
	struct map longest; /* cloud -> int64_t, ms: of all that is expected of it; "": of all */
	struct map places;  /* name -> struct place */
	bool blind;
	char *why_blind;
	struct timer tick;
	int64_t tick_ms, beat_ms; /* when the last one was */
	int64_t span_from_ms;     /* since when we observe without a gap */
	int64_t last_ms;          /* until when we did before; 0: never */
	struct change *changes;   /* on their way */
};

int64_t judge_now_ms(const struct judge *j);
int64_t judge_minimum_ms(const struct judge *j);
/* Looks at it in the loop's next turn, once, however often that is asked for. */
void judge_later(struct judged *c);

/* --- judge_take.c ----------------------------------------------------------------------------- */

void take_forget(struct judged *c); /* its sources */
void take_end(struct judge *j);     /* what is expected; after the components */

/* --- judge_turn.c ----------------------------------------------------------------------------- */

void judge_again(struct judged *c); /* looks at all that is known, changes the state if it must */
void judge_soon(struct judged *c);  /* the same, from the loop */
/* The same for one more good answer of `s`, which said so before: false when it needs the whole
 * look. */
bool judge_still_good(struct judged *c, const struct source *s, int64_t now_ms);
void turn_retry(struct judged *c);  /* writes again what the disk refused */
void turn_forget(struct judged *c); /* its change on the way is written, but told to nobody */
void turn_end(struct judge *j);     /* so are all */
void verdict_fini(struct stored_verdict *s);
void verdict_set_maintenance(struct stored_verdict *s, const char *event); /* copies; or NULL */

/* --- judge_decide.c --------------------------------------------------------------------------- */

struct decision {
	bool decided; /* false: nothing fresh says anything */
	enum health health;
	const char *rule;
	int64_t evidence_ms; /* newest result of what is fresh; 0: none */
	int64_t fresh_ms;    /* until when something that speaks is fresh */
	unsigned bad, failing, slow, good, ours, stale, all;
	unsigned undecided;           /* too little is known, or only by what is past */
	unsigned lesser;              /* answer beside an outage, of a severity below it */
	unsigned overruled;           /* by the quorum of their group */
	const struct source *about;   /* the one that says it best, or NULL */
	const struct statement *told; /* the same, of those that conclude; then `about` is NULL */
	bool left_bad;                /* failed until it fell silent */
	int64_t bad_ms; /* when the newest began that says something is wrong; 0: none */
	/* judge_turn.c adds what explains it; borrowed until windows and rests are others */
	const char *maintenance, *root; /* NULL: none */
	const char *own_rule;           /* without the root */
	const char *steady_rule;        /* if it did not flap */
	bool flapping;
};

struct decision judge_decide(const struct judged *c, int64_t now_ms);
/* The static name of a rule; "never" when it is none of ours. */
const char *judge_rule(const char *name);

/* --- judge_text.c ----------------------------------------------------------------------------- */

/* Why it is so, one sentence. Owned. */
char *judge_text(const struct judged *c, const struct decision *d, int64_t now_ms);

/* --- judge_told.c ----------------------------------------------------------------------------- */

struct told_tally {
	const struct statement *worst;          /* fresh and degraded or an outage, or NULL */
	const struct statement *good, *unknown; /* the newest fresh ones, or NULL */
	const struct statement *left; /* said something bad until it fell silent, or NULL */
	unsigned bad;
};
struct told_tally told_count(const struct judged *c, int64_t now_ms);
int64_t told_next_ms(const struct judged *c, int64_t now_ms); /* when one falls silent */
json_t *told_json(const struct judged *c, int64_t now_ms);    /* for the evidence; owned */
/* Since when what it looked at. */
int64_t statement_from_ms(const struct statement *s);
void statement_free(struct statement *t);

/* --- judge_window.c --------------------------------------------------------------------------- */

/* The event within whose window it lies, "" when that is not announced; NULL: within none. */
const char *window_at(const struct judged *c, int64_t at_ms);
int64_t window_next_ms(const struct judged *c, int64_t after_ms); /* when one begins or ends */
void windows_end(struct judge *j);

/* --- judge_quorum.c --------------------------------------------------------------------------- */

struct opinion {
	const struct source *s;
	enum says says; /* as which it counts */
	bool overruled; /* by the quorum of its group: it does not count */
	bool dissents;  /* and sees it worse */
	bool unheard;   /* it is overruled by "bad": what it saw answer is no sign of life */
	bool forgotten; /* what it said until it fell silent no longer counts */
};
/* One for each source; ret has room for JUDGE_SOURCES_MAX. */
size_t quorum_hear(const struct judged *c, int64_t now_ms, struct opinion *ret);
char *quorum_dissent(struct judged *c, int64_t now_ms); /* a sentence, or NULL; owned */
const char *place_name(const struct source *s);         /* for people */

/* --- judge_place.c ---------------------------------------------------------------------------- */

struct place *place_of(struct judge *j, const char *name); /* NULL: there are too many */
/* Something is expected from it, at the latest after `fresh_ms`. */
void place_awaits(struct place *p, int64_t now_ms, int64_t fresh_ms);
void place_joined(struct place *p, struct source *s);
void place_left(struct source *s); /* before it is freed */
void place_heard(struct source *s, const struct observation *o, int64_t now_ms);
void places_tick(struct judge *j, int64_t now_ms);
void places_end(struct judge *j);

/* --- judge_depend.c --------------------------------------------------------------------------- */

/* The component whose outage explains what is not well, or NULL; borrowed. */
const char *depend_root(const struct judged *c, const struct decision *d, int64_t now_ms);
void depend_changed(struct judged *o); /* those that rest on it are looked at again */
void depend_end(struct judge *j);

/* --- judge_flap.c ----------------------------------------------------------------------------- */

/* `d` would be shown from now on. */
void flap_see(struct judged *c, const struct decision *d, int64_t now_ms);
/* What is shown instead, while it flaps. */
void flap_apply(struct judged *c, struct decision *d, int64_t now_ms);
int64_t flap_ends_ms(const struct judged *c); /* if nothing changes; INT64_MAX: it does not flap */

/* --- judge_rows.c ----------------------------------------------------------------------------- */

bool rows_open(struct judge *j, struct error *err) must_check;
/* The stored verdict of a component; false: there is none (or it cannot be read: err is set). */
bool rows_read(struct judge *j, struct judged *c, struct error *err) must_check;
/* Writes a change: ends the open verdict, writes the new one. `done` on the loop with its id. */
struct row_change {
	struct stored_verdict to;
	char *name; /* of the component, for customers */
	int64_t id; /* out */
	char *evidence;
};
bool rows_write(struct facts_tx *tx, struct row_change *c, struct error *err) must_check;
void rows_write_end(struct judge *j, const char *component, int64_t at_ms);
/* We observed until `to_ms`. Not waited for, and worth no fsync. */
void rows_observed(struct judge *j, int64_t to_ms);
/* The same for sure, and the evidence of each component is as new as it is. */
void rows_beat(struct judge *j, int64_t to_ms);

/* --- judge_known.c */
void known_write(struct judge *j, const struct component *c);
void known_forget(struct judge *j, const char *id);
bool known_read(struct judge *j, struct error *err) must_check; /* calls judge_component() */

/* --- judge_given.c ---------------------------------------------------------------------------- */

bool given_open(struct judge *j, struct error *err) must_check; /* after last_ms was read */
void given_take(struct judge *j, const struct observation *o, int64_t now_ms);
/* What begins now, or ends. */
void given_pace(struct judge *j, const struct judge_probe *p, const struct expected *x, bool ends);
void given_blind(struct judge *j, bool ends);
void given_window(struct judge *j, const struct window *w, bool ends);

/* --- judge_days.c ----------------------------------------------------------------------------- */

void days_open(struct judged *c);
void days_close(struct judged *c);
/* Counts the time up to `now_ms` for the state it is in. */
void days_count(struct judged *c, int64_t now_ms);
void days_skip(struct judged *c, int64_t now_ms); /* the time up to now was not observed */
void days_write(struct judged *c);
void days_load(struct judged *c); /* again, where it failed */

/* --- judge_evidence.c ------------------------------------------------------------------------- */

char *evidence_text(const struct judged *c, const struct decision *d, enum health was,
	int64_t now_ms); /* owned JSON */

#endif
