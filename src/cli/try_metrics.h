/*
 * try_metrics.h - the numbers of `glasshouse try` to one receiver: --influx, --otlp and what goes
 * with them. Thread: the loop's.
 */
#ifndef CLI_TRY_METRICS_H
#define CLI_TRY_METRICS_H

#include "cli/session.h"
#include "observe/scenario/run.h"
#include "tell/metrics.h"

struct try_metrics_options {
	struct metrics_receiver receiver; /* url NULL: none */
	bool influx_only;                 /* an option was given that OTLP has no use for */
};

#define TRY_METRICS_LONG_OPTIONS                                                                   \
	{"influx", required_argument, NULL, 300}, {"otlp", required_argument, NULL, 301},          \
		{"dialect", required_argument, NULL, 302},                                         \
		{"measurement", required_argument, NULL, 303},                                     \
	{                                                                                          \
		"database", required_argument, NULL, 304                                           \
	}
#define TRY_METRICS_USAGE                                                                                \
	"  --influx URL        what is measured, to InfluxDB 1 or telegraf; also the whole address of\n" \
	"                      a /write\n"                                                               \
	"  --otlp URL          the same by OTLP, to a collector's /v1/metrics\n"                         \
	"  --dialect NAME      how points are written: own (default) or oshm\n"                          \
	"  --measurement NAME  of points (default glasshouse; with oshm the cloud's name)\n"             \
	"  --database NAME     of InfluxDB (default glasshouse; with oshm cicd)\n"

/* Whether the option is one of them and good; prints what is wrong. */
bool try_metrics_option(struct try_metrics_options *o, int c, const char *value);
bool try_metrics_good(const struct try_metrics_options *o);

struct try_metrics;

/* What the session's cloud is asked is told from now on. NULL: no receiver is named (then the
 * others do nothing), or *err. */
struct try_metrics *try_metrics_open(
	struct session *s, const struct try_metrics_options *o, struct error *err);
measure_signal try_metrics_take; /* arg: struct try_metrics, or NULL */
/* Whose waits are open; NULL: nobody's. */
void try_metrics_run(struct try_metrics *t, const struct run *r);
/* Sends what waits, 10 s long at most, and says on stderr what was lost. */
void try_metrics_close(struct try_metrics *t);

#endif
