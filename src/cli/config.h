/*
 * config.h - glasshouse.yaml and conf.d/NAME.yaml: everything `glasshouse run` can be told.
 *
 * Reading collects every error of all files in one pass, with its place and did-you-mean. The
 * files of conf.d (beside the main one, in order of name) are merged: maps by key, lists by the
 * `name` of their items, others are appended. Secrets never stand here: file:PATH (of the owner
 * alone, or a systemd credential) or env:NAME; they are read by config_secrets(), after the child
 * of the web was started. Limits: 1 MiB a file, 100 files, 10,000 probes.
 * Immutable once loaded. Thread: one at a time.
 */
#ifndef CLI_CONFIG_H
#define CLI_CONFIG_H

#include <jansson.h>

#include "base/vec.h"
#include "judge/judge.h"
#include "judge/rules/slo.h"
#include "observe/budget.h"
#include "observe/probe/probe.h"
#include "tell/alarm.h"
#include "tell/dashboard.h"
#include "tell/maintenance.h"
#include "tell/metrics.h"
#include "tell/reports.h"
#include "tell/suspect.h"

struct config_secret { /* as written, and what it holds once read */
	char *from;    /* "file:/run/...", "env:NAME"; NULL: none */
	const char *file;
	unsigned line, col;
	struct secret *value; /* NULL until config_secrets() */
};

struct config_cloud {
	char *name;                            /* of clouds.yaml */
	char *title;                           /* on pages; NULL: the name */
	bool endpoints;                        /* auto (default) or none */
	int64_t every_ns, timeout_ns, slow_ns; /* 0: the room's default */
	unsigned inflight, compute;            /* 0: 8, 4 */
	struct budget budget;                  /* of all its scenarios together */
	char **hosts;                          /* names of its hypervisors; NULL: none known */
	unsigned line, col;
	const char *file;
};

struct config_scenario {
	char *name;           /* default: `use` */
	char *use, *document; /* NAME or file; document of a file with several */
	char *cloud;          /* NULL: the only one */
	int64_t every_ns;     /* 0: 10 min */
	int64_t runs;         /* so many after a start, then no more; 0: no end */
	int64_t hold_ns;      /* how long a world that failed is kept; 0: not */
	struct budget budget;
	json_t *params; /* object */
	unsigned line, col;
	const char *file;
};

struct config_component { /* overrides what the catalog and scenarios name */
	char *id, *name, *category, *region;
	bool hidden;
};

struct config_alarm {
	struct alarm alarm; /* its pointers point into this structure */
	struct config_secret token, password;
	unsigned line, col;
	const char *file;
};

struct config_metrics {
	struct metrics_receiver receiver; /* as metrics_config_copy() makes it */
	struct config_secret password;
	struct config_secret *headers; /* of receiver.headers, in their order */
	unsigned line, col;
	const char *file;
};

struct config_report {
	struct report report; /* its pointers point into this structure */
	struct config_secret password;
	unsigned line, col;
	const char *file;
};

struct config_upstream { /* `report`: the house that this instance is an outpost of */
	char *to;        /* NULL: none */
	int64_t spool;   /* bytes; default 256 MiB */
	struct config_secret token;
	unsigned line, col;
	const char *file;
};

struct config_outpost { /* one that may report here */
	char *location;
	struct config_secret token;
	unsigned line, col;
	const char *file;
};

struct config_maintenance {                         /* an item of `maintenance:` */
	struct maintenance_rule rule;               /* its pointers point into this structure */
	char *every, *at, *until, *from, *to, **on; /* as written; NULL: not */
	unsigned line, col;
	const char *file;
};

struct config_flags {     /* CloudMon's rules: judge/cloudmon/ */
	char *config;     /* path; NULL: none */
	char *datasource; /* "own", "graphite", or a URL */
	char *prometheus; /* URL; NULL: none */
	unsigned line, col;
	const char *file;
};

struct config_dashboard {
	struct dashboard dashboard; /* its pointers are this structure's */
	struct config_secret secret, token;
};

enum config_face { /* foreign programs that write in; `faces: {NAME: write}` */
	CONFIG_FACE_INFLUX,
	CONFIG_FACE_PROMETHEUS,
	CONFIG_FACE_ALERTMANAGER,
	CONFIG_FACE_GATUS,
	CONFIG_FACE_UPTIME_KUMA,
	CONFIG_FACES
};
const char *config_face_name(enum config_face f); /* "influx", ... "uptime_kuma" */

#define CONFIG_FLAP_CHANGES 6

/* `component` rests on `on`; on "": on nothing, whatever stands for the catalog. */
struct config_rest {
	char *component, *on; /* ids */
};

