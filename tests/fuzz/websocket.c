/* websocket.c - what a WebSocket server says: the answer to the handshake, then frames. */
#include "fuzz.h"

#include "net/websocket.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct slice got = slice_from((const char *)p, n);
	struct websocket_answer answer;
	struct websocket_reader reader = {0};
	char detail[120] = "";
	size_t taken = 0;
	enum websocket_state state;

	state = websocket_read_answer(got, "dGhlIHNhbXBsZSBub25jZQ==", &answer);
	fuzz_hold(answer.n <= n && (state == WEBSOCKET_MORE || answer.agrees == !*answer.detail));
	if (state == WEBSOCKET_WHOLE && answer.agrees)
		got = slice_sub(got, answer.n, n);
	do {
		state = websocket_read(&reader, got, &taken, detail, sizeof(detail));
		fuzz_hold(taken <= got.n && (state != WEBSOCKET_WHOLE || taken >= 2));
		fuzz_hold(state != WEBSOCKET_BROKEN || *detail);
		got = slice_sub(got, taken, got.n);
	} while (state != WEBSOCKET_BROKEN && taken > 0);
	websocket_reader_fini(&reader);
	return 0;
}
