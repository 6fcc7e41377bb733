/*
 * series_files.h - the period files: raw-YYYY-Www.db, 10m-YYYY-MM.db, 1h-YYYY.db, days.db.
 *
 * Each is an SQLite file with TABLE block(id INTEGER PRIMARY KEY, data BLOB). In raw files id =
 * (hour << 4 | part) << 32 | series: an hour is written in one go, and rows that are appended fill
 * their pages (ordered by series first, the same rows took a quarter more). In 10m and 1h files id
 * = series << 24 | day << 4 | part, in days.db series << 24 | day: a row is replaced each hour, and
 * read with its neighbours. Rows are added or replaced, never deleted: what is no longer kept goes
 * with its file. Thread: each handle belongs to one thread.
 */
#ifndef STORE_SERIES_FILES_H
#define STORE_SERIES_FILES_H

#include <sqlite3.h>

#include "store/series.h"

enum level { LEVEL_RAW, LEVEL_TEN_MINUTES, LEVEL_HOUR, LEVEL_DAY, LEVELS };

/* Of one slot: 0 (samples), 600,000, 3,600,000, 86,400,000. */
int64_t level_step_ms(enum level level);

struct period {
	enum level level;
	int64_t begin_ms, end_ms;
	char name[32]; /* of its file */
};

/* The period that holds a time. */
struct period period_of(enum level level, int64_t at_ms);
/* Of a file's name; false when it is none of ours. */
bool period_parse(const char *name, struct period *ret);

#define FILES_OPEN 8 /* connections kept by one handle */

struct files;

/* Copies dir. write: files are created. */
struct files *files_new(const char *dir, bool write);
void files_free(struct files *f);
/* The connection of a period, or NULL: with an error, or without one when there is no such file, or
 * nothing in it yet, and the handle does not write. Borrowed; the last FILES_OPEN asked for stay
 * open. A handle that writes renames a file that is no database (NAME.corrupt) and begins a new
 * one. */
sqlite3 *files_open(struct files *f, const struct period *p, struct error *err) must_check;
/* Closes one that is no longer wanted. */
void files_drop(struct files *f, const char *name);
/* Whether the connection's last error, or of NULL that of files_open(), was that another process
 * holds the file: worth another try. */
bool files_is_busy(const struct files *f, sqlite3 *db);
/* Whether the connection's last error says that its file is broken; then it is renamed. */
bool files_move_away_if_rotten(struct files *f, const struct period *p, sqlite3 *db);
const char *files_dir(const struct files *f);
/* Gives up when it returns true: the queries' deadline. Readers only. */
void files_set_interrupt(struct files *f, int (*stop)(void *arg), void *arg);

/* Calls cb for each period's file there is. */
void files_each(const char *dir, void (*cb)(void *arg, const struct period *p), void *arg);

int64_t files_raw_id(uint32_t series, int64_t hour, unsigned part);
int64_t files_id(uint32_t series, int64_t day, unsigned part);
bool files_put(sqlite3 *db, const char *table, int64_t id, struct slice data,
	struct error *err) must_check;
/* Rows of ids [first, last] in order; cb returns false to stop. */
bool files_range(sqlite3 *db, const char *table, int64_t first, int64_t last,
	bool (*cb)(void *arg, int64_t id, struct slice data), void *arg,
	struct error *err) must_check;

#endif
