/*
 * facts.c - the facts thread and its group commits; see facts.h.
 *
 * The queue is a list under a mutex. The thread takes up to FACTS_GROUP jobs, runs each in a
 * savepoint, commits once, and posts the callbacks to the loop. A commit that fails fails every job
 * of its group.
 */

#include "store/facts.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/sqlite.h"

#define BUSY_MS 15000
/* KiB a connection: what it reads again comes from the system's cache, and of 2 MB, as it would be
 * by itself, each of the three holds all. */
#define CACHE " PRAGMA cache_size=-512;"

struct job {
	struct job *next;
	struct facts *facts;
	facts_job *fn;
	void *arg;
	facts_done *done;
	bool light; /* worth no fsync */
	bool failed;
	struct error err;
	bool *waiter; /* facts_call(): set under the lock */
};

struct facts {
	struct loop *loop;
	char *path;
	sqlite3 *write, *read;
	bool light;    /* `write` commits without fsync; the thread's */
	sqlite3 *side; /* for reading on other threads than the loop's; under side_lock */
	pthread_t thread, loop_thread;
	pthread_mutex_t lock, side_lock;
	pthread_cond_t work, finished;
	struct job *first, **last;
	size_t due; /* callbacks still to run; the loop's */
	bool drained;
	bool stop;
};

/* --- opening ---------------------------------------------------------------------------------- */

static bool make_dir(const char *dir, struct error *err)
{
	if (!dir[0]) {
		error_set(err, ERROR_INPUT, "the directory for facts has no name");
		return false;
	}
	char *path = mem_strdup(dir);
	bool good = true;
	for (char *p = path + 1; good && *p; p++) {
		if (*p != '/')
			continue;
		*p = 0;
		good = mkdir(path, 0755) == 0 || errno == EEXIST || errno == EROFS;
		*p = '/';
	}
	if (good && mkdir(path, 0700) != 0 && errno != EEXIST)
		good = false;
	if (!good)
		error_sys(err, errno, "cannot make the directory %s; choose another with --state",
			dir);
	free(path);
	if (good && access(dir, W_OK | X_OK) != 0) {
		error_sys(err, errno, "cannot write to %s; choose another with --state", dir);
		good = false;
	}
	return good;
}

/* Two programs that open a new file at once both turn it to WAL; SQLite tells one of them that it
 * is busy without waiting for the other. */
static int set_modes(sqlite3 *db)
{
	int rc = SQLITE_BUSY;
	for (int waited = 0; waited < BUSY_MS && (rc & 0xff) == SQLITE_BUSY; waited += 10) {
		if (waited)
			usleep(10000);
		rc = sqlite3_exec(db,
			"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;" CACHE,
			NULL, NULL, NULL);
	}
	return rc;
}

static bool open_file(struct facts *f, sqlite3 **ret, int flags, struct error *err)
{
	int rc = sqlite3_open_v2(f->path, ret, flags | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc == SQLITE_OK) {
		sqlite3_busy_timeout(*ret, BUSY_MS);
		sqlite3_extended_result_codes(*ret, 1);
		rc = set_modes(*ret);
	}
	if (rc != SQLITE_OK)
		sqlite_error(*ret, rc, f->path, err);
	return rc == SQLITE_OK;
}

static void *thread_main(void *arg);

static bool create_feed(struct facts_tx *tx, void *arg, struct error *err)
{
	return sqlite_exec(tx->db,
		"CREATE TABLE IF NOT EXISTS migration(room TEXT PRIMARY KEY, version INTEGER NOT NULL);"
		"CREATE TABLE IF NOT EXISTS change(seq INTEGER PRIMARY KEY, at INTEGER NOT NULL,"
		" kind TEXT NOT NULL, id TEXT NOT NULL, revision INTEGER NOT NULL,"
		" audience INTEGER NOT NULL);"
		"CREATE TABLE IF NOT EXISTS reader(name TEXT PRIMARY KEY, seq INTEGER NOT NULL);",
		err);
}

/* The file is opened for writing all the same: a reader of a WAL takes part in its shared memory.
 */
static bool open_reader(struct facts *f, sqlite3 **ret, struct error *err)
{
	return open_file(f, ret, SQLITE_OPEN_READWRITE, err) &&
	       sqlite_exec(*ret, "PRAGMA query_only=ON", err);
}

