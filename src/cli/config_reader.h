/*
 * config_reader.h - the inside of reading glasshouse.yaml, shared by config*.c and by nobody else.
 *
 *	config.c         which file; defaults, the life of a configuration, what options add
 *	config_read.c    files in order; the keys of the top and their small maps
 *	config_about.c   what the site says of itself
 *	config_list.c    clouds, scenarios, components
 *	config_budget.c  what they may use an hour
 *	config_alarm.c   alarms and their mail server
 *	config_metrics.c receivers of numbers
 *	config_report.c  reports by mail
 *	config_outpost.c where an outpost reports, and which outposts report here
 *	config_dashboard.c   dashboards that are told
 *	config_event.c   events that open and close themselves
 *	config_maintenance.c   windows that come again
 *	config_probe.c   the user's own probes
 *	config_flags.c   CloudMon's rules
 *	config_rule.c    rules and objectives of the judge
 *	config_finish.c  what can only be said when all files are read; drafts become the result
 *	config_value.c   what texts may be: names, addresses, time zones, secrets
 *	config_json.c, config_diff.c, config_secret.c   of a finished configuration
 *
 * Merging is reading again into the same draft: keys_read() leaves alone what a map does not name.
 */
#ifndef CLI_CONFIG_READER_H
#define CLI_CONFIG_READER_H

#include "base/map.h"
#include "base/vec.h"
#include "cli/config.h"
#include "text/keys.h"

#define CONFIG_FILES_MAX   100
#define CONFIG_PROBES_MAX  10000 /* probes; clouds, scenarios, alarms together; components */
#define CONFIG_SOURCES_MAX 500   /* probes of one component */
#define CONFIG_NAME_MAX    64
#define CONFIG_HOSTS_MAX   2000 /* of a cloud */
#define CONFIG_LINE_MAX    200  /* titles and such, bytes */

struct config_place {
	const char *file; /* one of config->files */
	unsigned line, col;
};

struct cloud_draft {
	char *name, *title;
	int endpoints; /* 0 auto, 1 none */
	int64_t every_ns, timeout_ns, slow_ns, inflight, compute;
	char **hosts;
	struct budget budget;
	struct config_place at, timeout_at;
};

struct scenario_draft {
	char *name, *use, *document, *cloud;
	int64_t every_ns, runs, hold_ns;
	struct budget budget;
	json_t *params;
	struct config_place at, cloud_at;
	const char *touched; /* the file that wrote it last */
	bool broken;         /* a key has an error: what seems to be missing may be that */
};

struct server_draft {
	char *host, *user, *from, *ca;
	int tls; /* enum mail_tls */
	const struct yaml *password;
};

struct alarm_draft {
	char *name, *webhook, *alertmanager, *deadman;
	char **mail, **components;
	unsigned on;               /* bits as written; 0: not written */
	int64_t every_ns, fold_ns; /* 0: not written */
	bool maintenance;
	struct config_secret token, password;
	struct server_draft server;
	bool has_server;
	struct config_place at;
	const char *touched;
	bool broken;
};

struct header_draft {
	char *name;
	struct config_secret value;
};

struct metrics_draft {
	char *name, *to[METRICS_KINDS]; /* of each kind: where */
	char *database, *measurement, *username, *prefix, *environment, *zone;
	struct config_secret password;
	VEC(struct header_draft) headers;
	int dialect, precision; /* of the words; -1: not written */
	bool gzip;
	int64_t every_ns, spool_size;
	struct config_place at;
	const char *touched;
	bool broken;
};

struct report_draft {
	char *name;
	char **mail;
	int64_t every_ns; /* 0: not written */
	int at_minute;    /* -1: not written */
	struct config_secret password;
	struct server_draft server;
	bool has_server;
	struct config_place at;
	const char *touched;
	bool broken;
};

struct outpost_draft {
	char *location;
	struct config_secret token;
	struct config_place at;
	const char *touched;
};

struct maintenance_draft; /* config_maintenance.c */

struct dashboard_draft {
	char *name, *url, *contact;
	int64_t version;
	struct config_secret secret, token;
	json_t *attributes, *names;
	struct config_place at;
	const char *touched;
	bool broken;
};

