/*
 * outposts_rows.c - what is kept of outposts over a restart: one row each.
 */

#include "base/json.h"
#include "observe/report/outposts_inside.h"

static const struct facts_migration migrations[] = {
	{1, "CREATE TABLE outpost(location TEXT PRIMARY KEY, instance TEXT NOT NULL,"
	    " heard INTEGER NOT NULL, about_id TEXT NOT NULL, about TEXT NOT NULL)"},
};

bool outposts_rows_open(struct outposts *all, struct error *err)
{
	return facts_migrate(all->facts, "outposts", migrations, array_len(migrations), err);
}

static bool on_row(void *arg, const struct facts_row *row)
{
	struct outpost *o = arg;
	struct error err = {0};
	json_t *said = json_parse(slice_of(facts_text(row, 3)), PARCEL_HEAD, &err);
	mem_replace(&o->instance, facts_text(row, 0));
	o->heard_ms = o->stored_ms = facts_int(row, 1);
	outpost_set_about(o, facts_text(row, 2), outposts_about(said));
	json_decref(said);
	return false;
}

void outpost_read(struct outpost *o)
{
	struct error err = {0};
	const struct facts_value v[] = {FACTS_T(o->location)};
	if (!facts_query(o->all->facts,
		    "SELECT instance, heard, about_id, about FROM outpost WHERE location = ?", v, 1,
		    on_row, o, &err))
		o->heard_ms = 0;
}

struct row {
	char *location, *instance, *about_id, *about; /* about NULL: as it is */
	int64_t heard_ms;
};

static void row_free(struct row *r)
{
	free(r->location);
	free(r->instance);
	free(r->about_id);
	free(r->about);
	free(r);
}

static bool write_row(struct facts_tx *tx, void *arg, struct error *err)
{
	struct row *r = arg;
	const struct facts_value all[] = {FACTS_T(r->location), FACTS_T(r->instance),
		FACTS_I(r->heard_ms), FACTS_T(r->about_id), FACTS_T(r->about)};
	const struct facts_value heard[] = {
		FACTS_T(r->instance), FACTS_I(r->heard_ms), FACTS_T(r->location)};
	const bool good =
		r->about ? facts_run(tx,
				   "INSERT INTO outpost(location, instance, heard, about_id, about)"
				   " VALUES(?, ?, ?, ?, ?) ON CONFLICT(location) DO UPDATE SET"
				   " instance = excluded.instance, heard = excluded.heard,"
				   " about_id = excluded.about_id, about = excluded.about",
				   all, array_len(all), err)
			 : facts_run(tx,
				   "UPDATE outpost SET instance = ?, heard = ? WHERE location = ?",
				   heard, array_len(heard), err);
	row_free(r);
	return good;
}

/* What is lost of it the outpost says again. */
void outpost_write(struct outpost *o, bool about)
{
	struct row *r = mem_new(struct row);
	r->location = mem_strdup(o->location);
	r->instance = mem_strdup(o->instance ? o->instance : "");
	r->heard_ms = o->heard_ms;
	if (about) {
		r->about_id = mem_strdup(o->about_id);
		r->about = json_text(o->about);
	}
	o->stored_ms = o->heard_ms;
	facts_submit_light(o->all->facts, write_row, r);
}