struct config {
	char *file; /* NULL: made without any file */
	char **files;
	size_t file_count;
	char *site_name, *site_url, *timezone;
	char **languages;          /* NULL-terminated */
	json_t *about;             /* language to Markdown (text/markdown.h); {}: none */
	char *instance, *location; /* NULL: the host's name; "" */
	char *state;               /* the directory of `store: sqlite:DIR`; NULL: the default */
	char *public_address, *intake_address; /* 127.0.0.1:8090, 127.0.0.1:8091; "" : none */
	char *statsd_address, *graphite_address, *pickle_address; /* "" (default): none */
	unsigned faces; /* bits of enum config_face: what may write in over HTTP */
	struct config_secret intake_token;
	bool isolate; /* default true */
	unsigned threads;
	unsigned raw_days, ten_minute_days, hour_days; /* 0: the store's default */
	int64_t stop_ns;                               /* budget of SIGTERM; default 2 min */
	char **witnesses;                              /* NULL-terminated */
	unsigned confirm;                              /* judge */
	int64_t minimum_ns;
	bool maintenance_counts; /* in availability, as time that was down */
	unsigned quorum;         /* locations; 0: the majority */
	unsigned flap_changes;   /* 0: off */
	int64_t flap_within_ns, flap_quiet_ns;
	struct config_rest *rests; /* over those that stand for each catalog */
	struct config_flags flags;
	struct config_cloud *clouds;
	struct config_scenario *scenarios;
	struct config_component *components;
	struct config_alarm *alarms;
	struct config_metrics *metrics;
	/* CloudMon's names: what receivers have that say nothing else; "" where not known */
	char *cloudmon_environment, *cloudmon_zone;
	bool cloudmon_own; /* they go into our own series too */
	struct config_report *reports;
	struct config_maintenance *maintenance;
	size_t maintenance_count;
	struct rule **rules; /* of the judge, their names unique */
	size_t rule_count;
	struct slo_list slos; /* those of files too */
	json_t *slo_texts;    /* `slos` as written */
	char **slo_files;     /* OpenSLO, as written; NULL-terminated */
	char **notes;         /* "file:line:col: text": what of those files is not carried */
	size_t note_count;
	struct config_upstream upstream;
	struct config_outpost *outposts;
	size_t outpost_count;
	struct config_dashboard *dashboards;
	size_t dashboard_count;
	struct suspect_policy suspect; /* without languages, which are the site's */
	struct probe_config **probes;  /* as written, their names unique */
	size_t probe_count;
	size_t cloud_count, scenario_count, component_count, alarm_count, metrics_count,
		report_count, rest_count;
	size_t secret_count; /* that config_secrets() looked at */
};

/* What rests on what: as written, and for each prefix of component ids what stands for a catalog
 * (depends.def) where nothing is written. */
struct config_rests {
	VEC(struct judge_rest) rests;
	VEC(char *) owned;
};
struct config_rests config_rests(const struct config *c, char *const *prefixes, size_t n);
void config_rests_fini(struct config_rests *all);

/* Where the file is: `given` (-c), $GLASSHOUSE_CONFIG, ./glasshouse.yaml,
 * $XDG_CONFIG_HOME/glasshouse/glasshouse.yaml (~/.config), /etc/glasshouse/glasshouse.yaml. The
 * first two are taken unseen. NULL: there is none. Returns owned. */
char *config_find(const char *given);
/* `path` NULL: no file, all defaults. Returns owned, or NULL with every error. Relative paths in
 * the files are taken from the directory of the main one. No number is 0 after it: defaults of the
 * rooms are filled in. */
struct config *config_load(const char *path, struct error_list *errors) must_check;
/* One text alone: no conf.d, no file is looked at (time zones are held to their form). */
struct config *config_parse(
	struct slice text, const char *name, struct error_list *errors) must_check;
void config_free(struct config *c);
/* What `glasshouse run --cloud A --scenario B` adds: clouds and scenarios not yet named. */
bool config_add_cloud(struct config *c, const char *name, struct error_list *errors);
bool config_add_scenario(struct config *c, const char *name, struct error_list *errors);
/* Reads all secrets; a file that others may read is an error that says the chmod. */
bool config_secrets(struct config *c, struct error_list *errors);
/* Those of one of its probes alone. */
bool config_probe_secrets(struct config *c, struct probe_config *probe, struct error_list *errors);
/* The effective configuration as YAML-compatible JSON, secrets as written (`config show`). Owned.
 */
json_t *config_json(const struct config *c);
/* What changes from one to the other, a line each: "+ scenario volume-life (cloud prod, every
 * 10m)", "~ cloud prod: every 30s -> 10s", "- alarm ...", "! listen.public: needs a restart".
 * Appends to out; returns how many. */
size_t config_diff(const struct config *from, const struct config *to, struct buf *out);

#endif
