/*
 * report.h - what became of each thing an importer has read: carried over (and what it became), not
 * needed any more, or without an equivalent (and why). Nothing is lost without a word.
 *
 * Thread: one at a time.
 */
#ifndef IMPORT_REPORT_H
#define IMPORT_REPORT_H

#include "base/buf.h"
#include "base/vec.h"

enum import_fate { IMPORT_CARRIED, IMPORT_NEEDLESS, IMPORT_DROPPED };

struct import_note {
	enum import_fate fate;
	char *what, *text; /* "-C"; "params.mesh: true" */
	unsigned line, col;
};

struct import_report {
	VEC(struct import_note) notes;
};

/* `what` is copied. */
void import_note(struct import_report *r, enum import_fate fate, unsigned line, unsigned col,
	const char *what, const char *fmt, ...) like_printf(6, 7);
size_t import_count(const struct import_report *r, enum import_fate fate);
/* As comments of a YAML file, those of one fate below the other. */
void import_write_notes(const struct import_report *r, struct buf *out);
void import_report_fini(struct import_report *r);

#endif
