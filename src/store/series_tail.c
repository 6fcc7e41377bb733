/*
 * series_tail.c - see series_tail.h.
 */

#include "store/series_tail.h"

#include <stdio.h>
#include <unistd.h>

#include "store/sqlite.h"

#define BUSY_MS 5000
/* Both are written at their ends; kept pages would only lie there. */
#define CACHE " PRAGMA cache_size=-256;"

static bool take_int(void *arg, const struct facts_row *row)
{
	*(int64_t *)arg = facts_int(row, 0);
	return false;
}

static bool is_current(
	sqlite3 *db, const char *name, int64_t newest, bool *ret_older, struct error *err)
{
	int64_t version = 0;
	if (!sqlite_rows(db, "PRAGMA user_version", NULL, 0, take_int, &version, err))
		return false;
	*ret_older = version < newest;
	if (version > newest) {
		error_set(err, ERROR_CONFIG, "%s was written by a newer glasshouse; upgrade", name);
		return false;
	}
	return true;
}

static int try_open(const char *path, int flags, sqlite3 **ret)
{
	int rc = sqlite3_open_v2(path, ret, flags | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc == SQLITE_OK) {
		sqlite3_busy_timeout(*ret, BUSY_MS);
		sqlite3_extended_result_codes(*ret, 1);
		rc = sqlite3_exec(*ret, "SELECT count(*) FROM sqlite_master", NULL, NULL, NULL);
	}
	return rc;
}

/* A reader of a WAL takes part in its shared memory, so it opens for writing where it may. On a
 * disk that nobody can write the file cannot change either. */
static int open_db(const struct tail *t, const char *name, sqlite3 **ret, struct error *err)
{
	char *path = mem_printf("%s/%s", t->dir, name);
	const int create = t->read_only ? 0 : SQLITE_OPEN_CREATE;
	int rc = try_open(path, SQLITE_OPEN_READWRITE | create, ret);
	if (rc != SQLITE_OK && t->read_only && access(path, R_OK) == 0) {
		char *uri = mem_printf("file:%s?immutable=1", path);
		sqlite3_close(*ret);
		rc = try_open(uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, ret);
		free(uri);
	}
	if (rc != SQLITE_OK)
		sqlite_error(*ret, rc, path, err);
	free(path);
	return rc;
}

/* What every connection is told, and what makes the tables of a new file or of one of a version
 * before: in one transaction, and not again at each start, which would wait for the disk each time.
 */
struct sql {
	const char *always, *once;
	int64_t version;
};

static bool prepare(
	sqlite3 *db, const char *name, const struct sql *sql, bool read_only, struct error *err)
{
	bool older;
	if (!is_current(db, name, sql->version, &older, err))
		return false;
	return read_only ||
	       (sqlite_exec(db, sql->always, err) && (!older || sqlite_exec(db, sql->once, err)));
}

static const struct sql rows_sql = {
	"PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA secure_delete=OFF;" CACHE,
	"BEGIN IMMEDIATE;"
	"CREATE TABLE IF NOT EXISTS row(seq INTEGER PRIMARY KEY AUTOINCREMENT,"
	" location TEXT NOT NULL, hour INTEGER NOT NULL, data BLOB NOT NULL);"
	"CREATE INDEX IF NOT EXISTS row_hour ON row(hour, seq);"
	"CREATE TABLE IF NOT EXISTS outbox(seq INTEGER PRIMARY KEY, kind INTEGER NOT NULL,"
	" at INTEGER NOT NULL, n INTEGER NOT NULL, data BLOB NOT NULL);"
	"CREATE TABLE IF NOT EXISTS outbox_count(one INTEGER PRIMARY KEY, stream TEXT NOT NULL,"
	" last INTEGER NOT NULL, items INTEGER NOT NULL, bytes INTEGER NOT NULL,"
	" samples INTEGER NOT NULL, too_old INTEGER NOT NULL, too_many INTEGER NOT NULL);"
	"CREATE TABLE IF NOT EXISTS inbox(source TEXT PRIMARY KEY, seq INTEGER NOT NULL);"
	"PRAGMA user_version=2; COMMIT;",
	2,
};
static const struct sql catalog_sql = {
	"PRAGMA synchronous=FULL;" CACHE,
	"BEGIN IMMEDIATE;"
	"CREATE TABLE IF NOT EXISTS series(id INTEGER PRIMARY KEY AUTOINCREMENT, kind INTEGER NOT NULL,"
	" unit TEXT NOT NULL, location TEXT NOT NULL, name TEXT NOT NULL, tags TEXT NOT NULL,"
	" UNIQUE(kind, unit, location, name, tags));"
	"PRAGMA user_version=1; COMMIT;",
	1,
};

static bool is_rotten(sqlite3 *db)
{
	const int rc = db ? sqlite3_errcode(db) & 0xff : 0;
	return rc == SQLITE_NOTADB || rc == SQLITE_CORRUPT;
}

