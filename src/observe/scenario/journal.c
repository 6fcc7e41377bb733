/*
 * journal.c - the runs and objects of scenarios as rows of facts.db; see journal.h.
 *
 * Row ids are drawn here (63 random bits), not by the database, so that an object has its id before
 * its row is durable and later updates need not wait for it: rows of one journal are written in
 * order by one thread.
 */

#include "observe/scenario/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"
#include "base/secret.h"
#include "store/facts.h"

static const struct facts_migration migrations[] = {
	{1, "CREATE TABLE scenario_run(run TEXT PRIMARY KEY, scenario TEXT NOT NULL,"
	    " cloud TEXT NOT NULL, project TEXT NOT NULL, instance TEXT NOT NULL,"
	    " began INTEGER NOT NULL, ended INTEGER, verdict TEXT, report TEXT);"
	    "CREATE TABLE object(id INTEGER PRIMARY KEY, run TEXT NOT NULL, step TEXT NOT NULL,"
	    " kind TEXT NOT NULL, idx INTEGER NOT NULL, attempt INTEGER NOT NULL, name TEXT, mark TEXT,"
	    " cloud_id TEXT, request_id TEXT, path TEXT, fate INTEGER NOT NULL, note TEXT,"
	    " created INTEGER NOT NULL, changed INTEGER NOT NULL);"
	    "CREATE INDEX object_run ON object(run);"
	    "CREATE INDEX object_fate ON object(fate);"},
	/* `report` of a run became its summary: long texts beside it would be read through for
	   every list of runs. */
	{2, "CREATE TABLE run_report(run TEXT PRIMARY KEY, began INTEGER NOT NULL,"
	    " report TEXT NOT NULL);"
	    "CREATE INDEX run_report_began ON run_report(began);"
	    "CREATE INDEX scenario_run_began ON scenario_run(began);"
	    "CREATE INDEX scenario_run_scenario ON scenario_run(scenario, began);"},
	{3, "ALTER TABLE object ADD COLUMN service_request_id TEXT;"
	    "ALTER TABLE object ADD COLUMN seen TEXT;"
	    "ALTER TABLE object ADD COLUMN fix TEXT;"
	    "ALTER TABLE object ADD COLUMN admin_since INTEGER;"
	    "CREATE INDEX object_cloud_id ON object(cloud_id);"
	    "CREATE INDEX object_created ON object(created);"},
};

static const char *const fate_names[] = {
	"intent", "created", "deleted", "refused", "leaked", "unsure", "needs-admin", "kept"};

const char *object_fate_name(enum object_fate f)
{
	return fate_names[f];
}

bool object_fate_parse(struct slice name, enum object_fate *ret)
{
	for (size_t i = 0; i < array_len(fate_names); i++)
		if (slice_is(name, fate_names[i])) {
			*ret = (enum object_fate)i;
			return true;
		}
	return false;
}

struct journal {
	struct facts *facts;
	char *dir; /* of the lock files */
};

struct journal_run {
	struct journal *journal;
	char *run;
	int64_t began_unix_us;
	int lock_fd;
};

struct journal *journal_new(struct facts *f, const char *dir, struct error *err)
{
	if (!facts_migrate(f, "observe", migrations, array_len(migrations), err))
		return NULL;
	struct journal *j = mem_new(struct journal);
	j->facts = f;
	j->dir = mem_printf("%s/runs", dir);
	if (mkdir(j->dir, 0700) != 0 && errno != EEXIST) {
		error_sys(err, errno, "cannot make %s", j->dir);
		journal_free(j);
		return NULL;
	}
	return j;
}

struct facts *journal_facts(const struct journal *j)
{
	return j->facts;
}

void journal_free(struct journal *j)
{
	if (!j)
		return;
	free(j->dir);
	free(j);
}

/* --- one write: parameters copied, run on the facts thread ------------------------------------ */

#define COLUMNS_MAX 16

struct write {
	const char *sql;
	struct facts_value values[COLUMNS_MAX];
	char *texts[COLUMNS_MAX]; /* what the values point to */
	size_t n;
	const char *change; /* kind of the change row, or NULL */
	char *change_id;
	int64_t revision;
	void (*done)(void *arg, const struct error *err);
	void *arg;
	struct journal_run *ends; /* freed, its lock dropped, after the commit */
	struct write *with;       /* one more statement of the same job, or NULL */
};

static struct write *write_new(const char *sql)
{
	struct write *w = mem_new(struct write);
	w->sql = sql;
	return w;
}

static void add_text(struct write *w, const char *s)
{
	w->texts[w->n] = mem_strdup(s);
	w->values[w->n] = FACTS_T(w->texts[w->n]);
	w->n++;
}

static void add_int(struct write *w, int64_t i)
{
	w->values[w->n++] = FACTS_I(i);
}

static void add_json(struct write *w, const json_t *j)
{
	char *text = j ? json_text(j) : NULL;
	w->texts[w->n] = text;
	w->values[w->n] = FACTS_T(text);
	w->n++;
}

