/*
 * interpolate.h - documents with ${expressions} in them.
 *
 * A scalar that is exactly one ${expr} has the value's own type; inside longer text it is text.
 * `$${` is a literal `${`. An expression that yields null removes its key or list item; a written
 * null is kept. Keys may not contain expressions. Thread: one at a time; immutable once parsed.
 */
#ifndef TEXT_INTERPOLATE_H
#define TEXT_INTERPOLATE_H

#include "text/expr.h"
#include "text/yaml.h"

struct interp;

/* Copies what it needs from `y`; adds every error of the tree. Returns owned, NULL if it added one.
 */
struct interp *interp_parse(const struct yaml *y, const char *file, struct error_list *errors);
/* The same for one text. */
struct interp *interp_parse_text(
	struct slice text, const char *file, unsigned line, unsigned col, struct error *err);
void interp_free(struct interp *t);
/* The place it was written. */
void interp_place(const struct interp *t, unsigned *ret_line, unsigned *ret_col);
/* The child of a map, or NULL. Borrows. */
const struct interp *interp_get(const struct interp *map, const char *key);
size_t interp_count(const struct interp *t);                        /* children of a list or map */
const struct interp *interp_item(const struct interp *t, size_t i); /* list item or map value */
const char *interp_key(const struct interp *map, size_t i);
bool interp_is_map(const struct interp *t);
bool interp_is_list(const struct interp *t);
/* Whether there is no expression in it at all. */
bool interp_constant(const struct interp *t);
void interp_names(
	const struct interp *t, void (*cb)(void *arg, const struct expr_use *use), void *arg);
void interp_functions(const struct interp *t,
	void (*cb)(void *arg, struct slice function, size_t args, unsigned line, unsigned col),
	void *arg);

/* Evaluates the whole tree; refs that stay refs (not turned plain) are kept as REF. */
enum expr_result interp_eval(const struct interp *t, const struct expr_scope *scope,
	struct value *ret, struct error *err);
/* The same, refs turned plain, as JSON (an owned reference) for a request body. */
enum expr_result interp_eval_json(
	const struct interp *t, const struct expr_scope *scope, json_t **ret, struct error *err);

#endif
