/*
 * sqlite.h - the SQLite calls of this room in one place. Thread: that of the connection.
 */
#ifndef STORE_SQLITE_H
#define STORE_SQLITE_H

#include <sqlite3.h>

#include "store/facts.h"

struct facts_tx {
	sqlite3 *db;
};

struct facts_row {
	sqlite3_stmt *stmt;
};

/* Before the first connection is opened: takes what SQLite keeps ready for a few large databases
 * off our many small ones. Again does nothing. Thread: any. */
void sqlite_settle(void);
/* What went wrong and what to do about it: full disk, read-only, not a database, locked. */
void sqlite_error(sqlite3 *db, int rc, const char *path, struct error *err);
bool sqlite_exec(sqlite3 *db, const char *sql, struct error *err) must_check;
/* Runs one statement; cb (may be NULL) for each row until it returns false. */
bool sqlite_rows(sqlite3 *db, const char *sql, const struct facts_value *values, size_t n,
	bool (*cb)(void *arg, const struct facts_row *row), void *arg,
	struct error *err) must_check;

#endif
