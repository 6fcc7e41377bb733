/*
 * series_files.c - see series_files.h.
 *
 * A rollback journal, not a WAL: a period is one file that can be unlinked or copied, written once
 * an hour. FULL, since the tail lets go of what stands here.
 */

#include "store/series_files.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/vec.h"
#include "store/sqlite.h"

#define BUSY_MS 5000
#define VERSION 1

/* --- periods -----------------------------------------------------------------------------------
 */

int64_t level_step_ms(enum level level)
{
	static const int64_t steps[LEVELS] = {0, 600000, SERIES_HOUR_MS, SERIES_DAY_MS};
	return steps[level];
}

/* Days since 1970 of a date that exists. */
static int64_t day_of(int year, int month, int day)
{
	char text[CLOCK_TEXT];
	int64_t us = 0;
	snprintf(text, sizeof(text), "%04d-%02d-%02dT00:00:00Z", year, month, day);
	if (!clock_parse_rfc3339(text, &us))
		mem_panic("no such date: %s", text);
	return us / 1000 / SERIES_DAY_MS;
}

static void date_of(int64_t day, int *year, int *month)
{
	char text[CLOCK_TEXT];
	clock_rfc3339(day * SERIES_DAY_MS * 1000, text);
	if (sscanf(text, "%4d-%2d", year, month) != 2)
		mem_panic("no date: %s", text);
}

/* ISO 8601: a week belongs to the year of its Thursday. */
static void week_period(struct period *p, int64_t day)
{
	const int64_t monday = day - (day + 3) % 7;
	int year, month;
	date_of(monday + 3, &year, &month);
	const int64_t week = (monday + 3 - day_of(year, 1, 1)) / 7 + 1;
	p->begin_ms = monday * SERIES_DAY_MS;
	p->end_ms = p->begin_ms + 7 * SERIES_DAY_MS;
	snprintf(p->name, sizeof(p->name), "raw-%04d-W%02d.db", year % 10000, (int)week % 100);
}

struct period period_of(enum level level, int64_t at_ms)
{
	struct period p = {.level = level, .begin_ms = INT64_MIN, .end_ms = INT64_MAX};
	const int64_t day = at_ms / SERIES_DAY_MS;
	int year, month;
	date_of(day, &year, &month);
	if (level == LEVEL_RAW) {
		week_period(&p, day);
	} else if (level == LEVEL_TEN_MINUTES) {
		p.begin_ms = day_of(year, month, 1) * SERIES_DAY_MS;
		p.end_ms = (month == 12 ? day_of(year + 1, 1, 1) : day_of(year, month + 1, 1)) *
			   SERIES_DAY_MS;
		snprintf(p.name, sizeof(p.name), "10m-%04d-%02d.db", year % 10000, month % 100);
	} else if (level == LEVEL_HOUR) {
		p.begin_ms = day_of(year, 1, 1) * SERIES_DAY_MS;
		p.end_ms = day_of(year + 1, 1, 1) * SERIES_DAY_MS;
		snprintf(p.name, sizeof(p.name), "1h-%04d.db", year % 10000);
	} else {
		snprintf(p.name, sizeof(p.name), "days.db");
	}
	return p;
}

bool period_parse(const char *name, struct period *ret)
{
	int year, part = 1;
	enum level level;
	int64_t day;
	if (sscanf(name, "raw-%4d-W%2d.db", &year, &part) == 2)
		level = LEVEL_RAW;
	else if (sscanf(name, "10m-%4d-%2d.db", &year, &part) == 2)
		level = LEVEL_TEN_MINUTES;
	else if (sscanf(name, "1h-%4d.db", &year) == 1)
		level = LEVEL_HOUR;
	else
		return false;
	if (year < 1970 || year > 2200 || part < 1 || part > (level == LEVEL_RAW ? 53 : 12))
		return false;
	if (level == LEVEL_RAW) /* the 4th of January is in week 1 */
		day = day_of(year, 1, 4) + 7 * (part - 1);
	else
		day = day_of(year, part, 1);
	if (day < 0)
		return false;
	*ret = period_of(level, day * SERIES_DAY_MS);
	return !strcmp(ret->name, name);
}

void files_each(const char *dir, void (*cb)(void *arg, const struct period *p), void *arg)
{
	DIR *d = opendir(dir);
	VEC(struct period) found = {0};
	struct dirent *e;
	struct period p;
	while (d && (e = readdir(d)))
		if (period_parse(e->d_name, &p))
			vec_push(&found, p);
	if (d)
		closedir(d);
	VEC_EACH (&found, struct period, f)
		cb(arg, f);
	vec_fini(&found);
}

