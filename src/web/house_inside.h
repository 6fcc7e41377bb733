/*
 * house_inside.h - what the files of the house share.
 *
 * house.c says when a document is published, house_site.c builds it from what house_refresh.c and
 * house_days.c keep at hand, house_ask.c answers questions with what is read for each.
 */
#ifndef WEB_HOUSE_INSIDE_H
#define WEB_HOUSE_INSIDE_H

#include "base/json.h"
#include "base/map.h"
#include "base/vec.h"
#include "observe/scenario/journal.h"
#include "store/figures.h"
#include "store/series_roll.h"
#include "store/worker.h"
#include "web/house.h"
#include "web/model.h"

#define HOUSE_DAY_S     86400LL
#define HOUSE_DAY_MS    86400000LL
#define HOUSE_KEPT      731 /* days kept in memory of each component: two years for the months */
#define HOUSE_ASKS      32  /* under way at once; more are answered 503 */
#define HOUSE_ANSWER_NS (9 * NS_PER_S)

/* Where documents go; web.h behind house_web.c, tests elsewhere. Takes site; its member `probes` is
 * the text, borrowed. */
typedef void house_publish(void *arg, enum audience audience, json_t *site, const char *probes);
/* Called once, now or later; takes document. */
typedef void house_answer(void *arg, int status, json_t *document);

void house_publish_with(struct house *h, house_publish *publish, void *arg);
void house_ask(struct house *h, const char *what, const json_t *args, enum audience audience,
	house_answer *answer, void *arg);

/* --- days ------------------------------------------------------------------------------------- */

struct house_day {
	uint32_t s[HEALTH_COUNT];
	bool seen;
};

struct house_days {          /* of one component */
	struct house *house; /* NULL: gone, a query is still under way */
	char *id;
	struct series *series; /* NULL: beyond the limits of series */
	struct series_query *query;
	int64_t asked_from, read_to; /* days */
	bool loaded;
	int64_t today; /* the day of the last element */
	struct house_day days[HOUSE_KEPT];
	json_t *past; /* elements of SITE's days before today, for `past_of` */
	int64_t past_of;
	int64_t last_day_ms[HEALTH_COUNT]; /* of the last 24 hours */
};

struct house_days *days_of(struct house *h, const char *component); /* made when it is new */
void days_refresh(struct house *h);                                 /* of all that are there */
void days_forget(struct house *h);                                  /* all of them */
bool days_all_loaded(const struct house *h);
/* Today as it is now. */
void days_now(struct house *h, struct house_days *d);
/* The newest n as [{day, s, gap}], oldest first; owned. */
json_t *days_json(struct house_days *d, size_t n, int64_t now_ms);
/* RATIO of the newest n days; 0: of the last 24 hours. */
json_t *days_ratio(const struct house_days *d, size_t n, int64_t now_ms);
json_t *days_months(const struct house_days *d, int64_t now_ms);

/* --- refresh ---------------------------------------------------------------------------------- */

struct house_refresh;

struct house {
	struct loop *loop;
	struct facts *facts;
	struct series_store *series;
	struct judge *judge;
	struct alarms *alarms;
	struct metrics *metrics;
	const struct ingest *ingest;
	const struct outposts *outposts;
	const struct reporter *reporter;
	struct graphite *graphite;
	const struct rules *rules;
	const struct slos *slos;
	unsigned rules_given;        /* grows with each that takes the place of others */
	const struct events *events; /* NULL: none are shown */
	struct house_flags *flags;   /* NULL: nobody evaluates any */
	house_more *more;
	void *arg;
	struct worker *worker;
	const struct house_site *site;
	struct house_lists lists;
	/* What SITE says of the probes, made once a configuration; of each as text, of which a value
	 * would be ten times as much. */
	char *probes[AUDIENCE_PUBLIC + 1];
	json_t *probe_kinds;
	house_publish *publish;
	void *publish_arg;
	int64_t started_ms, published_ms;
	bool publishing; /* the first refresh is done */
	struct timer due, refresh_due;
	struct house_refresh *refresh;      /* under way */
	bool refresh_again;                 /* when it is done */
	struct map days;                    /* component -> struct house_days */
	const struct house_days *days_like; /* whose past days were made last, or NULL */
	struct map last_runs;               /* scenario -> json_t, as `last` of the operators */
	json_t *last[AUDIENCE_PUBLIC + 1];
	int64_t revision[AUDIENCE_PUBLIC + 1];
	struct house_asked *asks;
	size_t ask_count;
	bool storing, blind;
	int64_t observing_since_ms;
};

