/*
 * judge.h - from observations to the health of components, with evidence for each change.
 *
 * The default model, per component, over the newest observations of each of its sources (a probe,
 * or a step of a scenario), from the worst down:
 *
 * - outage: nothing answers; every fresh source of full severity fails.
 * - degraded: some fail, now or again and again, or good answers are slow (`warned`).
 * - operational: some answer and none of the above.
 * - unknown: no source is fresh (3 x its rate + its timeout), or all that is fresh is a fault that
 *   is ours, the configuration's or the quota's: told, never shown as good.
 *
 * A source speaks after `confirm` (2) equal results in a row; one that runs every 5 minutes or more
 * rarely speaks with each. It takes back what it said badly `minimum_ns` after the last such result
 * at the earliest, so a state lasts at least that long before a better one; worse ones and unknown
 * come at once. While blind (witness.h) nothing becomes degraded or an outage.
 * Failures of latency only come from good answers; every failure counts (docs/judging.md).
 * The sources of one probe at several locations count as one, by quorum; who is overruled is said.
 *
 * What explains a state that is not operational (root, maintenance, flapping) is part of it: when
 * that changes, so does the verdict, although health and since_ms stay.
 *
 * A change is a fact: verdict, evidence and the row of the change feed ("verdict", id = rowid of
 * the verdict, audience public) are one transaction; the signal comes after the commit. After a
 * start each component shows its stored verdict with the time of its evidence until fresh
 * observations or staleness say otherwise. Every second it is written that we observe, every 10 s
 * through to the disk; the time between the last of these and a start is a gap: stored, hatched,
 * neither up nor down. Seconds in each state go to the days of the series health{component="ID"}
 * (series_set_states); what a kill took of them is counted again from the facts at a start.
 * What it is given and no sample holds is kept, so that it can be judged once more: given.h.
 * Runs on the loop's clock. Thread: the loop's, but where said.
 */
#ifndef JUDGE_JUDGE_H
#define JUDGE_JUDGE_H

#include <jansson.h>

#include "judge/health.h"
#include "store/facts.h"
#include "store/observation.h"
#include "store/series.h"

struct judge;
struct verdict;

/* A location from which is observed: observation.location. For operators. */
struct judge_location {
	const char *name;          /* "": ours */
	unsigned sources, failing; /* failing: newest result the cloud's fault */
	int64_t heard_ms,
		since_ms; /* the last result, 0: none since the start; since when it is so */
	bool silent;      /* nothing of it is fresh: it says nothing, neither good nor bad */
	bool suspect;     /* it fails at most of what it asks (80 %, 3 sources and 2 components at
			     least) while most of that is answered from elsewhere: its failures do not
			     count, as if we were blind there */
	const char *text; /* what is wrong, one sentence; NULL: nothing */
};

struct judge_options {
	unsigned confirm;   /* 0: 2 */
	int64_t minimum_ns; /* 0: 60 s */
	unsigned quorum;    /* locations that must agree; 0: the majority of those that can tell */
	/* Flapping is what changed its state more than flap_changes times within flap_within_ns,
	 * until flap_quiet_ns after the last of them. */
	unsigned flap_changes;                 /* at most 100; 0: nothing flaps */
	int64_t flap_within_ns, flap_quiet_ns; /* 0: 30 min, 10 min */
	/* The disk refused a change: it is shown, and told when it is durable. May be NULL. */
	void (*refused)(void *arg, const struct verdict *now);
	/* A location became silent or the suspect, or no longer is. May be NULL. */
	void (*location)(void *arg, const struct judge_location *l);
};

struct component {
	const char *id;             /* "compute": [a-z0-9-]{1,64} */
	const char *name;           /* for customers: "Compute" */
	const char *category;       /* heading it stands under */
	const char *cloud, *region; /* "" where there is only one */
};

struct verdict {
	int64_t id; /* of its row; 0: never judged */
	const char *component;
	enum health health;
	int64_t since_ms;    /* in this state, whatever explained it meanwhile */
	int64_t evidence_ms; /* time of the newest observation it rests on; 0: none */
	bool stored;         /* from before this start, nothing fresh since */
	const char *rule;    /* wire name of why: "failing" "silent" "slow" "stale" "ours" "config"
				"quota" "blind" "good" "told" "follows"
				"flapping" "never" */
	const char *text;    /* one English sentence for operators */
	const char *root;    /* the component whose outage explains it, or NULL */
	const char *dissent; /* locations that see it worse than the quorum: a sentence, or NULL */
	const char *maintenance; /* event within whose window it lies, "" when it is not announced;
				    or NULL */
	bool flapping;           /* it changes so often that its changes are not told one by one */
};

