/*
 * test_mail.c - the bytes of messages, and sending them to a real exim, with and without TLS.
 */
#include "net/mail.h"

#include <unistd.h>

#include "../check.h"
#include "base/digest.h"
#include "exim.h"
#include "net/mail_text.h"
#include "peer.h"

#define LONG  (20 * NS_PER_S)
#define SHORT (300 * NS_PER_MS)

/* --- reading what was made ---------------------------------------------------------------------
 */

/* Undoes quoted-printable. Owned. */
static char *unquote(const char *s)
{
	struct buf out = BUF(BUF_PAGE);

	while (*s) {
		if (s[0] == '=' && s[1] == '\r' && s[2] == '\n') {
			s += 3;
		} else if (s[0] == '=' && s[1] == '\n') {
			s += 2;
		} else if (*s == '=') {
			const char hex[] = {s[1], s[2], 0};
			buf_add_char(&out, (char)strtoul(hex, NULL, 16));
			s += 3;
		} else if (*s == '\r') {
			s++;
		} else {
			buf_add_char(&out, *s++);
		}
	}
	return buf_take(&out);
}

/* A header's value with its lines joined, encoded words decoded. Owned; "" when it is absent. */
static char *header(const char *mail, const char *name)
{
	char *start = mem_printf("\n%s: ", name), *all = mem_printf("\n%s", mail);
	struct buf out = BUF(BUF_PAGE);
	const char *s = strstr(all, start), *end = strstr(all, "\n\n");

	end = end ? end : strstr(all, "\r\n\r\n");
	for (s = s && s < end ? s + strlen(start) : ""; *s; s++) {
		void *p;
		size_t n;

		if (*s == '\r')
			continue;
		if (*s == '\n' && s[1] != ' ' && s[1] != '\t')
			break;
		if (*s == '\n')
			continue;
		if (strncmp(s, "=?utf-8?B?", 10) == 0) {
			const char *to = strstr(s + 10, "?=");
			assert_true(
				base64_decode(slice_from(s + 10, (size_t)(to - s - 10)), &p, &n));
			buf_add(&out, p, n);
			free(p);
			s = to + 1;
			if (s[1] == '\r')
				s++;
			if (strncmp(s + 1, "\n =?", 4) == 0)
				s += 2; /* white space between encoded words is none */
			continue;
		}
		buf_add_char(&out, *s);
	}
	free(all);
	free(start);
	return buf_take(&out);
}

static const char *body(const char *mail)
{
	const char *crlf = strstr(mail, "\r\n\r\n"), *lf = strstr(mail, "\n\n");

	return crlf && (!lf || crlf < lf) ? crlf + 4 : lf + 2;
}

static void assert_header(const char *mail, const char *name, const char *expected)
{
	char *value = header(mail, name);

	assert_string_equal(value, expected);
	free(value);
}

static const char *const to_a[] = {"a@localhost", NULL};

static struct mail_message message(void)
{
	return (struct mail_message){
		.to = to_a,
		.subject = "Compute is in outage",
		.text = "Compute is in outage.\n",
		.id = "0b1c@status.example.org",
		.date_unix_us = 1795000000LL * 1000000,
		.deadline_ns = LONG,
	};
}

static char *written(const struct mail_message *m)
{
	struct buf out = BUF(4 * MAIL_TEXT_MAX);
	struct error err = {0};

	if (!mail_text_write(&out, "glasshouse@example.org", m, &err))
		fail_msg("%s", err.msg);
	return buf_take(&out);
}

/* --- messages ----------------------------------------------------------------------------------
 */

static void a_message_is_these_bytes(void **state)
{
	struct mail_message m = message();
	char *text;

	m.in_reply_to = "first@status.example.org";
	text = written(&m);
	assert_string_equal(text,
		"Date: Wed, 18 Nov 2026 11:06:40 +0000\r\n"
		"From: <glasshouse@example.org>\r\n"
		"To: <a@localhost>\r\n"
		"Subject: Compute is in outage\r\n"
		"Message-ID: <0b1c@status.example.org>\r\n"
		"In-Reply-To: <first@status.example.org>\r\n"
		"References: <first@status.example.org>\r\n"
		"Auto-Submitted: auto-generated\r\n"
		"MIME-Version: 1.0\r\n"
		"Content-Type: text/plain; charset=utf-8\r\n"
		"Content-Transfer-Encoding: quoted-printable\r\n"
		"\r\n"
		"Compute is in outage.\r\n");
	free(text);
}

