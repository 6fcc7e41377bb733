/*
 * past.c - days that a house did not see itself, for pictures of what it looks like after a while.
 *
 *	past STATE <LINES
 *
 * A line is one day of one component: its id, how many days ago, and the seconds it was operational,
 * degraded, out, unknown and under maintenance. No house may run on STATE meanwhile.
 */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "judge/judge.h"

#define STATES 5

static bool set_day(struct series_store *st, const char *line, int64_t today)
{
	char id[64];
	int64_t ago;
	struct series_states s = {0};
	uint32_t *n = s.seconds;
	if (sscanf(line, "%63s %" SCNd64 " %u %u %u %u %u", id, &ago, &n[0], &n[1], &n[2], &n[3],
		    &n[4]) != 2 + STATES)
		return false;
	for (uint8_t h = 0; h < STATES; h++)
		if (n[h])
			s.worst = h;
	struct series *of = judge_days_series(st, id);
	if (of)
		series_set_states(of, today - ago, &s);
	return of;
}

int main(int argc, char **argv)
{
	struct error err = {0};
	char line[256];
	struct loop *loop = argc == 2 ? loop_new(NULL, &err) : NULL;
	struct series_store *st = loop ? series_open(argv[1], loop, NULL, &err) : NULL;
	if (!st) {
		fprintf(stderr, "%s\n", argc == 2 ? err.msg : "usage: past STATE <LINES");
		return 2;
	}
	const int64_t today = time(NULL) / 86400;
	bool ok = true;
	for (unsigned n = 1; ok && fgets(line, sizeof(line), stdin); n++) {
		ok = set_day(st, line, today);
		if (!ok)
			fprintf(stderr, "line %u: expected an id, days and %d times\n", n, STATES);
	}
	series_settle(st);
	series_close(st);
	loop_free(loop);
	return ok ? 0 : 2;
}