/* A change that is now durable. */
typedef void judge_changed(void *arg, const struct verdict *from, const struct verdict *to);

struct judge *judge_new(struct loop *l, struct facts *f, struct series_store *series,
	const struct judge_options *options, judge_changed *changed, void *arg,
	struct error *err) must_check;
void judge_free(struct judge *j); /* writes the seconds of today first */

/* One change by the id of its verdict, which the feed names; ret->id 0: there is none. Fill it with
 * zeros first. Thread: any. */
struct judge_change {
	int64_t id;
	char *component, *name, *rule, *text; /* owned; name for customers */
	char *root, *maintenance, *dissent;   /* as in struct verdict; or NULL */
	char *root_name;                      /* for customers; or NULL */
	enum health health, was;              /* the same when only what explains it is another */
	bool first;                           /* never judged before; was is unknown then */
	bool flapping;
	int64_t since_ms; /* in this health */
	int64_t until_ms; /* of this verdict; 0: it lasts */
};
bool judge_change_at(
	struct facts *f, int64_t id, struct judge_change *ret, struct error *err) must_check;
void judge_change_fini(struct judge_change *c);

/* --- what there is to judge: given by who reads the configuration --------------------------- */

/* Adds, or changes name, category and place. Copies. What was added before the last start and not
 * removed is there after judge_new(). */
void judge_component(struct judge *j, const struct component *c);
/* Takes it off the page; its history stays. */
void judge_component_remove(struct judge *j, const char *id);
/* A probe that will report from a location ("": ours) for a component at this rate; of the same
 * name elsewhere it is another one, with a rate of its own. A scenario names itself once and
 * reports for several components. Observations of what is not expected from where they come say
 * nothing. A component of which nothing was ever heard is stale once the rarest probe of its cloud
 * should have reported, and a location silent once the rarest of its own should have, 90 s after it
 * was expected first at the earliest. */
struct judge_probe {
	const char *location, *cloud, *probe; /* NULL: "" */
	int64_t every_ns, timeout_ns;
};
void judge_expect(struct judge *j, const struct judge_probe *p);
/* It reports no more from there: its sources no longer count. A location of which nothing is
 * expected any more is none. `p`: its rate is not looked at. */
void judge_unexpect(struct judge *j, const struct judge_probe *p);

/* --- what happens --------------------------------------------------------------------------- */

void judge_take(struct judge *j, const struct observation *o);
void judge_blind(struct judge *j, bool blind, const char *why);

/* --- what others conclude --------------------------------------------------------------------- */

/* Something that watches series (a rule, an imported flag, a burn rate) says how a component is; it
 * has its own patience, so what it says counts at once, beside the sources: operational adds
 * nothing and takes nothing away but what the same `by` said before (where a component has no
 * source at all it makes it operational), degraded and outage lower, unknown makes it unknown where
 * nothing else is known. It holds until fresh_ms, then it is silent as a source is: what was bad is
 * believed until another has answered after that. What is told while blind is not bad. Older than
 * what the same `by` said before, of a component that is not there, or a `by` of more than 200
 * bytes: nothing. Of one component 1000 may say something; beyond, the stalest is forgotten.
 * The same again only makes it fresher. Rule of the verdict: "told". All copied, texts cut at 2000
 * bytes, evidence over 16 KiB left out; it goes into that of the verdict as it is, the worst 20:
 * "told": [{"by", "health", "text", "at_ms", "evidence"}]. Kept over no start: told again. */
struct judge_told {
	const char *component;
	const char *by;     /* unique for a component: "rule:api-slow", "flag:ecs", "slo:login" */
	enum health health; /* operational, degraded, outage, unknown */
	int64_t at_ms, fresh_ms;
	const char *text;       /* one English sentence for operators */
	const json_t *evidence; /* object: "rule", "window" {"from_ms", "to_ms"}, "values" ...; what
				   is under "operators" nobody else sees. May be NULL */
};
void judge_tell(struct judge *j, const struct judge_told *t);
void judge_untell(struct judge *j, const char *component, const char *by); /* NULL: of all */

/* --- what is known of the whole -----------------------------------------------------------------
 */

/* `component` rests on `on` (both ids): while `on` is an outage, what is worse than operational
 * about `component` is an effect of it: its verdict keeps its health and names the root, by rule
 * "follows" (the root's own root, if it has one). What was in trouble 5 minutes before the root has
 * a cause of its own. Where both cannot tell (ours, config, quota), the same. The root explains for
 * as long as nothing says that something is wrong which began a minute (`minimum_ns`) after its
 * end. Components that are not there explain nothing. Cycles are refused by ERROR_INPUT, which
 * names them, and nothing changes; judge_rests_good() says so before (thread: any). All of them at
 * once; copies. */
