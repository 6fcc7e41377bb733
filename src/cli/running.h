/*
 * running.h - the inside of `glasshouse run`: every room opened, wired and closed.
 *
 *	run.c               the command: options, signals, what is printed
 *	running.c           opening in order, closing in reverse, the end
 *	running_cloud.c     one watched cloud: session, probes of its catalog
 *	running_scenario.c  one scenario that comes again and again
 *	running_probes.c    the user's own probes
 *	running_blackbox.c  one of them now, as blackbox_exporter tells it
 *	running_lists.c     what there is to show and to judge, made of both
 *	running_flags.c     CloudMon's rules
 *	running_shipped.c   the scenarios that could be allowed besides
 *	running_alerts.c    alerts and results that others push
 *	running_declare.c   events that are written over HTTP
 *	running_events.c    what is declared: events, maintenance, and commands that write them
 *	running_ingest.c    streams from outside
 *	running_metrics.c   what is measured, and where it goes
 *	running_outposts.c  what outposts report to us, and what we report as one
 *	running_reports.c   what happened, by mail
 *	running_rules.c     our own rules and objectives
 *	running_suspect.c   events that open themselves
 *	running_blind.c     what keeps us from seeing
 *	running_dashboards.c   dashboards of others that are told
 *	running_reload.c    a new configuration while everything runs
 *	outline.c           what a scenario makes, known without a cloud
 *
 * The wiring: an observer's observation passes the witnesses and reaches the judge; a verdict that
 * is durable wakes the alarms and changes the page. What is measured goes to the receivers of
 * numbers. Neither side knows of the other. Thread: the loop's.
 */
#ifndef CLI_RUNNING_H
#define CLI_RUNNING_H

#include "base/vec.h"
#include "cli/config.h"
#include "cli/hold.h"
#include "cli/session.h"
#include "judge/cloudmon/promql.h"
#include "judge/judge.h"
#include "net/stall.h"
#include "observe/endpoint.h"
#include "observe/ingest/alerts.h"
#include "observe/ingest/ingest.h"
#include "observe/our_clock.h"
#include "observe/patrol.h"
#include "observe/report/outposts.h"
#include "observe/report/reporter.h"
#include "observe/witness.h"
#include "store/figures.h"
#include "tell/blindness.h"
#include "tell/event.h"
#include "tell/maintenance.h"
#include "tell/suspect.h"
#include "web/house.h"

/* A configuration, alive while anything borrows of it. */
struct generation {
	struct config *config;
	unsigned refs;
};

struct running;

struct watched_cloud {
	struct running *running;
	struct generation *generation;
	const struct config_cloud *row;
	struct cloud_config *config;
	struct cloud *cloud;
	struct check_tools tools;
	struct endpoints *endpoints; /* NULL: none wanted */
	char *prefix;                /* of component ids; "" for the first cloud */
	VEC(char *) expected;        /* probes the judge was told of */
	unsigned users;              /* scenarios that still have worlds there */
	bool leaving;
};

struct held { /* a world that failed and stays for a while */
	char *run;
	struct hold *hold;
};

struct watched_scenario {
	struct running *running;
	struct generation *generation;
	const struct config_scenario *row;
	struct watched_cloud *cloud;
	struct scenario *scenario;
	struct patrol *patrol;
	char *name;   /* what everyone calls it, unique */
	char **makes; /* NULL-terminated, for people */
	VEC(struct held) held;
	struct cost bill; /* of a run, at most */
	int64_t ended;    /* runs, since it was opened */
	bool leaving, gone;
};

struct watched_probe { /* an item of `probes:` */
	struct running *running;
	struct generation *generation;
	const struct probe_config *row;
	struct probe *probe[2]; /* of both families, or one and NULL */
	char component[];       /* its id; "": nobody's */
};

struct running_options {
	const char *config;                          /* path, or NULL: looked for */
	const char *const *clouds;                   /* NULL-terminated: added */
	const char *const *scenarios;                /* the same */
	const char *state, *instance;                /* NULL: the configuration's */
	const char *public_address, *intake_address; /* NULL: the configuration's */
	int64_t scenario_every_ns;                   /* of those added; 0: default */
	bool simulated;                              /* pages say so */
};

