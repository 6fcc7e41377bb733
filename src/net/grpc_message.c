/*
 * grpc_message.c - see grpc_message.h.
 */

#include "net/grpc_message.h"

#include <stdint.h>
#include <stdio.h>

#include "net/url.h"

/* --- writing -----------------------------------------------------------------------------------
 */

static void put_varint(struct buf *out, uint64_t n)
{
	while (n >= 0x80) {
		buf_add_char(out, (char)(0x80 | (n & 0x7f)));
		n >>= 7;
	}
	buf_add_char(out, (char)n);
}

void grpc_health_request(struct buf *out, struct slice service)
{
	struct buf message = BUF(BUF_LINE);

	if (service.n) {
		buf_add_char(&message, 0x0a); /* field 1, a string */
		put_varint(&message, service.n);
		buf_add_slice(&message, service);
	}
	buf_add_char(out, 0); /* not compressed */
	for (int shift = 24; shift >= 0; shift -= 8)
		buf_add_char(out, (char)(message.n >> shift));
	buf_add_slice(out, buf_slice(&message));
	buf_fini(&message);
}

/* --- reading -----------------------------------------------------------------------------------
 */

static bool take_varint(struct slice *s, uint64_t *ret)
{
	*ret = 0;
	for (unsigned i = 0; i < 10 && i < s->n; i++) {
		const uint8_t byte = (uint8_t)s->p[i];
		*ret |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (byte < 0x80) {
			*s = slice_sub(*s, i + 1, s->n);
			return true;
		}
	}
	return false;
}

static bool skip_bytes(struct slice *s, uint64_t n)
{
	if (n > s->n)
		return false;
	*s = slice_sub(*s, (size_t)n, s->n);
	return true;
}

/* Of a field that is not ours. */
static bool skip_field(struct slice *s, unsigned type)
{
	uint64_t n;

	switch (type) {
	case 0: return take_varint(s, &n);
	case 1: return skip_bytes(s, 8);
	case 2: return take_varint(s, &n) && skip_bytes(s, n);
	case 5: return skip_bytes(s, 4);
	default: return false;
	}
}

static bool refuse(char *detail, size_t n, const char *why)
{
	snprintf(detail, n, "%s", why);
	return false;
}

bool grpc_health_read(struct slice body, enum grpc_serving *ret, char *detail, size_t detail_n)
{
	const uint8_t *p = (const uint8_t *)body.p;
	uint64_t tag, value = 0;

	if (body.n < 5)
		return refuse(detail, detail_n, "the answer has no whole message");
	if (p[0] != 0)
		return refuse(
			detail, detail_n, "the message is compressed, which nobody agreed to");
	const size_t n = (size_t)p[1] << 24 | (size_t)p[2] << 16 | (size_t)p[3] << 8 | p[4];
	if (body.n - 5 != n)
		return refuse(detail, detail_n, "the answer is not exactly one message");
	struct slice rest = slice_sub(body, 5, n);
	while (rest.n) {
		if (!take_varint(&rest, &tag))
			return refuse(detail, detail_n, "the message is no protobuf");
		if (tag == 0x08 ? !take_varint(&rest, &value)
				: !skip_field(&rest, (unsigned)(tag & 7)))
			return refuse(detail, detail_n, "the message is no protobuf");
	}
	/* What a later version of the protocol may add is unknown to us. */
	*ret = value <= GRPC_SERVICE_UNKNOWN ? (enum grpc_serving)value : GRPC_UNKNOWN;
	return true;
}

const char *grpc_serving_name(enum grpc_serving s)
{
	static const char *const names[] = {"UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"};

	return names[s];
}

const char *grpc_code_name(int code)
{
	static const char *const names[] = {"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT",
		"DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
		"RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE",
		"UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"};

	return code >= 0 && (size_t)code < array_len(names) ? names[code] : "?";
}

void grpc_message_text(struct slice s, struct buf *out)
{
	char *text;

	if (!url_decode(s, false, &text))
		text = slice_dup(s);
	const bool utf8 = utf8_valid(slice_of(text));
	for (const char *c = text; *c; c++) {
		const unsigned char byte = (unsigned char)*c;
		buf_add_char(out, byte < ' ' || byte == 0x7f || (byte >= 0x80 && !utf8) ? '?' : *c);
	}
	free(text);
}
