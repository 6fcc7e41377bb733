/*
 * zone.h - local time of a place: a TZif file (RFC 9636) below /usr/share/zoneinfo.
 *
 * The process's own time zone is not touched, since threads share it. Files to 64 KiB are read,
 * their version 2 part, and of the rule behind it the form with days Mm.w.d, which is what there
 * is. Immutable. Thread: any.
 */
#ifndef BASE_ZONE_H
#define BASE_ZONE_H

#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"

#define ZONE_FILE_MAX (64u << 10)

struct zone;

/* NULL name, "" and "UTC" need no file. NULL when there is none, or it is not one. Owned. */
struct zone *zone_load(const char *name, struct error *err) must_check;
/* The bytes of such a file. Owned. */
struct zone *zone_parse(struct slice bytes, struct error *err) must_check;
void zone_free(struct zone *z);
/* What is added to UTC there at that moment (seconds since 1970). */
int64_t zone_offset_s(const struct zone *z, int64_t unix_s);
/* The moment at which clocks there show so many seconds since 1970-01-01 00:00: the first of two;
 * of a time that is skipped, the one that clocks show instead. */
int64_t zone_moment_s(const struct zone *z, int64_t local_s);

#endif
