/* test_bodies.c - InfluxDB's lines and remote write, read into points. */
#include <snappy-c.h>
#include <stdlib.h>

#include "../check.h"
#include "observe/ingest/bodies.h"
#include "store/code.h"

struct read {
	struct points *points;
	struct bad_lines bad;
	struct error err;
	enum body_read result;
};

static struct read influx(const char *body, const char *precision)
{
	struct read r = {.points = points_new()};

	r.result = influx_read(slice_of(body), precision, r.points, &r.bad, &r.err);
	return r;
}

/* name{tags} value time, of each point. */
static void points_are(const struct read *r, const char *want)
{
	struct buf got = BUF(BUF_LINE);

	for (size_t i = 0; i < points_count(r->points); i++) {
		const struct point p = points_at(r->points, i);
		buf_printf(&got, "%.*s", SLICE_ARG(p.name));
		for (size_t k = 0; k < p.tag_count; k++)
			buf_printf(&got, ",%s=%s", p.tags[k].key, p.tags[k].value);
		buf_printf(&got, " %g ", p.value);
		if (p.at_ms == POINTS_NOW)
			buf_add_str(&got, "now\n");
		else
			buf_printf(&got, "%lld\n", (long long)p.at_ms);
	}
	assert_string_equal(buf_str(&got), want);
	buf_fini(&got);
	points_free(r->points);
}

static void lines_become_points(void **state)
{
	struct read r =
		influx("cpu,host=a,az=1 value=1.5,idle=90i,n=3u,up=t,down=FALSE,note=\"x, y=1\""
		       " 1700000000123999999\r\n\n# comment\nmem free=-2e3\n",
			NULL);

	assert_int_equal(r.result, BODY_TAKEN);
	assert_int_equal(r.bad.n, 0);
	points_are(&r,
		"cpu,az=1,host=a 1.5 1700000000123\ncpu.idle,az=1,host=a 90 1700000000123\n"
		"cpu.n,az=1,host=a 3 1700000000123\ncpu.up,az=1,host=a 1 1700000000123\n"
		"cpu.down,az=1,host=a 0 1700000000123\nmem.free -2000 now\n");
}

static void escapes_and_quotes_are_as_influxdb_has_them(void **state)
{
	struct read r =
		influx("cpu\\ load\\,x,ho\\=st=a\\ b,p=C:\\dir f\\ g=1 1\n"
		       "m s=\"two\nlines \\\" and \\\\\",v=2 2\nm t=\"\" 3",
			"ms");

	assert_int_equal(r.bad.n, 0);
	points_are(&r, "cpu load,x.f g,ho=st=a b,p=C:\\dir 1 1\nm.v 2 2\n");
}

static void precisions_are_all_there(void **state)
{
	static const struct {
		const char *name, *want;
	} rows[] = {{"n", "a 1 0\n"}, {"ns", "a 1 0\n"}, {"u", "a 1 7\n"}, {"us", "a 1 7\n"},
		{"ms", "a 1 7200\n"}, {"s", "a 1 7200000\n"}, {"m", "a 1 432000000\n"},
		{"h", "a 1 25920000000\n"}};

	for (size_t i = 0; i < array_len(rows); i++) {
		struct read r = influx("a value=1 7200", rows[i].name);
		points_are(&r, rows[i].want);
	}
	struct read r = influx("a value=1", "d");
	assert_int_equal(r.result, BODY_WRONG);
	assert_true(r.err.msg[0]);
	points_free(r.points);
}

static void lines_that_are_none_leave_the_others(void **state)
{
	static const char *const bad[] = {"m", "m ", "m v", "m v=", "m v=x", "m v=1.5i", "m v=-1u",
		"m v=nan", "m v=\"x", "m,t v=1", "m,=x v=1", "m,t= v=1", "m v=1 x", "m v=1 1.5",
		"m v=1,=2", ",t=x v=1", "m v=1 99999999999999999999", "m{ v=1", "m v=t2",
		"m v=\"a\"b"};

	for (size_t i = 0; i < array_len(bad); i++) {
		struct read r = influx(bad[i], NULL);
		if (r.result != BODY_TAKEN || r.bad.n != 1 || points_count(r.points) ||
			strncmp(r.bad.first, "unable to parse '", 17))
			fail_msg("%s: %s", bad[i], r.bad.first);
		points_free(r.points);
	}
	struct read r = influx("a v=1 1\nb v=\nc v=3 3", "ms");
	assert_string_equal(r.bad.first, "unable to parse 'b v=': missing field value");
	points_are(&r, "a.v 1 1\nc.v 3 3\n");
}

