/* parcels.c - what outposts send, unpacked; and the observations of its notes. What was read has
 * places for all of its series, and observations that can be written and read again. */
#include "fuzz.h"

#include <string.h>

#include "store/observation_code.h"
#include "store/parcel.h"

static void read_notes(struct slice bytes)
{
	struct code_in in = code_in(bytes.p, bytes.n);
	struct observation o, again;

	while (observation_read(&in, &o)) {
		struct buf out = BUF(1 << 20);
		observation_write(&out, &o);
		struct code_in back = code_in(out.p, out.n);
		fuzz_hold(observation_read(&back, &again));
		fuzz_hold(!strcmp(o.probe, again.probe) && o.at_ms == again.at_ms &&
			  o.fault == again.fault && o.status == again.status);
		buf_fini(&out);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct error err = {0};
	const struct slice bytes = slice_from((const char *)p, n);
	struct buf plain = BUF(PARCEL_BYTES);

	read_notes(bytes);
	if (parcel_unpack(bytes, &plain, &err))
		parcel_free(parcel_read(buf_slice(&plain), &err));
	else
		fuzz_hold(err.msg[0]);
	err = (struct error){0};
	struct parcel *parcel = parcel_read(bytes, &err);
	fuzz_hold(parcel || err.msg[0]);
	for (size_t i = 0; parcel && i < parcel->series.n; i++)
		fuzz_hold(parcel_series_place(parcel, parcel->series.p[i].id) == i);
	parcel_free(parcel);
	buf_fini(&plain);
	return 0;
}
