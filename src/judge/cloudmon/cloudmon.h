/*
 * cloudmon.h - CloudMon's metrics-processor inside the judge: its configuration read as it is, its
 * flags and health metrics evaluated over our own series.
 *
 * docs/cloudmon.md says what differs from metrics-processor and why; the semantics are those of
 * the design's page on judging (Kleene's three values, event time, an absent counter of a service
 * that is asked reads 0, unknown is never good).
 *
 * A rule set is read once and immutable. Two ways lead to a minute's flags, and both give the same:
 * the usual shapes of queries are kept up to date with each sample that comes (shape.h, watch.h),
 * so that a pass costs microseconds a flag; all others, and all that lie further back, are asked
 * of Graphite's language (graphite.h) in judging (struct graphite_question).
 *
 * A minute m is what lies in [m, m + 60 s) of event time. Values of shorter steps become one a
 * minute by the query's own consolidation (consolidateBy()); one of a longer step is that of each
 * of its minutes. It holds until abs(query_from) after the end of its step. A minute is judged when
 * something newer of each flag that has data is there, or abs(query_to) after its end, and judged
 * again until then when something more comes.
 * Thread: the loop's.
 */
#ifndef JUDGE_CLOUDMON_CLOUDMON_H
#define JUDGE_CLOUDMON_CLOUDMON_H

#include <jansson.h>

#include "base/error.h"
#include "judge/cloudmon/formula.h"
#include "judge/graphite/graphite.h"
#include "judge/judge.h"

#define CLOUDMON_FLAGS   200000 /* of all environments together */
#define CLOUDMON_MINUTES 1440   /* of values kept */

/* --- the rule set -------------------------------------------------------------------------------
 */

struct cloudmon_rules;

/* What was read but is not as its writer may think: a template nobody uses, a metric that names no
 * flag, a list that a later file replaced, a key that means nothing. */
typedef void cloudmon_note(
	void *arg, const char *file, unsigned line, unsigned col, const char *text);

/* config.yaml (or the directory that has it, or has conf.d alone), conf.d/NAME.yaml beside it in
 * order of name, MP_A__B of `environment` (NULL: none; as environ). Every error in one pass. Owned.
 */
struct cloudmon_rules *cloudmon_rules_load(const char *path, char *const *environment,
	cloudmon_note *note, void *arg, struct error_list *errors) must_check;
/* One text alone: no file is looked at. */
struct cloudmon_rules *cloudmon_rules_parse(struct slice text, const char *name,
	char *const *environment, cloudmon_note *note, void *arg,
	struct error_list *errors) must_check;
void cloudmon_rules_free(struct cloudmon_rules *r);

struct cloudmon_datasource {
	const char *url; /* as written; NULL: none */
	int64_t timeout_ns;
};
const struct cloudmon_datasource *cloudmon_datasource(const struct cloudmon_rules *r);
struct cloudmon_dashboard {
	const char *url, *secret; /* NULL: none. The secret is literal there: never shown */
};
const struct cloudmon_dashboard *cloudmon_dashboard(const struct cloudmon_rules *r);
/* How long a value holds, and how late one may come: abs(health_query.query_from), query_to. */
struct cloudmon_patience {
	int64_t hold_s, late_s;
};
struct cloudmon_patience cloudmon_patience(const struct cloudmon_rules *r);
size_t cloudmon_note_count(const struct cloudmon_rules *r); /* how many notes were told */

enum flag_op { FLAG_LT, FLAG_GT, FLAG_EQ };
struct cloudmon_flag {           /* of one environment */
	const char *name;        /* "ecs.api_down" */
	const char *service;     /* "ecs" */
	const char *environment; /* "production_eu-de" */
	const char *query;       /* with everything put in */
	bool promql;             /* that is its language */
	enum flag_op op;
	double threshold;
};
struct cloudmon_expression {
	const char *text;
	const struct formula *formula; /* over the metrics of its health */
	int weight;
};
struct cloudmon_health { /* of one environment */
	const char *key; /* "ecs" */
	const char *environment;
	const char *service, *component_name /* or NULL */, *category;
	const json_t *attributes;   /* of the environment */
	const char *const *metrics; /* names of flags; NULL-terminated */
	const int64_t *flags; /* their numbers, in order; CLOUDMON_NOBODY, CLOUDMON_ELSEWHERE */
	size_t metric_count;
	const struct cloudmon_expression *expressions; /* highest weight first */
	size_t expression_count;
};
#define CLOUDMON_NOBODY    (-1) /* no environment defines it: unknown */
#define CLOUDMON_ELSEWHERE (-2) /* others do, this one is left out on purpose: false */
size_t cloudmon_flag_count(const struct cloudmon_rules *r);
const struct cloudmon_flag *cloudmon_flag_at(const struct cloudmon_rules *r, size_t i);
size_t cloudmon_health_count(const struct cloudmon_rules *r);
const struct cloudmon_health *cloudmon_health_at(const struct cloudmon_rules *r, size_t i);
/* Whether both judge alike. */
bool cloudmon_rules_same(const struct cloudmon_rules *a, const struct cloudmon_rules *b);
/* That of a key and environment; -1: none. */
int64_t cloudmon_health_find(
	const struct cloudmon_rules *r, const char *key, const char *environment);

