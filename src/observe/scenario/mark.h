/*
 * mark.h - names and marks: whose an object is, told by the object itself.
 *
 * Name: gh-RUN-STEP[-i]-CHECK; CHECK is ten base32 letters of HMAC-SHA256 over project, kind and
 * the rest of the name, keyed by the configured instance. Mark: "glasshouse INSTANCE RUN STEP i"
 * (attempt 2 of a lost create: "… i a2"). Steps are written with '_' turned to '-' in names.
 * Thread: any.
 */
#ifndef OBSERVE_SCENARIO_MARK_H
#define OBSERVE_SCENARIO_MARK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/random.h"
#include "base/slice.h"

#define RUN_LABEL_TEXT 25

/* A unique run label: base-36 time in seconds and random letters, e.g. "t2k9f1-x7qa". */
void mark_run_label(int64_t unix_us, struct random *r, char *ret_label);
/* `count` false leaves -i away. attempt from 1. Return owned. */
char *mark_name(const char *instance, const char *project, const char *kind, const char *run,
	const char *step, bool count, unsigned i, unsigned attempt);
char *mark_text(
	const char *instance, const char *run, const char *step, unsigned i, unsigned attempt);

struct mark_parts { /* slices of the text that was read */
	struct slice instance, run, step;
	unsigned i, attempt;
};
bool mark_parse(struct slice text, struct mark_parts *ret);
/* Whether a name is one of ours: right form and CHECK under this instance, project and kind.
 * ret_run borrows from name. */
bool mark_name_is_ours(const char *instance, const char *project, const char *kind,
	struct slice name, struct slice *ret_run);

#endif
