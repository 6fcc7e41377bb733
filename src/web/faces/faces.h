/*
 * faces.h - documents of the faces that are made from SITE (web/model.h), each returned owned.
 *
 * Thread: any.
 */
#ifndef WEB_FACES_FACES_H
#define WEB_FACES_FACES_H

#include <jansson.h>

#include "base/error.h"
#include "web/pages/files.h"

#define FACE_BODY_MAX (64u << 10) /* of a request that asks something */

struct face_request {               /* borrowed */
	const char *query;          /* raw, "" when there is none */
	const char *type;           /* Content-Type, or NULL */
	const char *scrape_timeout; /* X-Prometheus-Scrape-Timeout-Seconds, or NULL */
	struct slice body;
};

/* Ours: SITE as it is, but for what events said earlier; what /api/ops/v1/openapi.yaml says (part
 * of the program). */
json_t *ops_status(const json_t *site);
const struct web_file *ops_openapi(void);

/* Statuspage v2. */
json_t *statuspage_summary(const json_t *site);
json_t *statuspage_status(const json_t *site);
json_t *statuspage_components(const json_t *site);
json_t *statuspage_incidents(const json_t *site);
json_t *statuspage_unresolved(const json_t *site);
json_t *statuspage_maintenances(const json_t *site);
json_t *statuspage_upcoming(const json_t *site);
json_t *statuspage_active(const json_t *site);

/* Graphite: the parameters of a request as {"target": [...], "from": "...", ...}: target, query and
 * expr are lists, and series, of our own page /explore; all others texts. NULL: *err says what is
 * wrong. */
json_t *graphite_arguments(const struct face_request *r, struct error *err);

/* What GET /api/ops/v1/events asks for, as EVENTS of web/model.h has it. NULL: *err. */
json_t *events_arguments(const struct face_request *r, struct error *err);

/* blackbox_exporter's /probe: {"target", "module", "debug": bool, "limit_ms"}; limit_ms, of the
 * scrape, is left out where it does not say. */
json_t *blackbox_arguments(const struct face_request *r, struct error *err);

#endif