struct running {
	struct running_options options;
	struct generation *now;
	struct loop *loop; /* the session's too */
	struct session session;
	int lock_fd;
	struct series_store *series;
	struct figures *figures;
	struct mailer *mailer;
	struct judge *judge;
	struct alarms *alarms;
	struct metrics *metrics;
	struct ingest *ingest;        /* NULL for a moment while it is opened anew */
	struct generation *ingest_of; /* as it was opened */
	bool reopen;
	struct alerts *alerts;
	struct map alert_probes; /* by name: what the judge expects of alerts that fire */
	struct graphite *graphite;
	struct outposts *outposts;
	struct reporter *reporter; /* NULL: we are no outpost */
	struct map outpost_probes; /* what the judge was told of theirs */
	struct cloudmon *cloudmon; /* NULL: no rules of CloudMon's */
	struct cloudmon_rules *flag_rules;
	struct graphite *flag_graphite; /* NULL: our own answers them */
	struct promql *flag_promql;
	struct generation *flags_of; /* as they were opened */
	struct reports *reports;
	struct rules *rules;
	struct slos *slos;
	struct generation *rules_of; /* whose they are */
	struct events *events;
	struct maintenance *maintenance;
	struct suspects *suspects;
	struct blindness *blindness;
	struct dashboards *dashboards;
	struct our_clock *our_clock;
	struct stall *stall;
	struct timer stall_told;
	struct map locations; /* what is wrong with each: of running_blind.c */
	struct house *house;
	struct web *web;
	struct schedule *schedule;
	struct witnesses *witnesses;
	VEC(struct watched_cloud *) clouds;
	VEC(struct watched_scenario *) scenarios;
	struct http_client *probe_client;
	struct probes *all_probes;
	struct schedule *probe_schedule;
	struct helper *helper; /* starts programs */
	char *working;         /* their working copies stand there */
	char *location;        /* of the first configuration, which may be gone */
	struct probe_tools probe_tools;
	struct map probes;             /* struct watched_probe by the name of its row */
	VEC(struct probing *) probing; /* runs that blackbox_exporter's clients wait for */
	struct running_lists *lists;
	struct running_shipped *shipped; /* NULL: not read since the configuration was */
	struct timer alive, reap;
	bool opened, stopping, ended;
	bool probed;    /* nobody waits for a run any more */
	size_t to_stop; /* scenarios whose teardown is waited for */
};

/* --- run.c: what `demo` shares. SIGINT, SIGTERM and SIGHUP do what the manual says, until the end.
 */
void run_until_stopped(struct running *r);

/* Opens everything; prints every error and returns NULL when something is not there. */
struct running *running_open(const struct running_options *options);
/* Prints where it listens, then runs until running_stop() has run its course. */
void running_run(struct running *r);
/* Teardown within the budget, then the end; a second call gives teardown up. */
void running_stop(struct running *r);
/* The configuration again; what is wrong leaves everything as it is. Prints what changes, and
 * returns it: {"changed": ["+ scenario ..."], "errors": []}; owned. */
json_t *running_reload(struct running *r);
void running_close(struct running *r);
/* A line for who watches: on a terminal with the time, else in the log. */
void running_say(struct running *r, const char *fmt, ...) like_printf(2, 3);

/* --- running.c, for the others */
/* Without its secrets, which config_secrets() reads. */
struct config *running_config(const struct running_options *o, struct error_list *errors);
struct generation *generation_ref(struct generation *g);
void generation_unref(struct generation *g);
void running_seen(void *arg, const struct observation *o); /* arg: struct running */
bool running_alarms(struct running *r, const struct config *c, struct error *err);

/* --- running_metrics.c */
bool running_metrics(struct running *r, const struct config *c, struct error *err);
/* A measure_signal; arg: struct running. */
void running_measured(void *arg, const struct measure *m);
void running_exchange(void *arg, const struct cloud_exchange *x); /* arg: struct watched_cloud */
/* What waits is sent, within a budget. */
void running_metrics_end(struct running *r);

/* --- running_alerts.c */
bool running_alerts(struct running *r, struct error *err);
/* The commands of faces that push; false: it is none of them. */
bool running_pushed(
	struct running *r, const char *what, const json_t *args, struct web_answer *answer);

/* --- running_ingest.c */
bool running_ingest(struct running *r, struct error *err);
/* Where the addresses changed it is opened anew, by running_run() as soon as no callback is under
 * way; what is wrong then is said. */
void running_ingest_reload(struct running *r);
void running_ingest_reopen(struct running *r);
/* Prints where it listens. */
void running_ingest_say(struct running *r);
/* For struct web_house; arg: struct running. */
void running_points(void *arg, const char *source, struct points *points,
	const struct bad_lines *bad, struct web_answer *answer);
/* Whether a face may write; else answers 403. */
bool running_face(const struct running *r, enum config_face face, struct web_answer *answer);
/* The answer to one that writes in. `why` may be "". */
void running_answer(struct web_answer *answer, int status, const char *fmt, ...) like_printf(3, 4);
/* Adds what came in to the operators' SITE. */
void running_ingest_site(const struct running *r, json_t *site);

/* --- running_events.c */
bool running_events(struct running *r, struct error *err);
/* When the probes are there: windows name them. */
bool running_maintenance(struct running *r, const struct config *c, struct error *err);
/* --- running_outposts.c */
bool running_outposts(struct running *r, struct error *err);
void running_outposts_reload(struct running *r);
void running_outposts_close(struct running *r);
/* One of ours, after our witnesses. */
void running_outposts_seen(struct running *r, const struct observation *o);
/* What runs here or there has changed. */
void running_outposts_lists(struct running *r);
/* For struct web_house and struct series_options; arg: struct running. */
void running_parcel(
	void *arg, const char *location, struct parcel *parcel, struct web_answer *answer);
void running_stored(void *arg);
/* Adds both halves to the operators' SITE. */
void running_outposts_site(const struct running *r, json_t *site);

