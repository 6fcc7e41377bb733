/* test_reply.c - answers of protocols that talk in turns. */
#include "net/reply.h"

#include "../check.h"
#include "base/buf.h"

static enum reply_state state_of(reply_reader *read, struct slice got, struct reply *r)
{
	const enum reply_state whole = read(got, r);
	struct reply part;

	/* Nothing is whole before its last byte, and nothing that is good was broken on the way. */
	for (size_t n = 0; whole == REPLY_GOOD && n < r->n; n++)
		if (read(slice_sub(got, 0, n), &part) != REPLY_MORE)
			fail_msg("whole after %zu of %zu bytes", n, r->n);
	return whole;
}

static void test_smtp(void **state)
{
	struct reply r;
	struct buf out = BUF(1000);

	assert_int_equal(state_of(reply_smtp, SLICE("220 mx ESMTP\r\nrest"), &r), REPLY_GOOD);
	assert_int_equal(r.n, 14);
	assert_int_equal(r.code, 220);
	assert_true(slice_is(r.text, "220 mx ESMTP"));
	assert_int_equal(state_of(reply_smtp,
				 SLICE("250-mx Hello\r\n250-SIZE 9\r\n250-AUTH PLAIN\r\n"
				       "250 STARTTLS\r\n"),
				 &r),
		REPLY_GOOD);
	reply_smtp_capabilities(r.text, &out);
	assert_string_equal(buf_str(&out), "SIZE 9, AUTH PLAIN, STARTTLS");
	assert_true(reply_can(buf_slice(&out), "starttls"));
	assert_true(reply_can(buf_slice(&out), "SIZE"));
	assert_false(reply_can(buf_slice(&out), "START"));
	assert_int_equal(state_of(reply_smtp, SLICE("421 busy\n"), &r), REPLY_BAD);
	assert_int_equal(r.code, 421);
	assert_int_equal(state_of(reply_smtp, SLICE("220-a\r\nany\r\n220 b\r\n"), &r), REPLY_GOOD);
	assert_int_equal(reply_smtp(SLICE("220\r\n"), &r), REPLY_GOOD);
	assert_int_equal(reply_smtp(SLICE("22"), &r), REPLY_MORE);
	assert_int_equal(reply_smtp(SLICE("2x"), &r), REPLY_BROKEN);
	assert_int_equal(reply_smtp(SLICE("099 a\r\n"), &r), REPLY_BROKEN);
	assert_int_equal(reply_smtp(SLICE("220x\r\n"), &r), REPLY_BROKEN);
	assert_int_equal(reply_smtp(SLICE("SSH-2.0"), &r), REPLY_BROKEN);
	buf_fini(&out);
}

static void test_imap(void **state)
{
	struct reply r;
	struct buf out = BUF(1000);

	assert_int_equal(state_of(reply_imap_greeting, SLICE("* OK [CAPABILITY X] Ready\r\n"), &r),
		REPLY_GOOD);
	assert_true(slice_is(r.text, "OK [CAPABILITY X] Ready"));
	assert_int_equal(reply_imap_greeting(SLICE("* PREAUTH hi\r\n"), &r), REPLY_GOOD);
	assert_int_equal(reply_imap_greeting(SLICE("* BYE full\r\n"), &r), REPLY_BAD);
	assert_int_equal(reply_imap_greeting(SLICE("+OK"), &r), REPLY_BROKEN);
	assert_int_equal(
		state_of(reply_imap,
			SLICE("* CAPABILITY IMAP4rev1 STARTTLS\r\n* 1 EXISTS\r\ngh OK done\r\n"),
			&r),
		REPLY_GOOD);
	reply_imap_capabilities(r.text, &out);
	assert_string_equal(buf_str(&out), "IMAP4rev1 STARTTLS");
	assert_int_equal(reply_imap(SLICE("gh NO later\r\n"), &r), REPLY_BAD);
	assert_true(slice_is(r.text, "NO later"));
	assert_int_equal(reply_imap(SLICE("* BYE gone\r\n"), &r), REPLY_BAD);
	assert_int_equal(reply_imap(SLICE("other OK\r\n"), &r), REPLY_BROKEN);
	buf_fini(&out);
}

static void test_others(void **state)
{
	struct reply r;

	assert_int_equal(state_of(reply_pop3, SLICE("+OK ready\r\n"), &r), REPLY_GOOD);
	assert_int_equal(reply_pop3(SLICE("-ERR no\r\n"), &r), REPLY_BAD);
	assert_int_equal(reply_pop3(SLICE("220 ftp"), &r), REPLY_BROKEN);
	assert_int_equal(state_of(reply_postgres, SLICE("S"), &r), REPLY_GOOD);
	assert_int_equal(reply_postgres(SLICE("N"), &r), REPLY_BAD);
	assert_int_equal(reply_postgres(SLICE("E"), &r), REPLY_BROKEN);
	assert_int_equal(
		state_of(reply_ldap,
			SLICE("\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"), &r),
		REPLY_GOOD);
	assert_int_equal(reply_ldap(SLICE("\x30\x0f\x02\x01\x01\x78\x0a\x0a\x01\x35\x04\x00\x04\x03"
					  "why"),
				 &r),
		REPLY_BAD);
	assert_int_equal(r.code, 0x35);
	assert_true(slice_is(r.text, "why"));
	assert_int_equal(state_of(reply_ldap,
				 SLICE("\x30\x84\0\0\0\x10\x02\x01\x01\x78\x84\0\0\0\x07"
				       "\x0a\x01\0\x04\0\x04\0"),
				 &r),
		REPLY_GOOD);
	assert_int_equal(reply_ldap(SLICE("\x30\x85\0\0\0\0\x01\x02"), &r), REPLY_BROKEN);
	assert_int_equal(reply_ldap(SLICE("\x30\x02\x02\x05"), &r), REPLY_BROKEN);
	assert_int_equal(reply_ldap(SLICE("SSH"), &r), REPLY_BROKEN);
}

int test_reply(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_smtp),
		cmocka_unit_test(test_imap),
		cmocka_unit_test(test_others),
	};

	return cmocka_run_group_tests_name("reply", tests, NULL, NULL);
}