/* --- connections -------------------------------------------------------------------------------
 */

struct open_file {
	char name[32];
	sqlite3 *db;
	uint64_t used;
};

struct files {
	char *dir;
	bool write;
	struct open_file open[FILES_OPEN];
	uint64_t turn;
	bool busy; /* the last that could not be opened was */
	int (*stop)(void *arg);
	void *stop_arg;
};

struct files *files_new(const char *dir, bool write)
{
	struct files *f = mem_new(struct files);
	f->dir = mem_strdup(dir);
	f->write = write;
	return f;
}

static void close_one(struct open_file *o)
{
	sqlite3_close(o->db);
	*o = (struct open_file){0};
}

void files_free(struct files *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < FILES_OPEN; i++)
		close_one(&f->open[i]);
	free(f->dir);
	free(f);
}

void files_drop(struct files *f, const char *name)
{
	for (size_t i = 0; i < FILES_OPEN; i++)
		if (f->open[i].db && !strcmp(f->open[i].name, name))
			close_one(&f->open[i]);
}

const char *files_dir(const struct files *f)
{
	return f->dir;
}

void files_set_interrupt(struct files *f, int (*stop)(void *arg), void *arg)
{
	f->stop = stop;
	f->stop_arg = arg;
	for (size_t i = 0; i < FILES_OPEN; i++)
		if (f->open[i].db)
			sqlite3_progress_handler(f->open[i].db, 1000, stop, arg);
}

static bool take_int(void *arg, const struct facts_row *row)
{
	*(int64_t *)arg = facts_int(row, 0);
	return false;
}

/* Its tables come with its version, in one transaction: without, somebody is about to begin it, or
 * was killed before, and it is as if it were not there. */
static bool is_begun(sqlite3 *db, int64_t version, struct error *err)
{
	int64_t tables = 0;
	return version || (sqlite_rows(db, "SELECT count(*) FROM sqlite_master", NULL, 0, take_int,
				   &tables, err) &&
				  tables);
}

static bool prepare(sqlite3 *db, bool write, const struct period *p, struct error *err)
{
	int64_t version = 0;
	if (!sqlite_rows(db, "PRAGMA user_version", NULL, 0, take_int, &version, err))
		return false;
	if (version > VERSION) {
		error_set(
			err, ERROR_STORE, "%s was written by a newer glasshouse; upgrade", p->name);
		return false;
	}
	if (!write)
		return is_begun(db, version, err) && sqlite_exec(db, "PRAGMA query_only=1", err);
	static const char *const extra[LEVELS] = {
		("CREATE TABLE IF NOT EXISTS sealed(hour INTEGER PRIMARY KEY, parts INTEGER NOT NULL,"
		 " through INTEGER NOT NULL);"),
		"", "",
		"CREATE TABLE IF NOT EXISTS states(id INTEGER PRIMARY KEY, data BLOB NOT NULL);"};
	/* A seal goes through each file once, in the order of its rows. What does not fit waits for
	 * the disk: ten minutes are rewritten most. */
	static const char *const cache[LEVELS] = {"PRAGMA cache_size=-128",
		"PRAGMA cache_size=-256", "PRAGMA cache_size=-128", "PRAGMA cache_size=-128"};
	return sqlite_exec(db,
		       "PRAGMA page_size=16384; PRAGMA secure_delete=OFF;"
		       " PRAGMA journal_mode=DELETE; PRAGMA synchronous=FULL;"
		       "BEGIN IMMEDIATE;"
		       "CREATE TABLE IF NOT EXISTS block(id INTEGER PRIMARY KEY, data BLOB NOT NULL);",
		       err) &&
	       sqlite_exec(db, extra[p->level], err) && sqlite_exec(db, cache[p->level], err) &&
	       sqlite_exec(db, "PRAGMA user_version=1; COMMIT;", err);
}

static struct open_file *place(struct files *f)
{
	struct open_file *oldest = &f->open[0];
	for (size_t i = 0; i < FILES_OPEN; i++) {
		if (!f->open[i].db)
			return &f->open[i];
		if (f->open[i].used < oldest->used)
			oldest = &f->open[i];
	}
	close_one(oldest);
	return oldest;
}

static bool is_rotten(sqlite3 *db)
{
	const int rc = db ? sqlite3_errcode(db) & 0xff : 0;
	return rc == SQLITE_NOTADB || rc == SQLITE_CORRUPT;
}

static bool is_busy(sqlite3 *db)
{
	return db && (sqlite3_errcode(db) & 0xff) == SQLITE_BUSY;
}

