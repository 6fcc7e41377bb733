/*
 * journal_read.c - what the journal holds, for the ledger, sweeps and pages; see journal.h.
 */

#include "observe/scenario/journal.h"

#include "store/facts.h"

/* --- objects ---------------------------------------------------------------------------------- */

struct reader {
	bool (*cb)(void *arg, const struct journal_object *o);
	void *arg;
};

static bool read_row(void *arg, const struct facts_row *row)
{
	const struct reader *r = arg;
	const char *text = facts_text(row, 10);
	json_t *path = text ? json_parse(slice_of(text), BUF_LINE, NULL) : NULL;
	const struct journal_object o = {
		.id = facts_int(row, 0),
		.run = facts_text(row, 1),
		.step = facts_text(row, 2),
		.kind = facts_text(row, 3),
		.index = (unsigned)facts_int(row, 4),
		.attempt = (unsigned)facts_int(row, 5),
		.name = facts_text(row, 6),
		.mark = facts_text(row, 7),
		.cloud_id = facts_text(row, 8),
		.request_id = facts_text(row, 9),
		.path = path,
		.fate = (enum object_fate)facts_int(row, 11),
		.note = facts_text(row, 12),
		.created_unix_us = facts_int(row, 13),
		.changed_unix_us = facts_int(row, 14),
		.cloud = facts_text(row, 15),
		.project = facts_text(row, 16),
		.instance = facts_text(row, 17),
		.scenario = facts_text(row, 18),
	};
	const bool more = r->cb(r->arg, &o);
	json_decref(path);
	return more;
}

bool journal_objects(struct journal *j, const char *cloud, const char *instance, const char *run,
	bool open_only, bool (*cb)(void *arg, const struct journal_object *o), void *arg,
	struct error *err)
{
	struct reader r = {cb, arg};
	const struct facts_value v[] = {FACTS_T(cloud), FACTS_T(cloud), FACTS_T(instance),
		FACTS_T(instance), FACTS_T(run), FACTS_T(run), FACTS_I(open_only),
		FACTS_I(OBJECT_DELETED), FACTS_I(OBJECT_REFUSED)};
	return facts_query(journal_facts(j),
		"SELECT o.id, o.run, o.step, o.kind, o.idx, o.attempt, o.name, o.mark, o.cloud_id,"
		" o.request_id, o.path, o.fate, o.note, o.created, o.changed, r.cloud, r.project,"
		" r.instance, r.scenario FROM object o JOIN scenario_run r ON r.run = o.run"
		" WHERE (? IS NULL OR r.cloud = ?) AND (? IS NULL OR r.instance = ?)"
		" AND (? IS NULL OR o.run = ?) AND (? = 0 OR o.fate NOT IN (?, ?))"
		" ORDER BY o.created DESC, o.id",
		v, array_len(v), read_row, &r, err);
}

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
