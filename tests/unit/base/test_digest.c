/* test_digest.c - hashes against published vectors (FIPS 180-4, RFC 4231, RFC 4648). */
#include "base/digest.h"

#include "../check.h"
#include "base/random.h"

static void check_hex(const void *p, size_t n, const char *expected)
{
	char *text = hex_encode(p, n);
	assert_string_equal(text, expected);
	free(text);
}

static void test_sha224(void **state)
{
	uint8_t h[SHA224_BYTES];
	digest_sha224("abc", 3, h);
	check_hex(h, sizeof(h), "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7");
	static const char long_text[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
	digest_sha224(long_text, strlen(long_text), h);
	check_hex(h, sizeof(h), "75388b16512776cc5dba5da1fd890150b0c6455cb4f58b1952522525");
}

static void test_sha256(void **state)
{
	uint8_t h[SHA256_BYTES];
	digest_sha256("abc", 3, h);
	check_hex(h, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	digest_sha256("", 0, h);
	check_hex(h, 32, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

static void test_hmac(void **state)
{
	uint8_t h[SHA256_BYTES];
	digest_hmac_sha256(SLICE("Jefe"), SLICE("what do ya want for nothing?"), h);
	check_hex(h, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	char key[131]; /* RFC 4231 case 6: a key longer than a block */
	memset(key, 0xaa, sizeof(key));
	digest_hmac_sha256(slice_from(key, sizeof(key)),
		SLICE("Test Using Larger Than Block-Size Key - Hash Key First"), h);
	check_hex(h, 32, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

static void test_sha512_in_pieces(void **state)
{
	static const char text[] =
		"abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
		"hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu";
	char whole[129], pieces[129];
	struct digest_sha512 d;
	digest_sha512_init(&d);
	digest_sha512_add(&d, text, strlen(text));
	digest_sha512_hex(&d, whole);
	assert_string_equal(whole,
		"8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018"
		"501d289e4900f7e4331b99dec4b5433ac7d329eeb6dd26545e96e55b874be909");
	digest_sha512_init(&d);
	for (size_t i = 0; i < strlen(text); i++)
		digest_sha512_add(&d, text + i, 1);
	digest_sha512_hex(&d, pieces);
	assert_string_equal(pieces, whole);
}

/* The suite of RFC 1321, in pieces of every size. */
static void test_md5(void **state)
{
	static const char *const cases[][2] = {
		{"", "d41d8cd98f00b204e9800998ecf8427e"},
		{"a", "0cc175b9c0f1b6a831c399e269772661"},
		{"message digest", "f96b697d7cb7938d525a2f31aaf161d0"},
		{"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
			"d174ab98d277d9f5a5611c2c9f419d9f"},
		{"1234567890123456789012345678901234567890123456789012345678901234567890123456789"
		 "0",
			"57edf4a22be3c955ac49da2e2107b67a"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (size_t piece = 1; piece <= 81; piece++) {
			struct digest_md5 d;
			char hex[2 * MD5_BYTES + 1];
			const char *text = cases[i][0];
			const size_t n = strlen(text);
			digest_md5_init(&d);
			for (size_t at = 0; at < n; at += piece)
				digest_md5_add(&d, text + at, n - at < piece ? n - at : piece);
			digest_md5_hex(&d, hex);
			assert_string_equal(hex, cases[i][1]);
		}
}

static void test_base32(void **state)
{
	/* RFC 4648 section 10, without padding, lower case */
	static const char *const pairs[][2] = {{"", ""}, {"f", "my"}, {"fo", "mzxq"},
		{"foo", "mzxw6"}, {"foob", "mzxw6yq"}, {"fooba", "mzxw6ytb"},
		{"foobar", "mzxw6ytboi"}};
	for (size_t i = 0; i < 7; i++) {
		char *text = base32_encode(pairs[i][0], strlen(pairs[i][0]));
		assert_string_equal(text, pairs[i][1]);
		free(text);
	}
}

static void test_base64(void **state)
{
	static const char *const pairs[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="},
		{"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="},
		{"foobar", "Zm9vYmFy"}};
	void *p;
	size_t n;
	for (size_t i = 0; i < 7; i++) {
		char *text = base64_encode(pairs[i][0], strlen(pairs[i][0]));
		assert_string_equal(text, pairs[i][1]);
		assert_true(base64_decode(slice_of(text), &p, &n));
		assert_int_equal(n, strlen(pairs[i][0]));
		assert_memory_equal(p, pairs[i][0], n);
		free(p);
		free(text);
	}
	assert_true(base64_decode(SLICE("Zm9v\r\nYmFy\n"), &p, &n)); /* as in PEM */
	assert_memory_equal(p, "foobar", 6);
	free(p);
	static const char *const bad[] = {"Zg", "Zg=", "Z", "Zm9v!", "Zm 9v", "Zg==Zg==", "===="};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (base64_decode(slice_of(bad[i]), &p, &n))
			fail_msg("taken for base64: %s", bad[i]);
}

static void test_base64_any_bytes(void **state)
{
	struct random r;
	uint8_t bytes[200];
	random_init_seed(&r, 7);
	for (size_t n = 0; n <= sizeof(bytes); n++) {
		void *p;
		size_t back;
		random_fill(&r, bytes, n);
		char *text = base64_encode(bytes, n);
		assert_true(base64_decode(slice_of(text), &p, &back));
		assert_int_equal(back, n);
		assert_memory_equal(p, bytes, n);
		free(p);
		free(text);
	}
}

int test_digest(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sha224),
		cmocka_unit_test(test_sha256),
		cmocka_unit_test(test_hmac),
		cmocka_unit_test(test_sha512_in_pieces),
		cmocka_unit_test(test_md5),
		cmocka_unit_test(test_base32),
		cmocka_unit_test(test_base64),
		cmocka_unit_test(test_base64_any_bytes),
	};
	return cmocka_run_group_tests_name("digest", tests, NULL, NULL);
}
