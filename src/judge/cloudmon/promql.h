/*
 * promql.h - flags in PromQL: asked of a Prometheus, a value at the end of each minute.
 *
 * A query must give one series at most; several are ERROR_INPUT, which says so. Thread: the loop's.
 */
#ifndef JUDGE_CLOUDMON_PROMQL_H
#define JUDGE_CLOUDMON_PROMQL_H

#include "judge/cloudmon/cloudmon.h"

struct promql;

/* url: http://host:port, /api/v1/query_range below it. */
struct promql *promql_new(
	struct loop *l, const char *url, int64_t timeout_ns, struct error *err) must_check;
void promql_free(struct promql *p); /* what is under way is told so in here */
struct cloudmon_source promql_source(struct promql *p);

#endif
