/* replies.c - what servers say that talk in turns, and gRPC's one message. The first byte says to
 * whom. A reply that is whole stays so, and the same, with more behind it. */
#include "fuzz.h"

#include <string.h>

#include "base/buf.h"
#include "net/grpc_message.h"
#include "net/reply.h"

static void hold_grpc(struct slice got)
{
	enum grpc_serving serving;
	char detail[100] = "";
	struct buf out = BUF(BUF_LINE);

	if (grpc_health_read(got, &serving, detail, sizeof(detail)))
		fuzz_hold(*grpc_serving_name(serving));
	else
		fuzz_hold(*detail);
	grpc_message_text(got, &out);
	fuzz_hold(out.n <= got.n && utf8_valid(buf_slice(&out)));
	buf_fini(&out);
}

static void hold_capabilities(struct slice text)
{
	struct buf out = BUF(BUF_LINE);

	reply_smtp_capabilities(text, &out);
	reply_can(buf_slice(&out), "STARTTLS");
	buf_clear(&out);
	reply_imap_capabilities(text, &out);
	fuzz_hold(utf8_valid(buf_slice(&out)));
	buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static reply_reader *const readers[] = {reply_smtp, reply_imap_greeting, reply_imap,
		reply_pop3, reply_ldap, reply_postgres};
	struct reply reply, again;

	if (n == 0)
		return 0;
	const struct slice got = slice_from((const char *)p + 1, n - 1);
	if (p[0] % 7 == 6) {
		hold_grpc(got);
		return 0;
	}
	reply_reader *read = readers[p[0] % 7];
	const enum reply_state state = read(got, &reply);
	if (state != REPLY_GOOD && state != REPLY_BAD)
		return 0;
	fuzz_hold(reply.n > 0 && reply.n <= got.n && reply.text.n <= got.n);
	fuzz_hold(read(slice_sub(got, 0, reply.n), &again) == state);
	fuzz_hold(
		again.n == reply.n && again.code == reply.code && slice_eq(again.text, reply.text));
	hold_capabilities(reply.text);
	return 0;
}
