/*
 * dashboard.h - what we announce, told to the status dashboards of CloudMon that a cloud has.
 *
 * Public incidents go there as they are announced, by whoever: version 1 learns that a component is
 * ill and how badly (POST /v1/component_status; it closes nothing), version 2 gets an incident
 * whose updates, impact and end follow ours (POST, then PATCH /v2/events). Impacts are 1 to 3
 * there: ours to 33, to 99, and 100. Where a contact is given, version 2 is told public
 * maintenances too, with their times, changes and end. Components are known there by name and
 * attributes; what it does not know is said and left out.
 *
 * The change feed is read with a cursor of our own, and what is still to be told of an event is
 * durable with it. One request is under way at a time, in order; each is repeated (1 s, 2 s, ...
 * 5 min) until it is taken. Whether one whose answer was lost had been taken is looked up before it
 * is repeated: an incident of ours links to our event, an update has its text. (Version 1 cannot be
 * asked; it answers 409 to what it knows.) An incident there that is not ours, because its
 * operators had one already, is left alone. Thread: the loop's.
 */
#ifndef TELL_DASHBOARD_H
#define TELL_DASHBOARD_H

#include <jansson.h>

#include "base/secret.h"
#include "net/http_client.h"
#include "store/facts.h"

struct dashboards;

struct dashboard {
	const char *name;            /* unique; what is remembered stands under it */
	const char *url;             /* before /v1 or /v2 */
	int version;                 /* 1 or 2 */
	const char *contact;         /* of 2: its address, which maintenances need; NULL: they
					are not told */
	const struct secret *secret; /* of the tokens it makes us sign (HS256), or NULL */
	const struct secret *token;  /* Authorization: Bearer, instead; or NULL */
	const json_t *attributes;    /* {name: value} of all components there; region is ours unless
					it is here */
	const json_t *names;         /* {id: its name there}; others have the name they have here */
};

/* What customers call a component, and its region ("": none); false: there is no such one. Borrowed
 * until the loop turns. */
typedef bool dashboards_look(
	void *arg, const char *component, const char **ret_name, const char **ret_region);
/* Why nothing is taken there, or what is not; NULL: all is. Whenever it changes. */
typedef void dashboards_trouble(void *arg, const char *name, const char *why);

/* After event_migrate(). Borrows client; no dashboards yet. */
struct dashboards *dashboards_new(struct loop *l, struct facts *f, struct http_client *client,
	dashboards_look *look, dashboards_trouble *trouble, void *arg,
	struct error *err) must_check;
void dashboards_free(struct dashboards *d); /* what is under way is cut off, and looked up later */
/* Copies all but secrets, which it borrows. site_url "": incidents link nowhere. Of one that is
 * gone all is forgotten. */
bool dashboards_configure(struct dashboards *d, const char *site_url, const struct dashboard *list,
	size_t n, struct error *err) must_check;
/* An event is another one now: look at the feed. */
void dashboards_wake(struct dashboards *d);
/* [{"name", "version", "sent": requests taken, "failed", "waiting": events, "trouble" | null}];
 * owned. */
json_t *dashboards_json(const struct dashboards *d);

#endif
