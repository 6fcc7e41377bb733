/*
 * formula.h - a health expression: flags joined by `||`, `&&`, `!`, parentheses and comparisons.
 *
 *	ecs.api_down && !(ecs.api_slow || ecs.errors == true)
 *
 * Loosest first: `||`, `&&`, comparisons (== != < <= > >=), `+` (OR), `!`. A name has letters,
 * digits, `_`, `-` and `.`; true is 1 and false is 0 where they are compared with a number.
 * Three-valued: what is unknown decides only where it matters. Immutable. Thread: any.
 */
#ifndef JUDGE_CLOUDMON_FORMULA_H
#define JUDGE_CLOUDMON_FORMULA_H

#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"

#define FORMULA_TEXT  (16u << 10)
#define FORMULA_DEPTH 64

enum flag_value { FLAG_FALSE, FLAG_TRUE, FLAG_UNKNOWN };

struct formula;

/* The number of a name, from 0, the same for the same name. `at`: its column, code points from 1.
 */
typedef size_t formula_name(void *arg, struct slice name, unsigned at);

/* Returns owned; NULL with the column (code points, from 1) in *err. */
struct formula *formula_parse(
	struct slice text, formula_name *name, void *arg, struct error *err) must_check;
void formula_free(struct formula *f);
/* The highest number of a name and one. */
size_t formula_names(const struct formula *f);
enum flag_value formula_value(const struct formula *f, const enum flag_value *flags);

#endif
