/*
 * guest_tool.h - what a check runs in a guest, with whatever that guest has: curl, bash, nc of any
 * of the three families, wget. Commands are one line of plain sh; nothing is installed.
 *
 * Thread: any.
 */
#ifndef OBSERVE_SCENARIO_GUEST_TOOL_H
#define OBSERVE_SCENARIO_GUEST_TOOL_H

#include "base/buf.h"
#include "base/error.h"
#include "base/fault.h"
#include "net/http_client.h"

/* Only what an address or a name can hold goes into a guest's command line as it is. */
bool guest_tool_plain_host(const char *s);
/* A connection to a port that guest_tool_plain_host() let through; status 0: it came about. */
void guest_tool_tcp(struct buf *command, const char *host, unsigned port);
/*
 * A request, and what its command reads from standard input. False: not an http(s) address, or a
 * header or a method that would be more than one. https needs curl or wget, http any of them.
 */
bool guest_tool_http(const struct http_request *q, struct buf *command, struct buf *input,
	struct error *err) must_check;
/* What came back, borrowed from `output`. False: no HTTP answer. */
bool guest_tool_http_answer(
	struct slice output, struct slice errors, int *ret_status, struct slice *ret_body);
/* What went wrong, by what the tools say; `otherwise` where they say nothing that is known. */
enum fault guest_tool_fault(int exit_status, struct slice errors, enum fault otherwise);

#endif