int64_t house_now_ms(const struct house *h);
void refresh_start(struct house *h);
void refresh_forget(struct house *h);
void house_refreshed(struct house *h); /* house.c: something may be new */

/* --- documents -------------------------------------------------------------------------------- */

json_t *site_json(struct house *h, enum audience audience);
void site_probes_make(struct house *h); /* of its lists, anew */
void site_probes_forget(struct house *h);
/* As in SITE; NULL: there is none of that id. Owned. */
json_t *site_component(struct house *h, const char *id, bool operators);
json_t *site_scenario(struct house *h, const struct house_scenario *s, bool operators);
/* `last` or an element of `runs` from a row of the journal; operators' parts included. */
json_t *run_short(const struct journal_run_row *row);
const struct house_scenario *scenario_named(const struct house *h, const char *name);
/* As in AVAILABILITY; owned. */
json_t *house_slos(const struct house *h, bool operators);
/* A piece of them: true when it was the last. `next` is 0 at first. */
bool rules_expose(struct buf *b, const struct house *h, size_t *next);
void site_events(struct house *h, json_t *site, bool operators);
/* By its id, where it is no longer there; borrowed. */
const char *house_component_name(const struct house *h, const char *id);
void metrics_outposts(struct buf *b, const struct house *h); /* house_outposts.c */

void put(json_t *object, const char *key, json_t *value);
void put_text(json_t *object, const char *key, const char *text); /* NULL: null */
void put_int(json_t *object, const char *key, int64_t i);

/* --- questions -------------------------------------------------------------------------------- */

struct house_trend;

struct house_asked {
	struct worker_job job; /* first */
	struct house_asked *next;
	struct house *house; /* NULL: gone */
	const struct house_question *question;
	json_t *args;
	bool operators;
	house_answer *answer; /* NULL: answered */
	void *arg;
	struct timer deadline;
	json_t *doc;      /* what the loop's thread began */
	json_t *read;     /* what the worker read; NULL: nothing */
	struct error err; /* of the reading */
	struct facts *facts;
	int64_t now_ms;
	const char *cloud; /* trends of this cloud only; NULL: all */
	int64_t trend_step_ms;
	VEC(struct house_trend *) trends;
	json_t *trend_docs;              /* of each of them, made by the worker */
	void *own;                       /* what a question keeps for its reading; freed with it, */
	void (*own_fini)(void *own);     /* and what it holds by this; may be NULL */
	struct figures_reading *figures; /* under way: one of parts_due */
	struct timer turn;               /* of one that looks on a little at a time: a part too */
	size_t parts_due;                /* those of series */
};

struct house_question {
	const char *name;
	bool operators_only;
	/* On the loop: 0, or a status at once. May start trends with trend_series(). */
	int (*begin)(struct house_asked *a);
	/* On the worker, when all series are read; may be NULL. False: a->err. */
	bool (*read)(struct house_asked *a);
	/* On the loop, when all is there: a status; a->doc is the answer. */
	int (*end)(struct house_asked *a);
};

extern const struct house_question component_question, availability_question, scenario_question,
	run_question, ledger_question, hosts_question, calls_question, evidence_question,
	metrics_question, health_question, graphite_render_question, graphite_find_question,
	graphite_expand_question, graphite_index_question, graphite_tags_question,
	graphite_values_question, graphite_series_question, graphite_functions_question,
	graphite_check_question, explore_question, event_question, events_question,
	history_question, flags_health_question, flags_root_question, flags_info_question,
	rules_question;

void house_flags_free(struct house *h);

/* --- trends ----------------------------------------------------------------------------------- */

#define TREND_MAX        60 /* of one answer */
#define TREND_SERIES_MAX 500
#define TREND_STEP_MS    600000LL
#define TREND_POINTS     144

struct house_trend {
	struct house_asked *asked;
	char *probe, *step, *cloud; /* step NULL: of a probe as a whole */
	char *component;            /* its tag, or NULL */
	struct series_point points[TREND_POINTS];
};

void trend_begin(struct house_asked *a); /* how far back, of this house */
/* The trend of that name, made if it is new; NULL: too many. */
struct house_trend *trend_of(struct house_asked *a, const char *cloud, const char *probe,
	const char *step, const char *component);
/* All series of kind probe with the tag; each goes to the trend of its probe or step. */
void trend_series(struct house_asked *a, const char *key, const char *value);
json_t *trend_json(const struct house_trend *t);
json_t *trend_point_json(const struct series_point *p, int64_t at_ms); /* owned */
void trends_free(struct house_asked *a);
void asked_part_done(struct house_asked *a); /* one of parts_due */
void asks_end(struct house *h);              /* answers all that are under way: 503 */

#endif