static void assert_short_lines(const char *text)
{
	struct slice rest = slice_of(text), line;

	while (slice_next(&rest, '\n', &line)) {
		assert_true(line.n <= 78);
		if (rest.n)
			assert_int_equal(line.p[line.n - 1], '\r');
		for (size_t i = 0; i < line.n; i++)
			assert_true((unsigned char)line.p[i] < 0x7f);
	}
}

static void subjects_of_all_kinds_are_one_line(void **state)
{
	static const struct {
		const char *subject, *expected;
	} rows[] = {
		{"plain", "plain"},
		{"", ""},
		{"Störung in München", "Störung in München"},
		{"a\r\nBcc: evil@example.org\r\n\r\nbody", "a Bcc: evil@example.org body"},
		{"tabs\tand\vothers\x7f \x01 end\n", "tabs and others end"},
		{"=?utf-8?B?aGFjaw==?=", "=?utf-8?B?aGFjaw==?="},
		{"\xff\xfe broken", "?? broken"},
		{"12 changes: Compute is in outage, Network is in outage, Volume is in outage, and more",
			"12 changes: Compute is in outage, Network is in outage, Volume is in outage, and more"},
		{"日本語のとても長い件名はいくつもの語に分けられますが文字の途中では分けられません",
			"日本語のとても長い件名はいくつもの語に分けられますが文字の途中では分けられません"},
	};

	for (size_t i = 0; i < array_len(rows); i++) {
		struct mail_message m = message();
		char *text, *bcc;

		m.subject = rows[i].subject;
		text = written(&m);
		assert_short_lines(text);
		assert_header(text, "Subject", rows[i].expected);
		bcc = header(text, "Bcc");
		assert_string_equal(bcc, "");
		free(bcc);
		free(text);
	}
}

static void no_encoded_word_cuts_a_character(void **state)
{
	struct mail_message m = message();
	char *text;
	struct slice rest, line;

	m.subject =
		"xäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöüäöü€€€€€€€€€€€€€€€€€€€€€";
	text = written(&m);
	rest = slice_of(text);
	while (slice_next(&rest, '\n', &line)) {
		const size_t at = slice_find_text(line, SLICE("=?utf-8?B?"));
		void *p;
		size_t n;

		if (at == line.n)
			continue;
		line = slice_sub(line, at + 10, line.n);
		line.n = slice_find(line, '?');
		assert_true(base64_decode(line, &p, &n));
		assert_true(utf8_valid(slice_from(p, n)));
		free(p);
	}
	free(text);
}

static void addresses_and_ids_that_are_more_are_refused(void **state)
{
	static const char *const bad[] = {"a@b\r\nBcc: x@y", "a@b>\r\nRCPT TO:<x@y", "a b@c", "a@",
		"@b", "a", "", "a@b@c", "<a@b>", "a@b,c@d", "\"a\"@b", "a@b\n", "ä@b", "a(x)@b"};
	struct error err = {0};
	struct buf out = BUF(BUF_PAGE);
	struct mail_message m;

	assert_true(mail_address_good("first.last+tag@sub.example.org"));
	assert_false(mail_address_good(NULL));
	for (size_t i = 0; i < array_len(bad); i++) {
		const char *const to[] = {"good@example.org", bad[i], NULL};

		assert_false(mail_address_good(bad[i]));
		m = message();
		m.to = to;
		assert_false(mail_text_write(&out, "a@b", &m, &err));
		m = message();
		m.id = bad[i];
		assert_false(mail_text_write(&out, "a@b", &m, &err));
		m = message();
		m.in_reply_to = bad[i];
		assert_false(mail_text_write(&out, "a@b", &m, &err));
		m = message();
		assert_false(mail_text_write(&out, bad[i], &m, &err));
	}
	assert_int_equal(out.n, 0);
}

static void at_most_fifty_recipients(void **state)
{
	const char *to[MAIL_RECIPIENTS_MAX + 2];
	struct error err = {0};
	struct buf out = BUF(BUF_PAGE);
	struct mail_message m = message();

	for (size_t i = 0; i < array_len(to); i++)
		to[i] = "a@b";
	to[MAIL_RECIPIENTS_MAX + 1] = NULL;
	m.to = to;
	assert_false(mail_text_write(&out, "a@b", &m, &err));
	to[MAIL_RECIPIENTS_MAX] = NULL;
	assert_true(mail_text_write(&out, "a@b", &m, &err));
	to[0] = NULL;
	assert_false(mail_text_write(&out, "a@b", &m, &err));
	buf_fini(&out);
}

/* --- sending -----------------------------------------------------------------------------------
 */

