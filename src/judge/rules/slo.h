/*
 * slo.h - a service level objective: which runs are good, how many of them must be, over what time.
 *
 *	slos:
 *	  - {name: compute-api, component: compute, objective: 99.9%, over: 30d,
 *	     good: 'probe{component="compute"}', faster: 800ms}
 *
 * Or OpenSLO v1 (openslo.c), of which everything that is not carried is told with its place.
 * Read once and immutable. Thread: any, one at a time.
 */
#ifndef JUDGE_RULES_SLO_H
#define JUDGE_RULES_SLO_H

#include "base/vec.h"
#include "judge/rules/rule.h"

#define SLOS_MAX        200
#define SLO_ALERTS_MAX  8
#define SLO_OVER_MIN_MS SERIES_DAY_MS
#define SLO_OVER_MAX_MS (366 * SERIES_DAY_MS)
#define SLO_LONG_MAX_MS (3 * SERIES_DAY_MS) /* of an alert's long window */

enum slo_span { SLO_ROLLING, SLO_DAY, SLO_WEEK, SLO_MONTH, SLO_QUARTER, SLO_YEAR };
const char *slo_span_name(enum slo_span s); /* "rolling", "day", ... */

enum slo_op { SLO_ANY, SLO_LESS, SLO_MORE }; /* at most, at least `limit` */

struct slo_alert {
	double burn; /* times the rate that spends all of the budget just within the window */
	int64_t long_ms, short_ms;
	enum rule_severity severity;
};

struct slo {
	char *name, *component, *text;
	double objective; /* 0.999 */
	enum slo_span span;
	int64_t over_ms; /* of SLO_ROLLING */
	char *timezone;  /* of the others */
	/* Runs of `part` that are good (or bad), of all runs of `whole`; without `whole` of its
	 * own. */
	struct selector part, whole;
	bool has_whole, part_is_bad;
	enum slo_op op; /* of `part` without `whole`: what it must have taken, or been */
	double limit;   /* us of times, else as the series is */
	struct slo_alert alerts[SLO_ALERTS_MAX];
	size_t alert_count;
	char *file;
	unsigned line, col;
};

/* What an item says; later files go over it, key by key. */
struct slo_text {
	char *name, *component, *objective, *good, *bad, *of, *calendar, *timezone, *text;
	int64_t over_ns, faster_ns;
	int severity;
	const char *file; /* borrowed */
	unsigned line, col;
};
void slo_text_init(struct slo_text *t);
void slo_text_fini(struct slo_text *t);
bool slo_text_read(
	struct slo_text *t, const struct yaml *map, const char *file, struct error_list *errors);
/* NULL: errors were added. Owned. */
struct slo *slo_new(const struct slo_text *t, struct error_list *errors);
void slo_free(struct slo *s);
/* 14.4x over 1 h and 5 min, 6x over 6 h and 30 min at `severity`; 1x over 3 d and 6 h is a note. */
void slo_default_alerts(struct slo *s, enum rule_severity severity);
json_t *slo_text_json(const struct slo_text *t); /* as glasshouse.yaml has it; owned */

struct slo_list {
	struct slo **p;
	size_t n, cap;
};
void slo_list_fini(struct slo_list *l);

/* --- openslo.c -----------------------------------------------------------------------------------
 */

/* Something of the file is not carried, or an objective is left out. */
typedef void slo_note(void *arg, const char *file, unsigned line, unsigned col, const char *text);
/* Adds the objectives of all documents of one file. What is no OpenSLO at all is an error. */
bool openslo_load(const char *path, struct slo_list *into, slo_note *note, void *arg,
	struct error_list *errors);
bool openslo_parse(struct slice text, const char *name, struct slo_list *into, slo_note *note,
	void *arg, struct error_list *errors);

#endif
