/*
 * websocket.c - see websocket.h.
 */

#include "net/websocket.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/random.h"

#define GUID     "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
#define IDLE_MAX 10000

/* --- the handshake -----------------------------------------------------------------------------
 */

void websocket_key(char key[WEBSOCKET_KEY])
{
	uint8_t bytes[16];

	random_fill(&random_system, bytes, sizeof(bytes));
	char *text = base64_encode(bytes, sizeof(bytes));
	snprintf(key, WEBSOCKET_KEY, "%s", text);
	free(text);
}

/* What proves that the server has read this key. Owned. */
static char *accept_of(const char *key)
{
	uint8_t hash[SHA_DIGEST_LENGTH];
	char *text = mem_printf("%s" GUID, key);

	SHA1((const unsigned char *)text, strlen(text), hash);
	free(text);
	return base64_encode(hash, sizeof(hash));
}

struct head {
	bool upgrade, connection;
	struct slice accept;
};

static bool has_token(struct slice list, const char *token)
{
	struct slice part;

	while (slice_next(&list, ',', &part))
		if (slice_is_nocase(slice_trim(part), token))
			return true;
	return false;
}

static void read_header(struct slice line, struct head *h, struct websocket_answer *ret)
{
	const size_t colon = slice_find(line, ':');
	const struct slice name = slice_sub(line, 0, colon);
	const struct slice value = slice_trim(slice_sub(line, colon + 1, line.n));

	if (slice_is_nocase(name, "upgrade"))
		h->upgrade = h->upgrade || has_token(value, "websocket");
	else if (slice_is_nocase(name, "connection"))
		h->connection = h->connection || has_token(value, "upgrade");
	else if (slice_is_nocase(name, "sec-websocket-accept"))
		h->accept = value;
	else if (slice_is_nocase(name, "sec-websocket-protocol"))
		ret->subprotocol = value;
}

/* "HTTP/1.1 101 Switching Protocols"; 0: it is no such line. */
static int status_of(struct slice line)
{
	int status = 0;

	if (!slice_starts(line, "HTTP/1.") || line.n < 12 || line.p[8] != ' ')
		return 0;
	for (size_t i = 9; i < 12; i++) {
		if (line.p[i] < '0' || line.p[i] > '9')
			return 0;
		status = status * 10 + line.p[i] - '0';
	}
	return line.n == 12 || line.p[12] == ' ' ? status : 0;
}

static void judge(const struct head *h, const char *key, struct websocket_answer *ret)
{
	char *accept = accept_of(key);

	if (ret->status != 101)
		snprintf(ret->detail, sizeof(ret->detail), "answered %d, not 101", ret->status);
	else if (!h->upgrade || !h->connection)
		snprintf(ret->detail, sizeof(ret->detail), "answered 101, but not to WebSocket");
	else if (!slice_is(h->accept, accept))
		snprintf(ret->detail, sizeof(ret->detail),
			"Sec-WebSocket-Accept is not what belongs to our key");
	ret->agrees = !*ret->detail;
	free(accept);
}

enum websocket_state websocket_read_answer(
	struct slice got, const char *key, struct websocket_answer *ret)
{
	const size_t end = slice_find_text(got, SLICE("\r\n\r\n"));
	struct head h = {0};
	struct slice rest, line;

	*ret = (struct websocket_answer){0};
	if (end == got.n) {
		const struct slice start = slice_sub(got, 0, 7);
		if (!slice_eq(start, slice_sub(SLICE("HTTP/1."), 0, start.n))) {
			snprintf(ret->detail, sizeof(ret->detail), "the answer is not HTTP/1.1");
			return WEBSOCKET_BROKEN;
		}
		return WEBSOCKET_MORE;
	}
	ret->n = end + 4;
	rest = slice_sub(got, 0, end);
	slice_next(&rest, '\n', &line);
	ret->status = status_of(slice_trim(line));
	if (!ret->status) {
		snprintf(ret->detail, sizeof(ret->detail), "the answer is not HTTP/1.1");
		return WEBSOCKET_BROKEN;
	}
	while (slice_next(&rest, '\n', &line))
		read_header(slice_trim(line), &h, ret);
	judge(&h, key, ret);
	return WEBSOCKET_WHOLE;
}

/* --- frames ------------------------------------------------------------------------------------
 */

