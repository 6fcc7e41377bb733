/*
 * plans.h - the inside of a plan, shared by the plan_*.c files and nobody else.
 *
 * plan.c        elements and their requests
 * plan_bill.c   objects, and what they take of the quota
 * plan_edges.c  what may happen in the wrong order
 * plan_write.c  the document for people
 */
#ifndef OBSERVE_SCENARIO_PLANS_H
#define OBSERVE_SCENARIO_PLANS_H

#include "observe/scenario/plan.h"

struct planned {
	struct element *element;
	const struct step *step;
	struct value value; /* the body, with refs where verbs look for steps */
	json_t *body;       /* with every ref as its id's symbol */
	json_t *out;        /* its part of the document; borrowed of it */
};

struct plan {
	struct world *world;
	VEC(struct planned) all;
	struct map by_symbol; /* "<port[0].id>" -> index + 1 */
	json_t *warnings;
};

/* The element an id's symbol stands for, or NULL. */
struct planned *plan_by_symbol(const struct plan *p, const char *symbol);
struct planned *plan_of_ref(const struct plan *p, struct value_ref ref);
bool plan_makes(const struct planned *e, const char *kind);
void plan_warn(struct plan *p, const struct step *step, const char *fmt, ...) like_printf(3, 4);
/* Whether `a` cannot start before `b` has ended, by what it says or by what that needs. */
bool plan_waits_for(const struct plan *p, const struct planned *a, const struct planned *b);

json_t *plan_bill(struct plan *p, const json_t *quota, const json_t *flavors);
void plan_hidden_edges(struct plan *p);

#endif