struct probe_draft {
	struct probe_config *config; /* NULL: it has an error, which was told */
	struct config_place at;
	const char *touched;
};

struct rule_draft {
	struct rule_text text;
	bool broken;
};

struct slo_draft {
	struct slo_text text;
	bool broken;
};

struct config_reader {
	struct config *config;
	struct error_list *errors;
	const char *file; /* being read */
	bool looks;       /* whether files may be looked at */
	int64_t threads, raw_ns, ten_minute_ns, hour_ns, confirm;
	char **languages, **witnesses;
	struct config_place public_at, intake_at;
	VEC(struct cloud_draft) clouds;
	VEC(struct scenario_draft) scenarios;
	VEC(struct config_component) components;
	VEC(struct alarm_draft) alarms;
	struct config_place depends; /* of judge; line 0: nowhere */
	VEC(struct metrics_draft) metrics;
	VEC(struct report_draft) reports;
	VEC(struct outpost_draft) outposts;
	VEC(struct maintenance_draft *) maintenance;
	VEC(struct dashboard_draft) dashboards;
	VEC(struct probe_draft) probes;
	VEC(struct rule_draft) rules;
	VEC(struct slo_draft) slos;
	char **slo_files;
	struct map probe_names; /* name -> index + 1 of the draft */
	bool full;              /* the limit of probes was told */
};

/* --- config_flags.c */
void config_read_flags(struct config_reader *r, const struct yaml *y);
json_t *config_flags_json(const struct config_flags *f); /* owned; NULL: none */
void config_flags_free(struct config_flags *f);

/* --- config.c: a configuration with the defaults that are no drafts */
struct config *config_new(void);
void config_texts_free(char **list);

/* --- config_read.c */
void config_read_root(struct config_reader *r, const struct yaml *root);
void config_reader_init(struct config_reader *r, struct config *c, struct error_list *errors);

/* --- config_about.c: one text, or one a language; later ones replace those before */
void config_read_about(struct config_reader *r, const struct yaml *y);
/* A text without a language is in the first one of the site. */
void config_finish_about(struct config *c);
bool config_is_language(struct slice word);

/* --- config_list.c, config_alarm.c */
void config_read_clouds(struct config_reader *r, const struct yaml *map);
void config_read_scenarios(struct config_reader *r, const struct yaml *list);
void config_read_components(struct config_reader *r, const struct yaml *map);
void config_read_alarms(struct config_reader *r, const struct yaml *list);
bool config_component_id(struct slice id);
/* The map of an item; says what it is instead, with the name of such an item. */
bool config_is_item(struct config_reader *r, const struct yaml *y, const char *what);
/* False (and told once) when there are as many as there may be. */
bool config_room(struct config_reader *r, const struct yaml *y);

/* --- config_budget.c: `map` NULL: nothing is written; `what` names its owner in messages */
void config_read_budget(
	struct config_reader *r, const struct yaml *map, const char *what, struct budget *into);
json_t *config_budget_json(const struct budget *b); /* {} without a limit; owned */

/* --- config_judge.c: each may be NULL */
void config_read_judging(struct config_reader *r, const struct yaml *quorum,
	const struct yaml *flapping, const struct yaml *depends);
void config_finish_judging(struct config_reader *r);
void config_judging_json(const struct config *c, json_t *judge); /* adds what it read */
void config_free_judging(struct config *c);

/* --- config_metrics.c */
void config_read_metrics(struct config_reader *r, const struct yaml *list);
void config_read_cloudmon(struct config_reader *r, const struct yaml *map);
void config_finish_metrics(struct config_reader *r);
void config_metrics_drafts_free(struct config_reader *r);
void config_metrics_free(struct config_metrics *m);

/* --- config_report.c */
void config_read_reports(struct config_reader *r, const struct yaml *list);
void config_finish_reports(struct config_reader *r);
void config_reports_drafts_free(struct config_reader *r);
void config_report_free(struct config_report *p);