static void facts_free(struct facts *f)
{
	sqlite3_close(f->side);
	sqlite3_close(f->read);
	sqlite3_close(f->write);
	pthread_cond_destroy(&f->work);
	pthread_cond_destroy(&f->finished);
	pthread_mutex_destroy(&f->lock);
	pthread_mutex_destroy(&f->side_lock);
	free(f->path);
	free(f);
}

struct facts *facts_open(const char *dir, struct loop *l, struct error *err)
{
	if (!make_dir(dir, err))
		return NULL;
	sqlite_settle();
	struct facts *f = mem_new(struct facts);
	f->loop = l;
	f->path = mem_printf("%s/facts.db", dir);
	f->last = &f->first;
	f->loop_thread = pthread_self();
	pthread_mutex_init(&f->lock, NULL);
	pthread_mutex_init(&f->side_lock, NULL);
	pthread_cond_init(&f->work, NULL);
	pthread_cond_init(&f->finished, NULL);
	const mode_t old = umask(0077);
	const bool good =
		open_file(f, &f->write, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, err) &&
		open_reader(f, &f->read, err) && open_reader(f, &f->side, err);
	umask(old);
	if (!good || pthread_create(&f->thread, NULL, thread_main, f) != 0) {
		if (good)
			error_set(err, ERROR_SYSTEM, "cannot start the facts thread");
		facts_free(f);
		return NULL;
	}
	if (!facts_call(f, create_feed, NULL, err)) {
		facts_close(f);
		return NULL;
	}
	return f;
}

/* --- callbacks, on the loop ------------------------------------------------------------------- */

static void run_done(void *arg)
{
	struct job *j = arg;
	struct facts *f = j->facts;
	loop_release(f->loop);
	f->drained = --f->due == 0;
	j->done(j->arg, j->failed ? &j->err : NULL);
	free(j);
}

static void deliver(struct facts *f, struct job *j)
{
	while (j) {
		struct job *next = j->next;
		if (j->waiter) {
			pthread_mutex_lock(&f->lock);
			*j->waiter = true;
			pthread_cond_broadcast(&f->finished);
			pthread_mutex_unlock(&f->lock);
		} else if (j->done) {
			loop_post(f->loop, run_done, j);
		} else {
			free(j);
		}
		j = next;
	}
}

/* --- the thread ------------------------------------------------------------------------------- */

static struct job *take_group(struct facts *f)
{
	pthread_mutex_lock(&f->lock);
	while (!f->first && !f->stop)
		pthread_cond_wait(&f->work, &f->lock);
	struct job *group = f->first, *last = group;
	for (size_t n = 1; last && last->next && n < FACTS_GROUP; n++)
		last = last->next;
	if (last) {
		f->first = last->next;
		last->next = NULL;
		if (!f->first)
			f->last = &f->first;
	}
	pthread_mutex_unlock(&f->lock);
	return group;
}

static void run_job(struct facts *f, struct job *j)
{
	struct facts_tx tx = {.db = f->write};
	if (!sqlite_exec(f->write, "SAVEPOINT job", &j->err)) {
		j->failed = true;
		return;
	}
	j->failed = !j->fn(&tx, j->arg, &j->err);
	struct error ignored = {0};
	if (j->failed && !sqlite_exec(f->write, "ROLLBACK TO job", &ignored))
		return;
	if (!sqlite_exec(f->write, "RELEASE job", &ignored) && !j->failed) {
		j->failed = true;
		j->err = ignored;
	}
}

static void fail_all(struct job *group, const struct error *err)
{
	for (struct job *j = group; j; j = j->next)
		if (!j->failed) {
			j->failed = true;
			j->err = *err;
		}
}

/* SQLite may answer a full or failing disk by rolling back the whole transaction. What ran before
 * is lost then, and what comes after would commit by itself. */
static bool run_jobs(struct facts *f, struct job *group)
{
	for (struct job *j = group; j; j = j->next) {
		run_job(f, j);
		if (sqlite3_get_autocommit(f->write)) {
			const struct error why = j->err;
			fail_all(group, &why);
			return false;
		}
	}
	return true;
}

/* One job that is worth an fsync is enough. Between transactions the mode can be set at any time.
 */
