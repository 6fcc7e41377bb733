/*
 * error.h - a program error on its way up (observations are faults, see fault.h).
 *
 * The lowest frame that knows the cause fills it, upper frames put context in front, the border
 * (cli, a daemon's main loop) prints it. A function that can fail returns false or NULL exactly
 * when it has set *err. `err` may be NULL where a caller does not care. Thread: one at a time.
 */
#ifndef BASE_ERROR_H
#define BASE_ERROR_H

#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"

enum error_kind {
	ERROR_NONE,
	ERROR_INPUT,  /* what the user wrote is wrong; has a place if it stands in a file */
	ERROR_CONFIG, /* clouds.yaml, permissions, a missing file */
	ERROR_SYSTEM, /* the operating system refused; `sys` is the errno */
	ERROR_LIMIT,  /* over a stated limit */
	ERROR_CLOUD,  /* the cloud cannot be reached or refuses us: the run could not start */
	ERROR_STORE,  /* the database refused */
	ERROR_CANCELLED,
	ERROR_CONFLICT, /* somebody else was faster, or it is not the caller's to change */
};

#define ERROR_TEXT 1024

struct error {
	enum error_kind kind;
	int sys;
	char file[256];       /* "" when there is none */
	unsigned line, col;   /* from 1, columns in code points; 0 when unknown */
	char msg[ERROR_TEXT]; /* what was expected, what was found, what to do */
};

void error_set(struct error *err, enum error_kind kind, const char *fmt, ...) like_printf(3, 4);
/* Appends ": " and the text of `sys` (an errno value). */
void error_sys(struct error *err, int sys, const char *fmt, ...) like_printf(3, 4);
void error_at(struct error *err, const char *file, unsigned line, unsigned col, const char *fmt,
	...) like_printf(5, 6);
/* Puts "context: " in front of the message. */
void error_wrap(struct error *err, const char *fmt, ...) like_printf(2, 3);
void error_clear(struct error *err);
/* "file:line:col: message", leaving out what is unknown; returns `text`. */
const char *error_text(const struct error *err, char *text, size_t size);

/* All errors of one pass over an input, in order of place. At most ERROR_LIST_MAX are kept; the
 * rest is counted. */
#define ERROR_LIST_MAX 50

struct error_list {
	struct error *p;
	size_t n, cap, dropped;
};

void error_list_fini(struct error_list *l);
void error_list_at(struct error_list *l, const char *file, unsigned line, unsigned col,
	const char *fmt, ...) like_printf(5, 6);
void error_list_add(struct error_list *l, const struct error *err); /* copies */
void error_list_sort(struct error_list *l);                         /* by file, line, column */

#endif
