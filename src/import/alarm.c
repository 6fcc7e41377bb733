#include "import/alarm.h"

#include <string.h>

#include "import/probe.h"
#include "net/url.h"

void import_alarm_add(struct import *in, json_t *alarm)
{
	json_t *list = json_object_get(in->config, "alarms");
	if (!list) {
		list = json_array();
		json_object_set_new(in->config, "alarms", list);
	}
	json_array_append_new(list, alarm);
}

bool import_is_bare(const char *url)
{
	struct url u;
	return url_parse(slice_of(url), &u, NULL) && u.host.n && !u.query.n && !strchr(url, '@') &&
	       !strstr(url, "hooks") && !strstr(url, "discord") && !import_is_secret(url) &&
	       (slice_is(u.scheme, "http") || slice_is(u.scheme, "https"));
}

json_t *import_addresses(const char *text)
{
	json_t *list = json_array();
	struct slice rest = slice_of(text), part;
	while (slice_next(&rest, ',', &part)) {
		part = slice_trim(part);
		if (part.n)
			json_array_append_new(list, json_stringn(part.p, part.n));
	}
	return list;
}
