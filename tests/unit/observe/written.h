/*
 * written.h - scenarios and worlds of texts, for the tests of this room.
 */
#ifndef TESTS_UNIT_OBSERVE_WRITTEN_H
#define TESTS_UNIT_OBSERVE_WRITTEN_H

#include "../check.h"

#include "observe/scenario/world.h"

#define HEAD "scenario: t\n"

/* The built-in kinds; group setup and teardown. */
extern struct kinds *written_kinds;
int written_setup(void **state);
int written_teardown(void **state);

/* All errors of a list, a line each; frees the list. Owned. */
char *written_errors(struct error_list *errors);
/* Parses; the test fails with the errors if there are any. Owned. */
struct scenario *written_parse(const char *text);
/* All errors of a scenario's text against these. */
void written_refused(const char *text, const char *expected);

/*
 * A world of a scenario with params and zones as JSON (NULL: none): run "t2k9f1-x7qa", instance
 * "site-a", region "north", location "here", seeded. `written_world_free` frees both.
 */
struct world *written_world(const char *text, const char *params, const char *zones, bool symbolic);
void written_world_free(struct world *w);
/* The errors of binding the params. */
void written_unbound(const char *text, const char *params, const char *expected);

/* Expands; an element of it. */
enum expr_result written_expand(struct world *w, const char *step);
struct element *written_element(struct world *w, const char *step, size_t i);
/* Plays the runner: the element is there, with this object (JSON). */
void written_ready(struct world *w, const char *step, size_t i, const char *object);
/* The body of an element as JSON, "#RESULT", or "!message". Owned. */
char *written_body(struct world *w, const char *step, size_t i);
void written_body_is(struct world *w, const char *step, size_t i, const char *expected);

#endif
