/*
 * endpoint_inside.h - the inside of the endpoint probes, shared by their files and by nobody else.
 *
 *	endpoint.c        the probes of a cloud: which there are, as its catalog changes
 *	endpoint_plan.c   from a catalog and the table to what is to be asked
 *	endpoint_token.c  the session's token, for those that need one
 *	endpoint_run.c    one asking: from its time to its sample
 *	endpoint_table.c, endpoint_read.c   the table
 */
#ifndef OBSERVE_ENDPOINT_INSIDE_H
#define OBSERVE_ENDPOINT_INSIDE_H

#include <jansson.h>

#include "base/vec.h"
#include "observe/endpoint.h"
#include "observe/endpoint_table.h"

#define ENDPOINTS_MAX       500 /* probes of one cloud */
#define ENDPOINT_ANSWER_MAX (1u << 20)

/* --- what is to be asked ---------------------------------------------------------------------- */

struct endpoint_want { /* owns its texts */
	char *name, *service, *component_name, *category, *url;
	char *good, *microversion; /* or NULL */
	bool token;
	int64_t every_ns, timeout_ns, slow_ns; /* 0: the options' */
};

struct endpoint_wants {
	VEC(struct endpoint_want) list;
};

/* `catalog` as cloud_catalog() gives it; `project` may be NULL. The log-in is not among them. */
void endpoint_plan(const struct endpoint_table *t, const json_t *catalog, const char *project,
	struct endpoint_wants *ret);
void endpoint_wants_fini(struct endpoint_wants *w);
void endpoint_want_fini(struct endpoint_want *w);

/* --- the probes ------------------------------------------------------------------------------- */

struct endpoint_run;

struct probe {
	struct endpoint_probe view; /* what others see; points into `want`, component and url */
	struct endpoint_want want;
	char *component;
	struct endpoints *owner;
	struct job *job;
	struct series *series;
	bool login;               /* logs in */
	bool kept;                /* while the catalog is gone through */
	int64_t missing_since_ns; /* the catalog has no such service since; 0: it has */
	VEC(struct endpoint_run *) runs;
};

struct endpoints {
	struct schedule *schedule;
	struct loop *loop;
	struct cloud *cloud;
	struct http_client *client;
	struct series_store *series;
	struct endpoint_table *table;
	char *location, *prefix;
	int64_t every_ns, timeout_ns, slow_ns;
	observation_signal *seen;
	measure_signal *measured;
	void *measured_arg;
	void (*changed)(void *arg);
	void *arg;
	VEC(struct probe *) probes;
	VEC(struct endpoint_probe) list; /* what others see of them */
	struct timer tell;               /* for `changed` */
	bool know_catalog;

	/* endpoint_token.c */
	VEC(struct endpoint_run *) waiting; /* for a token */
	bool connecting;
	int64_t again_ns; /* after a refusal: not before */
};

/* endpoint.c */
void endpoints_look(struct endpoints *e); /* at the catalog, as the session knows it now */

/* endpoint_token.c */
/* Gets a new one, unless it is being got or was refused a short while ago; false: the latter. */
bool endpoint_token_renew(struct endpoints *e);
/* Keystone has just given one to somebody. */
void endpoint_token_hope(struct endpoints *e);
void endpoint_token_cancel(struct endpoints *e);

/* endpoint_run.c */
void endpoint_run_start(void *arg, struct job *job); /* arg: struct probe * */
/* Goes on with the token there is, or ends without a word. */
void endpoint_run_token(struct endpoint_run *r);
/* Ends all runs of a probe that goes; nothing is told. */
void endpoint_runs_cancel(struct probe *p);

#endif