bool files_is_busy(const struct files *f, sqlite3 *db)
{
	return db ? is_busy(db) : f->busy;
}

static void move_away(const struct files *f, const char *name)
{
	char *from = mem_printf("%s/%s", f->dir, name);
	char *to = mem_printf("%s/%s.corrupt", f->dir, name);
	char *journal = mem_printf("%s/%s-journal", f->dir, name);
	if (rename(from, to) == 0)
		unlink(journal);
	free(from);
	free(to);
	free(journal);
}

bool files_move_away_if_rotten(struct files *f, const struct period *p, sqlite3 *db)
{
	if (!db || !is_rotten(db))
		return false;
	files_drop(f, p->name);
	move_away(f, p->name);
	return true;
}

static bool open_db(struct files *f, const struct period *p, const char *path, struct open_file *o,
	bool *ret_rotten, struct error *err)
{
	/* Who only reads opens for writing too, where it may: what a process that was killed left
	 * half written must be taken back before anything is read. */
	const int flags = SQLITE_OPEN_READWRITE | (f->write ? SQLITE_OPEN_CREATE : 0);
	const int rc = sqlite3_open_v2(path, &o->db, flags | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc != SQLITE_OK) {
		sqlite_error(o->db, rc, path, err);
	} else {
		sqlite3_busy_timeout(o->db, BUSY_MS);
		sqlite3_extended_result_codes(o->db, 1);
		if (f->stop)
			sqlite3_progress_handler(o->db, 1000, f->stop, f->stop_arg);
		if (prepare(o->db, f->write, p, err))
			return true;
	}
	*ret_rotten = is_rotten(o->db);
	f->busy = is_busy(o->db);
	close_one(o);
	return false;
}

sqlite3 *files_open(struct files *f, const struct period *p, struct error *err)
{
	f->busy = false;
	for (size_t i = 0; i < FILES_OPEN; i++)
		if (f->open[i].db && !strcmp(f->open[i].name, p->name)) {
			f->open[i].used = ++f->turn;
			return f->open[i].db;
		}
	char *path = mem_printf("%s/%s", f->dir, p->name);
	struct open_file *o = NULL;
	bool good = false, rotten = false;
	if (f->write || access(path, F_OK) == 0) {
		o = place(f);
		good = open_db(f, p, path, o, &rotten, err);
	}
	if (!good && rotten && f->write) {
		move_away(f, p->name);
		good = open_db(f, p, path, o, &rotten, err);
	}
	free(path);
	if (!good)
		return NULL;
	snprintf(o->name, sizeof(o->name), "%s", p->name);
	o->used = ++f->turn;
	return o->db;
}

/* --- rows --------------------------------------------------------------------------------------
 */

int64_t files_raw_id(uint32_t series, int64_t hour, unsigned part)
{
	return (hour << 4 | part) << 32 | series;
}

int64_t files_id(uint32_t series, int64_t day, unsigned part)
{
	return (int64_t)series << 24 | day << 4 | part;
}

bool files_put(sqlite3 *db, const char *table, int64_t id, struct slice data, struct error *err)
{
	char sql[80];
	sqlite3_stmt *stmt = NULL;
	snprintf(sql, sizeof(sql), "INSERT OR REPLACE INTO %s(id, data) VALUES(?, ?)", table);
	int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(stmt, 1, id);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_blob(stmt, 2, data.p, (int)data.n, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc != SQLITE_DONE)
		sqlite_error(db, rc, NULL, err);
	sqlite3_finalize(stmt);
	return rc == SQLITE_DONE;
}

bool files_range(sqlite3 *db, const char *table, int64_t first, int64_t last,
	bool (*cb)(void *arg, int64_t id, struct slice data), void *arg, struct error *err)
{
	char sql[96];
	sqlite3_stmt *stmt = NULL;
	snprintf(sql, sizeof(sql), "SELECT id, data FROM %s WHERE id BETWEEN ? AND ? ORDER BY id",
		table);
	int rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(stmt, 1, first);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(stmt, 2, last);
	while (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const struct slice data = slice_from(
			sqlite3_column_blob(stmt, 1), (size_t)sqlite3_column_bytes(stmt, 1));
		if (!cb(arg, sqlite3_column_int64(stmt, 0), data))
			break;
		rc = SQLITE_OK;
	}
	const bool good = rc == SQLITE_DONE || rc == SQLITE_ROW;
	if (!good)
		sqlite_error(db, rc, NULL, err);
	sqlite3_finalize(stmt);
	return good;
}
