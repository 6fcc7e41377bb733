/*
 * probe.h - the user's own probes (`probes:` of glasshouse.yaml): anything asked at a constant
 * rate.
 *
 * An item has what every probe has (name, every, timeout, component, expect, ...) and exactly one
 * key that is the name of a kind (probe_kind.h), which holds a target or a map of the kind's own
 * keys. docs/probes.md is the whole language.
 *
 * Each probe is a job of its own on the schedule. A run has up to `tries` attempts; each is one
 * exchange with one address of one family, on a fresh connection, with a deadline that is never
 * longer than the rate. What a kind measured is judged by the conditions of `expect` and `warn`; a
 * run becomes one sample of the series probe{component="ID",kind="tcp",probe="NAME"}, one
 * observation, one measure. A pass after a retry is told with its tries, never as a plain one. A
 * target that hangs thins nobody's samples. `family: both` makes two probes, NAME.ipv4 and
 * NAME.ipv6. Thread: the loop's.
 */
#ifndef OBSERVE_PROBE_PROBE_H
#define OBSERVE_PROBE_PROBE_H

#include "net/http_client.h"
#include "net/ping.h"
#include "net/resolver.h"
#include "net/ssh.h"
#include "observe/schedule.h"
#include "store/measure.h"
#include "store/observation.h"
#include "store/series.h"
#include "text/yaml.h"

#define PROBE_EVERY_NS   (30 * NS_PER_S)
#define PROBE_TIMEOUT_NS (10 * NS_PER_S)
#define PROBE_TRIES_MAX  10
#define PROBE_EXPECT_MAX 50 /* conditions of one probe */
#define PROBE_NAME_MAX   64
#define PROBE_NAME_TEXT  (PROBE_NAME_MAX + 8) /* with .ipv4, and NUL */

/* --- what is configured ----------------------------------------------------------------------- */

struct probe_config; /* one item as read: immutable but for its secrets */

/* Reads the map of one item; every error in one pass. `file` (borrowed for its life) is where it
 * stands; relative paths are taken from `dir` (NULL: from where we are). Returns owned; NULL when
 * there was an error. */
struct probe_config *probe_config_read_in(const struct yaml *map, const char *file, const char *dir,
	struct error_list *errors) must_check;
struct probe_config *probe_config_read(
	const struct yaml *map, const char *file, struct error_list *errors) must_check;
void probe_config_free(struct probe_config *c);

struct probe_about { /* borrowed of the configuration */
	const char *name, *kind;
	const char *target;            /* for people: the URL, "mail.example.org:25" */
	const char *component;         /* its name as written; NULL: none */
	const char *category, *region; /* of the component, or NULL */
	const char *group;             /* heading among probes, or NULL */
	const char *globalmon;         /* the service in GlobalMon's names, or NULL; kind http */
	int64_t every_ns, timeout_ns;
	enum severity severity;
	const char *const *after; /* probes it depends on; NULL-terminated */
	unsigned line, col;
	bool twice; /* family: both */
};
const struct probe_about *probe_config_about(const struct probe_config *c);
/* As it would be written, secrets as references; owned. */
json_t *probe_config_json(const struct probe_config *c);
/* The same as compact text, borrowed: two that are equal run alike. */
const char *probe_config_text(const struct probe_config *c);
/* What both say alike is kept once: ten thousand probes may have the same conditions. */
void probe_config_share(struct probe_config *c, const struct probe_config *like);
bool probe_config_has_secrets(const struct probe_config *c);
/* The item with the keys of a later file over it; `later` stands in `file`. Owned; NULL: errors. */
struct probe_config *probe_config_merge(const struct probe_config *c, const struct yaml *later,
	const char *file, const char *dir, struct error_list *errors) must_check;

/* Values that are file:PATH or env:NAME. `read` returns the secret, owned, or NULL with its error
 * already told; false when one is missing. Before that, probes with secrets cannot be opened. */
typedef struct secret *probe_secret_read(
	void *arg, const char *from, const char *file, unsigned line, unsigned col);
bool probe_config_secrets(struct probe_config *c, probe_secret_read *read, void *arg);

/* Certificates and keys are read when the probe asks, so that renewed ones count at once, and a file
 * that is no good is a fault of that run. Says what is wrong with them now; false: something is. It
 * waits for nothing but the disk. */