static bool set_light(struct facts *f, const struct job *group, struct error *err)
{
	bool light = true;
	for (const struct job *j = group; j; j = j->next)
		light &= j->light;
	if (light == f->light)
		return true;
	if (!sqlite_exec(
		    f->write, light ? "PRAGMA synchronous=NORMAL" : "PRAGMA synchronous=FULL", err))
		return false;
	f->light = light;
	return true;
}

static void run_group(struct facts *f, struct job *group)
{
	struct error err = {0};
	if (!set_light(f, group, &err) || !sqlite_exec(f->write, "BEGIN IMMEDIATE", &err)) {
		fail_all(group, &err);
		return;
	}
	if (run_jobs(f, group) && !sqlite_exec(f->write, "COMMIT", &err)) {
		fail_all(group, &err);
		sqlite3_exec(f->write, "ROLLBACK", NULL, NULL, NULL);
	}
}

static void *thread_main(void *arg)
{
	struct facts *f = arg;
	struct job *group;
	while ((group = take_group(f))) {
		run_group(f, group);
		deliver(f, group);
	}
	return NULL;
}

static struct job *job_new(struct facts *f, facts_job *fn, void *arg)
{
	struct job *j = mem_new(struct job);
	j->facts = f;
	j->fn = fn;
	j->arg = arg;
	return j;
}

static void enqueue(struct facts *f, struct job *j)
{
	pthread_mutex_lock(&f->lock);
	assert(!f->stop);
	*f->last = j;
	f->last = &j->next;
	pthread_cond_signal(&f->work);
	pthread_mutex_unlock(&f->lock);
}

void facts_submit(struct facts *f, facts_job *fn, void *arg, facts_done *done)
{
	if (done) { /* what the facts thread does keeps the loop running */
		f->due++;
		f->drained = false;
		loop_hold(f->loop);
	}
	struct job *j = job_new(f, fn, arg);
	j->done = done;
	enqueue(f, j);
}

void facts_submit_light(struct facts *f, facts_job *fn, void *arg)
{
	struct job *j = job_new(f, fn, arg);
	j->light = true;
	enqueue(f, j);
}

bool facts_call(struct facts *f, facts_job *fn, void *arg, struct error *err)
{
	bool finished = false;
	struct job *j = job_new(f, fn, arg);
	j->waiter = &finished;
	enqueue(f, j);
	pthread_mutex_lock(&f->lock);
	while (!finished)
		pthread_cond_wait(&f->finished, &f->lock);
	pthread_mutex_unlock(&f->lock);
	const bool good = !j->failed;
	if (!good && err)
		*err = j->err;
	free(j);
	return good;
}

void facts_close(struct facts *f)
{
	if (!f)
		return;
	/* Before the thread stops: a callback may submit one more job. */
	while (f->due)
		loop_run_until(f->loop, &f->drained);
	pthread_mutex_lock(&f->lock);
	f->stop = true;
	pthread_cond_signal(&f->work);
	pthread_mutex_unlock(&f->lock);
	pthread_join(f->thread, NULL);
	facts_free(f);
}

/* --- statements ------------------------------------------------------------------------------- */

bool facts_run(struct facts_tx *tx, const char *sql, const struct facts_value *values, size_t n,
	struct error *err)
{
	return sqlite_rows(tx->db, sql, values, n, NULL, NULL, err);
}

bool facts_read(struct facts_tx *tx, const char *sql, const struct facts_value *values, size_t n,
	bool (*cb)(void *arg, const struct facts_row *row), void *arg, struct error *err)
{
	return sqlite_rows(tx->db, sql, values, n, cb, arg, err);
}

int64_t facts_last_id(const struct facts_tx *tx)
{
	return sqlite3_last_insert_rowid(tx->db);
}

bool facts_query(struct facts *f, const char *sql, const struct facts_value *values, size_t n,
	bool (*cb)(void *arg, const struct facts_row *row), void *arg, struct error *err)
{
	if (pthread_equal(pthread_self(), f->loop_thread))
		return sqlite_rows(f->read, sql, values, n, cb, arg, err);
	pthread_mutex_lock(&f->side_lock);
	const bool good = sqlite_rows(f->side, sql, values, n, cb, arg, err);
	pthread_mutex_unlock(&f->side_lock);
	return good;
}

