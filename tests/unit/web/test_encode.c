/* test_encode.c - which coding a header asks for, the codings themselves, tags, what is kept. */
#include "web/encode.h"

#include <brotli/decode.h>
#include <zlib.h>

#include "../check.h"
#include "web/cache.h"
#include "web/pages/files.h"

#define ALL (1u << CODING_IDENTITY | 1u << CODING_GZIP | 1u << CODING_BROTLI)

static void headers_are_understood(void **state)
{
	static const struct {
		const char *accept;
		enum coding expected;
	} rows[] = {
		{NULL, CODING_IDENTITY},
		{"", CODING_IDENTITY},
		{"gzip", CODING_GZIP},
		{"GZIP", CODING_GZIP},
		{"x-gzip", CODING_GZIP},
		{"br", CODING_BROTLI},
		{"gzip, deflate, br", CODING_BROTLI},
		{"br;q=1.0, gzip;q=0.8, *;q=0.1", CODING_BROTLI},
		{"br;q=0.2, gzip;q=0.8", CODING_GZIP},
		{"br ; q=0.2 , gzip ; q=0.201", CODING_GZIP},
		{"br;q=0, gzip", CODING_GZIP},
		{"br;q=0.000, gzip;q=0", CODING_IDENTITY},
		{"*", CODING_BROTLI},
		{"*;q=0", CODING_IDENTITY},
		{"*;q=0.5, br;q=0", CODING_GZIP},
		{"identity", CODING_IDENTITY},
		{"identity;q=1, gzip;q=0.5", CODING_IDENTITY},
		{"identity;q=0.5, gzip;q=1.0", CODING_GZIP},
		{"identity;q=0, gzip;q=0.1", CODING_GZIP},
		{"deflate, zstd", CODING_IDENTITY},
		{"gzip;q=2", CODING_IDENTITY},     /* no weight */
		{"gzip;q=1.001", CODING_IDENTITY}, /* over one */
		{"gzip;q=0.1234", CODING_IDENTITY},
		{"gzip;q=", CODING_IDENTITY},
		{"gzip;q=-1", CODING_IDENTITY},
		{"gzip;level=9", CODING_GZIP},
		{",,,gzip,,", CODING_GZIP},
		{";;;", CODING_IDENTITY},
	};
	for (size_t i = 0; i < array_len(rows); i++)
		if (encode_choose(rows[i].accept, ALL) != rows[i].expected)
			fail_msg("\"%s\" gives %d", rows[i].accept,
				encode_choose(rows[i].accept, ALL));
	assert_int_equal(encode_choose("br, gzip", 1u << CODING_GZIP | 1u), CODING_GZIP);
	assert_int_equal(encode_choose("br, gzip", 1u), CODING_IDENTITY);
}

static void assert_gives_back(enum coding c, struct slice packed, struct slice plain)
{
	char *back = mem_alloc(plain.n + 1);
	size_t n = plain.n + 1;
	if (c == CODING_GZIP) {
		z_stream z = {.next_in = (Bytef *)(uintptr_t)packed.p,
			.avail_in = (uInt)packed.n,
			.next_out = (Bytef *)back,
			.avail_out = (uInt)n};
		assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
		assert_int_equal(inflate(&z, Z_FINISH), Z_STREAM_END);
		n = z.total_out;
		inflateEnd(&z);
	} else {
		assert_int_equal(BrotliDecoderDecompress(
					 packed.n, (const uint8_t *)packed.p, &n, (uint8_t *)back),
			BROTLI_DECODER_RESULT_SUCCESS);
	}
	assert_int_equal(n, plain.n);
	assert_memory_equal(back, plain.p, n);
	free(back);
}

static void codings_give_back_what_was_put_in(void **state)
{
	char plain[5000];
	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = "a component is operational "[i % 27];
	const struct slice all = slice_from(plain, sizeof(plain));
	for (enum coding c = CODING_GZIP; c <= CODING_BROTLI; c++) {
		struct buf b = BUF(BUF_PAGE);
		assert_true(encode_body(c, all, &b));
		assert_gives_back(c, buf_slice(&b), all);
		buf_fini(&b);
	}
}

/* What the build packed is what it packed it from. */
static void files_come_packed(void **state)
{
	static const char *const served[] = {"style.css", "icon.svg", "page.js", "openapi.yaml"};
	for (size_t i = 0; i < array_len(served); i++) {
		const struct web_file *f = web_file_find(served[i]);
		assert_non_null(f);
		assert_true(f->plain.n > 0 && f->gzip.n > 0 && f->brotli.n > 0);
		assert_gives_back(CODING_GZIP, f->gzip, f->plain);
		assert_gives_back(CODING_BROTLI, f->brotli, f->plain);
	}
	assert_int_equal(web_file_find("templates/status.mustache")->gzip.n, 0);
	assert_null(web_file_find("templates"));
}