/* --- evaluating ---------------------------------------------------------------------------------
 */

struct cloudmon; /* evaluates a rule set, every minute, and on demand */

struct cloudmon_point {               /* of a health metric */
	int64_t at_s;                 /* its minute's begin */
	int weight;                   /* 0, 1, 2 ...; -1: unknown */
	const char *expression;       /* the one that was proven, or NULL */
	const enum flag_value *flags; /* in order of its metrics; NULL of cloudmon_last() */
};

/* Who answers flags that are PromQL: one value or NAN for each of n queries at each minute from
 * from_s to until_s, the queries' one after the other. Calls done once, never from inside. */
struct cloudmon_source {
	struct cloudmon_asking *(*ask)(void *arg, const char *const *queries, size_t n,
		int64_t from_s, int64_t until_s,
		void (*done)(void *to, const double *values, const struct error *err), void *to);
	void (*cancel)(void *arg, struct cloudmon_asking *a); /* done comes soon */
	void *arg;
};

struct cloudmon_options {
	/* Whose samples are watched: g's own. NULL: g asks elsewhere, and every minute is asked
	 * of it abs(query_to) after its end. */
	struct series_store *series;
	const struct cloudmon_source *promql; /* copied. NULL: flags in PromQL are unknown */
};

/* Borrows all but the options. */
struct cloudmon *cloudmon_new(struct loop *l, struct graphite *g,
	const struct cloudmon_rules *rules, const struct cloudmon_options *options);
void cloudmon_free(struct cloudmon *c); /* questions under way are told ERROR_CANCELLED in here */
/* Starts judging each minute; tells each component of a health metric that has one: judge_tell() as
 * "flag:KEY", component found by `find` (its name and the environment's attributes; NULL:
 * not on this page), asked anew each time. */
typedef const char *cloudmon_find(void *arg, const struct cloudmon_health *h);
void cloudmon_start(struct cloudmon *c, struct judge *j, cloudmon_find *find, void *arg);
/* One pass, now: judges what can be judged. cloudmon_start() has it every few seconds; for tests
 * and measuring. */
void cloudmon_pass(struct cloudmon *c);
/* What was judged last; false: nothing yet. Borrowed until the loop turns. */
bool cloudmon_last(const struct cloudmon *c, size_t health, struct cloudmon_point *ret);
/* A flag of a minute that was judged. */
enum flag_value cloudmon_flag_of(const struct cloudmon *c, size_t flag, int64_t minute_s);
int cloudmon_weight(const struct cloudmon *c, size_t health, int64_t minute_s); /* -1: unknown */
/* How many of the flags need no question: their shape is usual, and so is all that it is of. */
size_t cloudmon_usual(const struct cloudmon *c);
/* What the source said when it last did not answer; NULL: it answers. */
const struct error *cloudmon_trouble(const struct cloudmon *c);
const struct cloudmon_rules *cloudmon_rules_of(const struct cloudmon *c);

/* The points of the minutes of [from, to] of one health metric, each one, evaluated now; at most
 * `points_max` (0: 100): else the last ones. err ERROR_STORE: the source does not answer.
 * Once, never from inside. */
struct cloudmon_call;
typedef void cloudmon_points(
	void *arg, const struct cloudmon_point *p, size_t n, const struct error *err);
struct cloudmon_call *cloudmon_evaluate(struct cloudmon *c, size_t health, int64_t from_s,
	int64_t to_s, size_t points_max, cloudmon_points *done, void *arg);
void cloudmon_cancel(struct cloudmon_call *call); /* its callback comes soon: ERROR_CANCELLED */

/* The trees flag.ENVIRONMENT.SERVICE.FLAG (1, 0) and health.ENVIRONMENT.KEY (weight), NAN where
 * unknown, of the minutes that are kept. The trees of g ask whatever *at is then; NULL: nothing. */
void cloudmon_trees(struct cloudmon *const *at, struct graphite *g);

#endif
