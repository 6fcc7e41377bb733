/*
 * mail_text.c - messages: RFC 5322 headers, RFC 2047 words, a quoted-printable body (RFC 2045).
 *
 * Whatever a subject or a text holds, it cannot become a header: control characters of a subject
 * are spaces here, and addresses and ids that are more than what they must be are refused.
 */
#include "net/mail_text.h"

#include <string.h>

#include "base/digest.h"

#define SUBJECT_MAX 1000 /* bytes */
#define WORD_BYTES  42   /* of text in one encoded word: 76 characters with what is around it */
#define PLAIN_MAX   60
#define QUOTED_LINE 75 /* 76 with the soft break */
#define ADDRESS_MAX 254

/* --- what is refused ---------------------------------------------------------------------------
 */

static bool is_atom(struct slice s)
{
	static const char chars[] =
		"!#$%&'*+-/=?^_`{|}~.0123456789"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

	for (size_t i = 0; i < s.n; i++)
		if (!s.p[i] || !strchr(chars, s.p[i]))
			return false;
	return s.n > 0;
}

bool mail_address_good(const char *address)
{
	const struct slice all = slice_of(address);
	const size_t at = slice_find(all, '@');

	return all.n <= ADDRESS_MAX && at < all.n && is_atom(slice_sub(all, 0, at)) &&
	       is_atom(slice_sub(all, at + 1, all.n));
}

bool mail_keeps_password(const struct mail_server *s)
{
	const struct slice host = slice_of(s->host);

	return s->tls != MAIL_PLAIN || slice_starts(host, "127.") || slice_starts(host, "[::1]") ||
	       slice_starts(host, "localhost:") || slice_is(host, "localhost");
}

static bool check(const char *from, const struct mail_message *m, struct error *err)
{
	size_t n = 0;

	if (!mail_address_good(from)) {
		error_set(err, ERROR_INPUT, "\"%.100s\" is no address to send from",
			from ? from : "");
		return false;
	}
	for (; m->to && m->to[n]; n++)
		if (!mail_address_good(m->to[n])) {
			error_set(
				err, ERROR_INPUT, "\"%.100s\" is no address to send to", m->to[n]);
			return false;
		}
	if (n == 0 || n > MAIL_RECIPIENTS_MAX) {
		error_set(err, ERROR_INPUT, "a message goes to 1 to %d addresses, not to %zu",
			MAIL_RECIPIENTS_MAX, n);
		return false;
	}
	if (!mail_address_good(m->id) || (m->in_reply_to && !mail_address_good(m->in_reply_to))) {
		error_set(err, ERROR_INPUT, "the id of the message is not like name@host");
		return false;
	}
	return true;
}

/* --- headers -----------------------------------------------------------------------------------
 */

/* One line of UTF-8: control characters and runs of white space become one space, what is no UTF-8
 * a question mark. */
static void clean_line(struct buf *out, const char *text)
{
	const struct slice all = slice_of(text);
	const bool valid = utf8_valid(all);
	bool space = true;

	for (size_t i = 0; i < all.n; i++) {
		const unsigned char c = (unsigned char)all.p[i];
		if (c <= ' ' || c == 0x7f) {
			if (!space)
				buf_add_char(out, ' ');
			space = true;
			continue;
		}
		space = false;
		buf_add_char(out, c >= 0x80 && !valid ? '?' : (char)c);
	}
	while (out->n > 0 && out->p[out->n - 1] == ' ')
		buf_cut(out, out->n - 1);
}

/* Bytes of `s` from i on that make whole code points and are at most `max`. */
static size_t whole_part(struct slice s, size_t i, size_t max)
{
	size_t end = i + max < s.n ? i + max : s.n;

	while (end < s.n && end > i && ((unsigned char)s.p[end] & 0xc0) == 0x80)
		end--;
	return end - i;
}

