/*
 * worlds.h - the inside of world.h, shared by the world_*.c files and nobody else.
 *
 * world.c        its life, elements, states
 * world_param.c  parameters
 * world_expand.c a step becomes its elements
 * world_scope.c  what names, fields and indices mean to an expression
 * world_call.c   the functions scenarios add: file sample secret size_for
 * world_body.c   bodies: what stays a reference, what becomes an id; symbolic mode
 */
#ifndef OBSERVE_SCENARIO_WORLDS_H
#define OBSERVE_SCENARIO_WORLDS_H

#include "observe/scenario/world.h"

/* Params that name params, groups of groups: so deep and no deeper. */
#define DEPTH_MAX 32
/* A ref with this object number or a higher one is a symbol: its element counts for nothing. */
#define SYMBOL_BASE 0x40000000u

void world_bind(struct world *w, const json_t *given, struct error_list *errors);
/* Frees a map of name -> struct value * with its values. */
void world_values_fini(struct map *m);
/* The element a ref means, a group's member for a group's: OK, BLOCKED (not there yet), ABSENT,
 * ERROR (it is many). Its state is not looked at. Records the use. */
enum expr_result scope_element(
	struct world_scope *s, struct value_ref ref, struct element **ret, struct error *err);
/* Whether it can be used: by its state. */
enum expr_result scope_usable(const struct world_scope *s, const struct element *e);
/* What a symbol reads, without <>. */
const char *world_symbol(const struct world *w, struct value_ref ref);
struct value world_symbol_new(struct world *w, const char *fmt, ...) like_printf(2, 3);
enum expr_result world_param(struct world *w, const struct param *p, unsigned depth,
	struct value *ret, struct error *err);
void world_note(struct world *w, const struct step *step, const char *fmt, ...) like_printf(3, 4);

enum expr_result scope_call(void *arg, struct slice function, const struct value *args, size_t n,
	struct value *ret, struct error *err);
enum settle {
	SETTLE_KEEP,  /* refs of whole single steps get their element, all stay refs */
	SETTLE_VERB,  /* only where a verb looks for a step do refs stay, the others become ids */
	SETTLE_PLAIN, /* all become ids */
};
enum expr_result world_settle(
	struct world_scope *s, struct value *v, enum settle how, struct error *err);
/* Evaluates one tree in symbolic mode. */
enum expr_result world_symbolic(
	struct world_scope *s, const struct interp *t, struct value *ret, struct error *err);

#endif
