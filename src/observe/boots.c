#include "observe/boots.h"

#include <string.h>

#include "base/secret.h"

#define COMMON_MS  (24LL * 3600 * 1000)
#define COMMON_MAX 1000 /* boots looked at */

static const struct facts_migration migrations[] = {
	{1, "CREATE TABLE boot(cloud TEXT NOT NULL, at INTEGER NOT NULL, run TEXT NOT NULL,"
	    " scenario TEXT NOT NULL, step TEXT NOT NULL, server TEXT NOT NULL, host TEXT, zone TEXT,"
	    " image TEXT, flavor TEXT, volume_type TEXT, good INTEGER NOT NULL, fault TEXT, cause TEXT,"
	    " ready INTEGER NOT NULL, phases TEXT NOT NULL);"
	    "CREATE INDEX boot_cloud ON boot(cloud, at);"
	    "CREATE INDEX boot_at ON boot(at);"},
};

bool boots_prepare(struct facts *f, struct error *err)
{
	return facts_migrate(f, "boots", migrations, array_len(migrations), err);
}

/* --- writing ---------------------------------------------------------------------------------- */

/* A list of rows as JSON: what the facts thread needs, and nothing of the loop's. */
static bool write_rows(struct facts_tx *tx, void *arg, struct error *err)
{
	json_t *rows = arg;
	const json_t *o;
	size_t i;
	bool good = true;
	json_array_foreach (rows, i, o) {
		const struct facts_value v[] = {FACTS_T(json_str(o, "cloud")),
			FACTS_I(json_int(o, "at", 0)), FACTS_T(json_str(o, "run")),
			FACTS_T(json_str(o, "scenario")), FACTS_T(json_str(o, "step")),
			FACTS_T(json_str(o, "server")), FACTS_T(json_str(o, "host")),
			FACTS_T(json_str(o, "zone")), FACTS_T(json_str(o, "image")),
			FACTS_T(json_str(o, "flavor")), FACTS_T(json_str(o, "volume_type")),
			FACTS_I(json_flag(o, "good")), FACTS_T(json_str(o, "fault")),
			FACTS_T(json_str(o, "cause")), FACTS_I(json_int(o, "ready", -1)),
			FACTS_T(json_str(o, "phases_text"))};
		good = good &&
		       facts_run(tx,
			       "INSERT INTO boot(cloud, at, run, scenario, step, server, host, zone,"
			       " image, flavor, volume_type, good, fault, cause, ready, phases)"
			       " VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			       v, array_len(v), err);
	}
	json_decref(rows);
	return good;
}

static int64_t began_ms(const struct run_report *r, const struct run_row *row)
{
	return (r->began_unix_us + (row->start_ns > 0 ? row->start_ns : 0) / NS_PER_US) / 1000;
}

json_t *boots_row(const char *cloud, const char *scenario, const struct run_report *report,
	const struct run_row *row)
{
	if (!row->boot || report->stopped)
		return NULL;
	json_t *o = json_scrubbed(row->boot);
	char *phases = json_text(json_object_get(o, "phases"));
	json_t *more = json_pack("{s:s, s:I, s:s, s:s, s:s, s:I, s:s}", "cloud", cloud, "at",
		(json_int_t)began_ms(report, row), "run", report->label, "scenario", scenario,
		"step", row->name, "ready",
		(json_int_t)(row->state == ELEMENT_READY && row->start_ns >= 0
				     ? (row->ready_ns - row->start_ns) / NS_PER_MS
				     : -1),
		"phases_text", phases);
	json_object_update(o, more);
	json_decref(more);
	free(phases);
	return o;
}

void boots_write(struct facts *f, json_t *rows)
{
	if (json_array_size(rows))
		facts_submit(f, write_rows, rows, NULL);
	else
		json_decref(rows);
}

void boots_note(
	struct facts *f, const char *cloud, const char *scenario, const struct run_report *report)
{
	json_t *rows = json_array();
	for (size_t i = 0; i < report->row_count; i++) {
		json_t *row = boots_row(cloud, scenario, report, &report->rows[i]);
		if (row)
			json_array_append_new(rows, row);
	}
	boots_write(f, rows);
}

static bool forget(struct facts_tx *tx, void *arg, struct error *err)
{
	const int64_t *before_ms = arg;
	const struct facts_value v[] = {FACTS_I(*before_ms)};
	const bool good = facts_run(tx, "DELETE FROM boot WHERE at < ?", v, 1, err);
	free(arg);
	return good;
}

void boots_forget(struct facts *f, int64_t before_unix_us)
{
	int64_t *before_ms = mem_new(int64_t);
	*before_ms = before_unix_us / 1000;
	facts_submit_light(f, forget, before_ms);
}

/* --- reading ---------------------------------------------------------------------------------- */

struct reading {
	bool (*cb)(void *arg, const struct boot_row *row);
	void *arg;
};

static bool read_row(void *arg, const struct facts_row *row)
{
	const struct reading *r = arg;
	const struct boot_row b = {
		.at_ms = facts_int(row, 0),
		.run = facts_text(row, 1),
		.scenario = facts_text(row, 2),
		.step = facts_text(row, 3),
		.server = facts_text(row, 4),
		.host = facts_text(row, 5),
		.zone = facts_text(row, 6),
		.image = facts_text(row, 7),
		.flavor = facts_text(row, 8),
		.volume_type = facts_text(row, 9),
		.good = facts_int(row, 10) != 0,
		.fault = facts_text(row, 11),
		.cause = facts_text(row, 12),
		.ready_ms = facts_int(row, 13),
		.phases = facts_text(row, 14),
	};
	return r->cb(r->arg, &b);
}

bool boots_read(struct facts *f, const char *cloud, int64_t since_ms, size_t limit,
	bool (*cb)(void *arg, const struct boot_row *row), void *arg, struct error *err)
{
	struct reading r = {cb, arg};
	const struct facts_value v[] = {FACTS_T(cloud), FACTS_I(since_ms), FACTS_I((int64_t)limit)};
	return facts_query(f,
		"SELECT at, run, scenario, step, server, host, zone, image, flavor, volume_type, good,"
		" fault, cause, ready, phases FROM boot WHERE cloud = ? AND at >= ?"
		" ORDER BY at DESC LIMIT ?",
		v, array_len(v), read_row, &r, err);
}

/* --- what failures have in common ------------------------------------------------------------- */

enum dimension { HOST, ZONE, VOLUME_TYPE, IMAGE, FLAVOR, DIMENSIONS };

static const struct {
	const char *key, *words;
} dimensions[DIMENSIONS] = {{"host", "on host"}, {"zone", "in zone"},
	{"volume_type", "from volume type"}, {"image", "of image"}, {"flavor", "of flavor"}};

struct tally {
	unsigned failed, came_up;
};

struct counting {
	const char *run; /* whose boots are given; NULL: none's */
	struct tally all;
	struct map values[DIMENSIONS]; /* -> struct tally *, owned */
};

static bool is_clouds(const char *fault_word)
{
	enum fault fault = FAULT_NONE;
	return fault_word && fault_parse(slice_of(fault_word), &fault) &&
	       fault_whose(fault) == WHOSE_CLOUD;
}

bool boot_blames_cloud(const struct boot_row *row)
{
	return !row->good && is_clouds(row->fault);
}

static void count(
	struct counting *c, const char *const values[DIMENSIONS], bool good, const char *fault_word)
{
	if (!good && !is_clouds(fault_word))
		return;
	c->all.failed += !good;
	c->all.came_up += good;
	for (int d = 0; d < DIMENSIONS; d++) {
		if (!values[d])
			continue;
		struct tally *t = map_get(&c->values[d], values[d]);
		if (!t)
			map_put(&c->values[d], values[d], t = mem_new(struct tally));
		t->failed += !good;
		t->came_up += good;
	}
}

static bool count_row(void *arg, const struct boot_row *row)
{
	struct counting *c = arg;
	const char *const values[DIMENSIONS] = {
		row->host, row->zone, row->volume_type, row->image, row->flavor};
	if (!c->run || strcmp(row->run, c->run) != 0)
		count(c, values, row->good, row->fault);
	return true;
}

static void count_boots(struct counting *c, const json_t *boots)
{
	const char *server;
	json_t *b;
	json_object_foreach ((json_t *)(uintptr_t)boots, server, b) {
		const char *const values[DIMENSIONS] = {json_str(b, "host"), json_str(b, "zone"),
			json_str(b, "volume_type"), json_str(b, "image"), json_str(b, "flavor")};
		count(c, values, json_flag(b, "good"), json_str(b, "fault"));
	}
}

/* All failures, most of those who share it failed, and others came up. */
static bool explains(const struct counting *c, const struct tally *t)
{
	const unsigned elsewhere = c->all.came_up - t->came_up;
	return t->failed >= BOOTS_COMMON && t->failed == c->all.failed && t->failed > t->came_up &&
	       elsewhere > 0;
}

static bool find_common(const struct counting *c, struct boots_common *ret)
{
	for (int d = 0; d < DIMENSIONS; d++)
		MAP_EACH (&c->values[d], e) {
			const struct tally *t = e->value;
			if (!explains(c, t))
				continue;
			*ret = (struct boots_common){
				.dimension = dimensions[d].key,
				.value = mem_strdup(e->key),
				.failed = t->failed,
				.came_up = t->came_up,
				.elsewhere = c->all.came_up - t->came_up,
			};
			return true;
		}
	return false;
}

bool boots_common(struct facts *f, const char *cloud, int64_t now_ms, const char *run,
	const json_t *boots, struct boots_common *ret)
{
	struct counting c = {.run = boots ? run : NULL};
	count_boots(&c, boots);
	const bool found =
		boots_read(f, cloud, now_ms - COMMON_MS, COMMON_MAX, count_row, &c, NULL) &&
		find_common(&c, ret);
	for (int d = 0; d < DIMENSIONS; d++) {
		MAP_EACH (&c.values[d], e) {
			free(e->value);
		}
		map_fini(&c.values[d]);
	}
	return found;
}

char *boots_common_text(const struct boots_common *c)
{
	size_t d = 0;
	while (d + 1 < DIMENSIONS && strcmp(dimensions[d].key, c->dimension) != 0)
		d++;
	return mem_printf(
		"all %u failures of 24 h were %s %s, where %u of %u came up; elsewhere "
		"%u of %u did",
		c->failed, dimensions[d].words, c->value, c->came_up, c->came_up + c->failed,
		c->elsewhere, c->elsewhere);
}

void boots_common_fini(struct boots_common *c)
{
	free(c->value);
	*c = (struct boots_common){0};
}
