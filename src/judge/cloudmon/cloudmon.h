/*
 * cloudmon.h - CloudMon's metrics-processor inside the judge: its configuration read as it is, its
 * flags and health metrics evaluated over our own series.
 *
 * docs/cloudmon.md says what differs from metrics-processor and why; the semantics are those of
 * the design's page on judging (Kleene's three values, event time, an absent counter of a service
 * that is asked reads 0, unknown is never good).
 *
 * A rule set is read once and immutable. The evaluator asks Graphite's language (graphite.h) over
 * the series, or an outside source (source.h), one question for all queries, and keeps the flags of
 * the minutes it has judged, a ring of CLOUDMON_MINUTES. It judges a minute when its last bucket is
 * complete, or late beyond abs(query_to).
 */
#ifndef JUDGE_CLOUDMON_CLOUDMON_H
#define JUDGE_CLOUDMON_CLOUDMON_H

#include <jansson.h>

#include "base/error.h"
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
void cloudmon_rules_free(struct cloudmon_rules *r);

struct cloudmon_datasource {
	const char *url; /* NULL: our own series */
	int64_t timeout_ns;
};
const struct cloudmon_datasource *cloudmon_datasource(const struct cloudmon_rules *r);
struct cloudmon_dashboard {
	const char *url, *secret; /* NULL: none. The secret is literal there: never shown */
};
const struct cloudmon_dashboard *cloudmon_dashboard(const struct cloudmon_rules *r);

enum flag_op { FLAG_LT, FLAG_GT, FLAG_EQ };
struct cloudmon_flag {           /* of one environment */
	const char *name;        /* "ecs.api_down" */
	const char *environment; /* "production_eu-de" */
	const char *query;       /* with everything put in */
	enum flag_op op;
	double threshold;
};
struct cloudmon_health { /* of one environment */
	const char *key; /* "ecs" */
	const char *environment;
	const char *service, *component_name /* or NULL */, *category;
	const json_t *attributes;   /* of the environment */
	const char *const *metrics; /* names of flags; NULL-terminated */
};
size_t cloudmon_flag_count(const struct cloudmon_rules *r);
const struct cloudmon_flag *cloudmon_flag_at(const struct cloudmon_rules *r, size_t i);
size_t cloudmon_health_count(const struct cloudmon_rules *r);
const struct cloudmon_health *cloudmon_health_at(const struct cloudmon_rules *r, size_t i);
/* Those of a key and environment; -1: none. */
int64_t cloudmon_health_find(
	const struct cloudmon_rules *r, const char *key, const char *environment);

/* --- evaluating ---------------------------------------------------------------------------------
 */

struct cloudmon; /* evaluates a rule set, every minute, and on demand */

enum flag_value { FLAG_FALSE, FLAG_TRUE, FLAG_UNKNOWN };

struct cloudmon_point {               /* of a health metric */
	int64_t at_s;                 /* the bucket's start */
	int weight;                   /* 0, 1, 2 ...; -1: unknown */
	const char *expression;       /* the one that was proven, or NULL */
	const enum flag_value *flags; /* in order of its metrics */
};

/* Who has the values: our own series by default. What a source answers is for this call only. */
struct cloudmon_source {
	/* Values of each query, in its own steps, of (from, until]: lines of the same order as the
	 * queries, n 0 where there is nothing. Calls done once, never from inside. */
	struct cloudmon_asking *(*ask)(void *arg, const char *const *queries, size_t n,
		int64_t from_s, int64_t until_s,
		void (*done)(void *to, const struct graphite_lines *lines, const struct error *err),
		void *to);
	void (*cancel)(void *arg, struct cloudmon_asking *a); /* done comes soon */
	void *arg;
};

/* Borrows rules and graphite. source NULL: our own series. */
struct cloudmon *cloudmon_new(struct loop *l, struct graphite *g,
	const struct cloudmon_rules *rules, const struct cloudmon_source *source,
	struct error *err) must_check;
void cloudmon_free(struct cloudmon *c);
/* Starts judging each minute; tells each component of a health metric that has one: judge_tell() as
 * "flag:KEY", component found by `component` (its name and the environment's attributes; NULL:
 * not on this page). */
typedef const char *cloudmon_component(void *arg, const struct cloudmon_health *h);
void cloudmon_start(struct cloudmon *c, struct judge *j, cloudmon_component *component, void *arg);
/* What was judged last; at_s 0: nothing yet. Borrowed until the loop turns. */
bool cloudmon_last(const struct cloudmon *c, size_t health, struct cloudmon_point *ret);

/* The points of [from, to] of one health metric, every minute one, evaluated now; at most
 * `points_max` (0: 100): the last ones are of longer steps, as metrics-processor asks
 * maxDataPoints. err ERROR_STORE: the source does not answer. Once, never from inside. */
struct cloudmon_call;
typedef void cloudmon_points(
	void *arg, const struct cloudmon_point *p, size_t n, const struct error *err);
struct cloudmon_call *cloudmon_evaluate(struct cloudmon *c, size_t health, int64_t from_s,
	int64_t to_s, size_t points_max, cloudmon_points *done, void *arg);
void cloudmon_cancel(struct cloudmon_call *call);

/* The trees flag.ENVIRONMENT.SERVICE.FLAG (1, 0) and health.ENVIRONMENT.KEY (weight), NAN where
 * unknown, of the minutes that are kept. */
void cloudmon_trees(struct cloudmon *c, struct graphite *g);

#endif
