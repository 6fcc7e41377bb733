/*
 * journal_read.c - what the journal holds of runs; see journal.h.
 */

#include "observe/scenario/journal.h"

#include "store/facts.h"

/* --- runs ------------------------------------------------------------------------------------- */

static struct journal_run_row run_of(const struct facts_row *row, bool with_report)
{
	return (struct journal_run_row){
		.run = facts_text(row, 0),
		.scenario = facts_text(row, 1),
		.cloud = facts_text(row, 2),
		.project = facts_text(row, 3),
		.instance = facts_text(row, 4),
		.began_unix_us = facts_int(row, 5),
		.ended_unix_us = facts_int(row, 6),
		.verdict = facts_text(row, 7),
		.summary = facts_text(row, 8),
		.report = with_report ? facts_text(row, 9) : NULL,
	};
}

struct runs_reader {
	bool (*cb)(void *arg, const struct journal_run_row *row);
	void *arg;
};

static bool read_run(void *arg, const struct facts_row *row)
{
	const struct runs_reader *r = arg;
	const struct journal_run_row run = run_of(row, false);
	return r->cb(r->arg, &run);
}

struct run_reader {
	void (*cb)(void *arg, const struct journal_run_row *row);
	void *arg;
};

static bool read_report(void *arg, const struct facts_row *row)
{
	const struct run_reader *r = arg;
	const struct journal_run_row run = run_of(row, true);
	r->cb(r->arg, &run);
	return false;
}

#define RUN_COLUMNS                                                                                \
	"r.run, r.scenario, r.cloud, r.project, r.instance, r.began, r.ended, r.verdict, r.report"

bool journal_runs(struct facts *f, const char *scenario, const char *cloud, size_t limit,
	bool (*cb)(void *arg, const struct journal_run_row *row), void *arg, struct error *err)
{
	struct runs_reader r = {cb, arg};
	const struct facts_value v[] = {
		FACTS_T(cloud), FACTS_T(cloud), FACTS_I((int64_t)limit), FACTS_T(scenario)};
	if (!scenario)
		return facts_query(f,
			"SELECT " RUN_COLUMNS
			" FROM scenario_run r"
			" WHERE (? IS NULL OR r.cloud = ?) ORDER BY r.began DESC, r.run LIMIT ?",
			v, 3, read_run, &r, err);
	const struct facts_value of_one[] = {v[3], v[0], v[1], v[2]};
	return facts_query(f,
		"SELECT " RUN_COLUMNS
		" FROM scenario_run r WHERE r.scenario = ?"
		" AND (? IS NULL OR r.cloud = ?) ORDER BY r.began DESC, r.run LIMIT ?",
		of_one, array_len(of_one), read_run, &r, err);
}

bool journal_run(struct facts *f, const char *run,
	void (*cb)(void *arg, const struct journal_run_row *row), void *arg, struct error *err)
{
	struct run_reader r = {cb, arg};
	const struct facts_value v[] = {FACTS_T(run)};
	return facts_query(f,
		"SELECT " RUN_COLUMNS
		", t.report FROM scenario_run r"
		" LEFT JOIN run_report t ON t.run = r.run WHERE r.run = ?",
		v, array_len(v), read_report, &r, err);
}
