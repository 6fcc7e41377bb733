/*
 * remote_write.c - Prometheus' remote write: snappy around a protobuf message; see bodies.h.
 *
 *	WriteRequest  1: TimeSeries ...
 *	TimeSeries    1: Label ...   2: Sample ...
 *	Label         1: name        2: value
 *	Sample        1: double      2: int64 ms
 *
 * Five kinds of fields of one message are less than a generated reader: it is written by hand, with
 * the reader of code.h, which never passes the end. Fields of other numbers are skipped, as the
 * format demands.
 */

#include <math.h>
#include <snappy-c.h>
#include <string.h>

#include "observe/ingest/bodies.h"
#include "store/code.h"

enum wire { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

struct field {
	uint64_t number;
	enum wire wire;
	uint64_t value;     /* of VARINT, 64, 32 */
	struct slice bytes; /* of BYTES */
};

struct labels {
	struct slice keys[POINTS_TAGS_MAX], values[POINTS_TAGS_MAX], name;
	size_t n;
	bool many;
};

/* False at the end, or when it is broken: in->bad. */
static bool next_field(struct code_in *in, struct field *ret)
{
	if (!code_left(in))
		return false;
	const uint64_t key = code_varint(in);
	*ret = (struct field){.number = key >> 3, .wire = (enum wire)(key & 7)};
	switch (ret->wire) {
	case WIRE_VARINT: ret->value = code_varint(in); break;
	case WIRE_64: ret->value = code_word(in, 8); break;
	case WIRE_32: ret->value = code_word(in, 4); break;
	case WIRE_BYTES: {
		const uint64_t n = code_varint(in);
		const char *p = (const char *)code_bytes(in, n);
		ret->bytes = slice_from(p ? p : "", p ? (size_t)n : 0);
		break;
	}
	default: in->bad = true;
	}
	return !in->bad;
}

static bool read_label(struct slice bytes, struct labels *l)
{
	struct code_in in = code_in(bytes.p, bytes.n);
	struct field f;
	struct slice key = SLICE(""), value = SLICE("");
	while (next_field(&in, &f)) {
		if (f.wire == WIRE_BYTES && f.number == 1)
			key = f.bytes;
		else if (f.wire == WIRE_BYTES && f.number == 2)
			value = f.bytes;
	}
	if (slice_is(key, "__name__")) {
		l->name = value;
	} else if (l->n == POINTS_TAGS_MAX) {
		l->many = true;
	} else {
		l->keys[l->n] = key;
		l->values[l->n++] = value;
	}
	return !in.bad;
}

static bool read_sample(struct slice bytes, double *ret_value, int64_t *ret_ms)
{
	struct code_in in = code_in(bytes.p, bytes.n);
	struct field f;
	*ret_value = 0; /* what is left out is zero */
	*ret_ms = 0;
	while (next_field(&in, &f)) {
		if (f.wire == WIRE_64 && f.number == 1)
			memcpy(ret_value, &f.value, 8);
		else if (f.wire == WIRE_VARINT && f.number == 2)
			*ret_ms = (int64_t)f.value;
	}
	return !in.bad;
}

/* Labels may stand behind samples: two passes. POINTS_BAD_VALUE: it is broken. */
static enum points_added read_series(struct slice bytes, struct points *p, struct bad_lines *bad)
{
	struct labels l = {.name = SLICE("")};
	struct code_in in = code_in(bytes.p, bytes.n);
	struct field f;
	bool good = true;
	while (good && next_field(&in, &f))
		if (f.wire == WIRE_BYTES && f.number == 1)
			good = read_label(f.bytes, &l);
	if (!good || in.bad)
		return POINTS_BAD_VALUE;
	in = code_in(bytes.p, bytes.n);
	while (next_field(&in, &f)) {
		double value;
		int64_t at_ms;
		if (f.wire != WIRE_BYTES || f.number != 2)
			continue;
		if (!read_sample(f.bytes, &value, &at_ms))
			return POINTS_BAD_VALUE;
		if (!isfinite(value))
			continue;
		const enum points_added a =
			l.many ? POINTS_BAD_TAG
			       : points_add(p, l.name, l.keys, l.values, l.n, at_ms, value);
		if (a == POINTS_FULL)
			return a;
		if (a != POINTS_ADDED)
			bad_lines_add(bad, points_added_text(a), l.name);
	}
	return POINTS_ADDED;
}

static enum body_read read_request(
	struct slice bytes, struct points *p, struct bad_lines *bad, struct error *err)
{
	struct code_in in = code_in(bytes.p, bytes.n);
	struct field f;
	enum points_added a = POINTS_ADDED;
	while (a == POINTS_ADDED && next_field(&in, &f))
		if (f.wire == WIRE_BYTES && f.number == 1)
			a = read_series(f.bytes, p, bad);
	if (a == POINTS_FULL) {
		error_set(err, ERROR_LIMIT,
			"more than %d samples or %u bytes of them in one request: lower"
			" max_samples_per_send",
			POINTS_MAX, POINTS_BYTES);
		return BODY_LARGE;
	}
	if (a == POINTS_ADDED && !in.bad)
		return BODY_TAKEN;
	error_set(err, ERROR_INPUT, "the body is no WriteRequest");
	return BODY_WRONG;
}

enum body_read remote_write_read(
	struct slice body, struct points *p, struct bad_lines *bad, struct error *err)
{
	size_t n;
	if (snappy_uncompressed_length(body.p, body.n, &n) != SNAPPY_OK) {
		error_set(err, ERROR_INPUT, "the body is not packed with snappy");
		return BODY_WRONG;
	}
	if (n > BODY_DECODED_MAX) {
		error_set(err, ERROR_LIMIT, "the body unpacks to more than %u bytes",
			BODY_DECODED_MAX);
		return BODY_LARGE;
	}
	char *plain = mem_alloc(n + 1);
	enum body_read result = BODY_WRONG;
	if (snappy_uncompress(body.p, body.n, plain, &n) == SNAPPY_OK)
		result = read_request(slice_from(plain, n), p, bad, err);
	else
		error_set(err, ERROR_INPUT, "the body is not packed with snappy");
	free(plain);
	return result;
}