/* --- change feed ------------------------------------------------------------------------------ */

bool facts_change(struct facts_tx *tx, const char *kind, const char *id, int64_t revision,
	enum audience audience, struct error *err)
{
	const struct facts_value v[] = {FACTS_I(clock_unix_us(&clock_system)), FACTS_T(kind),
		FACTS_T(id), FACTS_I(revision), FACTS_I(audience)};
	return facts_run(tx,
		"INSERT INTO change(at, kind, id, revision, audience) VALUES(?, ?, ?, ?, ?)", v,
		array_len(v), err);
}

struct feed {
	void (*cb)(void *arg, const struct facts_change_row *row);
	void *arg;
};

static bool feed_row(void *arg, const struct facts_row *row)
{
	const struct feed *f = arg;
	const struct facts_change_row r = {
		.seq = facts_int(row, 0),
		.at_unix_us = facts_int(row, 1),
		.kind = facts_text(row, 2),
		.id = facts_text(row, 3),
		.revision = facts_int(row, 4),
		.audience = (enum audience)facts_int(row, 5),
	};
	f->cb(f->arg, &r);
	return true;
}

bool facts_feed(struct facts *f, int64_t cursor, enum audience audience, size_t limit,
	void (*cb)(void *arg, const struct facts_change_row *row), void *arg, struct error *err)
{
	/* Operators see all, the public only what is public. */
	const struct facts_value v[] = {
		FACTS_I(cursor), FACTS_I(audience), FACTS_I((int64_t)limit)};
	struct feed feed = {cb, arg};
	return facts_query(f,
		"SELECT seq, at, kind, id, revision, audience FROM change"
		" WHERE seq > ? AND audience >= ? ORDER BY seq LIMIT ?",
		v, array_len(v), feed_row, &feed, err);
}

bool facts_cursor_set(struct facts_tx *tx, const char *reader, int64_t seq, struct error *err)
{
	const struct facts_value v[] = {FACTS_T(reader), FACTS_I(seq)};
	return facts_run(tx,
		"INSERT INTO reader(name, seq) VALUES(?, ?)"
		" ON CONFLICT(name) DO UPDATE SET seq = excluded.seq",
		v, array_len(v), err);
}

static bool one_int(void *arg, const struct facts_row *row)
{
	*(int64_t *)arg = facts_int(row, 0);
	return false;
}

int64_t facts_cursor(struct facts *f, const char *reader)
{
	int64_t seq = 0;
	struct error err = {0};
	const struct facts_value v[] = {FACTS_T(reader)};
	if (!facts_query(f, "SELECT seq FROM reader WHERE name = ?", v, 1, one_int, &seq, &err))
		return 0;
	return seq;
}

/* --- migrations ------------------------------------------------------------------------------- */

struct migration {
	const char *room;
	const struct facts_migration *m;
	size_t n;
};

static bool migrate(struct facts_tx *tx, void *arg, struct error *err)
{
	const struct migration *g = arg;
	int64_t version = 0;
	const struct facts_value room = FACTS_T(g->room);
	if (!sqlite_rows(tx->db, "SELECT version FROM migration WHERE room = ?", &room, 1, one_int,
		    &version, err))
		return false;
	if (version > (int64_t)g->n) {
		error_set(err, ERROR_STORE,
			"facts.db was written by a newer glasshouse (%s %lld, this one knows %zu); upgrade",
			g->room, (long long)version, g->n);
		return false;
	}
	if (version == (int64_t)g->n)
		return true; /* nothing is written, so no start waits for the disk */
	for (size_t i = (size_t)version; i < g->n; i++)
		if (!sqlite_exec(tx->db, g->m[i].sql, err)) {
			error_wrap(err, "bringing %s to version %zu", g->room, i + 1);
			return false;
		}
	const struct facts_value v[] = {FACTS_T(g->room), FACTS_I((int64_t)g->n)};
	return facts_run(tx,
		"INSERT INTO migration(room, version) VALUES(?, ?)"
		" ON CONFLICT(room) DO UPDATE SET version = excluded.version",
		v, array_len(v), err);
}

bool facts_migrate(struct facts *f, const char *room, const struct facts_migration *m, size_t n,
	struct error *err)
{
	struct migration g = {room, m, n};
	return facts_call(f, migrate, &g, err);
}