/* --- config_outpost.c */
void config_read_upstream(struct config_reader *r, const struct yaml *map);
void config_read_outposts(struct config_reader *r, const struct yaml *list);
void config_finish_outposts(struct config_reader *r);
void config_outposts_drafts_free(struct config_reader *r);
void config_outposts_free(struct config *c);
void config_outposts_json(const struct config *c, json_t *into);
/* --- config_dashboard.c */
void config_read_dashboards(struct config_reader *r, const struct yaml *list);
void config_finish_dashboards(struct config_reader *r);
void config_dashboards_drafts_free(struct config_reader *r);
void config_dashboard_free(struct config_dashboard *d);
json_t *config_dashboards_json(const struct config *c); /* owned */

/* --- config_event.c */
void config_events_init(struct config *c);
void config_read_events(struct config_reader *r, const struct yaml *map);
json_t *config_events_json(const struct config *c); /* owned */

/* --- config_maintenance.c */
void config_read_maintenance(struct config_reader *r, const struct yaml *list);
void config_finish_maintenance(struct config_reader *r);
void config_maintenance_drafts_free(struct config_reader *r);
void config_maintenance_free(struct config_maintenance *m);
json_t *config_maintenance_json(const struct config *c); /* owned */

/* --- config_probe.c */
void config_read_probes(struct config_reader *r, const struct yaml *list);
void config_finish_probes(struct config_reader *r);
void config_probes_drafts_free(struct config_reader *r);

/* --- config_rule.c: each may be NULL; takes the texts of *slo_files */
void config_read_rules(struct config_reader *r, const struct yaml *rules, const struct yaml *slos,
	char ***slo_files);
void config_finish_rules(struct config_reader *r);
void config_rules_drafts_free(struct config_reader *r);
void config_rules_free(struct config *c);
json_t *config_rules_json(const struct config *c); /* owned */

/* --- a mail server, of alarms and reports (config_alarm.c, config_finish_alarm.c) */
/* False: a key of it has an error. */
bool config_read_server(struct config_reader *r, const struct yaml *map, struct server_draft *s,
	struct config_secret *password);
void config_check_mailboxes(struct config_reader *r, const struct yaml *y, const char *what);
/* `what` ("an alarm") goes by mail to those addresses. */
void config_check_server(struct config_reader *r, const struct config_place *at, const char *what,
	char *const *mail, const struct server_draft *s, const struct config_secret *password,
	bool has_server, bool broken);
/* With the port of its kind of TLS where none is written; takes the draft's texts. */
struct mail_server config_move_server(struct server_draft *s);

/* --- config_finish.c: checks across maps and files, then moves the drafts into r->config */
void config_finish(struct config_reader *r);
void config_finish_alarms(struct config_reader *r);
void config_drafts_free(struct config_reader *r);

/* --- config_value.c */
void config_wrong(struct config_reader *r, const struct yaml *y, const char *fmt, ...)
	like_printf(3, 4);
void config_wrong_at(struct config_reader *r, const struct config_place *at, const char *fmt, ...)
	like_printf(3, 4);
struct config_place config_place(const struct config_reader *r, const struct yaml *y);
/* The value of a key when it is text; NULL when absent or of a wrong kind (told elsewhere). */
const struct yaml *config_text(const struct yaml *map, const char *key);
/* Each says what is wrong and returns false. `what` names the key in messages. */
bool config_check_name(struct config_reader *r, const struct yaml *y, const char *what);
bool config_check_line(struct config_reader *r, const struct yaml *y, const char *what);
bool config_check_url(struct config_reader *r, const struct yaml *y, const char *what);
bool config_check_listen(struct config_reader *r, const struct yaml *y, const char *what);
bool config_check_zone(struct config_reader *r, const struct yaml *y);
bool config_check_mailbox(struct config_reader *r, const struct yaml *y, const char *what);
bool config_check_witness(struct config_reader *r, const struct yaml *y);
/* "name:587" of a host name or address; the port may be missing (*ret_port 0). */
bool config_check_host(
	struct config_reader *r, const struct yaml *y, const char *what, unsigned *ret_port);
void config_read_secret(struct config_reader *r, const struct yaml *y, const char *what,
	struct config_secret *into);
/* A relative path is taken from the directory of the main file. Owned. */
char *config_path(const struct config *c, const char *path);
/* Whether an address to listen on is one that only this machine reaches. */
bool config_is_loopback(const char *address);
/* Moves the texts of *more behind those of *into. */
void config_texts_append(char ***into, char ***more);

#endif