void websocket_write(struct buf *out, enum websocket_opcode opcode, struct slice data)
{
	uint8_t mask[4];

	buf_add_char(out, (char)(0x80 | opcode));
	if (data.n < 126) {
		buf_add_char(out, (char)(0x80 | data.n));
	} else if (data.n < 65536) {
		buf_add_char(out, (char)(0x80 | 126));
		buf_add_char(out, (char)(data.n >> 8));
		buf_add_char(out, (char)data.n);
	} else {
		buf_add_char(out, (char)(0x80 | 127));
		for (int shift = 56; shift >= 0; shift -= 8)
			buf_add_char(out, (char)((uint64_t)data.n >> shift));
	}
	random_fill(&random_system, mask, sizeof(mask));
	buf_add(out, mask, sizeof(mask));
	for (size_t i = 0; i < data.n; i++)
		buf_add_char(out, (char)((uint8_t)data.p[i] ^ mask[i % 4]));
}

struct frame {
	bool fin;
	unsigned opcode;
	struct slice data;
	size_t n; /* of all of it */
};

static enum websocket_state broken(char *detail, size_t n, const char *why)
{
	snprintf(detail, n, "%s", why);
	return WEBSOCKET_BROKEN;
}

static enum websocket_state read_frame(
	struct slice got, struct frame *f, char *detail, size_t detail_n)
{
	const uint8_t *p = (const uint8_t *)got.p;
	size_t head = 2;
	uint64_t n;

	if (got.n < 2)
		return WEBSOCKET_MORE;
	if (p[0] & 0x70)
		return broken(detail, detail_n, "a frame uses an extension nobody agreed to");
	if (p[1] & 0x80)
		return broken(detail, detail_n, "a frame of the server is masked");
	n = p[1];
	if (n >= 126) {
		head = n == 126 ? 4 : 10;
		if (got.n < head)
			return WEBSOCKET_MORE;
		n = 0;
		for (size_t i = 2; i < head; i++)
			n = n << 8 | p[i];
	}
	if (n > WEBSOCKET_MESSAGE_MAX)
		return broken(detail, detail_n, "a frame is longer than what is taken (64 KiB)");
	if (got.n - head < n)
		return WEBSOCKET_MORE;
	f->fin = p[0] & 0x80;
	f->opcode = p[0] & 0x0f;
	f->data = slice_sub(got, head, (size_t)n);
	f->n = head + (size_t)n;
	return WEBSOCKET_WHOLE;
}

static enum websocket_state take_control(
	struct websocket_reader *r, const struct frame *f, char *detail, size_t n)
{
	if (!f->fin || f->data.n > sizeof(r->control))
		return broken(detail, n, "a control frame is in pieces or too long");
	if (f->opcode > WEBSOCKET_PONG)
		return broken(detail, n, "a frame of an unknown kind");
	if (f->data.n)
		memcpy(r->control, f->data.p, f->data.n);
	r->control_n = f->data.n;
	r->opcode = (enum websocket_opcode)f->opcode;
	return WEBSOCKET_WHOLE;
}

static enum websocket_state take_data(
	struct websocket_reader *r, const struct frame *f, char *detail, size_t n)
{
	if (f->opcode > WEBSOCKET_BINARY)
		return broken(detail, n, "a frame of an unknown kind");
	if ((f->opcode == WEBSOCKET_CONTINUATION) != r->in_message)
		return broken(detail, n, "the pieces of a message are out of order");
	if (!r->in_message) {
		buf_fini(&r->message);
		buf_init(&r->message, WEBSOCKET_MESSAGE_MAX);
		r->message_opcode = (enum websocket_opcode)f->opcode;
	}
	if (!buf_add_slice(&r->message, f->data))
		return broken(detail, n, "a message is longer than what is taken (64 KiB)");
	r->in_message = !f->fin;
	if (r->in_message)
		return WEBSOCKET_MORE;
	if (r->message_opcode == WEBSOCKET_TEXT && !utf8_valid(buf_slice(&r->message)))
		return broken(detail, n, "a text message is no UTF-8");
	r->opcode = r->message_opcode;
	return WEBSOCKET_WHOLE;
}

enum websocket_state websocket_read(
	struct websocket_reader *r, struct slice got, size_t *ret_n, char *detail, size_t detail_n)
{
	struct frame f;
	const enum websocket_state state = read_frame(got, &f, detail, detail_n);

	*ret_n = 0;
	if (state != WEBSOCKET_WHOLE)
		return state;
	*ret_n = f.n;
	if ((f.opcode >= WEBSOCKET_CLOSE || !f.data.n) && ++r->idle > IDLE_MAX)
		return broken(detail, detail_n,
			"the server sends frame after frame that brings nothing of a message");
	return f.opcode >= WEBSOCKET_CLOSE ? take_control(r, &f, detail, detail_n)
					   : take_data(r, &f, detail, detail_n);
}

void websocket_reader_fini(struct websocket_reader *r)
{
	buf_fini(&r->message);
}