/* --- running_declare.c */
/* The commands "event_open" {"body"} and "event_change" {"id", "body"}; false: it is neither. */
bool running_declared(
	struct running *r, const char *what, const json_t *args, struct web_answer *answer);

/* --- running_reports.c */
bool running_reports(struct running *r, const struct config *c, struct error *err);

/* --- running_rules.c */
/* Those of the configuration, in place of what was. */
void running_rules(struct running *r);
void running_rules_close(struct running *r);

/* --- running_suspect.c */
bool running_suspect(struct running *r, const struct config *c, struct error *err);
/* A verdict, an event or a window of maintenance is another one now. */
void running_suspect_wake(struct running *r);
const struct component *running_component(const struct running *r, const char *id); /* or NULL */

/* --- running_dashboards.c */
bool running_dashboards(struct running *r, const struct config *c, struct error *err);
void running_dashboards_wake(struct running *r);

/* --- running_blind.c */
bool running_blindness(struct running *r, struct error *err); /* after events and alarms */
/* See blindness_tell(). */
void running_blind(struct running *r, enum blind_kind kind, const char *name, const char *why);
/* What only says so when it is asked: every few seconds. */
void running_blind_look(struct running *r);
/* What is wrong with a location ("": ours), as its reports show or as the judge sees what comes
 * from it; NULL: nothing. One event for both. */
enum location_seen { LOCATION_REPORTS, LOCATION_JUDGED };
void running_location(
	struct running *r, const char *location, enum location_seen by, const char *why);
void running_locations_end(struct running *r); /* after judge and outposts */
/* Our clock and our loop, once all clients of HTTP are there. */
bool running_watch(struct running *r, struct error *err);
void running_watch_end(struct running *r);

/* --- running_cloud.c */
struct watched_cloud *watched_cloud_open(
	struct running *r, const struct config_cloud *row, bool first, struct error_list *errors);
/* No probes any more; gone when no scenario uses it. */
void watched_cloud_leave(struct watched_cloud *c);
void watched_cloud_free(struct watched_cloud *c);
struct watched_cloud *watched_cloud_find(struct running *r, const char *name);

/* --- running_scenario.c */
struct watched_scenario *watched_scenario_open(
	struct running *r, const struct config_scenario *row, struct error_list *errors);
void watched_scenario_leave(struct watched_scenario *s, int64_t budget_ns);
void watched_scenario_free(struct watched_scenario *s);

/* --- running_probes.c */
/* Before any secret is read: what starts programs must never have seen one. */
bool running_helper(struct running *r, struct error *err);
bool running_probes_open(struct running *r, struct error *err);
/* All of the configuration. */
bool running_probes_start(struct running *r, struct error_list *errors);
/* To r->now: those that are as they were go on undisturbed. */
void running_probes_reload(struct running *r, struct error_list *errors);
/* Says which files of probes cannot be used now. */
void running_probes_files(struct running *r, struct error_list *errors);
void running_probes_close(struct running *r);

/* --- running_blackbox.c */
/* Answers {"status", "type", "text"}. */
void running_blackbox(struct running *r, const json_t *args, struct web_answer *answer);
void running_blackbox_close(struct running *r); /* the loop turns meanwhile */

/* --- running_lists.c */
/* Tells judge and house what there is now. */
void running_lists_make(struct running *r);
void running_lists_free(struct running_lists *l);

/* --- running_flags.c */
/* Those of the configuration, none under way of what was before; running_flags_start() when their
 * components are there. What is wrong with them leaves everything as it is. */
bool running_flags(struct running *r, const struct config *c, struct error_list *errors);
void running_flags_start(struct running *r);
void running_flags_close(struct running *r);
/* Owned; NULL: there are none, or errors. */
struct cloudmon_rules *running_flags_read(
	const struct config *c, cloudmon_note *note, void *arg, struct error_list *errors);
/* Whether a health metric is about a component. */
bool running_flags_about(const struct cloudmon_rules *rules, const struct cloudmon_health *h,
	const char *name, const char *region);
/* Of the component of a health metric where none is there yet; owned. */
char *running_flags_id(const struct cloudmon_rules *rules, const struct cloudmon_health *h,
	const char **ret_region);

/* --- running_shipped.c */
struct shipped {
	char *name, *title, *makes;
	unsigned objects;
};
struct running_shipped {
	VEC(struct shipped) all; /* of the first directory that has any, by file name */
};
/* Returns owned. Reads files, for milliseconds. */
struct running_shipped *running_shipped_read(const struct kinds *kinds);
void running_shipped_free(struct running_shipped *s);

/* --- outline.c */
/* What one run makes ("2 servers"), owned, NULL-terminated; what it takes at most. */
char **outline_makes(const struct scenario *s, const json_t *params, struct cost *ret_bill);
void outline_free(char **makes);
/* Calls cb for the component of each step, by its name for people; some come twice. */
void outline_components(
	const struct scenario *s, void (*cb)(void *arg, const char *name), void *arg);

#endif
