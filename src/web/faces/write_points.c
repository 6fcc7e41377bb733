/*
 * write_points.c - InfluxDB's /write and /api/v2/write, Prometheus' remote write; see writes.h.
 */

#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "base/json.h"
#include "net/http_server.h"
#include "observe/ingest/bodies.h"
#include "web/faces/writes.h"

static void refuse(struct write_out *out, int status, const char *why)
{
	out->status = status;
	snprintf(out->why, sizeof(out->why), "%s", why);
}

/* --- bodies ----------------------------------------------------------------------------------- */

/* zlib tells gzip from its own form. */
static int unpack(struct slice packed, struct buf *out)
{
	char block[16 << 10];
	z_stream z = {.next_in = (Bytef *)(uintptr_t)packed.p, .avail_in = (uInt)packed.n};
	int rc = inflateInit2(&z, 15 + 32);
	while (rc == Z_OK && !out->over) {
		z.next_out = (Bytef *)block;
		z.avail_out = sizeof(block);
		rc = inflate(&z, Z_NO_FLUSH);
		buf_add(out, block, sizeof(block) - z.avail_out);
	}
	inflateEnd(&z);
	return out->over ? 413 : rc == Z_STREAM_END ? 0 : 400;
}

/* 0, or the status to refuse with. `*body` borrows of `plain` where it was packed. */
static int plain_body(const struct write_in *in, struct buf *plain, struct slice *body)
{
	const char *coding = http_header(in->x, "Content-Encoding");
	*body = in->body;
	if (!coding || !coding[0] || slice_is_nocase(slice_of(coding), "identity"))
		return 0;
	if (!slice_is_nocase(slice_of(coding), "gzip"))
		return 415;
	const int status = unpack(in->body, plain);
	*body = buf_slice(plain);
	return status;
}

/* --- points ----------------------------------------------------------------------------------- */

static void pass_points(
	struct write_out *out, const char *source, struct points *p, const struct bad_lines *bad)
{
	out->kind = DOOR_POINTS;
	out->name = source;
	out->bad = bad->n < UINT16_MAX ? (unsigned)bad->n : UINT16_MAX;
	snprintf(out->first_bad, sizeof(out->first_bad), "%s", bad->first);
	points_encode(p, &out->body);
}

static void take(struct write_out *out, const char *source, enum body_read result, struct points *p,
	const struct bad_lines *bad, const struct error *err)
{
	if (result == BODY_TAKEN)
		pass_points(out, source, p, bad);
	else
		refuse(out, result == BODY_LARGE ? 413 : 400, err->msg);
	points_free(p);
}

static void read_influx(const struct write_in *in, struct write_out *out)
{
	struct buf plain = BUF(BODY_DECODED_MAX);
	struct bad_lines bad = {0};
	struct error err = {0};
	struct slice body;
	const int status = plain_body(in, &plain, &body);
	if (status) {
		refuse(out, status,
			status == 413   ? "the body unpacks to more than 16 MiB"
			: status == 415 ? "the body must be plain or packed with gzip"
					: "the body is not packed with gzip");
	} else {
		struct points *p = points_new();
		const enum body_read result =
			influx_read(body, http_argument(in->x, "precision"), p, &bad, &err);
		take(out, "influx", result, p, &bad, &err);
	}
	buf_fini(&plain);
}

static void read_remote(const struct write_in *in, struct write_out *out)
{
	struct bad_lines bad = {0};
	struct error err = {0};
	struct points *p = points_new();
	take(out, "remote_write", remote_write_read(in->body, p, &bad, &err), p, &bad, &err);
}

static void read_ping(const struct write_in *in, struct write_out *out)
{
	refuse(out, 204, "");
}

const struct write_face write_influx = {read_influx, WRITE_INFLUX};
const struct write_face write_influx2 = {read_influx, WRITE_INFLUX2};
const struct write_face write_influx_ping = {read_ping, WRITE_INFLUX};
const struct write_face write_remote = {read_remote, WRITE_TEXT};

/* --- answers ---------------------------------------------------------------------------------- */

static const char *influx_code(int status)
{
	switch (status) {
	case 400: return "invalid";
	case 403: return "forbidden";
	case 413: return "request too large";
	case 429: return "too many requests";
	case 503: return "unavailable";
	default: return "internal error";
	}
}

void write_say(
	enum write_form form, int status, const char *why, struct buf *out, const char **ret_type)
{
	json_t *j = NULL;
	*ret_type = "application/json";
	if (form == WRITE_KUMA)
		j = status < 300 ? json_pack("{s:b}", "ok", 1)
				 : json_pack("{s:b, s:s}", "ok", 0, "msg", why);
	else if (status == 204)
		return;
	else if (form == WRITE_INFLUX || form == WRITE_OPS)
		j = json_pack("{s:s}", "error", why);
	else if (form == WRITE_INFLUX2)
		j = json_pack("{s:s, s:s}", "code", influx_code(status), "message", why);
	if (j) {
		json_write(out, j);
	} else {
		*ret_type = "text/plain; charset=utf-8";
		buf_printf(out, "%s\n", status < 300 && !why[0] ? "OK" : why);
	}
	json_decref(j);
}
