/*
 * suspect_inside.h - the inside of suspected events, shared by their files and by nobody else.
 *
 *	suspect.c        life, the feed, turns
 *	suspect_group.c  which event a component belongs to
 *	suspect_step.c   what becomes of an event now
 *	suspect_rows.c   tables, and the transaction of a turn
 *	suspect_text.c   what an event says, in English and German
 *
 * A *part* is a component that is not well, or belongs to an event. A *suspect* is an event and
 * what we know of it. What lies in memory is what the tables will hold once the turn that is
 * under way is durable; there is one at a time.
 */
#ifndef TELL_SUSPECT_INSIDE_H
#define TELL_SUSPECT_INSIDE_H

#include "base/json.h"
#include "base/map.h"
#include "base/vec.h"
#include "tell/suspect.h"

#define SUSPECT_UPDATE_MS (60 * 1000LL) /* between updates of one event */
#define SUSPECT_LOOK_MS   (10 * 1000LL) /* flapping and windows change without a row of the feed */

enum suspect_fault { SUSPECT_FAILS, SUSPECT_SLOW };

enum suspect_state {
	SUSPECT_OPEN,
	SUSPECT_PROPOSED, /* all is well; a human is to close it */
	SUSPECT_CLOSED,   /* by us; may be opened again */
	SUSPECT_OVER      /* a human closed it */
};

struct part {
	char *component, *name, *cloud, *region;
	char *maintenance; /* the window it was last seen in; NULL: none */
	char *root;        /* of its verdict; NULL: none. As it is now, in memory only */
	enum health health;
	enum suspect_fault fault;
	int64_t verdict, evidenced; /* its newest; the newest that the event names */
	int64_t ill_ms;             /* since when it is not well */
	int64_t well_ms;            /* since when it is well again; 0: it is not */
	int64_t held_ms;            /* until when maintenance excused it, at least; 0: never */
	int64_t suspect;            /* id; 0: none yet */
	int told;                   /* the impact that the event names; -1: none yet */
	bool flaps, flaps_told;
	bool stored, held; /* nothing fresh since the start; in a window: both in memory only */
	bool dirty;
};

struct suspect {
	int64_t id;
	char event[EVENT_ID_MAX + 1]; /* "": not durable yet */
	char *cloud, *region, *root;  /* root NULL: none known */
	enum suspect_fault fault;
	enum suspect_state state;
	int64_t began_ms, updated_ms, closed_ms;
	int worst; /* the highest impact it ever had */
	bool announced, taken;
	bool dirty;
};

/* What a turn does to one event, as its transaction needs it: copies. */
struct suspect_effect {
	bool open; /* else it is changed */
	char *title, *text;
	VEC(struct event_impact) impacts; /* components owned */
	json_t *evidence;
	int phase; /* -1: as it is */
	int64_t at_ms;
	bool publish;
};

struct suspect_row {
	struct suspect row; /* texts owned */
	bool gone, has_effect;
	struct suspect_effect effect;
};

struct part_row {
	struct part row; /* texts owned */
	bool gone;
};

struct suspect_turn {              /* a transaction; outlives who began it */
	struct suspects *suspects; /* NULL: gone */
	struct facts *facts;
	int64_t cursor, now_ms; /* cursor 0: as it is */
	VEC(struct suspect_row) rows;
	VEC(struct part_row) parts;
	bool touches; /* events */
};

struct suspects {
	struct loop *loop;
	struct facts *facts;
	struct suspect_policy policy; /* owned copies */
	suspect_look *look_at;
	suspect_places *places;
	suspect_changed *changed;
	void *arg;
	struct map parts; /* component -> struct part */
	VEC(struct suspect *) list;
	int64_t last_id, cursor;
	int64_t next_ms; /* when something is due; of a turn being made */
	bool look;       /* there may be news in the feed */
	struct suspect_turn *turn;
	struct timer timer;
	char *trouble;
};

int64_t suspects_now_ms(const struct suspects *s);
struct suspect *suspect_by_id(const struct suspects *s, int64_t id);
/* Something is due then. */
void suspects_soon(struct suspects *s, int64_t at_ms);
void part_free(struct part *p);
void suspect_free(struct suspect *x);

/* Not well: what counts towards `lasting`, and holds an event open. */
bool part_ill(const struct part *p);
bool part_well(const struct part *p); /* neither is so while it is unknown */

/* --- suspect_group.c */
void part_take(struct suspects *s, const struct judge_change *c);
/* Asks how it is now. */
void part_look(struct suspects *s, struct part *p, int64_t now_ms);
/* When what ails it has lasted. */
int64_t part_due_ms(const struct suspects *s, const struct part *p);
/* Into its event, if it is time. */
void part_assign(struct suspects *s, struct part *p, int64_t now_ms);

/* --- suspect_step.c */
/* Adds what is to be done to the turn. */
void suspect_step(struct suspects *s, struct suspect *x, struct suspect_turn *t, int64_t now_ms);

/* --- suspect_rows.c */
bool suspects_load(struct suspects *s, struct error *err) must_check;
struct suspect_row *turn_suspect(struct suspect_turn *t, const struct suspect *x);
void turn_part(struct suspect_turn *t, const struct part *p, bool gone);
bool turn_write(struct facts_tx *tx, void *turn, struct error *err); /* a facts_job */
void turn_free(struct suspect_turn *t);

/* --- suspect_text.c: all return owned text */
struct suspect_said { /* what changed of a part, for an update */
	const struct part *part;
	int from, to; /* impacts; from -1: it is new */
};
/* What it was at its worst, so it never sounds harmless afterwards. */
char *suspect_title(const struct suspects *s, const struct suspect *x);
char *suspect_text_open(const struct suspects *s, const struct suspect *x);
char *suspect_text_update(const struct suspects *s, const struct suspect_said *said, size_t n);
char *suspect_text_close(const struct suspects *s, int64_t well_ms, bool closed);

#endif
