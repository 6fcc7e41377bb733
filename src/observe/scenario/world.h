/*
 * world.h - a scenario with its parameters bound: elements, their states, and what names mean.
 *
 * Each step has elements (1, or as many as count/each say). The world answers expressions: a name
 * is a step, param, text, `run i it zones cloud location`; a ref is an element. Evaluation pulls:
 * an expression over an element that is not ready yields BLOCKED, over a failed or skipped one
 * SKIPPED, over an absent one ABSENT; and each element it met is recorded as a use, which is the
 * graph that teardown reverses. The world is passive: the runner (run.h) moves the states. In
 * symbolic mode (plan) every element counts as ready and its fields read "<port[0].id>". Thread:
 * one at a time.
 */
#ifndef OBSERVE_SCENARIO_WORLD_H
#define OBSERVE_SCENARIO_WORLD_H

#include "base/json.h"
#include "base/map.h"
#include "base/random.h"
#include "base/secret.h"
#include "base/vec.h"
#include "observe/scenario/scenario.h"

enum element_state {
	ELEMENT_WAITING, /* for what it needs */
	ELEMENT_STARTED, /* the runner works on it */
	ELEMENT_READY,
	ELEMENT_FAILED,
	ELEMENT_SKIPPED, /* needs something that failed */
	ELEMENT_ABSENT,  /* `when` is false, or what it needs is absent */
};

struct element {
	size_t step;
	int32_t index;   /* among the elements of its step */
	int32_t i;       /* its `i`: the index, of a server_batch that of the create */
	size_t leader;   /* index of the first element of the same create: mostly its own */
	struct value it; /* null unless the step has each */
	enum element_state state;
	struct value_ref target; /* members of a group: the element they stand for */
	/* Set by the runner. */
	char *name, *mark;          /* of the object it made */
	char *id;                   /* of the object it made, found or acts on */
	json_t *object;             /* last answer, unwrapped; an owned reference */
	json_t *measured;           /* [NAME] -> value of checks and calls; an owned reference */
	struct secret *private_key; /* of a keypair made here; owned reference, never in `object` */
	VEC(struct value_ref) uses; /* elements its evaluation met, no double */
	void *task;                 /* the runner's own */
};

struct step_world {
	const struct step *step;
	bool expanded; /* elements exist */
	bool absent;   /* its `when` was false, or its `each` empty */
	struct element *elements;
	size_t count;
	/* Names of the combination for each: {zone:…, type:…}: the dimensions of samples. */
};

struct world_options {
	const char *run;               /* label, lower case, at most 24 characters; copied */
	const char *instance;          /* copied */
	const char *location, *region; /* copied; may be NULL */
	const json_t *zones;           /* {"compute": […], …}; copied */
	const json_t *picked;          /* as pick.h hands out, for size_for() and log-in users;
					  copied; may be NULL */
	struct random *random;         /* draws sample() and secret(); borrowed */
	bool symbolic;
};

/* In symbolic mode: something of a step that only the run can decide. */
struct world_note {
	const struct step *step; /* borrowed */
	char *text;
};

struct world {
	const struct scenario *scenario;
	struct step_world *steps;
	struct map params;            /* name -> struct value * */
	size_t objects;               /* elements of creating steps so far */
	struct world_options options; /* texts and documents are the world's own copies */
	struct map drawn;             /* values of sample() and secret(), by place: once a run */
	struct map secrets;           /* values of secret(), so that they are masked */
	unsigned texts_read;          /* by the evaluation at hand */
	VEC(char *) symbols;          /* symbolic mode: what a field would be, "port[0].id" */
	VEC(struct world_note) notes; /* symbolic mode: what only the run can decide */
};

/*
 * Binds parameters: `given` is a JSON object over the defaults; texts of the command line are read
 * as YAML scalars. A param that is still `auto` must have been given by then (pick.h). Errors name
 * unknown (did you mean), missing required and badly typed ones. Returns owned.
 */
struct world *world_new(const struct scenario *s, const json_t *given,
	const struct world_options *options, struct error_list *errors) must_check;
void world_free(struct world *w);
/* Whether these parameters fit, as far as can be told before a cloud is asked: unknown, badly typed
 * and missing ones. Adds errors. */
bool world_takes(const struct scenario *s, const json_t *given, struct error_list *errors);

/* What came from the cloud and must not be shown: masked from now on, for the world's life. */
void world_keep_secret(struct world *w, const char *text);

/* Evaluates when, count and each of a step and makes its elements. OK, BLOCKED (needs an answer
 * first), ABSENT (nothing to do), SKIPPED, ERROR (err with the place). OK again when done before.
 */
enum expr_result world_expand(struct world *w, size_t step, struct error *err);

/* The scope for evaluating something of `element` (NULL: of the scenario alone). `measured`
 * overrides element->measured for [NAME]. Valid while element and world are. */
struct world_scope {
	struct expr_scope scope; /* first */
	struct world *world;
	struct element *element;
	const json_t *measured;
	bool outside;      /* before elements exist: no `i`, no `it` */
	bool members;      /* of a group: x[*] is all there will be, not what is ready */
	bool unknown;      /* symbolic mode: met what only the run knows */
	const char *place; /* for values that are drawn once */
	unsigned depth;
};
void world_scope_init(
	struct world_scope *s, struct world *w, struct element *element, const json_t *measured);

struct element *world_element(struct world *w, struct value_ref ref); /* group members resolved */
/* The element whose create makes this one too: itself, but for the later ones of a server_batch. */
struct element *world_leader(struct world *w, const struct element *e);
/* "port[2]", or "router" when the step has one element without count or each. */
const char *world_element_name(
	const struct world *w, const struct element *e, char *text, size_t n);
void world_use(struct element *user, struct value_ref ref); /* no double; user NULL: none */
/* Evaluate in the element's scope, recording uses. Results as world.h's opening says. */
enum expr_result world_body(struct world *w, struct element *e, const struct interp *t,
	struct value *ret, struct error *err);
enum expr_result world_body_json(struct world *w, struct element *e, const struct interp *t,
	json_t **ret, struct error *err);
/* The user to log in with where `login: {user: auto}`: of the image the element was made of, as the
 * image's properties or its distribution say; NULL when unknown. Borrows. */
const char *world_login_user(const struct world *w, const struct element *e);
/* `after`, and the element that `each: STEP` made this one for: OK when all elements of those steps
 * have ended (ready, absent; with `streams` see around), SKIPPED when one failed or was skipped,
 * BLOCKED otherwise. */
enum expr_result world_after(struct world *w, struct element *e);

#endif