/* What it recorded since the last seal is lost; it stays beside for whoever wants to look. */
static void move_away(struct tail *t)
{
	static const char *const ends[] = {"", "-wal", "-shm"};
	for (size_t i = 0; i < array_len(ends); i++) {
		char *from = mem_printf("%s/tail.db%s", t->dir, ends[i]);
		char *to = mem_printf("%s/tail.db.corrupt%s", t->dir, ends[i]);
		if (rename(from, to) != 0)
			unlink(from);
		free(from);
		free(to);
	}
	t->moved_away = true;
	t->outbox = (struct outbox_state){0};
}

static void close_db(sqlite3 **db)
{
	sqlite3_close(*db);
	*db = NULL;
}

static bool open_rows_once(struct tail *t, struct error *err)
{
	char *path = mem_printf("%s/tail.db", t->dir);
	const bool nothing = t->read_only && access(path, F_OK) != 0;
	free(path);
	if (nothing) /* then nothing is unsealed */
		return sqlite3_open(":memory:", &t->rows) == SQLITE_OK &&
		       sqlite_exec(t->rows, rows_sql.once, err);
	return open_db(t, "tail.db", &t->rows, err) == SQLITE_OK &&
	       prepare(t->rows, "tail.db", &rows_sql, t->read_only, err);
}

static bool open_rows(struct tail *t, struct error *err)
{
	t->numbered = false;
	if (open_rows_once(t, err))
		return true;
	const bool rotten = is_rotten(t->rows) && !t->read_only;
	close_db(&t->rows);
	if (!rotten)
		return false;
	move_away(t);
	t->given = t->given < t->seen ? t->seen : t->given;
	t->seen = 0;
	if (open_rows_once(t, err))
		return true;
	close_db(&t->rows);
	return false;
}

bool tail_open(struct tail *t, struct error *err)
{
	if (!t->catalog &&
		(open_db(t, "catalog.db", &t->catalog, err) != SQLITE_OK ||
			!prepare(t->catalog, "catalog.db", &catalog_sql, t->read_only, err))) {
		close_db(&t->catalog);
		return false;
	}
	return t->rows || open_rows(t, err);
}

void tail_close(struct tail *t)
{
	sqlite3_close(t->rows);
	sqlite3_close(t->catalog);
	t->rows = t->catalog = NULL;
}

/* --- the catalog -------------------------------------------------------------------------------
 */

struct series_rows {
	struct tail *tail;
	void (*cb)(void *arg, const struct tail_series *s);
	void *arg;
};

static bool on_series(void *arg, const struct facts_row *row)
{
	const struct series_rows *r = arg;
	const int64_t id = facts_int(row, 0), kind = facts_int(row, 1);
	r->tail->seen_id = id;
	if (id > 0 && id <= SERIES_ID_MAX && kind >= 0 && kind <= SERIES_DIST) {
		const struct tail_series s = {.id = (uint32_t)id,
			.kind = (enum series_kind)kind,
			.unit = facts_text(row, 2),
			.location = facts_text(row, 3),
			.name = facts_text(row, 4),
			.tags = facts_text(row, 5)};
		r->cb(r->arg, &s);
	}
	return true;
}

bool tail_new_series(struct tail *t, void (*cb)(void *arg, const struct tail_series *s), void *arg,
	struct error *err)
{
	struct series_rows r = {t, cb, arg};
	const struct facts_value v[] = {FACTS_I(t->seen_id), FACTS_I(SERIES_MAX)};
	return sqlite_rows(t->catalog,
		"SELECT id, kind, unit, location, name, tags FROM series WHERE id > ?"
		" ORDER BY id LIMIT ?",
		v, 2, on_series, &r, err);
}

bool tail_series_id(
	struct tail *t, const struct tail_series *s, uint32_t *ret_id, struct error *err)
{
	int64_t id = 0;
	const struct facts_value v[] = {FACTS_I(s->kind), FACTS_T(s->unit), FACTS_T(s->location),
		FACTS_T(s->name), FACTS_T(s->tags)};
	if (!sqlite_rows(t->catalog,
		    "INSERT INTO series(kind, unit, location, name, tags) VALUES(?, ?, ?, ?, ?)"
		    " ON CONFLICT DO NOTHING",
		    v, 5, NULL, NULL, err) ||
		!sqlite_rows(t->catalog,
			"SELECT id FROM series WHERE kind = ? AND unit = ? AND location = ?"
			" AND name = ? AND tags = ?",
			v, 5, take_int, &id, err))
		return false;
	if (id <= 0 || id > SERIES_ID_MAX) {
		error_set(err, ERROR_STORE, "catalog.db has no more ids");
		return false;
	}
	*ret_id = (uint32_t)id;
	return true;
}

