/* door.c - frames of the doors: what is read is written as the same bytes, and nothing else is. */
#include "fuzz.h"

#include <string.h>

#include "web/door.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct slice in = slice_from((const char *)p, n);
	struct buf again = BUF(DOOR_BODY_MAX + 4096);
	for (;;) {
		struct error err = {0};
		struct door_frame f;
		const int64_t length = door_read(in, &f, &err);
		fuzz_hold(length >= -1 && length <= (int64_t)in.n);
		if (length < 0)
			fuzz_hold(err.msg[0]);
		if (length <= 0)
			break;
		fuzz_hold(f.body.p + f.body.n == in.p + length && f.name.n <= DOOR_WORD_MAX);
		buf_clear(&again);
		fuzz_hold(door_write(&again, &f));
		fuzz_hold(again.n == (size_t)length && !memcmp(again.p, in.p, again.n));
		/* a piece of it is never taken for the whole */
		fuzz_hold(door_read(slice_sub(in, 0, (size_t)length - 1), &f, &err) == 0);
		in = slice_sub(in, (size_t)length, in.n);
	}
	buf_fini(&again);
	return 0;
}
