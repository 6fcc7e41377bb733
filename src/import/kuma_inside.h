/* kuma_inside.h - between the files of the importer of Uptime Kuma. */
#ifndef IMPORT_KUMA_INSIDE_H
#define IMPORT_KUMA_INSIDE_H

#include "import/probe.h"

struct kuma {
	struct import *in;
	const struct import_node *monitors, *proxies; /* lists of the backup */
};

void kuma_monitor(struct kuma *k, const struct import_node *item);
void kuma_http(struct kuma *k, struct import_probe *p, const struct import_node *item);
/* For texts that hold JSON themselves: owned, NULL when there is none, or it is none. */
json_t *kuma_json(const struct import_node *n);
void kuma_notifications(struct kuma *k, const struct import_node *list);

#endif
