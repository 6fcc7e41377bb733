/*
 * endpoint_table.h - what is asked of which service: the rows of endpoint.def, changed and added to
 * by `endpoints/NAME.yaml` of the user (docs/endpoints.md). Thread: loaded once, then immutable.
 */
#ifndef OBSERVE_ENDPOINT_TABLE_H
#define OBSERVE_ENDPOINT_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define ENDPOINT_TOKEN "token" /* the row that logs in instead of asking a service */

enum endpoint_at {
	ENDPOINT_ROOT,    /* what the catalog's address is without a version */
	ENDPOINT_VERSION, /* the catalog's address, with a version */
};

struct endpoint_service {
	const char *type, *aliases; /* with spaces between; NULL: none */
	const char *component, *category;
	const char *version; /* put behind an address without one; NULL: none */
};

struct endpoint_row { /* NULL and 0: not said here */
	const char *name;
	const char *service;      /* the service's own type, never an alias of it */
	int at;                   /* enum endpoint_at */
	const char *path;         /* "/…" or "?…" */
	const char *version;      /* instead of the service's */
	const char *good;         /* statuses, with spaces between: "2xx 3xx 401" */
	const char *microversion; /* value of OpenStack-API-Version */
	const char *component, *category;
	bool token, off;
	int64_t every_ns, timeout_ns, slow_ns;
};

struct endpoint_table;

/* Where endpoints/NAME.yaml is looked for: the installed one, ./endpoints, $GLASSHOUSE_ENDPOINTS.
 * Borrows. */
const char *const *endpoint_dirs(void);
/* `dirs` NULL-terminated, may be NULL. Returns owned, or NULL with every error found. */
struct endpoint_table *endpoint_table_load(
	const char *const *dirs, struct error_list *errors) must_check;
void endpoint_table_free(struct endpoint_table *t);
size_t endpoint_table_count(const struct endpoint_table *t);
const struct endpoint_row *endpoint_table_at(const struct endpoint_table *t, size_t i);
const struct endpoint_row *endpoint_table_find(const struct endpoint_table *t, const char *name);

/* By its type or an alias of it; NULL: not one of endpoint.def. */
const struct endpoint_service *endpoint_service_find(const char *type);
/* The heading a component of that name, or id without prefix, stands under; "Other" when nothing is
 * known of it. */
const char *endpoint_category(const char *component);
/* Whether a status is among `good`; NULL: "2xx 3xx". 429 never is. */
bool endpoint_is_good(const char *good, int status);

/* --- between endpoint_table.c and endpoint_read.c ----------------------------------------------
 */

/* The row of that name; NULL if there is none. */
struct endpoint_row *endpoint_table_row(struct endpoint_table *t, const char *name);
struct endpoint_row *endpoint_table_add(struct endpoint_table *t, const char *name);
/* Takes the text for the life of t; returns it. */
const char *endpoint_table_keep(struct endpoint_table *t, char *text);
/* For "did you mean". Borrows. */
const char *const *endpoint_table_names(const struct endpoint_table *t, size_t *ret_n);
void endpoint_read_file(struct endpoint_table *t, const char *path, struct error_list *errors);

#endif
