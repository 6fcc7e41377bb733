/*
 * scenario.h - a scenario as it is written: parsed, checked, immutable.
 *
 * Reading collects every error of a file in one pass with its place: unknown keys and kinds (did
 * you mean), two verbs in a step, wrong types, bad durations, unknown references, cycles, `it` or
 * `i` where there is none, a param nobody knows. `include` and `like` are resolved here. Limits: 1
 * MiB a file, 2,500 steps, 10,000 objects (checked when counts are known), include depth 8. Thread:
 * one at a time.
 */
#ifndef OBSERVE_SCENARIO_SCENARIO_H
#define OBSERVE_SCENARIO_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/fault.h"
#include "openstack/kind.h"
#include "text/interpolate.h"

#define SCENARIO_STEPS_MAX   2500
#define SCENARIO_OBJECTS_MAX 10000
/* gh-RUN-STEP-i-CHECK has to fit a host name, which guests take from their server's name. */
#define SCENARIO_NAME_MAX 30

enum verb {
	VERB_CREATE, /* the verb is a kind */
	VERB_FIND, /* {find: {network: {name: shared}}}: refers to what exists, never deletes it */
	VERB_GROUP,
	VERB_SET,
	VERB_SERVER_ACTION,
	VERB_DELETE,
	VERB_CALL,
	VERB_WAIT,
	VERB_PING,
	VERB_TCP,
	VERB_HTTP,
	VERB_SSH,
	VERB_DNS,
	VERB_STREAM,
	VERB_DOWNLOAD,
	VERB_LIST,
	VERB_TOKEN,
	VERB_VALUE,
	VERB_GUEST,
	VERB_MESH,
	VERB_THROUGHPUT,
	VERB_BENCH,
	VERB_COUNT
};

enum grade { GRADE_OUTAGE, GRADE_DEGRADED, GRADE_NOTE };

/* What `must_fail` and `retry.on` list: a fault, or an HTTP status. */
struct fault_match {
	enum fault fault;
	int status; /* not 0: this status instead */
};

struct fault_list {
	struct fault_match *p;
	size_t n;
};

struct condition {
	char *text; /* as written */
	struct expr *expr;
	unsigned line, col;
};

struct condition_list {
	struct condition *p;
	size_t n;
};

struct retry {
	bool set;
	int64_t tries;    /* 0: no limit but `until` */
	int64_t until_ns; /* 0: none */
	int64_t every_ns;
	struct fault_list on; /* empty: any */
};

struct step {
	char *name;
	const char *file; /* borrowed of the scenario */
	unsigned line, col;
	enum verb verb;
	const struct kind *kind; /* CREATE and FIND */
	struct interp *body;     /* what stands under the verb; NULL: nothing */

	struct expr *when, *count; /* at most one of count and each */
	struct interp *each;
	int each_step; /* each: STEP; -1: `each` yields a list, or is a map of lists */
	size_t *after; /* step indices */
	size_t after_count;
	size_t *around; /* stream */
	size_t around_count;
	struct expr *until;   /* an expression over steps; the verb `wait` is this too */
	bool ready_now;       /* ready: now */
	struct expr *ready;   /* ready: CONDITION on [BODY] */
	char *lock;           /* overrides the kind's; "" = none */
	int with;             /* step index, or -1 */
	int64_t keep;         /* 0: no, N runs, -1 for ever */
	struct interp *login; /* servers and groups of servers */
	struct interp *undo;  /* a body of the same verb, or NULL */
	struct fault_list must_fail;
	int64_t hold_ns, lead_ns, tail_ns;
	struct condition_list expect, warn;
	enum grade grade;
	bool abort, optional;
	char *component, *metric;       /* NULL: of the kind's service; the step's name */
	int64_t timeout_ns, request_ns; /* 0: the kind's or verb's default */
	int64_t every_ns;               /* wait, until: how often; 0: 1 s */
	struct retry retry;
	struct interp *upload;  /* image: size of generated data, or {file:} */
	struct interp *allowed; /* http: see SCENARIOS.md */

	/* The steps this one names anywhere (in ${}, each, after, around), sorted, no double. Those
	 * of `login` are not its own needs but of the steps that log in there. */
	size_t *needs;
	size_t need_count;
};

struct param {
	char *name;
	const char *file;     /* borrowed of the scenario */
	struct interp *value; /* default, may use other params; NULL: required */
	bool is_auto;         /* written `auto` */
	unsigned line, col;
};

struct text_block {
	char *name;
	const char *file;
	struct interp *value;
	unsigned line, col;
};

struct scenario {
	char *name, *title, *file;
	char **files; /* this one and all it includes */
	size_t file_count;
	int64_t deadline_ns; /* default 15m */
	int64_t teardown_ns; /* default 10m */
	struct param *params;
	size_t param_count;
	struct text_block *texts; /* named blocks */
	size_t text_count;
	struct step *steps; /* in order of writing */
	size_t step_count;
	size_t *order;   /* step indices, every step after its needs */
	char *directory; /* for file('x'): where the scenario's file stands */
};

/*
 * Reads one scenario. `path` is a file, or the name of a shipped one ("server-login") looked for in
 * `dirs` (NULL-terminated) as NAME.yaml; a file with several documents needs `document` (its
 * `scenario:` name) or NULL for the only one. Borrows kinds for its life. Returns owned or NULL.
 */
struct scenario *scenario_load(const char *path, const char *document, const char *const *dirs,
	const struct kinds *kinds, struct error_list *errors) must_check;
struct scenario *scenario_parse(struct slice text, const char *name, const char *const *dirs,
	const struct kinds *kinds, struct error_list *errors) must_check;
void scenario_free(struct scenario *s);
/* Where shipped scenarios are looked for: $GLASSHOUSE_SCENARIOS, ./scenarios, the installed ones.
 */
const char *const *scenario_dirs(void);
int scenario_step(const struct scenario *s, struct slice name); /* index, or -1 */
const char *verb_name(const struct step *step);                 /* "ping", or the kind's name */
bool verb_is_check(enum verb v);
bool verb_reaches(enum verb v);             /* a guest or an address, from here or `from` a guest */
bool verb_works_in_guest(enum verb v);      /* guest mesh throughput bench: needs a log-in */
bool step_is_many(const struct step *step); /* has count or each, is a group or a server_batch */
/* Whether a function is called anywhere: "size_for"; whether a name is used anywhere: "zones". */
bool scenario_calls(const struct scenario *s, const char *function);
bool scenario_names(const struct scenario *s, const char *name);

#endif
