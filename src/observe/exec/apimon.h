/*
 * apimon.h - what APImon's modules and callbacks tell over a socket: a line of JSON each.
 *
 * `__type` says what it is: a metric; a task of a playbook that ended; the sum of a playbook.
 * Other members are not looked at. Thread: any.
 */
#ifndef OBSERVE_EXEC_APIMON_H
#define OBSERVE_EXEC_APIMON_H

#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "observe/ingest/ingest.h"

#define APIMON_NAME_MAX 300
#define APIMON_TEXT_MAX 400 /* bytes of a text for people; longer ones are cut */

enum apimon_type { APIMON_METRIC, APIMON_TASK, APIMON_SUMMARY };
enum apimon_result {
	APIMON_UNDEFINED = -1,
	APIMON_PASSED,
	APIMON_SKIPPED,
	APIMON_IGNORED, /* it failed, and that is ignored */
	APIMON_FAILED
};

struct apimon { /* text is "" where it is not said */
	enum apimon_type type;
	char name[APIMON_NAME_MAX + 1];
	/* metric; of a timer ms */
	enum ingest_metric metric;
	double value;
	char suffix[64], zone[64]; /* availability zone */
	/* task, sum of a playbook */
	enum apimon_result result;
	int64_t duration_ms;
	char action[64], text[APIMON_TEXT_MAX + 1]; /* of a task: what it said of its failure */
	uint64_t passed, failed, skipped, ignored;  /* of a sum */
};

/* False with what is wrong with it. */
bool apimon_read(struct slice line, struct apimon *ret, struct error *err);

/* The names a metric has in StatsD, below `prefix`: calls cb for each with what it adds. A counter
 * and a gauge have one; a timer one, a counter NAME.attempted, and with a suffix a counter of it.
 */
typedef void apimon_named(void *arg, enum ingest_metric metric, const char *name, double value);
void apimon_names(const struct apimon *m, const char *prefix, apimon_named *cb, void *arg);

#endif