/* --- remote write ------------------------------------------------------------------------------
 */

static void put_bytes(struct buf *out, unsigned number, struct slice s)
{
	code_put_varint(out, number << 3 | 2);
	code_put_varint(out, s.n);
	buf_add_slice(out, s);
}

static void put_label(struct buf *series, const char *key, const char *value)
{
	struct buf label = BUF(BUF_LINE);

	put_bytes(&label, 1, slice_of(key));
	put_bytes(&label, 2, slice_of(value));
	put_bytes(series, 1, buf_slice(&label));
	buf_fini(&label);
}

static void put_sample(struct buf *series, double value, int64_t at_ms)
{
	struct buf sample = BUF(BUF_LINE);

	code_put_varint(&sample, 1 << 3 | 1);
	code_put_real(&sample, value);
	code_put_varint(&sample, 2 << 3);
	code_put_varint(&sample, (uint64_t)at_ms);
	put_bytes(series, 2, buf_slice(&sample));
	buf_fini(&sample);
}

static struct read remote(struct slice plain)
{
	struct read r = {.points = points_new()};
	size_t n = snappy_max_compressed_length(plain.n);
	char *packed = mem_alloc(n + 1);

	assert_int_equal(snappy_compress(plain.p, plain.n, packed, &n), SNAPPY_OK);
	r.result = remote_write_read(slice_from(packed, n), r.points, &r.bad, &r.err);
	free(packed);
	return r;
}

static void series_become_points(void **state)
{
	struct buf series = BUF(BUF_LINE), request = BUF(BUF_LINE);

	put_sample(&series, 1, 1000); /* labels may stand behind */
	put_sample(&series, strtod("nan", NULL), 2000);
	put_sample(&series, 0, 3000);
	put_label(&series, "__name__", "up");
	put_label(&series, "job", "x");
	put_bytes(&series, 3, SLICE("an exemplar"));
	put_bytes(&request, 1, buf_slice(&series));
	put_bytes(&request, 3, SLICE("metadata"));
	buf_clear(&series);
	put_label(&series, "job", "without a name");
	put_sample(&series, 1, 1);
	put_bytes(&request, 1, buf_slice(&series));
	struct read r = remote(buf_slice(&request));
	assert_int_equal(r.result, BODY_TAKEN);
	assert_int_equal(r.bad.n, 1);
	points_are(&r, "up,job=x 1 1000\nup,job=x 0 3000\n");
	size_t wrong = 0;
	for (size_t n = 0; n < request.n; n++) { /* a piece of it is no more than that */
		r = remote(slice_from(request.p, n));
		assert_true(points_count(r.points) <= 2);
		wrong += r.result == BODY_WRONG;
		points_free(r.points);
	}
	assert_true(wrong > request.n / 2);
	buf_fini(&series);
	buf_fini(&request);
}

static void what_is_not_packed_is_refused(void **state)
{
	struct read r = {.points = points_new()};
	struct buf large = BUF(BODY_DECODED_MAX + 2);

	assert_int_equal(
		remote_write_read(SLICE("\xff\xff"), r.points, &r.bad, &r.err), BODY_WRONG);
	assert_true(r.err.msg[0]);
	points_free(r.points);
	while (large.n <= BODY_DECODED_MAX)
		buf_add_char(&large, 'x');
	r = remote(buf_slice(&large));
	assert_int_equal(r.result, BODY_LARGE);
	points_free(r.points);
	buf_fini(&large);
}

int test_bodies(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_become_points),
		cmocka_unit_test(escapes_and_quotes_are_as_influxdb_has_them),
		cmocka_unit_test(precisions_are_all_there),
		cmocka_unit_test(lines_that_are_none_leave_the_others),
		cmocka_unit_test(series_become_points),
		cmocka_unit_test(what_is_not_packed_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