struct room {
	struct loop *loop;
	struct mailer *mailer;
	struct exim *exim;
	struct peer_certificate authority, stranger, own;
	char ca[64], other_ca[64];
	struct error err;
};

struct ask {
	int times;
	bool done;
	struct mail_answer a;
};

static void on_done(void *arg, const struct mail_answer *a)
{
	struct ask *k = arg;

	k->times++;
	k->done = true;
	k->a = *a;
}

static void send_it(struct room *r, struct ask *k, struct mail_server s, struct mail_message m)
{
	memset(k, 0, sizeof(*k));
	s.from = "glasshouse@example.org";
	s.ca_file = s.ca_file ? s.ca_file : r->ca;
	mail_send(r->mailer, &s, &m, on_done, k);
	assert_int_equal(k->times, 0);
	assert_true(loop_run_until(r->loop, &k->done));
	assert_int_equal(k->times, 1);
}

static void assert_fault(const struct ask *k, enum fault expected, const char *part)
{
	if (k->a.fault != expected || !strstr(k->a.detail, part))
		fail_msg("%s: \"%s\"; expected %s: \"%s\"", fault_name(k->a.fault), k->a.detail,
			fault_name(expected), part);
}

static const char *host(const char *name, unsigned port)
{
	static char text[64];

	snprintf(text, sizeof(text), "%s:%u", name, port);
	return text;
}

static struct peer_certificate certify(const struct peer_certificate *issuer, const char *names)
{
	return peer_certify(issuer, names, -1, 10);
}

static void a_message_arrives_through_starttls_with_log_in(void **state)
{
	static const char text[] =
		"Störung: Compute = out\n"
		".\n"
		"..two dots\n"
		"From here on\n"
		"trailing space \n"
		"\n"
		"a line that is much longer than the seventy-six columns that quoted-printable allows "
		"and so is broken softly, twice, before it ends here, at last, with a €.\n";
	struct room *r = *state;
	struct mail_message m = message();
	const char *const to[] = {"a@localhost", "b@localhost", NULL};
	struct secret *password = secret_new(slice_of("open sesame"));
	struct ask k;

	if (!r->exim)
		skip();
	m.to = to;
	m.subject = "[Wölkchen] Störung\r\nBcc: c@localhost";
	m.text = text;
	send_it(r, &k,
		(struct mail_server){.host = host("localhost", r->exim->port),
			.user = "alice",
			.password = password},
		m);
	assert_fault(&k, FAULT_NONE, "");
	assert_string_equal(k.a.detail, "");
	assert_int_equal(k.a.status / 100, 2);
	for (int i = 0; i < 2; i++) {
		char *mail = exim_mail(r->exim, i ? "b" : "a"), *plain = unquote(body(mail));
		char *received = header(mail, "Received");

		assert_string_equal(plain, text);
		assert_header(mail, "Subject", "[Wölkchen] Störung Bcc: c@localhost");
		assert_header(mail, "Return-path", "<glasshouse@example.org>");
		assert_header(mail, "Envelope-to", i ? "b@localhost" : "a@localhost");
		assert_header(mail, "To", "<a@localhost>, <b@localhost>");
		assert_header(mail, "Message-ID", "<0b1c@status.example.org>");
		assert_non_null(strstr(received, "esmtpsa")); /* TLS and log-in */
		free(received);
		free(plain);
		free(mail);
	}
	assert_false(exim_has_mail(r->exim, "c"));
	secret_unref(password);
}

static void a_message_arrives_through_tls_from_the_start_and_without(void **state)
{
	struct room *r = *state;
	struct ask k;
	char *mail, *received;

	if (!r->exim)
		skip();
	send_it(r, &k,
		(struct mail_server){
			.host = host("127.0.0.1", r->exim->tls_port), .tls = MAIL_IMPLICIT},
		message());
	assert_fault(&k, FAULT_NONE, "");
	mail = exim_mail(r->exim, "a");
	received = header(mail, "Received");
	assert_non_null(strstr(received, "esmtps"));
	free(received);
	free(mail);
	send_it(r, &k,
		(struct mail_server){
			.host = host("127.0.0.1", r->exim->bare_port), .tls = MAIL_PLAIN},
		message());
	assert_fault(&k, FAULT_NONE, "");
	mail = exim_mail(r->exim, "a");
	received = header(mail, "Received");
	assert_null(strstr(received, "esmtps"));
	free(received);
	free(mail);
}