static void add_encoded(struct buf *out, struct slice s)
{
	for (size_t i = 0; i < s.n;) {
		const size_t n = whole_part(s, i, WORD_BYTES);
		char *word = base64_encode(s.p + i, n);
		buf_printf(out, "%s=?utf-8?B?%s?=", i ? "\r\n " : "", word);
		free(word);
		i += n;
	}
}

static void add_subject(struct buf *out, const char *subject)
{
	struct buf line = BUF(BUF_LINE);
	bool plain;

	clean_line(&line, subject ? subject : "");
	buf_cut(&line, whole_part(buf_slice(&line), 0, SUBJECT_MAX));
	plain = line.n <= PLAIN_MAX && !strstr(buf_str(&line), "=?");
	for (size_t i = 0; i < line.n; i++)
		plain = plain && (unsigned char)line.p[i] < 0x80;
	buf_add_str(out, "Subject: ");
	if (plain)
		buf_add_slice(out, buf_slice(&line));
	else
		add_encoded(out, buf_slice(&line));
	buf_add_str(out, "\r\n");
	buf_fini(&line);
}

static void add_date(struct buf *out, int64_t unix_us)
{
	char text[CLOCK_TEXT];
	struct slice date = slice_of(clock_http_date(unix_us, text));

	if (slice_ends(date, " GMT"))
		date.n -= 4;
	buf_printf(out, "Date: %.*s +0000\r\n", SLICE_ARG(date));
}

static void add_headers(struct buf *out, const char *from, const struct mail_message *m)
{
	add_date(out, m->date_unix_us);
	buf_printf(out, "From: <%s>\r\nTo: ", from);
	for (size_t i = 0; m->to[i]; i++)
		buf_printf(out, "%s<%s>", i ? ",\r\n " : "", m->to[i]);
	buf_add_str(out, "\r\n");
	add_subject(out, m->subject);
	buf_printf(out, "Message-ID: <%s>\r\n", m->id);
	if (m->in_reply_to)
		buf_printf(out, "In-Reply-To: <%s>\r\nReferences: <%s>\r\n", m->in_reply_to,
			m->in_reply_to);
	buf_add_str(out,
		"Auto-Submitted: auto-generated\r\n"
		"MIME-Version: 1.0\r\n"
		"Content-Type: text/plain; charset=utf-8\r\n"
		"Content-Transfer-Encoding: quoted-printable\r\n\r\n");
}

/* --- the body ----------------------------------------------------------------------------------
 */

static size_t add_octet(struct buf *out, unsigned char c, bool last)
{
	static const char hex[] = "0123456789ABCDEF";

	if ((c > ' ' && c < 0x7f && c != '=') || ((c == ' ' || c == '\t') && !last)) {
		buf_add_char(out, (char)c);
		return 1;
	}
	buf_add_char(out, '=');
	buf_add_char(out, hex[c >> 4]);
	buf_add_char(out, hex[c & 15]);
	return 3;
}

static void add_line(struct buf *out, struct slice line)
{
	size_t column = 0;

	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	for (size_t i = 0; i < line.n; i++) {
		if (column > QUOTED_LINE - 3) {
			buf_add_str(out, "=\r\n");
			column = 0;
		}
		column += add_octet(out, (unsigned char)line.p[i], i + 1 == line.n);
	}
	buf_add_str(out, "\r\n");
}

bool mail_text_write(
	struct buf *out, const char *from, const struct mail_message *m, struct error *err)
{
	struct slice rest = slice_of(m->text), line;

	if (!check(from, m, err))
		return false;
	if (rest.n > MAIL_TEXT_MAX) {
		error_set(err, ERROR_LIMIT, "the text of the message is over %u bytes",
			MAIL_TEXT_MAX);
		return false;
	}
	if (rest.n && rest.p[rest.n - 1] == '\n')
		rest.n--;
	add_headers(out, from, m);
	while (slice_next(&rest, '\n', &line))
		add_line(out, line);
	return true;
}
