/*
 * exposition.h - Prometheus' text format 0.0.4. Every name gets the program's prefix, but where it
 * is said to be foreign.
 *
 * Thread: one at a time.
 */
#ifndef TEXT_EXPOSITION_H
#define TEXT_EXPOSITION_H

#include "base/buf.h"

struct exposition_label {
	const char *key, *value; /* value NULL: "" */
};

/* Begins a family; `type` "counter", "gauge" or "histogram". Each name once in a text. */
void exposition_family(struct buf *b, const char *name, const char *type, const char *help);
void exposition_value(
	struct buf *b, const char *name, const struct exposition_label *l, size_t n, double x);

/* The same under a name that is another program's. */
void exposition_foreign_family(struct buf *b, const char *name, const char *help);
void exposition_foreign_value(
	struct buf *b, const char *name, const struct exposition_label *l, size_t n, double x);

#endif
