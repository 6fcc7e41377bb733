/*
 * boots.h - every server that scenarios started, and on which host: what failures have in common,
 * and when each host last showed that it works.
 *
 * A row a server, written when its run has ended, since somebody may get in late; kept 90 days. Hosts
 * are nova's hostId: a digest of the host's name and the project, all that a customer sees of it.
 * Thread: the loop's; boots_read() any.
 */
#ifndef OBSERVE_BOOTS_H
#define OBSERVE_BOOTS_H

#include "observe/scenario/run.h"
#include "store/facts.h"

#define BOOTS_DAYS   90
#define BOOTS_COMMON 3 /* so many failures at least, before they have anything in common */

/* Makes the table. */
bool boots_prepare(struct facts *f, struct error *err) must_check;
/* Those of a run; copied, not waited for. Runs that we stopped ourselves tell nothing. */
void boots_note(
	struct facts *f, const char *cloud, const char *scenario, const struct run_report *report);
/* The same in pieces: the row of a step, owned, or NULL: it tells nothing; then all of a run, which
 * are written together or not at all. Takes the list of them. */
json_t *boots_row(const char *cloud, const char *scenario, const struct run_report *report,
	const struct run_row *row);
void boots_write(struct facts *f, json_t *rows);
/* Takes away what is older. Not waited for. */
void boots_forget(struct facts *f, int64_t before_unix_us);

struct boot_row { /* all pointers are borrowed; NULL where not known */
	int64_t at_ms;
	const char *run, *scenario, *step, *server;
	const char *host, *zone, *image, *flavor, *volume_type;
	bool good;
	const char *fault, *cause; /* of one that is not */
	int64_t ready_ms;          /* from the request until ACTIVE; -1: never */
	const char *phases;        /* JSON: [{"name", "ms"}, ...] */
};

/* Whether a failure says something of the cloud, and with it of the host; of a good one false. */
bool boot_blames_cloud(const struct boot_row *row);

/* Newest first, at most `limit`, those not before `since_ms`; cb returns false to end it.
 * Synchronous. */
bool boots_read(struct facts *f, const char *cloud, int64_t since_ms, size_t limit,
	bool (*cb)(void *arg, const struct boot_row *row), void *arg, struct error *err) must_check;

struct boots_common {
	const char *dimension; /* static: "host" "zone" "volume_type" "image" "flavor" */
	char *value;           /* owned */
	unsigned failed;       /* all of the cloud, and all of them there */
	unsigned came_up;      /* there */
	unsigned elsewhere;    /* came up there */
};

/*
 * What the failed boots of the last 24 hours have in common and the good ones have not, those of
 * `run` among them, which need not be noted yet: as many as are known, {SERVER: the boot of its
 * row}; NULL: of none. Looked for in the order above. False: nothing, or fewer than BOOTS_COMMON
 * failures that are the cloud's. Synchronous.
 */
bool boots_common(struct facts *f, const char *cloud, int64_t now_ms, const char *run,
	const json_t *boots, struct boots_common *ret);
/* "all 3 failures of 24 h were on host 3735..., where 0 of 3 came up; elsewhere 7 of 7 did". Owned.
 */
char *boots_common_text(const struct boots_common *c);
void boots_common_fini(struct boots_common *c);

#endif
