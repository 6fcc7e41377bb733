/*
 * line_protocol.h - points in InfluxDB's line protocol (version 1), one a line.
 *
 *	measurement,tag=value,... field=value,... [timestamp]
 *
 * Commas, spaces and equals signs are escaped where they would part the line, quotes and
 * backslashes in texts. What cannot be written there at all is replaced: line feeds and other
 * control characters by a space, a backslash of a tag that would escape what follows it by a slash,
 * a # at the start (a comment) by _. Tags without a value are left out. Thread: one at a time.
 */
#ifndef TEXT_LINE_PROTOCOL_H
#define TEXT_LINE_PROTOCOL_H

#include "base/buf.h"

struct line {
	struct buf *out;
	size_t start;
	bool fields; /* the first field was written: no more tags */
};

/* Begins a line; tags first, then one field at least, then line_end(). `measurement` not "". */
void line_begin(struct line *l, struct buf *out, const char *measurement);
void line_tag(struct line *l, const char *key, const char *value);       /* NULL or "": left out */
void line_real(struct line *l, const char *key, double x, int decimals); /* not finite: left out */
void line_int(struct line *l, const char *key, int64_t n);               /* "202i" */
void line_text(struct line *l, const char *key, const char *text);       /* NULL: left out */
/* With a line feed; `at` 0: no timestamp, the receiver's own time. False: it had no field, and is
 * taken back. */
bool line_end(struct line *l, int64_t at);

#endif
