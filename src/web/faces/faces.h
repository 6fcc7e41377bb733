/*
 * faces.h - documents of the faces that are made from SITE (web/model.h), each returned owned.
 *
 * Thread: any.
 */
#ifndef WEB_FACES_FACES_H
#define WEB_FACES_FACES_H

#include <jansson.h>

#include "web/pages/files.h"

/* Ours: SITE as it is; what /api/ops/v1/openapi.yaml says (part of the program). */
json_t *ops_status(const json_t *site);
const struct web_file *ops_openapi(void);

/* Statuspage v2. There are no declared incidents or maintenances in SITE: their lists are empty. */
json_t *statuspage_summary(const json_t *site);
json_t *statuspage_status(const json_t *site);
json_t *statuspage_components(const json_t *site);
json_t *statuspage_incidents(const json_t *site);
json_t *statuspage_maintenances(const json_t *site);

#endif
