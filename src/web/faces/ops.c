/*
 * ops.c - our own API: the models of web/model.h as they are, described by openapi.yaml.
 */

#include "web/faces/faces.h"

/* The newest update says how it is; all others are in the event's own document. */
static json_t *events_of(const json_t *events)
{
	json_t *brief = json_array(), *event;
	size_t i;
	json_array_foreach (events, i, event) {
		json_t *one = json_copy(event);
		json_object_del(one, "earlier");
		json_array_append_new(brief, one);
	}
	return brief;
}

json_t *ops_status(const json_t *site)
{
	static const char *const lists[] = {"events", "upcoming"};
	/* the parts are shared, within one thread */
	json_t *status = json_copy((json_t *)site);
	for (size_t i = 0; i < array_len(lists); i++) {
		const json_t *events = json_object_get(site, lists[i]);
		if (events)
			json_object_set_new(status, lists[i], events_of(events));
	}
	return status;
}

const struct web_file *ops_openapi(void)
{
	return web_file_find("openapi.yaml");
}
