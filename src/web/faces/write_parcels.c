/*
 * write_parcels.c - what outposts send (store/parcel.h); see writes.h.
 *
 * A parcel is looked into here, where a stranger's bytes can do no harm; the house reads it again.
 */

#include <stdio.h>

#include "store/parcel.h"
#include "web/faces/writes.h"

static void refuse(struct write_out *out, int status, const char *why)
{
	out->status = status;
	snprintf(out->why, sizeof(out->why), "%s", why);
}

static void read_parcel(const struct write_in *in, struct write_out *out)
{
	struct error err = {0};
	if (!in->location) {
		refuse(out, 401, "no outpost has this token");
		return;
	}
	if (!parcel_unpack(in->body, &out->body, &err)) {
		refuse(out, err.kind == ERROR_LIMIT ? 413 : 400, err.msg);
		return;
	}
	struct parcel *p = parcel_read(buf_slice(&out->body), &err);
	if (!p)
		refuse(out, 400, err.msg);
	parcel_free(p);
	out->kind = DOOR_PARCEL;
	out->name = "parcel";
	snprintf(out->first_bad, sizeof(out->first_bad), "%s", in->location);
}

const struct write_face write_parcel = {read_parcel, WRITE_OPS};