bool probe_config_files(const struct probe_config *c, struct error_list *errors);

/* --- what runs -------------------------------------------------------------------------------- */

struct probe;
struct probes; /* those that are open, by name and by token */

struct probes *probes_new(void);
void probes_free(struct probes *all); /* all must be closed */
size_t probes_count(const struct probes *all);
struct probe *probes_find(const struct probes *all, const char *name); /* borrowed; or NULL */

struct probe_tools { /* borrowed by every probe for its life */
	struct loop *loop;
	struct schedule *schedule;
	struct http_client *http; /* fresh connections */
	struct resolver *resolver;
	struct pinger *pinger;       /* NULL: none; icmp says why */
	struct ssh_pool *ssh;        /* NULL: none; kind ssh is refused */
	struct series_store *series; /* NULL: nothing is stored */
	struct probes *probes;       /* where they are found; NULL: `after` and push find nobody */
	struct random *random;
	struct helper *helper; /* starts programs (observe/exec/helper.h); NULL: kind exec is
				  refused */
	const char *working;   /* directory for working copies of git; NULL: they are refused */
	/* Where streams come in just now: programs report there. NULL, or of NULL: nowhere. */
	struct ingest *const *ingest;
	const char *location; /* "" */
	const char *instance; /* who we are; NULL: not known */
	observation_signal *seen;
	void *seen_arg;
	measure_signal *measured; /* may be NULL */
	void *measured_arg;
};

/* Puts it on the schedule. Borrows all. `component` is the id under which it reports ("":
 * nobody's). `family`: AF_UNSPEC, or one of both. NULL with the error when it cannot be run here.
 */
struct probe *probe_open(const struct probe_tools *tools, const struct probe_config *c,
	const char *component, int family, struct error *err) must_check;
void probe_close(struct probe *p); /* cancels what is under way; nothing is told of it */

/* NAME, or NAME.ipv4. Borrowed. */
const char *probe_name(const struct probe *p);
const struct probe_config *probe_configuration(const struct probe *p); /* borrowed */
struct job_state probe_job(const struct probe *p);

/* For push (kind push): something outside says how it is. False: no probe of that token. `fault`
 * NONE: up. `detail` may be NULL; took_us 0: not said. The token is compared in constant time. */
bool probe_pushed(struct probes *all, struct slice token, enum fault fault, const char *detail,
	int64_t took_us);
/* The same by the name of the probe, for who has proved it otherwise (Gatus external endpoints:
 * the token is that of the probe, as bearer). 0: taken, 401: another token, 404: no such probe. */
int probe_pushed_by_name(struct probes *all, const char *name, struct slice token, enum fault fault,
	const char *detail, int64_t took_us);

/* --- one run, now: `glasshouse try`, the blackbox face ---------------------------------------- */

/* TIME, SIZE or PERCENT of a [NAME] that has a unit, of whatever kind; else VALUE_NULL. */
enum value_type probe_measurement_type(struct slice name);

struct probe_call; /* one run under way */

struct probe_report { /* borrowed during the callback */
	enum fault fault;
	bool warned;
	const char *detail; /* which condition failed and what it saw; "" */
	unsigned tries;
	struct phases phases; /* of the last attempt */
	int status;
	const char *address;      /* that answered, "" */
	const json_t *measured;   /* every [NAME] of the kind that was measured, as a document */
	const json_t *conditions; /* [{"of": "expect", "text": "[STATUS] == 200", "ok": true, "saw":
				     "..."}] */
};
typedef void probe_call_done(void *arg, const struct probe_report *r);

/* Whether it can be run with these tools and its secrets are read; the error says what is missing.
 */
bool probe_can_run(
	const struct probe_tools *tools, const struct probe_config *c, struct error *err);
/* All its tries, with the pauses between them. */
int64_t probe_config_longest_ns(const struct probe_config *c);
/* Stores and tells nothing; it can be run. done is called once, never from in here. */
struct probe_call *probe_run_once(const struct probe_tools *tools, const struct probe_config *c,
	int family, int64_t deadline_ns, probe_call_done *done, void *arg);
void probe_run_cancel(struct probe_call *c); /* done runs soon with FAULT_CANCELLED */

#endif
