/*
 * evaluate.h - one expression in a small world, for the tests of the language.
 *
 * Names: x = 7, list = [1, 2], run = "abc", node = a reference with the id "node-id" and the field
 * "size" = 3, nodes = a reference to three; late is not ready, never is absent, broken failed.
 * Measurements: STATUS 200, GAP "300ms", LOSS "0.5%", OUTPUT "abc", BODY {status: UP, items: [{x:
 * 3}]}.
 */
#ifndef TESTS_UNIT_TEXT_EVALUATE_H
#define TESTS_UNIT_TEXT_EVALUATE_H

#include "../check.h"

#include "base/json.h"
#include "text/expr.h"

extern const struct expr_scope evaluate_scope;

/* What it yields as JSON, "!LINE:COL message" (the text begins at 3:10), or "#RESULT". Owned. */
char *evaluate(const char *text, bool condition);
/* The same compared, as an expression or as a condition; `starts` compares the beginning. */
void yields(const char *text, const char *expected);
void holds(const char *text, const char *expected);
void starts(const char *text, const char *expected, bool condition);

#endif
