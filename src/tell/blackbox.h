/*
 * blackbox.h - one run of a probe by the names of blackbox_exporter (0.28), so that what was made
 * for it goes on. Thread: any.
 */
#ifndef TELL_BLACKBOX_H
#define TELL_BLACKBOX_H

#include "base/buf.h"
#include "observe/probe/probe.h"

/* Appends the figures of a run: those of every probe, and those of its kind that are known of it.
 * `took_ns`: from its begin to its end; `now_s`: since 1970, for dates. Without secrets. */
void blackbox_write(struct buf *out, const struct probe_about *about, const struct probe_report *r,
	int64_t took_ns, int64_t now_s);
/* The same for people: why, and what was measured. */
void blackbox_debug(struct buf *out, const struct probe_about *about, const struct probe_report *r,
	int64_t took_ns, int64_t now_s);

#endif
