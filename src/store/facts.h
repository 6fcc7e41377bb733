/*
 * facts.h - durable rows: one SQLite file, one writer thread, group commit, a change feed.
 *
 * A job is a function run on the facts thread inside a savepoint of a group commit: all jobs that
 * are waiting when a transaction begins (at most FACTS_GROUP) share its fsync. A job's callback
 * comes on the loop after the commit, so whoever is called back knows the row survives kill -9 and
 * power loss (WAL, synchronous=FULL). A failing job rolls back alone. Several processes may use one
 * directory: a writer waits for the other's transaction.
 * The directory is made 0700, files 0600. SQL is written in the subset that SQLite and PostgreSQL
 * share, with `?` parameters.
 * Thread: the loop's, but where said.
 */
#ifndef STORE_FACTS_H
#define STORE_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "net/loop.h"

#define FACTS_GROUP 256

struct facts;
struct facts_tx;  /* the open transaction, given to jobs */
struct facts_row; /* the row under the cursor */

/* Errors name the path and what to do (another --state directory, free space, an upgrade). */
struct facts *facts_open(const char *dir, struct loop *l, struct error *err) must_check;
/* Runs what is queued, then stops the thread. Callbacks still due are run from in here. */
void facts_close(struct facts *f);

/* --- writing ---------------------------------------------------------------------------------- */

/* On the facts thread. False: err is set, the savepoint is rolled back. */
typedef bool facts_job(struct facts_tx *tx, void *arg, struct error *err);
/* After the commit; err is NULL when it is durable. Called once, never from facts_submit(). */
typedef void facts_done(void *arg, const struct error *err);

/* Takes `arg` until `done` (may be NULL: not waited for; then `fn` must free arg itself). */
void facts_submit(struct facts *f, facts_job *fn, void *arg, facts_done *done);
/* A job without `done` that is worth no fsync: it survives kill -9, but a loss of power only with
 * the next job of another kind. */
void facts_submit_light(struct facts *f, facts_job *fn, void *arg);
/* The same, waiting for the commit: for starting up only, it stops the loop's thread. */
bool facts_call(struct facts *f, facts_job *fn, void *arg, struct error *err) must_check;

enum facts_type { FACTS_NULL, FACTS_INT, FACTS_REAL, FACTS_TEXT };

struct facts_value {
	enum facts_type type;
	int64_t i;
	double x;
	const char *s; /* borrowed; NULL is written as NULL */
};

#define FACTS_I(v) ((struct facts_value){.type = FACTS_INT, .i = (v)})
#define FACTS_T(v) ((struct facts_value){.type = FACTS_TEXT, .s = (v)})

/* One statement with its parameters, inside a job. */
bool facts_run(struct facts_tx *tx, const char *sql, const struct facts_value *values, size_t n,
	struct error *err) must_check;
/* What the transaction sees, its own writes among it. cb as with facts_query(). */
bool facts_read(struct facts_tx *tx, const char *sql, const struct facts_value *values, size_t n,
	bool (*cb)(void *arg, const struct facts_row *row), void *arg,
	struct error *err) must_check;
/* The rowid of the last insert of this job. */
int64_t facts_last_id(const struct facts_tx *tx);

/* --- the change feed -------------------------------------------------------------------------- */

enum audience { AUDIENCE_OPERATORS, AUDIENCE_CUSTOMERS, AUDIENCE_PUBLIC };

/* Writes the row change(seq, at, kind, id, revision, audience) beside the fact itself. */
bool facts_change(struct facts_tx *tx, const char *kind, const char *id, int64_t revision,
	enum audience audience, struct error *err) must_check;

struct facts_change_row {
	int64_t seq, at_unix_us, revision;
	const char *kind, *id;
	enum audience audience;
};

/* Rows after `cursor`, oldest first, at most `limit`, that `audience` may see. cb's pointers are
 * borrowed for the call. Synchronous. */
bool facts_feed(struct facts *f, int64_t cursor, enum audience audience, size_t limit,
	void (*cb)(void *arg, const struct facts_change_row *row), void *arg,
	struct error *err) must_check;
/* A reader's cursor: kept under its name; advance inside the job that has its effect. */
bool facts_cursor_set(
	struct facts_tx *tx, const char *reader, int64_t seq, struct error *err) must_check;
int64_t facts_cursor(struct facts *f, const char *reader); /* 0 when there is none */

/* --- reading ---------------------------------------------------------------------------------- */

int64_t facts_int(const struct facts_row *row, int column);
const char *facts_text(const struct facts_row *row, int column); /* NULL for NULL; borrowed */

/* On a connection of its own, read-only. cb returns false to stop; off the loop's thread it must
 * not query again. Synchronous. Thread: any; others than the loop's share one connection. */
bool facts_query(struct facts *f, const char *sql, const struct facts_value *values, size_t n,
	bool (*cb)(void *arg, const struct facts_row *row), void *arg,
	struct error *err) must_check;

/* --- migrations ------------------------------------------------------------------------------- */

struct facts_migration {
	int version;     /* 1, 2, 3 … without gaps */
	const char *sql; /* statements, separated by ';' */
};

/* Brings the tables of `room` to the newest version, forward only; refuses a file that a newer
 * program has written. */
bool facts_migrate(struct facts *f, const char *room, const struct facts_migration *m, size_t n,
	struct error *err) must_check;

#endif
