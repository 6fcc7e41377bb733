/*
 * alerts_rows.c - the table of alerts; see alerts.h. A row is one time in which an alert fired.
 */

#include <stdio.h>

#include "observe/ingest/alerts_inside.h"

static const struct facts_migration migrations[] = {
	{1, "CREATE TABLE alert(id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL,"
	    " starts_ms INTEGER NOT NULL, ends_ms INTEGER, labels TEXT NOT NULL,"
	    " annotations TEXT NOT NULL, url TEXT NOT NULL);"
	    "CREATE INDEX alert_fingerprint ON alert(fingerprint, ends_ms);"
	    "CREATE INDEX alert_ends ON alert(ends_ms);"},
};

void alert_row_fini(struct alert_row *r)
{
	free(r->labels);
	free(r->annotations);
	free(r->url);
}

void alert_batch_free(struct alert_batch *b)
{
	VEC_EACH (&b->rows, struct alert_row, r)
		alert_row_fini(r);
	vec_fini(&b->rows);
	free(b);
}

bool alert_rows_open(struct facts *f, struct error *err)
{
	return facts_migrate(f, "alerts", migrations, array_len(migrations), err);
}

/* --- writing ---------------------------------------------------------------------------------- */

static bool write_one(struct facts_tx *tx, const struct alert_row *r, struct error *err)
{
	const struct facts_value begun[] = {FACTS_T(r->fingerprint), FACTS_I(r->starts_ms),
		FACTS_T(r->labels), FACTS_T(r->annotations), FACTS_T(r->url)};
	const struct facts_value ended[] = {FACTS_I(r->ends_ms), FACTS_T(r->fingerprint)};
	if (!r->firing)
		return facts_run(tx,
			"UPDATE alert SET ends_ms = ? WHERE fingerprint = ? AND ends_ms IS NULL",
			ended, array_len(ended), err);
	return facts_run(tx,
		"INSERT INTO alert(fingerprint, starts_ms, labels, annotations, url)"
		" VALUES(?, ?, ?, ?, ?)",
		begun, array_len(begun), err);
}

bool alert_rows_write(struct facts_tx *tx, void *arg, struct error *err)
{
	const struct alert_batch *b = arg;
	for (size_t i = 0; i < b->rows.n; i++) {
		const struct alert_row *r = &b->rows.p[i];
		if (!write_one(tx, r, err) || !facts_change(tx, "alert", r->fingerprint,
						      r->firing ? 1 : 2, AUDIENCE_OPERATORS, err))
			return false;
	}
	return true;
}

/* --- reading ---------------------------------------------------------------------------------- */

struct reading {
	void (*cb)(void *arg, const struct alert_row *row);
	void *arg;
};

static bool on_row(void *arg, const struct facts_row *row)
{
	const struct reading *r = arg;
	struct alert_row one = {.starts_ms = facts_int(row, 1),
		.ends_ms = facts_int(row, 2),
		.labels = mem_strdup(facts_text(row, 3)),
		.annotations = mem_strdup(facts_text(row, 4)),
		.url = mem_strdup(facts_text(row, 5))};
	snprintf(one.fingerprint, sizeof(one.fingerprint), "%s", facts_text(row, 0));
	one.firing = !one.ends_ms;
	r->cb(r->arg, &one);
	alert_row_fini(&one);
	return true;
}

#define COLUMNS "SELECT fingerprint, starts_ms, ends_ms, labels, annotations, url FROM alert "

bool alert_rows_read(struct facts *f, bool firing, size_t limit,
	void (*cb)(void *arg, const struct alert_row *row), void *arg, struct error *err)
{
	struct reading r = {cb, arg};
	const struct facts_value v = FACTS_I((int64_t)limit);
	return facts_query(f,
		firing ? COLUMNS "WHERE ends_ms IS NULL ORDER BY id LIMIT ?"
		       : COLUMNS "WHERE ends_ms IS NOT NULL ORDER BY ends_ms DESC LIMIT ?",
		&v, 1, on_row, &r, err);
}