/* --- rows --------------------------------------------------------------------------------------
 */

typedef void row_cb(void *arg, int64_t hour, int64_t seq, struct slice data);

/* Calls cb for each row of a statement that gives seq, hour and data, until there were `most` bytes.
 * *ret_last: the last one; *ret_more: there may be others. Both may be NULL. */
static bool each_row(struct tail *t, const char *sql, const int64_t *values, int n, row_cb *cb,
	void *arg, size_t most, int64_t *ret_last, bool *ret_more, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(t->rows, sql, -1, &stmt, NULL);
	for (int i = 0; i < n && rc == SQLITE_OK; i++)
		rc = sqlite3_bind_int64(stmt, i + 1, values[i]);
	size_t bytes = 0;
	while (rc == SQLITE_OK && bytes < most && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const int64_t seq = sqlite3_column_int64(stmt, 0);
		const struct slice data = slice_from(
			sqlite3_column_blob(stmt, 2), (size_t)sqlite3_column_bytes(stmt, 2));
		if (ret_last)
			*ret_last = seq;
		cb(arg, sqlite3_column_int64(stmt, 1), seq, data);
		bytes += data.n;
		rc = SQLITE_OK;
	}
	const bool good = rc == SQLITE_OK || rc == SQLITE_DONE;
	if (!good)
		sqlite_error(t->rows, rc, NULL, err);
	else if (ret_more)
		*ret_more = rc == SQLITE_OK;
	sqlite3_finalize(stmt);
	return good;
}

bool tail_new_rows(struct tail *t, row_cb *cb, void *arg, bool *ret_more, struct error *err)
{
	const int64_t seen = t->seen;
	return each_row(t, "SELECT seq, hour, data FROM row WHERE seq > ? ORDER BY seq", &seen, 1,
		cb, arg, TAIL_PIECE, &t->seen, ret_more, err);
}

bool tail_rows_behind(
	struct tail *t, int64_t hour, int64_t through, row_cb *cb, void *arg, struct error *err)
{
	const int64_t v[] = {hour, through, t->seen};
	return each_row(t,
		"SELECT seq, hour, data FROM row WHERE hour = ? AND seq > ? AND seq <= ?"
		" ORDER BY seq",
		v, 3, cb, arg, SIZE_MAX, NULL, NULL, err);
}

bool tail_begin(struct tail *t, struct error *err)
{
	return sqlite_exec(t->rows, "PRAGMA synchronous=NORMAL; BEGIN IMMEDIATE", err);
}

/* The snapshot is taken by the first that reads. */
bool tail_begin_look(struct tail *t, struct error *err)
{
	if (sqlite_exec(t->rows, "BEGIN; SELECT seq FROM row LIMIT 1", err))
		return true;
	tail_rollback(t);
	return false;
}

bool tail_is_begun(const struct tail *t)
{
	return !sqlite3_get_autocommit(t->rows);
}

bool tail_begin_durable(struct tail *t, struct error *err)
{
	return sqlite_exec(t->rows, "PRAGMA synchronous=FULL; BEGIN IMMEDIATE", err);
}

bool tail_commit(struct tail *t, struct error *err)
{
	return sqlite_exec(t->rows, "COMMIT", err);
}

void tail_rollback(struct tail *t)
{
	t->numbered = false;
	if (t->rows && tail_is_begun(t))
		sqlite3_exec(t->rows, "ROLLBACK", NULL, NULL, NULL);
}

bool tail_number(struct tail *t, int64_t now_ms, struct error *err)
{
	int64_t last = -1, from = t->given;
	if (t->numbered)
		return true;
	if (!sqlite_rows(t->rows, "SELECT seq FROM sqlite_sequence WHERE name = 'row'", NULL, 0,
		    take_int, &last, err))
		return false;
	if (last < 0 && from < now_ms)
		from = now_ms;
	const struct facts_value v[] = {FACTS_I(from)};
	if (last < from &&
		(!sqlite_exec(t->rows, "DELETE FROM sqlite_sequence WHERE name = 'row'", err) ||
			!sqlite_rows(t->rows,
				"INSERT INTO sqlite_sequence(name, seq) VALUES('row', ?)", v, 1,
				NULL, NULL, err)))
		return false;
	t->numbered = true;
	return true;
}

bool tail_add(struct tail *t, const char *location, int64_t hour, struct slice data,
	int64_t *ret_seq, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(
		t->rows, "INSERT INTO row(location, hour, data) VALUES(?, ?, ?)", -1, &stmt, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(stmt, 1, location, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(stmt, 2, hour);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_blob(stmt, 3, data.p, (int)data.n, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc != SQLITE_DONE)
		sqlite_error(t->rows, rc, NULL, err);
	else
		*ret_seq = sqlite3_last_insert_rowid(t->rows);
	sqlite3_finalize(stmt);
	return rc == SQLITE_DONE;
}
