/*
 * check_throughput.c - the verb `throughput`: from one guest to another, by the best tool that both
 * have.
 *
 * Four scripts one after the other: what the sender has; the receiver begins; the sender sends; the
 * receiver ends, whatever came before. Only one at a time goes to a receiver (run_task.c's lock).
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "observe/scenario/bench_script.h"
#include "observe/scenario/guest_figure.h"
#include "observe/scenario/guest_run.h"
#include "observe/scenario/guest_tool.h"

#define TIME_MAX    300 /* s */
#define END_NS      (15 * NS_PER_S)
#define ADDRESS_MAX 64

enum stage { STAGE_TOOLS_FROM, STAGE_TOOLS_TO, STAGE_SERVE, STAGE_SEND, STAGE_END };

struct throughput_check {
	struct value_ref from, to;
	enum stage stage;
	struct guest_run *run;
	bool cancelled, serving, has_iperf3, has_nc, has_result;
	enum throughput_tool tool;
	unsigned seconds;
	char address[ADDRESS_MAX];
	struct figure_throughput figure;
	enum fault fault;
	char detail[256];
};

static void next_stage(struct check_call *c);

static void cancel(struct check_call *c)
{
	struct throughput_check *k = c->data;
	k->cancelled = true;
	if (k->run)
		guest_run_cancel(k->run);
	else
		c->fault = FAULT_CANCELLED; /* its timer is due */
}

static void cleanup(struct check_call *c)
{
	free(c->data);
}

static void finish(struct check_call *c)
{
	struct throughput_check *k = c->data;
	const struct figure_throughput *f = &k->figure;
	if (k->cancelled) {
		check_finish(c, FAULT_CANCELLED, "%s", fault_text(FAULT_CANCELLED));
		return;
	}
	if (k->fault != FAULT_NONE || !k->has_result) {
		check_finish(
			c, k->fault != FAULT_NONE ? k->fault : FAULT_EXIT_STATUS, "%s", k->detail);
		return;
	}
	c->phases.total_ns = loop_now_ns(c->tools.loop) - c->began_ns;
	check_measure_time(c, "RESPONSE_TIME", c->phases.total_ns);
	check_measure_text(c, "TOOL",
		slice_of(k->tool == THROUGHPUT_IPERF3 ? "iperf3" : "nc (not comparable)"));
	check_measure_int(c, "THROUGHPUT", (int64_t)f->bits_per_s);
	check_measure_size(c, "RECEIVED", f->received);
	if (f->retransmits >= 0)
		check_measure_int(c, "RETRANSMITS", f->retransmits);
	if (f->sender >= 0)
		check_measure_share(c, "CPU_SENDER", f->sender);
	if (f->receiver >= 0)
		check_measure_share(c, "CPU_RECEIVER", f->receiver);
	check_finish(c, FAULT_NONE, "%s", "");
}

/* --- what a script came to ----------------------------------------------------------------------
 */

static void fail(struct throughput_check *k, enum fault fault, const char *what, const char *why)
{
	if (k->fault != FAULT_NONE)
		return;
	k->fault = fault;
	snprintf(k->detail, sizeof(k->detail), "%s%.200s", what, why);
}

static bool says(struct slice output, const char *tool)
{
	char line[32];
	snprintf(line, sizeof(line), "has %s", tool);
	struct slice part;
	while (slice_next(&output, '\n', &part))
		if (slice_is(slice_trim(part), line))
			return true;
	return false;
}

static void take_tools(struct throughput_check *k, struct slice output)
{
	const bool first = k->stage == STAGE_TOOLS_FROM;
	k->has_iperf3 = (first || k->has_iperf3) && says(output, "iperf3");
	k->has_nc = (first || k->has_nc) && says(output, "nc") && (!first || says(output, "dd"));
	k->tool = k->has_iperf3 ? THROUGHPUT_IPERF3 : THROUGHPUT_NC;
	if (!k->has_iperf3 && !k->has_nc)
		fail(k, FAULT_EXIT_STATUS, first ? "the sender" : "both guests together",
			first ? " has no iperf3, and not nc and dd"
			      : " have neither iperf3 nor nc");
}

/* Of nc: what came, in the time that was sent. */
static void take_received(struct throughput_check *k, struct slice output)
{
	struct slice text;
	int64_t n;
	if (k->tool != THROUGHPUT_NC || k->fault != FAULT_NONE)
		return;
	if (!figure_line(output, "received", &text) || !units_parse_int(text, &n) || n <= 0) {
		fail(k, FAULT_TIMEOUT, "", "nothing came over the connection");
		return;
	}
	k->figure = (struct figure_throughput){.bits_per_s = (double)n * 8 / k->seconds,
		.received = n,
		.retransmits = -1,
		.sender = -1,
		.receiver = -1};
	k->has_result = true;
}

