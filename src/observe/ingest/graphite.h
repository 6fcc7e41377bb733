/*
 * graphite.h - the inside of Graphite's protocols: a line, a pickle, the thread that receives them.
 *
 *	graphite_line.c    NAME[;TAG=VALUE]... VALUE TIME, read; pure
 *	graphite_pickle.c  a message of carbon's pickle receiver, read; pure
 *	graphite.c         the sockets and the thread
 */
#ifndef OBSERVE_INGEST_GRAPHITE_H
#define OBSERVE_INGEST_GRAPHITE_H

#include "base/error.h"
#include "net/loop.h"
#include "observe/ingest/bad.h"
#include "store/points.h"

#define GRAPHITE_LINE_MAX   4096       /* bytes of a line */
#define GRAPHITE_PICKLE_MAX (1u << 20) /* bytes of a message, as carbon has it */

/* A name with tags as Graphite writes them. */
enum points_added graphite_put(
	struct points *p, struct slice path, int64_t at_ms, double value) must_check;
/* Seconds as carbon takes them, with a fraction or without; -1: when it is taken. False: no time.
 */
bool graphite_time(double seconds, int64_t *ret_ms);

/* NULL: taken; else what is wrong with it. Thread: any. */
const char *graphite_line_read(struct slice line, struct points *p);

/* A pickle of protocol 0 to 4 that is a list of (path, (time, value)) made of lists, tuples, texts
 * and numbers. Everything else a pickle could hold is refused unread: nothing is ever looked up or
 * run. Items that are no such tuple are counted in `bad`. NULL: taken; else why none of it was.
 * Thread: any. */
const char *graphite_pickle_read(struct slice message, struct points *p, struct bad_lines *bad);

struct graphite;

struct graphite_options {
	const char *line, *pickle; /* addresses; NULL: none */
	unsigned connections;      /* at once */
	/* On the loop; takes the points. */
	void (*taken)(void *arg, bool pickle, struct points *points, const struct bad_lines *bad);
	void (*lost)(void *arg, uint64_t packets); /* ever; on the loop */
	void *arg;
};

struct graphite *graphite_open(
	struct loop *l, const struct graphite_options *options, struct error *err) must_check;
/* What has arrived is handed over from in here. It runs the loop: never from inside a callback. */
void graphite_close(struct graphite *g); /* NULL is fine */
/* How many of the points handed over still wait: while there are many the thread reads no more. */
void graphite_waiting(struct graphite *g, size_t points);
unsigned graphite_port(const struct graphite *g, bool pickle);

#endif