/* Nothing but EHLO is said in the clear. */
static void without_starttls_nothing_is_sent(void **state)
{
	struct room *r = *state;
	struct ask k;

	if (!r->exim)
		skip();
	send_it(r, &k, (struct mail_server){.host = host("127.0.0.1", r->exim->bare_port)},
		message());
	assert_fault(&k, FAULT_TLS, "offers no STARTTLS");
	assert_false(k.a.permanent);
	assert_false(exim_has_mail(r->exim, "a"));
}

static void certificates_are_verified(void **state)
{
	struct room *r = *state;
	struct ask k;

	if (!r->exim)
		skip();
	send_it(r, &k,
		(struct mail_server){
			.host = host("localhost", r->exim->port), .ca_file = r->other_ca},
		message());
	assert_fault(&k, FAULT_TLS_AUTHORITY, "");
	send_it(r, &k, (struct mail_server){.host = host("127.0.0.2", r->exim->port)}, message());
	assert_fault(&k, FAULT_REFUSED, "cannot connect to 127.0.0.2");
	send_it(r, &k,
		(struct mail_server){.host = host("localhost", r->exim->tls_port),
			.tls = MAIL_IMPLICIT,
			.ca_file = r->other_ca},
		message());
	assert_fault(&k, FAULT_TLS_AUTHORITY, "");
	assert_false(exim_has_mail(r->exim, "a"));
}

static void a_wrong_password_is_refused(void **state)
{
	struct room *r = *state;
	struct secret *password = secret_new(slice_of("wrong one"));
	struct ask k;

	if (!r->exim)
		skip();
	send_it(r, &k,
		(struct mail_server){.host = host("localhost", r->exim->port),
			.user = "alice",
			.password = password},
		message());
	assert_fault(&k, FAULT_HTTP_401, "535");
	assert_int_equal(k.a.status, 535);
	assert_true(k.a.permanent);
	send_it(r, &k,
		(struct mail_server){.host = "mail.example.org:25",
			.tls = MAIL_PLAIN,
			.user = "alice",
			.password = password},
		message());
	assert_fault(&k, FAULT_LOCAL, "not sent without TLS");
	secret_unref(password);
}

static void one_bad_recipient_does_not_keep_the_others(void **state)
{
	static const char *const some[] = {"nobody@localhost", "a@localhost", "b@localhost", NULL};
	static const char *const none[] = {"nobody@localhost", "noone@localhost", NULL};
	static const char *const later[] = {"nobody@localhost", "full@localhost", NULL};
	struct room *r = *state;
	const struct mail_server s = {.host = host("localhost", r->exim->port)};
	struct mail_message m = message();
	struct ask k;

	if (!r->exim)
		skip();
	m.to = some;
	send_it(r, &k, s, m);
	assert_fault(&k, FAULT_NONE, "1 of 3 recipients refused: 550 no such user here");
	free(exim_mail(r->exim, "a"));
	free(exim_mail(r->exim, "b"));
	m.to = none;
	send_it(r, &k, s, m);
	assert_fault(&k, FAULT_HTTP_4XX, "550 no such user here");
	assert_true(k.a.permanent);
	assert_int_equal(k.a.status, 550);
	m.to = later;
	send_it(r, &k, s, m);
	assert_false(k.a.permanent);
	assert_int_not_equal(k.a.fault, FAULT_NONE);
}

static void hosts_that_are_none_are_refused(void **state)
{
	static const char *const bad[] = {
		"", ":25", "mail:", "mail:0", "mail:99999", "mail:x", "a@b:25", "http://mail/"};
	struct room *r = *state;
	struct ask k;

	for (size_t i = 0; i < array_len(bad); i++) {
		if (!strcmp(bad[i], "mail:"))
			continue; /* the default port */
		send_it(r, &k, (struct mail_server){.host = bad[i]}, message());
		assert_fault(&k, FAULT_LOCAL, "is no mail server");
		assert_true(k.a.permanent);
	}
}

static void say_nothing(struct peer_connection *c)
{
	peer_sleep_ms(c, 60000);
}

static void greet_and_be_silent(struct peer_connection *c)
{
	peer_say(c, "220 slow.example ESMTP\r\n");
	peer_sleep_ms(c, 60000);
}

static void hang_up(struct peer_connection *c)
{
	peer_say(c, "421 too busy\r\n");
}

