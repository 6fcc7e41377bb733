/*
 * dashboard_inside.h - the inside of dashboards, shared by their files and by nobody else.
 *
 *	dashboard.c        life, configuration, the feed, what is durable
 *	dashboard_send.c   one target: what is next, requests, answers, repeating
 *	dashboard_next.c   what an event still has to say, in the forms of both versions
 *
 * What was told of an event stands in `body`:
 *	{"told": updates, "unsure": a request may have been taken, "posted": {component: {"level",
 *	 "remote": id there | null}}}
 */
#ifndef TELL_DASHBOARD_INSIDE_H
#define TELL_DASHBOARD_INSIDE_H

#include "base/json.h"
#include "base/vec.h"
#include "tell/dashboard.h"
#include "tell/event.h"
#include "tell/rows.h"

struct entry { /* an event that a target was told of, or is to be */
	char *event;
	json_t *body;
	bool dirty;
};

enum action_kind {
	ACTION_NONE,       /* all is told */
	ACTION_COMPONENTS, /* ask what it knows */
	ACTION_FIND,       /* ask for an incident of ours that may be there */
	ACTION_POST,       /* an incident, or in version 1 a status */
	ACTION_CHECK,      /* ask how an incident is */
	ACTION_PATCH
};

struct action {
	enum action_kind kind;
	char *path;         /* owned */
	json_t *body;       /* owned; NULL: none */
	json_t *components; /* [our ids] that it is about, of a POST; owned */
	int level;          /* of them */
	size_t update;      /* from 0: of a PATCH and a CHECK */
	bool phase_only;    /* all that this update of a maintenance says is its phase */
	json_t *remote;     /* its id there; borrowed of the entry */
};

struct target {
	struct dashboards *dashboards;
	struct dashboard config;     /* owned copies; secrets borrowed */
	VEC(struct entry *) entries; /* in order of coming */
	json_t *known;               /* [{"id", "name", "attributes"}] there; NULL: not asked */
	int64_t known_ms;
	json_t *checked; /* the incident as it was just read; NULL: not */
	bool foundless;  /* just looked: none of ours is there */
	struct attempt *attempt;
	struct action action; /* under way */
	struct entry *about;  /* the same */
	bool writing;
	unsigned tries;
	uint64_t sent, failed;
	struct timer timer;
	char *trouble, *unknown; /* told; components that are not known there */
};

struct dashboards {
	struct loop *loop;
	struct facts *facts;
	struct http_client *client;
	dashboards_look *look_at;
	dashboards_trouble *trouble;
	void *arg;
	struct rows *rows;
	char *site_url;
	VEC(struct target *) list;
	int64_t cursor;
	bool look, planning;
	struct timer again;
};

int64_t dashboards_now_ms(const struct dashboards *d);
struct entry *entry_get(struct target *t, const char *event, bool make);
void entry_free(struct entry *e);
void target_write(struct rows_job *j, const struct target *t, const struct entry *e);

/* --- dashboard_send.c */
void target_step(struct target *t); /* whatever is due */
void target_stop(struct target *t); /* no attempt any more */

/* --- dashboard_next.c */
/* event: the public's; NULL: there is none that it sees. */
void action_next(struct target *t, const struct entry *e, const json_t *event, struct action *ret);
void action_fini(struct action *a);
/* Of an incident there, whether it is ours. */
bool incident_is_ours(const struct target *t, const json_t *incident, const char *event);
/* The id there of a component, borrowed of `known`; NULL: it knows none of that name. */
const json_t *component_there(const struct target *t, const char *component);
bool incident_has_update(const json_t *incident, const json_t *patch);
/* Nothing is added to it any more. */
bool incident_is_closed(const json_t *incident);

#endif
