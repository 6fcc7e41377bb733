/*
 * stack.h - heat: stacks of HOT templates, whose resources are made by the other services of the
 * simulated cloud, as their owner. Thread: the loop's.
 *
 * A stack's document is what members see. Besides it holds ".template" (as JSON), ".given" and
 * ".values" (its parameters as they came and as they are used), ".events" (newest first) and
 * ".resources", a list of
 *	{name, type, id, label, status, reason, created, updated, def, needs, order, old, tries}:
 * `label` is the name heat gives it, `needs` what its definition refers to, `order` what must be
 * there before it, `old` that an update has replaced it.
 */
#ifndef SIM_STACK_H
#define SIM_STACK_H

#include "sim/call.h"

/* --- for the files of this service ------------------------------------------------------------ */

/* stack.c */
void stack_fail(struct call *c, int status, const char *type, const char *fmt, ...)
	like_printf(4, 5);
void stack_invalid(struct call *c, const char *fmt, ...) like_printf(2, 3);

/* stack_template.c */
/* The template of a request, text or object, as an object. Returns owned, or NULL after a 400. */
json_t *stack_template_read(struct call *c, const json_t *given);
/* Whether its sections, resources and references are good; answers 400 otherwise. */
bool stack_template_check(struct call *c, const json_t *template, const json_t *values);
/* What `def` needs: names of resources it refers to, without doubles. Returns owned. */
json_t *stack_needs(const json_t *def);

/* stack_parameter.c */
/* The value of each parameter, by its type. Returns owned, or NULL after a 400. */
json_t *stack_values(struct call *c, const json_t *template, const json_t *given);
/* As a stack shows them: texts. Returns owned. */
json_t *stack_values_shown(const struct object *stack);
/* As POST /validate shows them. Returns owned. */
json_t *stack_parameters_shown(const json_t *template);

/* stack_value.c */
/* Something of a template with its functions worked out; what is not there yet is null. Returns
 * owned. */
json_t *stack_resolve(const struct object *stack, const json_t *value);
/* The function's name when the value is one that is known, or NULL. Borrows. */
const char *stack_function(const json_t *value, const json_t **ret_argument);
/* A function of heat's that is not known here, or NULL. */
const char *stack_unknown_function(const json_t *value);

/* stack_type.c: the types of resources */
struct stack_type;                                     /* constant */
const struct stack_type *stack_type(const char *name); /* NULL: unknown */
/* Whether the properties are known, complete and numbers where numbers are wanted; answers 400
 * otherwise. */
bool stack_type_check(
	struct call *c, const struct stack_type *t, const char *resource, const json_t *properties);
/* Whether a resource of type `t` waits for those of type `other` though it does not name them. */
bool stack_type_follows(const struct stack_type *t, const struct stack_type *other);
enum stack_state { STACK_WAIT, STACK_DONE, STACK_FAILED };
/* Begins to make it: sets its id. *ret_why, owned, when it failed. */
enum stack_state stack_make(struct object *stack, json_t *resource, char **ret_why);
/* Whether what was begun is ready, or failed. */
enum stack_state stack_made(struct object *stack, const json_t *resource, char **ret_why);
/* Begins to remove it, or sees whether it is gone. STACK_WAIT: asks again. */
enum stack_state stack_unmake(struct object *stack, json_t *resource);
/* What get_attr finds. Returns owned. */
json_t *stack_attributes(const struct object *stack, const json_t *resource);

/* stack_run.c */
json_t *stack_resource(const struct object *stack, const char *name); /* borrows; NULL: none */
/* Lets it go from what it has to what its template says; `action` CREATE or UPDATE. */
void stack_begin(struct object *stack, const char *action);
void stack_begin_delete(struct object *stack);
/* ACTION_STATUS and reason, with an event. */
void stack_set_status(struct object *stack, const char *status, const char *reason);
/* Its resources are those of the template: what changed is replaced, what left is old. */
void stack_plan(struct object *stack);

/* stack_view.c */
json_t *stack_view(struct call *c, const struct object *stack, bool whole);
void stack_list_resources(struct call *c);
void stack_show_resource(struct call *c);
void stack_list_events(struct call *c);
void stack_list_outputs(struct call *c);
void stack_show_output(struct call *c);
/* The stack of a NAME/ID path, or NULL after a 404. */
struct object *stack_of(struct call *c);
/* ".../stacks/NAME/ID". Returns owned. */
char *stack_url(const struct call *c, const struct object *stack);

#endif
