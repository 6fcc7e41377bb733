/* test_url.c - addresses taken apart and put together. */
#include "net/url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void same(struct slice a, const char *b)
{
	assert_int_equal(a.n, strlen(b));
	assert_memory_equal(a.p ? a.p : "", b, a.n);
}

static void test_parse(void **state)
{
	static const struct {
		const char *text, *scheme, *host, *path, *query;
		unsigned port;
	} rows[] = {
		{"https://nova.example.org/v2.1", "https", "nova.example.org", "/v2.1", "", 443},
		{"http://a", "http", "a", "", "", 80},
		{"HTTP://A:8080?x=1#f", "HTTP", "A", "", "x=1", 8080},
		{"https://[2001:db8::1]:35357/v3/?a=b/c?d", "https", "2001:db8::1", "/v3/",
			"a=b/c?d", 35357},
		{"https://[::1]", "https", "::1", "", "", 443},
		{"https://[fe80::1%25eth0]/", "https", "fe80::1%25eth0", "/", "", 443},
		{"http://h:/x", "http", "h", "/x", "", 80},
		{"ssh+x://h:22", "ssh+x", "h", "", "", 22},
		{"ftp://h/", "ftp", "h", "/", "", 0},
		{"http://xn--bcher-kva.example/", "http", "xn--bcher-kva.example", "/", "", 80},
	};

	for (size_t i = 0; i < array_len(rows); i++) {
		struct error err = {0};
		struct url u;

		assert_true(url_parse(slice_of(rows[i].text), &u, &err));
		same(u.scheme, rows[i].scheme);
		same(u.host, rows[i].host);
		same(u.path, rows[i].path);
		same(u.query, rows[i].query);
		assert_int_equal(u.port, rows[i].port);
	}
}

static void test_refuse(void **state)
{
	static const char *const rows[][2] = {
		{"", "https://"},
		{"nova.example.org", "https://"},
		{"://h", "https://"},
		{"1http://h", "https://"},
		{"http:/h", "\"//\""},
		{"http:h", "\"//\""},
		{"http://", "no host"},
		{"http:///path", "no host"},
		{"http://:80", "no host"},
		{"http://h:0/", "port"},
		{"http://h:65536/", "port"},
		{"http://h:-1/", "port"},
		{"http://h:8o/", "port"},
		{"http://h:1:2/", "port"},
		{"http://[::1/", "']'"},
		{"http://[::1]x/", "']'"},
		{"http://a b/", "white space"},
		{"http://a/\r\nX: y", "control"},
		{"http://a/\x7f", "control"},
		{"http://a\\b/", "backslash"},
		{"http://user:geheim@h/", "user name"},
		{"http://a\"b/", "not a name"},
	};

	for (size_t i = 0; i < array_len(rows); i++) {
		struct error err = {0};
		struct url u = {.port = 7};

		assert_false(url_parse(slice_of(rows[i][0]), &u, &err));
		assert_int_equal(err.kind, ERROR_INPUT);
		assert_non_null(strstr(err.msg, rows[i][1]));
		assert_null(strstr(err.msg, "geheim"));
		assert_int_equal(u.port, 7); /* untouched */
	}
}

static void test_escapes(void **state)
{
	struct buf b = BUF(BUF_LINE);
	char *text = NULL;

	url_encode(&b, SLICE("aZ9-._~ /?&=+%\"\xc3\xa4"));
	assert_string_equal(buf_str(&b), "aZ9-._~%20%2F%3F%26%3D%2B%25%22%C3%A4");
	assert_true(url_decode(buf_slice(&b), false, &text));
	assert_string_equal(text, "aZ9-._~ /?&=+%\"\xc3\xa4");
	free(text);
	assert_true(url_decode(SLICE("a+b%2bc%2B"), true, &text));
	assert_string_equal(text, "a b+c+");
	free(text);
	assert_true(url_decode(SLICE("a+b"), false, &text));
	assert_string_equal(text, "a+b");
	free(text);
	assert_true(url_decode(SLICE(""), false, &text));
	assert_string_equal(text, "");
	free(text);
	text = NULL;
	assert_false(url_decode(SLICE("%"), false, &text));
	assert_false(url_decode(SLICE("a%2"), false, &text));
	assert_false(url_decode(SLICE("%zz"), false, &text));
	assert_false(url_decode(SLICE("a%00b"), false, &text));
	assert_null(text);
	buf_fini(&b);
}

static void test_query(void **state)
{
	struct buf b = BUF(BUF_LINE);

	buf_add_str(&b, "http://h/p");
	url_add_query(&b, "name", SLICE("a&b"));
	url_add_query(&b, "limit", SLICE("10"));
	assert_string_equal(buf_str(&b), "http://h/p?name=a%26b&limit=10");
	buf_clear(&b);
	buf_add_str(&b, "http://h/p?");
	url_add_query(&b, "a b", SLICE(""));
	assert_string_equal(buf_str(&b), "http://h/p?a%20b=");
	buf_fini(&b);
}

static void test_join(void **state)
{
	static const char *const rows[][3] = {
		{"http://h/v2", "servers", "http://h/v2/servers"},
		{"http://h/v2/", "servers", "http://h/v2/servers"},
		{"http://h/v2", "/servers", "http://h/v2/servers"},
		{"http://h/v2/", "/servers", "http://h/v2/servers"},
		{"http://h", "", "http://h"},
		{"http://h/", "", "http://h/"},
		{"http://h/", "/", "http://h/"},
		{"", "/a", "/a"},
	};

	for (size_t i = 0; i < array_len(rows); i++) {
		struct buf b = BUF(BUF_LINE);

		url_join(&b, slice_of(rows[i][0]), slice_of(rows[i][1]));
		assert_string_equal(buf_str(&b), rows[i][2]);
		buf_fini(&b);
	}
}

int test_url(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_refuse),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_query),
		cmocka_unit_test(test_join),
	};

	return cmocka_run_group_tests_name("net/url", tests, NULL, NULL);
}
