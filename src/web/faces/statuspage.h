/*
 * statuspage.h - what statuspage.c and statuspage_events.c share. All returned owned. Thread: any.
 */
#ifndef WEB_FACES_STATUSPAGE_H
#define WEB_FACES_STATUSPAGE_H

#include <jansson.h>
#include <stdint.h>

json_t *statuspage_id(const char *kind, const char *name);
json_t *statuspage_page_id(const json_t *site);
json_t *statuspage_time(int64_t ms);
/* A component as it stands in lists; null: it is not on the page. */
json_t *statuspage_component(const json_t *site, const char *id);
/* Whether work that is under way concerns it. */
bool statuspage_is_worked_on(const json_t *site, const char *component);

enum statuspage_which {
	STATUSPAGE_ALL,
	STATUSPAGE_UNRESOLVED,
	STATUSPAGE_UPCOMING,
	STATUSPAGE_ACTIVE
};
/* Of kind "incident" or "maintenance". STATUSPAGE_UNRESOLVED: what is not over. */
json_t *statuspage_list(const json_t *site, const char *kind, enum statuspage_which which);

#endif