static void write_free(struct write *w)
{
	if (w->with)
		write_free(w->with);
	for (size_t i = 0; i < w->n; i++)
		free(w->texts[i]);
	free(w->change_id);
	free(w);
}

static bool do_write(struct facts_tx *tx, void *arg, struct error *err)
{
	struct write *w = arg;
	if (!facts_run(tx, w->sql, w->values, w->n, err))
		return false;
	if (w->with && !do_write(tx, w->with, err))
		return false;
	return !w->change ||
	       facts_change(tx, w->change, w->change_id, w->revision, AUDIENCE_OPERATORS, err);
}

static void written(void *arg, const struct error *err)
{
	struct write *w = arg;
	if (w->ends) {
		char *path = mem_printf("%s/%s", w->ends->journal->dir, w->ends->run);
		unlink(path);
		free(path);
		close(w->ends->lock_fd);
		free(w->ends->run);
		free(w->ends);
	}
	if (w->done)
		w->done(w->arg, err);
	write_free(w);
}

static void submit(struct journal *j, struct write *w)
{
	facts_submit(j->facts, do_write, w, written);
}

/* --- runs ------------------------------------------------------------------------------------- */

static int take_lock(struct journal *j, const char *run)
{
	char *path = mem_printf("%s/%s", j->dir, run);
	const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	free(path);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

bool journal_run_alive(struct journal *j, const char *run)
{
	char *path = mem_printf("%s/%s", j->dir, run);
	const int fd = open(path, O_RDWR | O_CLOEXEC);
	free(path);
	if (fd < 0)
		return false;
	/* shared, so that two who ask at once do not take each other for the run */
	const bool held = flock(fd, LOCK_SH | LOCK_NB) != 0;
	close(fd);
	return held;
}

struct journal_run *journal_run_begin(struct journal *j, const char *run, const char *scenario,
	const char *cloud, const char *project, const char *instance,
	void (*done)(void *arg, const struct error *err), void *arg)
{
	struct journal_run *r = mem_new(struct journal_run);
	r->journal = j;
	r->run = mem_strdup(run);
	/* Without the lock another process would take the run for dead; the row then fails too,
	 * since a directory that cannot be written cannot hold facts.db either. */
	r->lock_fd = take_lock(j, run);
	struct write *w = write_new(
		"INSERT INTO scenario_run(run, scenario, cloud, project, instance,"
		" began) VALUES(?, ?, ?, ?, ?, ?)");
	add_text(w, run);
	add_text(w, scenario);
	add_text(w, cloud);
	add_text(w, project ? project : "");
	add_text(w, instance);
	r->began_unix_us = clock_unix_us(&clock_system);
	add_int(w, r->began_unix_us);
	w->change = "run";
	w->change_id = mem_strdup(run);
	w->revision = 1;
	w->done = done;
	w->arg = arg;
	submit(j, w);
	return r;
}

static void add_end(struct write *w, const char *run, const char *verdict, const json_t *summary)
{
	add_int(w, clock_unix_us(&clock_system));
	add_text(w, verdict);
	add_json(w, summary);
	add_text(w, run);
	w->change = "run";
	w->change_id = mem_strdup(run);
	w->revision = 2;
}

void journal_run_end(struct journal_run *r, const struct journal_result *result,
	void (*done)(void *arg, const struct error *err), void *arg)
{
	struct write *w = write_new(
		"UPDATE scenario_run SET ended = ?, verdict = ?, report = ? WHERE run = ?");
	add_end(w, r->run, result->verdict, result->summary);
	if (result->report) {
		w->with = write_new("INSERT INTO run_report(run, began, report) VALUES(?, ?, ?)");
		add_text(w->with, r->run);
		add_int(w->with, r->began_unix_us);
		add_text(w->with, result->report);
	}
	w->done = done;
	w->arg = arg;
	w->ends = r;
	submit(r->journal, w);
}

static bool bury_row(void *arg, const struct facts_row *row)
{
	struct journal *j = arg;
	const char *run = facts_text(row, 0);
	if (journal_run_alive(j, run))
		return true;
	json_t *summary = json_pack("{s:s}", "error", "interrupted: the program ended before it");
	struct write *w = write_new(
		"UPDATE scenario_run SET ended = ?, verdict = ?, report = ? WHERE run = ?"
		" AND ended IS NULL");
	add_end(w, run, "unknown", summary);
	submit(j, w);
	json_decref(summary);
	char *lock = mem_printf("%s/%s", j->dir, run);
	unlink(lock);
	free(lock);
	return true;
}

void journal_bury(struct journal *j, const char *cloud, const char *instance)
{
	const struct facts_value v[] = {FACTS_T(cloud), FACTS_T(instance)};
	struct error err = {0};
	/* What cannot be read now is buried another time. */
	(void)!facts_query(j->facts,
		"SELECT run FROM scenario_run WHERE ended IS NULL AND cloud = ? AND instance = ?",
		v, array_len(v), bury_row, j, &err);
}

void journal_forget_reports(struct journal *j, int64_t before_unix_us)
{
	struct write *w = write_new("DELETE FROM run_report WHERE began < ?");
	add_int(w, before_unix_us);
	submit(j, w);
}

/* --- objects ---------------------------------------------------------------------------------- */

void journal_intend(struct journal_run *r, const struct journal_object *o, int64_t *ret_id,
	void (*done)(void *arg, const struct error *err), void *arg)
{
	const int64_t id = (int64_t)(random_u64(&random_system) >> 1);
	const int64_t now = clock_unix_us(&clock_system);
	struct write *w = write_new(
		"INSERT INTO object(id, run, step, kind, idx, attempt, name, mark, cloud_id, request_id,"
		" path, fate, created, changed) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
	add_int(w, id);
	add_text(w, o->run);
	add_text(w, o->step);
	add_text(w, o->kind);
	add_int(w, o->index);
	add_int(w, o->attempt);
	add_text(w, o->name);
	add_text(w, o->mark);
	add_text(w, o->cloud_id);
	add_text(w, o->request_id);
	add_json(w, o->path);
	add_int(w, o->fate);
	add_int(w, now);
	add_int(w, now);
	w->done = done;
	w->arg = arg;
	*ret_id = id;
	submit(r->journal, w);
}

/* A row of the feed, where this update makes it need an administrator or makes an end of that. */
static struct write *change_of_need(int64_t id, enum object_fate fate, int64_t now)
{
	struct write *w = write_new(
		"INSERT INTO change(at, kind, id, revision, audience)"
		" SELECT ?, 'object', id, ?, ? FROM object WHERE id = ? AND (fate = ?) <> ?");
	add_int(w, now);
	add_int(w, now); /* each is newer than the last */
	add_int(w, AUDIENCE_OPERATORS);
	add_int(w, id);
	add_int(w, OBJECT_NEEDS_ADMIN);
	add_int(w, fate == OBJECT_NEEDS_ADMIN);
	return w;
}

static json_t *seen_json(const struct journal_seen *s)
{
	if (!s)
		return NULL;
	char *message = secret_scrubbed(s->message);
	json_t *o = json_pack("{s:s?, s:s?, s:s?, s:i, s:s?, s:s?, s:s?}", "state", s->state,
		"holder", s->holder, "service", s->service, "status", s->status, "message", message,
		"request_id", s->request_id, "service_request_id", s->service_request_id);
	free(message);
	return o;
}

void journal_stuck(struct journal *j, int64_t id, enum object_fate fate, const char *cloud_id,
	const json_t *path, const char *note, const struct journal_seen *seen)
{
	const int64_t now = clock_unix_us(&clock_system);
	char *clean = secret_scrubbed(note); /* services repeat what they refuse */
	const bool needs = fate == OBJECT_NEEDS_ADMIN;
	json_t *saw = seen_json(seen);
	struct write *w = change_of_need(id, fate, now);
	w->with = write_new(
		"UPDATE object SET fate = ?, cloud_id = COALESCE(?, cloud_id),"
		" path = COALESCE(?, path), note = COALESCE(?, note), changed = ?,"
		" seen = COALESCE(?, seen), fix = CASE WHEN ? THEN COALESCE(?, fix) END,"
		" admin_since = CASE WHEN ? THEN COALESCE(admin_since, ?) END WHERE id = ?");
	add_int(w->with, fate);
	add_text(w->with, cloud_id);
	add_json(w->with, path);
	add_text(w->with, clean);
	add_int(w->with, now);
	add_json(w->with, saw);
	add_int(w->with, needs);
	add_text(w->with, seen ? seen->fix : NULL);
	add_int(w->with, needs);
	add_int(w->with, now);
	add_int(w->with, id);
	submit(j, w);
	json_decref(saw);
	free(clean);
}

void journal_update(struct journal *j, int64_t id, enum object_fate fate, const char *cloud_id,
	const json_t *path, const char *note)
{
	journal_stuck(j, id, fate, cloud_id, path, note, NULL);
}

void journal_answered(struct journal *j, int64_t id, const char *service_request_id)
{
	struct write *w = write_new("UPDATE object SET service_request_id = ? WHERE id = ?");
	if (!service_request_id[0]) {
		write_free(w);
		return;
	}
	add_text(w, service_request_id);
	add_int(w, id);
	submit(j, w);
}

static bool nothing(struct facts_tx *tx, void *arg, struct error *err)
{
	return true;
}

struct flush {
	void (*done)(void *arg, const struct error *err);
	void *arg;
};

static void flushed(void *arg, const struct error *err)
{
	struct flush *f = arg;
	f->done(f->arg, err);
	free(f);
}

void journal_flush(struct journal *j, void (*done)(void *arg, const struct error *err), void *arg)
{
	struct flush *f = mem_new(struct flush);
	f->done = done;
	f->arg = arg;
	facts_submit(j->facts, nothing, f, flushed);
}
