/* programs.c - frames of the helper that starts programs, and the messages that programs tell. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "observe/exec/apimon.h"
#include "observe/exec/helper_frame.h"

static void order(struct slice body)
{
	struct error err = {0};
	struct helper_request r;
	struct buf again = BUF(HELPER_BODY_MAX);
	if (!helper_order_read(body, &r, &err)) {
		fuzz_hold(err.msg[0]);
		return;
	}
	fuzz_hold(helper_order_write(&again, &r) && slice_eq(buf_slice(&again), body));
	free((void *)r.argv);
	free((void *)r.env);
	buf_fini(&again);
}

static void end(struct slice body)
{
	struct error err = {0};
	struct helper_end e;
	struct buf again = BUF(HELPER_BODY_MAX);
	if (!helper_end_read(body, &e, &err)) {
		fuzz_hold(err.msg[0]);
		return;
	}
	fuzz_hold(helper_end_write(&again, &e) && slice_eq(buf_slice(&again), body));
	buf_fini(&again);
}

static void on_name(void *arg, enum ingest_metric metric, const char *name, double value)
{
	fuzz_hold(!strncmp(name, "p.", 2) && strlen(name) < 1000 && value == value);
	for (const char *c = name; *c; c++)
		fuzz_hold(*c > ' ' && *c < 0x7f && !strchr(":|@/#;", *c));
}

static void message(struct slice line)
{
	struct error err = {0};
	struct apimon m;
	if (!apimon_read(line, &m, &err)) {
		fuzz_hold(err.msg[0]);
		return;
	}
	fuzz_hold(*m.name && m.result >= APIMON_UNDEFINED && m.result <= APIMON_FAILED);
	fuzz_hold(utf8_valid(slice_of(m.text)) && utf8_valid(slice_of(m.action)));
	if (m.type == APIMON_METRIC)
		apimon_names(&m, "p", on_name, NULL);
}

/* What begins with '{' is a message, everything else frames. */
int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct slice in = slice_from((const char *)p, n);
	struct buf again = BUF(2 * HELPER_BODY_MAX);
	if (n && p[0] == '{') {
		message(in);
		return 0;
	}
	for (;;) {
		struct error err = {0};
		struct helper_frame f;
		const int64_t length = helper_frame_read(in, &f, &err);
		fuzz_hold(length >= -1 && length <= (int64_t)in.n);
		if (length < 0)
			fuzz_hold(err.msg[0]);
		if (length <= 0)
			break;
		buf_clear(&again);
		fuzz_hold(helper_frame_write(&again, f.kind, f.body));
		fuzz_hold(again.n == (size_t)length && !memcmp(again.p, in.p, again.n));
		if (f.kind == HELPER_ORDER)
			order(f.body);
		else if (f.kind == HELPER_ENDED)
			end(f.body);
		else
			message(f.body);
		in = slice_sub(in, (size_t)length, in.n);
	}
	buf_fini(&again);
	return 0;
}