static void peers_that_do_not_serve(void **state)
{
	struct room *r = *state;
	struct mail_message m = message();
	struct peer *p = peer_start(hang_up, NULL, NULL);
	struct ask k;

	send_it(r, &k, (struct mail_server){.host = host("127.0.0.1", p->port)}, m);
	assert_int_equal(k.a.status, 421);
	assert_fault(&k, FAULT_HTTP_503, "421 too busy");
	assert_false(k.a.permanent);
	peer_stop(p);
	m.deadline_ns = SHORT;
	p = peer_start(say_nothing, NULL, NULL);
	send_it(r, &k, (struct mail_server){.host = host("127.0.0.1", p->port)}, m);
	assert_fault(&k, FAULT_TIMEOUT, "did not take the message within 300ms");
	peer_stop(p);
	p = peer_start(greet_and_be_silent, NULL, NULL);
	send_it(r, &k, (struct mail_server){.host = host("127.0.0.1", p->port)}, m);
	assert_fault(&k, FAULT_TIMEOUT, "it last said: 220 slow.example ESMTP");
	peer_stop(p);
	send_it(r, &k, (struct mail_server){.host = host("127.0.0.1", peer_free_port())}, m);
	assert_fault(&k, FAULT_REFUSED, "cannot connect to 127.0.0.1");
}

static void cancelling_and_freeing_call_back_once(void **state)
{
	struct room *r = *state;
	struct peer *p = peer_start(greet_and_be_silent, NULL, NULL);
	const struct mail_server s = {
		.host = host("127.0.0.1", p->port), .from = "a@b", .tls = MAIL_PLAIN};
	const struct mail_message m = message();
	struct ask k[3] = {0};

	mail_cancel(mail_send(r->mailer, &s, &m, on_done, &k[0]));
	assert_int_equal(k[0].times, 0);
	assert_true(loop_run_until(r->loop, &k[0].done));
	assert_int_equal(k[0].a.fault, FAULT_CANCELLED);
	mail_send(r->mailer, &s, &m, on_done, &k[1]);
	while (atomic_load(&p->connections) == 0) {
		uv_run(loop_uv(r->loop), UV_RUN_NOWAIT);
		usleep(500);
	}
	mail_send(r->mailer, &s, &m, on_done, &k[2]);
	mailer_free(r->mailer);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(k[i].times, 1);
		assert_int_equal(k[i].a.fault, FAULT_CANCELLED);
	}
	r->mailer = mailer_new(r->loop, &r->err);
	assert_non_null(r->mailer);
	peer_stop(p);
}

/* --- the room ----------------------------------------------------------------------------------
 */

static int set_up(void **state)
{
	struct room *r = mem_new(struct room);

	*state = r;
	r->loop = loop_new(NULL, &r->err);
	r->mailer = mailer_new(r->loop, &r->err);
	assert_non_null(r->mailer);
	if (!exim_exists())
		return 0;
	r->authority = certify(NULL, NULL);
	r->stranger = certify(NULL, NULL);
	r->own = certify(&r->authority, "DNS:localhost,IP:127.0.0.1");
	snprintf(r->ca, sizeof(r->ca), "/tmp/test-mail-ca-%d", (int)getpid());
	snprintf(r->other_ca, sizeof(r->other_ca), "/tmp/test-mail-other-%d", (int)getpid());
	peer_save_certificate(&r->authority, r->ca);
	peer_save_certificate(&r->stranger, r->other_ca);
	r->exim = exim_start(&r->own);
	return 0;
}

static int tear_down(void **state)
{
	struct room *r = *state;

	mailer_free(r->mailer);
	loop_free(r->loop);
	exim_stop(r->exim);
	if (r->exim) {
		peer_certificate_fini(&r->authority);
		peer_certificate_fini(&r->stranger);
		peer_certificate_fini(&r->own);
		unlink(r->ca);
		unlink(r->other_ca);
	}
	free(r);
	return 0;
}

int test_mail(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_is_these_bytes),
		cmocka_unit_test(subjects_of_all_kinds_are_one_line),
		cmocka_unit_test(no_encoded_word_cuts_a_character),
		cmocka_unit_test(addresses_and_ids_that_are_more_are_refused),
		cmocka_unit_test(at_most_fifty_recipients),
		cmocka_unit_test(hosts_that_are_none_are_refused),
		cmocka_unit_test(peers_that_do_not_serve),
		cmocka_unit_test(cancelling_and_freeing_call_back_once),
		cmocka_unit_test(a_message_arrives_through_starttls_with_log_in),
		cmocka_unit_test(a_message_arrives_through_tls_from_the_start_and_without),
		cmocka_unit_test(without_starttls_nothing_is_sent),
		cmocka_unit_test(certificates_are_verified),
		cmocka_unit_test(a_wrong_password_is_refused),
		cmocka_unit_test(one_bad_recipient_does_not_keep_the_others),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
