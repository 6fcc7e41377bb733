/*
 * house.h - the house's half of the doors: builds the documents of model.h from the rooms below.
 *
 * Thread: the loop's.
 */
#ifndef WEB_HOUSE_H
#define WEB_HOUSE_H

#include "judge/graphite/graphite.h"
#include "judge/judge.h"
#include "judge/rules/slos.h"
#include "observe/ingest/ingest.h"
#include "observe/report/outposts.h"
#include "observe/report/reporter.h"
#include "store/facts.h"
#include "store/series.h"
#include "tell/alarm.h"
#include "tell/event.h"
#include "tell/metrics.h"
#include "web/web.h"

struct house;
struct cloudmon;

/* What the configuration gives; borrowed until the next house_configure(). */
struct house_site {
	const char *name, *url, *timezone, *location, *instance;
	const char *const *languages; /* NULL-terminated */
	const json_t *about;          /* language to Markdown; NULL: none */
	bool simulated;
	bool maintenance_counts; /* in availability, as time that was down */
};

struct house_probe { /* as SITE.probes */
	const char *name, *kind, *cloud, *component, *method, *target;
	int64_t every_ms;
};

struct house_scenario { /* as SITE.scenarios; the last run is read from the journal */
	const char *name, *title, *cloud, *component; /* component: id or NULL */
	const char *scenario; /* its own name, as the journal has it; NULL: name */
	int64_t every_ms, deadline_ms;
	const char *const *makes; /* what a run makes, for people; NULL-terminated */
};

struct house_possible {
	const char *name, *title, *text;
	unsigned objects;
};

struct house_host { /* a name of a hypervisor, for the page of hosts */
	const char *cloud, *name;
};

struct house_lists { /* all borrowed until the next house_configure() */
	const struct house_probe *probes;
	const struct house_scenario *scenarios;
	const struct house_possible *possible;
	size_t probe_count, scenario_count, possible_count;
	const struct house_host *hosts;
	size_t host_count;
};

/* A function that adds (O) parts to the operators' SITE: jobs. May be NULL. */
typedef void house_more(void *arg, json_t *site);

struct house *house_new(struct loop *l, struct facts *f, struct series_store *series,
	struct judge *j, struct alarms *a, house_more *more, void *arg);
void house_free(struct house *h);
/* What /metrics shows besides; borrowed, NULL: nothing. */
void house_measures(struct house *h, struct metrics *m);
/* What is declared; borrowed. House_changed() when that changes. */
void house_events(struct house *h, const struct events *e);
void house_ingest(struct house *h, const struct ingest *i);
/* Both borrowed; reporter NULL: we are no outpost. */
void house_outposts(struct house *h, const struct outposts *all, const struct reporter *r);
/* Who answers Graphite's questions; borrowed, NULL: they are answered 503. */
void house_graphite(struct house *h, struct graphite *g);
/* Who evaluates CloudMon's rules, *at; borrowed, NULL then: there are none. */
void house_flags(struct house *h, struct cloudmon *const *at);
/* Our own rules and objectives; borrowed, NULL: none. */
void house_rules(struct house *h, const struct rules *rules, const struct slos *slos);
void house_configure(
	struct house *h, const struct house_site *site, const struct house_lists *lists);
/* Publishes SITE to `w` (borrowed) now, after each house_changed() (at most once a second) and
 * every 30 s. */
void house_publish_to(struct house *h, struct web *w);
void house_changed(struct house *h);
/* For struct web_house: the queries of model.h, "metrics" (Prometheus text format 0.0.4) and
 * "health". Enforces the audience. */
void house_query(struct house *h, const char *what, const json_t *args, enum audience audience,
	struct web_answer *answer);

#endif
