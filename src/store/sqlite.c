/*
 * sqlite.c - see sqlite.h.
 */

#include "store/sqlite.h"

#include <pthread.h>

static void settle(void)
{
	/* pages one by one as they are read, not 20 at once for each of 16 connections; nobody asks
	 * how much is in use, which every allocation would take a lock for */
	sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

void sqlite_settle(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, settle);
}

void sqlite_error(sqlite3 *db, int rc, const char *path, struct error *err)
{
	const char *what = db ? sqlite3_errmsg(db) : sqlite3_errstr(rc);
	const char *file = path ? path : db ? sqlite3_db_filename(db, "main") : "facts.db";
	const char *hint = "";
	switch (rc & 0xff) {
	case SQLITE_FULL: hint = "; the disk is full: free some space"; break;
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
		hint = "; it cannot be written: choose another directory with --state";
		break;
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT: hint = "; move the file away, what it recorded is lost"; break;
	case SQLITE_BUSY: hint = "; another program holds it"; break;
	default: break;
	}
	error_set(err, ERROR_STORE, "%s: %s%s", file ? file : "facts.db", what, hint);
}

bool sqlite_exec(sqlite3 *db, const char *sql, struct error *err)
{
	const int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);
	if (rc != SQLITE_OK)
		sqlite_error(db, rc, NULL, err);
	return rc == SQLITE_OK;
}

static int bind_value(sqlite3_stmt *stmt, int at, const struct facts_value *v)
{
	switch (v->type) {
	case FACTS_INT: return sqlite3_bind_int64(stmt, at, v->i);
	case FACTS_REAL: return sqlite3_bind_double(stmt, at, v->x);
	case FACTS_TEXT:
		if (v->s)
			return sqlite3_bind_text(stmt, at, v->s, -1, SQLITE_TRANSIENT);
		return sqlite3_bind_null(stmt, at);
	case FACTS_NULL: break;
	}
	return sqlite3_bind_null(stmt, at);
}

bool sqlite_rows(sqlite3 *db, const char *sql, const struct facts_value *values, size_t n,
	bool (*cb)(void *arg, const struct facts_row *row), void *arg, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
	for (size_t i = 0; rc == SQLITE_OK && i < n; i++)
		rc = bind_value(stmt, (int)i + 1, &values[i]);
	const struct facts_row row = {.stmt = stmt};
	bool more = true;
	while (rc == SQLITE_OK && more) {
		const int step = sqlite3_step(stmt);
		if (step == SQLITE_DONE)
			break;
		if (step != SQLITE_ROW)
			rc = step;
		else if (cb)
			more = cb(arg, &row);
	}
	if (rc != SQLITE_OK)
		sqlite_error(db, rc, NULL, err);
	sqlite3_finalize(stmt);
	return rc == SQLITE_OK;
}

int64_t facts_int(const struct facts_row *row, int column)
{
	return sqlite3_column_int64(row->stmt, column);
}

const char *facts_text(const struct facts_row *row, int column)
{
	return (const char *)sqlite3_column_text(row->stmt, column);
}
