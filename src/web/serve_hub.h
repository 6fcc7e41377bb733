/*
 * serve_hub.h - the inside of the hub, shared by serve_hub.c (door, pinned pages) and serve_cold.c
 * (cold pages, what is asked each time). Thread: the hub's.
 */
#ifndef WEB_SERVE_HUB_H
#define WEB_SERVE_HUB_H

#include "web/serve_inside.h"

struct pin_job {
	struct render_job job; /* first */
	struct hub *hub;
	char *raw[SEATS];
	size_t raw_n[SEATS];
	char *kept[SEATS]; /* the last that could be read: the job's, and the thread's that does it
			    */
	size_t kept_n[SEATS];
	struct pins *last, *made;
	char broken[SERVE_WHY]; /* why a SITE could not be read; "" */
};

struct hub {
	struct hub_options o;
	struct loop *loop;
	struct door *door;
	struct render *render;
	struct cache *cache;
	struct pins *pins; /* the newest; NULL at first */
	struct map cold;   /* key: struct pending */
	unsigned cold_count[SEATS], asked_count[SEATS];
	int64_t cold_free_ns[SEATS]; /* when the cold questions asked so far are paid for */
	int64_t said_ns;             /* when a page that failed was last said */
	char *raw[SEATS];            /* SITE documents that came since; owned */
	size_t raw_n[SEATS];
	struct pin_job pin;
	bool pinning, closing;
	int64_t pinned_ns;
	struct timer pin_timer, trim;
	bool quiet; /* nothing is under way */
};

/* --- serve_hub.c */
void hub_note_quiet(struct hub *h);
/* What could not be rendered, for the log; once a second at most. */
void hub_say_failed(struct hub *h, const char *why);

/* --- serve_cold.c */
void cold_ask(struct ask *a); /* it comes back by serving_take() */

#endif
