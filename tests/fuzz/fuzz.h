/*
 * fuzz.h - what the fuzz targets share: one file a parser, each with the function libFuzzer calls.
 *
 * Besides what the sanitizers find, a target holds what a parser promises: that a refusal says why,
 * that what was written can be read again. fuzz_hold() ends the program when a promise is broken.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"
#include "text/expr.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

#define fuzz_hold(promise) fuzz_held((promise), #promise, __FILE__, __LINE__)
void fuzz_held(bool kept, const char *promise, const char *file, int line);

/* Every error has a text; frees the list. Returns how many there were. */
size_t fuzz_errors(struct error_list *errors);
/* A file in memory with these bytes: its path. Good until the next call with the same `slot`. */
#define FUZZ_FILES 2
const char *fuzz_file(unsigned slot, struct slice text);

/* A world for expressions: x 7, list [1, 2], map {a: "b"}, text "abc", time 90s, late is blocked,
 * never absent, broken skipped; it is a ref with fields. Measurements STATUS, BODY, GAP, OUTPUT. */
extern const struct expr_scope fuzz_scope;

#endif