struct judge_rest {
	const char *component, *on;
};
bool judge_rests_good(const struct judge_rest *rests, size_t n, struct error *err) must_check;
bool judge_depend(
	struct judge *j, const struct judge_rest *rests, size_t n, struct error *err) must_check;

/* Declared work: what is not operational of a component within a window of its is stored as
 * measured, and counted as maintenance in the days; verdict.maintenance names the event. Counts
 * from now on: what has passed stays as it was counted. All of them at once; copies. component
 * NULL: all, or with a probe that is nobody's none. */
struct judge_window {
	const char *component;
	const char *event; /* id, "" when it is not announced */
	int64_t from_ms, to_ms;
	const char *probe; /* that is worked on; or NULL */
};
void judge_windows(struct judge *j, const struct judge_window *w, size_t n);
/* Probes that lie within a window of theirs now, each once; event as above. Borrowed for the call.
 */
void judge_worked_on(const struct judge *j,
	void (*cb)(void *arg, const char *probe, const char *event), void *arg);

/* --- what it says ---------------------------------------------------------------------------- */

size_t judge_component_count(const struct judge *j);
/* By name of the category, then as they were added. Borrowed until the next call that changes. */
const struct component *judge_component_at(const struct judge *j, size_t i);
const struct verdict *judge_verdict(const struct judge *j, const char *component); /* or NULL */
bool judge_is_blind(const struct judge *j, const char **ret_why);
/* A change is on its way to the disk: its component waits for it. */
bool judge_is_writing(const struct judge *j);
/* In the order in which they were first expected; what is told of one changes with the loop's
 * turns.
 */
size_t judge_location_count(const struct judge *j);
const struct judge_location *judge_location_at(const struct judge *j, size_t i); /* or NULL */
/* What will be written of the UTC day that lasts, counted up to now; false: not known yet. */
bool judge_today(struct judge *j, const char *component, struct series_states *ret);
/* The series in which its days are (series_states), made if it was not there; borrowed from the
 * store. NULL: there are too many. */
struct series *judge_days_series(struct series_store *st, const char *component);

/* Verdicts of a component that touch [from, to), oldest first, gaps of our own observing among
 * them (gap true, no id). Thread: any. */
struct judge_span {
	int64_t id, from_ms, to_ms; /* to_ms: now for the one that lasts */
	enum health health;
	bool gap;
	const char *rule, *text;
	const char *root, *maintenance; /* as in struct verdict, or NULL */
	bool flapping;
};
bool judge_history(struct facts *f, const char *component, int64_t from_ms, int64_t to_ms,
	bool (*cb)(void *arg, const struct judge_span *span), void *arg,
	struct error *err) must_check;

/* The evidence of a verdict; NULL when there is none of that id. Operators get the whole, everyone
 * else what is public (no request, no ids, no detail). Owned. Thread: any.
 *	{"id", "component", "health", "was", "at_ms", "until_ms" or null, "rule", "text",
 *	 "window": {"from_ms", "to_ms"},
 *	 "answering", "failing", "unable", "silent": how many sources counted as that,
 *	 "undecided": of which too little was known (a first failure, an answer that was past beside
 *	 those that fail or cannot tell),
 *	 "lesser": that answered beside an outage and have no say in it, their severity is below,
 *	 "overruled": by others that ask the same elsewhere,
 *	 "sources": [{"probe", "step", "location", "says" (good slow failing bad ours stale
 *nothing), "n", "failed", "slow", "again" (passed at a further try), "last_ms", "median_ms",
 *"worst_ms", "faults": {"timeout": 3}}],
 *	 "told": as given to judge_tell(), "root", "maintenance", "dissent", "flapping",
 *	 operators also: "samples": [{"at_ms", "probe", "step", "location", "fault", "status",
 *"detail", "total_ms", "request", "curl", "request_id", "service_request_id", "run"}]} */
json_t *judge_evidence(struct facts *f, int64_t id, bool operators, struct error *err);

/* Creates or upgrades the tables, for who only reads. */
bool judge_migrate(struct facts *f, struct error *err) must_check;
/* Components as they stand in the tables, for who has no judge; borrowed for the call. cb returns
 * false to stop. Thread: any. */
bool judge_known(struct facts *f, bool (*cb)(void *arg, const struct component *c), void *arg,
	struct error *err) must_check;

/* The verdicts of the same component before and after that one; 0: there is none. Thread: any. */
bool judge_neighbours(struct facts *f, int64_t id, int64_t *ret_previous, int64_t *ret_next,
	struct error *err) must_check;

#endif
