/*
 * bad.c - see bad.h.
 */

#include "observe/ingest/bad.h"

#include <stdio.h>

#define LINE_MAX_SHOWN 60

void bad_lines_add(struct bad_lines *b, const char *why, struct slice line)
{
	b->n++;
	if (b->first[0])
		return;
	line.n = line.n < LINE_MAX_SHOWN ? line.n : LINE_MAX_SHOWN;
	for (int i = 0; i < 3 && line.n && !utf8_valid(line); i++) /* cut inside a letter */
		line.n--;
	if (!utf8_valid(line))
		line = SLICE("(bytes that are no UTF-8)");
	snprintf(b->first, sizeof(b->first), "%.90s: %.*s", why, SLICE_ARG(line));
	for (char *c = b->first; *c; c++)
		if ((unsigned char)*c < ' ')
			*c = ' ';
}

void bad_lines_join(struct bad_lines *into, const struct bad_lines *more)
{
	into->n += more->n;
	if (!into->first[0])
		snprintf(into->first, sizeof(into->first), "%s", more->first);
}