/* iperf3's reasons are those of connections. */
static void take_sent(struct throughput_check *k, const struct ssh_result *r)
{
	char why[FIGURE_WHY] = "", said[200];
	if (k->tool == THROUGHPUT_IPERF3) {
		k->has_result = figure_iperf3(r->output, &k->figure, why);
		if (!k->has_result)
			fail(k, guest_tool_fault(0, slice_of(why), FAULT_EXIT_STATUS),
				"iperf3: ", why);
	} else if (r->fault != FAULT_NONE) {
		fail(k, FAULT_EXIT_STATUS, "", guest_run_said(r, said, sizeof(said)));
	}
}

static void on_done(void *arg, const struct ssh_result *r)
{
	struct check_call *c = arg;
	struct throughput_check *k = c->data;
	char said[200];
	k->run = NULL;
	if (!guest_run_ran(r)) {
		const bool sender = k->stage == STAGE_TOOLS_FROM || k->stage == STAGE_SEND;
		c->unasked |= k->stage < STAGE_SEND;
		fail(k, r->fault, sender ? "in the sender: " : "in the receiver: ", r->detail);
	} else if (k->stage <= STAGE_TOOLS_TO) {
		take_tools(k, r->output);
	} else if (k->stage == STAGE_SERVE) {
		k->serving = r->fault == FAULT_NONE;
		if (!k->serving)
			fail(k, FAULT_EXIT_STATUS,
				"in the receiver: ", guest_run_said(r, said, sizeof(said)));
	} else if (k->stage == STAGE_SEND) {
		take_sent(k, r);
	} else {
		take_received(k, r->output);
	}
	if (k->stage == STAGE_END || (k->fault != FAULT_NONE && !k->serving) ||
		(k->cancelled && !k->serving)) {
		finish(c);
		return;
	}
	k->stage = k->fault != FAULT_NONE || k->cancelled ? STAGE_END : k->stage + 1;
	next_stage(c);
}

static void next_stage(struct check_call *c)
{
	struct throughput_check *k = c->data;
	struct buf script = BUF(GUEST_SCRIPT_MAX);
	const int64_t left = c->deadline_ns - (loop_now_ns(c->tools.loop) - c->began_ns);
	struct guest_order order = {.guest = k->to,
		.deadline_ns = left > NS_PER_S ? left : NS_PER_S,
		.output_max = FIGURE_TEXT_MAX};
	struct error err = {0};
	switch (k->stage) {
	case STAGE_TOOLS_FROM: order.guest = k->from; __attribute__((fallthrough));
	case STAGE_TOOLS_TO: throughput_script_tools(&script); break;
	case STAGE_SERVE: throughput_script_serve(&script, k->tool, k->seconds); break;
	case STAGE_SEND:
		order.guest = k->from;
		throughput_script_send(&script, k->tool, k->address, k->seconds);
		break;
	case STAGE_END:
		order.deadline_ns = END_NS; /* what was begun is ended, whatever the time */
		throughput_script_end(&script);
		break;
	}
	order.script = buf_slice(&script);
	k->run = guest_run(c, &order, on_done, c, &err);
	if (!k->run) {
		fail(k, FAULT_EVALUATION, "", err.msg);
		check_finish_later(c, k->fault, "%s", k->detail);
	}
	buf_fini(&script);
}

void check_throughput(struct check_call *c)
{
	struct throughput_check *k = mem_new(struct throughput_check);
	c->data = k;
	c->cleanup = cleanup;
	c->cancel = cancel;
	k->seconds = 5;
	if (!guest_run_named(c, "from", &k->from) || !guest_run_named(c, "to", &k->to))
		return;
	char *address = guest_run_address(c->world, k->to);
	snprintf(k->address, sizeof(k->address), "%s", address ? address : "");
	free(address);
	if (!check_seconds(check_field(c, "time", NULL), TIME_MAX, &k->seconds))
		check_finish_later(
			c, FAULT_EVALUATION, "throughput: `time` is whole seconds from 1s to 5m");
	else if (!guest_tool_plain_host(k->address))
		check_finish_later(c, FAULT_EVALUATION, "throughput: `to` has no address");
	else
		next_stage(c);
}
