/* kuma_inside.h - between the files of the importer of Uptime Kuma. */
#ifndef IMPORT_KUMA_INSIDE_H
#define IMPORT_KUMA_INSIDE_H

#include "import/probe.h"

struct kuma {
	struct import *in;
	const struct import_node *monitors, *proxies; /* lists of the backup */
	struct map probes; /* by the number of a monitor: the name of its probe, borrowed */
};

/* --- kuma_schedule.c -------------------------------------------------------------------------- */

/* When a window is, as the keys of an item of `maintenance:` say it. */
struct kuma_schedule {
	char every[24];
	json_t *on;            /* a list, or NULL; owned */
	int32_t at_s;          /* of the day */
	int64_t length_s;      /* elapsed; > 0 */
	bool by_clock;         /* its end is what clocks show: `until` */
	char from[16], to[16]; /* dates, "" */
	bool counted;          /* every so many days of `from` on */
	unsigned left_out;     /* days that cannot be said */
};
/* Of one maintenance. NULL, or why our words cannot say it; `on` is to be freed either way. */
const char *kuma_schedule_read(const struct import_node *item, struct kuma_schedule *ret);

/* --- the others -------------------------------------------------------------------------------- */

void kuma_monitor(struct kuma *k, const struct import_node *item);
/* One of `maintenanceList`; all monitors were taken before. */
void kuma_window(struct kuma *k, const struct import_node *item);
void kuma_http(struct kuma *k, struct import_probe *p, const struct import_node *item);
/* For texts that hold JSON themselves: owned, NULL when there is none, or it is none. */
json_t *kuma_json(const struct import_node *n);
void kuma_notifications(struct kuma *k, const struct import_node *list);

#endif
