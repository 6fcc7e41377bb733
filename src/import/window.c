/*
 * window.c - see window.h.
 */
#include "import/window.h"

#include <string.h>

#include "base/zone.h"

#define ZONE_LENGTH 64

bool import_is_zone(const char *name)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-/";
	struct error err = {0};
	const size_t n = strlen(name);
	if (!n || n > ZONE_LENGTH || strspn(name, letters) != n)
		return false;
	struct zone *z = zone_load(name, &err);
	zone_free(z);
	return z != NULL;
}

void import_add_window(struct import *in, json_t *item)
{
	json_t *list = json_object_get(in->config, "maintenance");
	if (!list) {
		list = json_array();
		json_object_set_new(in->config, "maintenance", list);
	}
	json_array_append_new(list, item);
}
