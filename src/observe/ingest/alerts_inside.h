/*
 * alerts_inside.h - shared by alerts.c (what fires now) and alerts_rows.c (what is kept).
 */
#ifndef OBSERVE_INGEST_ALERTS_INSIDE_H
#define OBSERVE_INGEST_ALERTS_INSIDE_H

#include "base/vec.h"
#include "observe/ingest/alerts.h"

#define FINGERPRINT_TEXT 17

struct alert_row { /* owned texts */
	char fingerprint[FINGERPRINT_TEXT];
	bool firing;
	int64_t starts_ms, ends_ms; /* ends_ms 0: fires */
	char *labels, *annotations, *url;
};
void alert_row_fini(struct alert_row *r);

/* A change: one that begins to fire, or ends. */
struct alert_batch {
	VEC(struct alert_row) rows;
	struct alerts *alerts;
	bool full;         /* some were not taken */
	alerts_done *done; /* NULL: nobody waits */
	void *arg;
};
void alert_batch_free(struct alert_batch *b);

bool alert_rows_open(struct facts *f, struct error *err);
/* A facts_job: each row as it stands; ends are written to the one that fires. */
bool alert_rows_write(struct facts_tx *tx, void *arg, struct error *err);
/* Those that fire, or the newest `limit` others. */
bool alert_rows_read(struct facts *f, bool firing, size_t limit,
	void (*cb)(void *arg, const struct alert_row *row), void *arg, struct error *err);

#endif
