/*
 * cloudmon_inside.h - what the files behind the evaluation of cloudmon.h share.
 *
 * A flag's minute is a pure function of what is stored up to its end: the query over a window of
 * whole buckets of its own that ends with the minute and reaches back as long as a value holds. So
 * it does not matter when it is evaluated, in which order, or how often.
 */
#ifndef JUDGE_CLOUDMON_CLOUDMON_INSIDE_H
#define JUDGE_CLOUDMON_CLOUDMON_INSIDE_H

#include "judge/cloudmon/cloudmon.h"
#include "judge/cloudmon/shape.h"

#define NO_MINUTE INT64_MIN

struct flag_state {
	const struct cloudmon_flag *rule;
	struct shape *shape; /* NULL: the question is asked */
	VEC(struct watch_input *) inputs;
	int64_t bucket_s; /* of its longest steps, whole minutes */
	int64_t window_s; /* whole buckets, as long as a value holds and a minute */
	int64_t judged_s; /* the newest minute that is */
	int64_t asked_s;  /* the newest that is asked; NO_MINUTE: none */
	bool again;       /* something came while it was asked */
	bool in_health;
	char *why;     /* the source did not answer for it; NULL: it did */
	uint8_t *kept; /* two bits a minute: enum flag_value */
};

struct health_state {
	const struct cloudmon_health *rule;
	int64_t judged_s;
	int16_t *kept; /* weights of CLOUDMON_MINUTES; -1: unknown */
	int16_t told;
	int64_t told_s; /* minute; NO_MINUTE: nothing */
};

struct question { /* flags of one language and bucket, about minutes */
	struct cloudmon *c;
	struct question *next;
	size_t *flags;
	size_t n;
	bool promql;
	int64_t from_s;   /* of the window */
	int64_t minute_s; /* the first that is wanted */
	size_t minutes;
	char **queries;
	enum flag_value *values; /* n times `minutes` */
	struct graphite_call *graphite;
	struct cloudmon_asking *asking;
	struct timer later; /* nobody can be asked */
	bool cancelled;
	void (*done)(struct question *q, const struct error *err);
	void *arg;
};

struct cloudmon {
	struct loop *loop;
	struct graphite *graphite;
	const struct cloudmon_rules *rules;
	struct cloudmon_options options;
	struct cloudmon_source promql;
	struct watch *watch; /* NULL: nothing is watched */
	struct cloudmon_patience patience;
	struct flag_state *flags;
	struct health_state *healths;
	size_t flag_count, health_count;
	struct graphite_leaves *flag_leaves, *health_leaves; /* by their numbers */
	/* a pass */
	size_t cursor; /* health metrics, then flags of none */
	bool passing;
	struct timer timer;
	VEC(size_t) wanted;         /* flags that must be asked */
	struct question *questions; /* under way */
	size_t asking;              /* of those, of passes */
	struct error trouble;       /* the newest, of */
	size_t troubled;            /* so many flags */
	struct cloudmon_call *calls;
	struct judge *judge;
	cloudmon_find *find;
	void *arg;
};

int64_t cloudmon_now_s(const struct cloudmon *c);

/* flag_state.c */
void flag_open(struct cloudmon *c, size_t i);
void flag_close(struct flag_state *f);
enum flag_value flag_get(const struct flag_state *f, int64_t minute_s);
void flag_set(struct flag_state *f, int64_t minute_s, enum flag_value v); /* and it is judged */
/* Of a minute; false: it has to be asked. */
bool flag_evaluate(
	struct cloudmon *c, struct flag_state *f, int64_t minute_s, enum flag_value *ret);
/* What a value that a curve shows at a minute makes of a flag; NAN: it shows nothing. */
double curve_minute(const struct curve *c, int64_t minute_s, int64_t hold_s);
enum flag_value flag_of_value(const struct cloudmon_flag *rule, double value);
/* Of several values of one query: true if one is. */
enum flag_value flag_either(enum flag_value a, enum flag_value b);

/* question.c */
/* Asks soon; q is the callee's, with flags (taken), promql, from_s, minute_s, minutes, done, arg.
 */
void question_ask(struct cloudmon *c, struct question *q);
void question_cancel(struct question *q);
/* It ends for nobody, and frees itself then: what it asks may outlive c. */
void question_leave(struct question *q);
void question_free(struct question *q);

/* pass.c */
void pass_wake(struct cloudmon *c); /* soon */
void pass_end(struct cloudmon *c);

/* weight.c */
/* Of flags in the order of its metrics; -1: unknown. */
int metric_weight(
	const struct cloudmon_health *h, const enum flag_value *flags, const char **ret_expression);
/* Those of a minute that was judged; `flags` has room for all. */
void health_flags(const struct cloudmon *c, const struct cloudmon_health *h, int64_t minute_s,
	enum flag_value *flags);
void health_tell(struct cloudmon *c, size_t i);

/* trees.c */
void trees_open(struct cloudmon *c);
void trees_close(struct cloudmon *c);

/* points.c */
void points_cancel_all(struct cloudmon *c);

#endif
