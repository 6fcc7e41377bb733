/*
 * report.h - what became of each thing an importer has read: carried over (and what it became),
 * carried differently (and why), not needed any more, or without an equivalent (and why). Nothing
 * is lost without a word.
 *
 * Thread: one at a time.
 */
#ifndef IMPORT_REPORT_H
#define IMPORT_REPORT_H

#include <jansson.h>
#include <stdarg.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/vec.h"

enum import_fate { IMPORT_CARRIED, IMPORT_CHANGED, IMPORT_NEEDLESS, IMPORT_DROPPED };

struct import_note {
	enum import_fate fate;
	char *file;        /* NULL: there is one only, and who reads knows it */
	char *what, *text; /* "-C"; "params.mesh: true" */
	unsigned line, col;
	bool whole; /* it is told of everything below it, too */
};

struct import_report {
	VEC(struct import_note) notes;
};

/* `what` is copied. */
void import_note(struct import_report *r, enum import_fate fate, unsigned line, unsigned col,
	const char *what, const char *fmt, ...) like_printf(6, 7);
/* The same with a file (copied). Returns it to be added to, good until the next note. */
struct import_note *import_note_in(struct import_report *r, enum import_fate fate, const char *file,
	unsigned line, unsigned col, const char *what, const char *fmt, va_list ap)
	like_printf(7, 0);
size_t import_count(const struct import_report *r, enum import_fate fate);
const char *import_fate_word(enum import_fate fate); /* "carried", "differently", ... */
/* By file, in the order in which each was told of first, then by place. */
void import_sort(struct import_report *r);
/* As comments of a YAML file, those of one fate below the other. */
void import_write_notes(const struct import_report *r, struct buf *out);
/* A line each, as compilers have it: "file:line:col: what: carried: text". With `all` false,
 * without what is carried as it was. */
void import_write_lines(const struct import_report *r, bool all, struct buf *out);
/* {"counts": {...}, "notes": [...]}, owned. */
json_t *import_report_json(const struct import_report *r);
void import_report_fini(struct import_report *r);

#endif