static void what_does_not_shrink_is_left(void **state)
{
	struct buf b = BUF(BUF_PAGE);
	uint32_t x = 1;
	char noise[2000];
	for (size_t i = 0; i < sizeof(noise); i++) {
		x = x * 1664525 + 1013904223;
		noise[i] = (char)(x >> 24);
	}
	for (enum coding c = CODING_GZIP; c <= CODING_BROTLI; c++) {
		assert_false(encode_body(c, slice_from(noise, sizeof(noise)), &b));
		assert_false(encode_body(c, SLICE("{}"), &b));
		assert_false(encode_body(c, SLICE(""), &b));
	}
	assert_int_equal(b.n, 0);
	buf_fini(&b);
}

static void tags_are_compared(void **state)
{
	assert_true(cache_tag_matches("\"a\"", "\"a\""));
	assert_true(cache_tag_matches("W/\"a\"", "\"a\""));
	assert_true(cache_tag_matches("\"b\" , W/\"a\"", "\"a\""));
	assert_true(cache_tag_matches("*", "\"a\""));
	assert_false(cache_tag_matches("\"a", "\"a\""));
	assert_false(cache_tag_matches("a", "\"a\""));
	assert_false(cache_tag_matches("\"a-gzip\"", "\"a\""));
	assert_false(cache_tag_matches("", "\"a\""));
	assert_false(cache_tag_matches(NULL, "\"a\""));
}

/* --- what is kept --------------------------------------------------------------------------------
 */

static struct cache_doc *document(size_t n, char c)
{
	char *text = mem_new_array(n + 1, 1);
	memset(text, c, n);
	struct cache_doc *d = cache_doc_new(&(struct cache_recipe){
		.status = 200, .type = "text/plain", .plain = true, .body = slice_from(text, n)});
	assert_true(cache_doc_is(d, slice_from(text, n)));
	free(text);
	return d;
}

static void the_least_used_goes_first(void **state)
{
	struct cache *c = cache_new(10000);
	for (int i = 0; i < 3; i++) {
		char key[2] = {(char)('a' + i)};
		struct cache_doc *d = document(3000, 'x');
		cache_put(c, key, d, 1, 100);
		cache_doc_unref(d);
	}
	assert_true(cache_bytes(c) > 9000 && cache_bytes(c) <= 10000);
	assert_non_null(cache_get(c, "a", 1, 0));
	struct cache_doc *d = document(3000, 'y');
	cache_put(c, "d", d, 1, 100);
	assert_null(cache_get(c, "b", 1, 0));
	assert_non_null(cache_get(c, "a", 1, 0));
	assert_ptr_equal(cache_get(c, "d", 1, 0), d);
	cache_put(c, "a", d, 1, 100); /* in place of the other */
	assert_ptr_equal(cache_get(c, "a", 1, 0), d);
	assert_true(cache_bytes(c) <= 10000);
	cache_doc_unref(d);
	d = document(20000, 'z'); /* over everything: not kept, and it hurts nobody */
	cache_put(c, "e", d, 1, 100);
	assert_null(cache_get(c, "e", 1, 0));
	assert_int_equal(cache_bytes(c), 0);
	cache_doc_unref(d);
	cache_free(c);
}

static void what_is_old_is_not_given(void **state)
{
	struct cache *c = cache_new(100000);
	struct cache_doc *d = document(10, 'x');
	cache_put(c, "a", d, 1, 100);
	assert_non_null(cache_get(c, "a", 1, 99));
	assert_null(cache_get(c, "a", 1, 100));
	cache_put(c, "a", d, 1, 100);
	assert_null(cache_get(c, "a", 2, 0));
	assert_null(cache_get(c, "a", 1, 0)); /* gone for good */
	cache_put(c, "a", d, -1, 100);
	assert_non_null(cache_get(c, "a", 7, 0));
	assert_int_equal(cache_bytes(c) > 0, 1);
	cache_doc_unref(d);
	cache_free(c);
}

int test_encode(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(headers_are_understood),
		cmocka_unit_test(codings_give_back_what_was_put_in),
		cmocka_unit_test(files_come_packed),
		cmocka_unit_test(what_does_not_shrink_is_left),
		cmocka_unit_test(tags_are_compared),
		cmocka_unit_test(the_least_used_goes_first),
		cmocka_unit_test(what_is_old_is_not_given),
	};
	return cmocka_run_group_tests_name("encode", tests, NULL, NULL);
}
