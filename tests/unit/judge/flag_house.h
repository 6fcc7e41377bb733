/*
 * flag_house.h - CloudMon's rules over a store in virtual time, and stories of what a service does.
 */
#ifndef TESTS_UNIT_JUDGE_FLAG_HOUSE_H
#define TESTS_UNIT_JUDGE_FLAG_HOUSE_H

#include "judge/cloudmon/cloudmon.h"
#include "judge_house.h"

struct flag_house {
	struct judge_house *house;
	struct graphite *graphite;
	struct cloudmon_rules *rules;
	struct cloudmon *cloudmon;
	char *notes;     /* "file:line:col: text\n"... */
	int64_t begin_s; /* of the first minute of a story */
	bool lines;      /* flushes come as lines of Graphite, from a StatsD elsewhere */
};

/* What production has, with the services a, b, c, d in the environment "prod". */
extern const char usual_rules[];

/* Reads config.yaml with this text. */
void flag_house_rules(struct flag_house *f, const char *config);
void flag_house_open(struct flag_house *f, void **state, const char *config);
void flag_house_close(struct flag_house *f);

/* What StatsD flushed of a service in 10 s: counts, and the mean of its answers. */
struct flush {
	double attempted, ok, errors, failed, mean_ms;
};
void flag_house_flush(struct flag_house *f, const char *service, const char *zone, int64_t at_s,
	const struct flush *flush);
/* One letter a minute, six flushes each, with a pass after each; then as long as lateness lasts.
 *	h healthy   s slow   e errors (500)   o outage (refused)   z one of two zones refused
 *	b a fifth refused, and slow   . nothing */
void flag_house_story(struct flag_house *f, const char *service, const char *story);
void flag_house_wait(struct flag_house *f, int64_t seconds); /* with passes */
/* The weights of the minutes of the story, "0012?"; `text` has room for n and a NUL. */
void flag_house_weights(struct flag_house *f, const char *key, size_t n, char *text);

#endif
