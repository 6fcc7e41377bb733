/*
 * alarm.h - what importers share in making the items of `alarms:`. Thread: one at a time.
 */
#ifndef IMPORT_ALARM_H
#define IMPORT_ALARM_H

#include "import/source.h"

void import_alarm_add(struct import *in, json_t *alarm); /* takes it */
/* Whether an address may stand in a configuration: it is one, and holds no secret. Those of chat
 * services are secrets themselves. */
bool import_is_bare(const char *url);
/* "a@x, b@x" as a list, owned; NULL when there is none, or one that is no address. */
json_t *import_addresses(const char *text);
bool import_is_address(const char *text);
/* {host, from, tls}, owned; NULL: they are no host or no address. */
json_t *import_mail_server(const char *host, int64_t port, bool implicit, const char *from);

#endif
