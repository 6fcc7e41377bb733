/*
 * check_bench.c - the verb `bench`: how fast a guest computes, and its disk.
 */

#include <inttypes.h>
#include <string.h>

#include "base/units.h"
#include "observe/scenario/bench_script.h"
#include "observe/scenario/guest_figure.h"
#include "observe/scenario/guest_run.h"

#define DIGITS_MAX 100000
#define JOBS_MAX   64
#define TIME_MAX   600 /* s */
#define BLOCK_MAX  (64ll << 20)
#define SIZE_MAX_B (1ll << 40)

struct bench_check {
	struct guest_run *run;
	bool disk;
	int64_t digits, block;
};

static void cancel(struct check_call *c)
{
	struct bench_check *k = c->data;
	guest_run_cancel(k->run);
}

static void cleanup(struct check_call *c)
{
	free(c->data);
}

static struct slice measure_tool(struct check_call *c, struct slice output)
{
	struct slice tool = SLICE("");
	if (figure_line(output, "tool", &tool))
		check_measure_text(c, "TOOL", slice_sub(tool, 0, 60));
	return tool;
}

/* --- what came of it ---------------------------------------------------------------------------
 */

static void end_pi(struct check_call *c, struct slice output)
{
	const struct bench_check *k = c->data;
	const struct slice tool = measure_tool(c, output);
	struct figure_cpu cpu;
	struct slice digits = SLICE("");
	int64_t n = 0;
	if (!figure_cpu(output, &cpu)) {
		check_finish(c, FAULT_EXIT_STATUS, "the guest does not say what CPU time it took");
		return;
	}
	figure_line(output, "digits", &digits);
	if (slice_is(tool, "bc") && (!units_parse_int(digits, &n) || n < k->digits)) {
		check_finish(c, FAULT_EXIT_STATUS, "bc gave %" PRId64 " of %" PRId64 " digits", n,
			k->digits);
		return;
	}
	check_measure_time(c, "CPU", cpu.user_ns);
	if (cpu.steal >= 0)
		check_measure_share(c, "STEAL", cpu.steal);
	check_finish(c, FAULT_NONE, "%s", "");
}

static void end_disk(struct check_call *c, struct slice output)
{
	const struct bench_check *k = c->data;
	const struct slice tool = measure_tool(c, output);
	struct figure_disk d;
	char why[FIGURE_WHY] = "it says not what it copied in what time, or was over too soon";
	const bool fio = slice_starts(tool, "fio");
	if (fio ? !figure_fio(output, &d, why) : !figure_dd(output, k->block, &d)) {
		check_finish(c, FAULT_EXIT_STATUS, "%.*s: %s", (int)(tool.n < 40 ? tool.n : 40),
			tool.p, why);
		return;
	}
	check_measure_size(c, "BANDWIDTH", (int64_t)d.bytes_per_s);
	check_measure_int(c, "OPERATIONS", (int64_t)d.operations_per_s);
	if (d.has_latency) {
		check_measure_time(c, "LATENCY_P50", d.p50_ns);
		check_measure_time(c, "LATENCY_P99", d.p99_ns);
		check_measure_share(c, "OVER_10MS", d.over_10ms);
	}
	check_finish(c, FAULT_NONE, "%s", "");
}

static void on_done(void *arg, const struct ssh_result *r)
{
	struct check_call *c = arg;
	const struct bench_check *k = c->data;
	char said[200];
	c->phases = r->phases;
	check_measure_time(c, "RESPONSE_TIME", r->phases.total_ns);
	if (!guest_run_ran(r)) {
		c->unasked = r->fault != FAULT_TIMEOUT || !r->phases.body_ns;
		check_finish(c, r->fault, "in the guest: %s", r->detail);
	} else if (r->fault != FAULT_NONE) {
		check_finish(c, FAULT_EXIT_STATUS, "in the guest: %s",
			guest_run_said(r, said, sizeof(said)));
	} else if (k->disk) {
		end_disk(c, r->output);
	} else {
		end_pi(c, r->output);
	}
}

/* --- what the body says ------------------------------------------------------------------------
 */

static bool read_size(const struct value *v, int64_t max, int64_t *ret)
{
	if (!v || v->type == VALUE_NULL)
		return true;
	if (v->type == VALUE_SIZE)
		*ret = v->integer;
	else if (v->type != VALUE_TEXT || !units_parse_size(value_slice(v), ret))
		return false;
	return *ret >= 512 && *ret <= max;
}

static bool read_whole(const struct value *v, int64_t max, unsigned *ret)
{
	int64_t n = *ret;
	if (v && v->type == VALUE_INT)
		n = v->integer;
	else if (v && v->type != VALUE_NULL &&
		 (v->type != VALUE_TEXT || !units_parse_int(value_slice(v), &n)))
		return false;
	*ret = (unsigned)n;
	return n >= 1 && n <= max;
}

static bool write_disk(struct check_call *c, const struct value *v, struct buf *script)
{
	struct bench_check *k = c->data;
	struct bench_disk d = {.block = 16 << 10, .size = 100 << 20, .jobs = 1, .seconds = 10};
	const struct value *rw = value_field(v, SLICE("rw"));
	char *word =
		rw && rw->type == VALUE_TEXT ? slice_dup(value_slice(rw)) : mem_strdup("randrw");
	const char *wrong = NULL;
	if (!bench_rw(word))
		wrong = "`rw` is one of read, write, randread, randwrite, rw, readwrite and randrw";
	else if (!read_size(value_field(v, SLICE("block")), BLOCK_MAX, &d.block))
		wrong = "`block` is a size from 512B to 64MiB";
	else if (!read_size(value_field(v, SLICE("size")), SIZE_MAX_B, &d.size))
		wrong = "`size` is a size from 512B to 1TiB";
	else if (!read_whole(value_field(v, SLICE("jobs")), JOBS_MAX, &d.jobs))
		wrong = "`jobs` is a whole number from 1 to 64";
	else if (!check_seconds(value_field(v, SLICE("time")), TIME_MAX, &d.seconds))
		wrong = "`time` is whole seconds from 1s to 10m";
	d.rw = word;
	k->disk = true;
	k->block = d.block;
	if (wrong)
		check_finish_later(c, FAULT_EVALUATION, "bench: %s", wrong);
	else
		bench_script_disk(script, &d);
	free(word);
	return !wrong;
}

static bool write_script(struct check_call *c, struct buf *script)
{
	struct bench_check *k = c->data;
	const struct value *disk = check_field(c, "disk", NULL);
	if (disk && disk->type == VALUE_MAP)
		return write_disk(c, disk, script);
	if (disk && disk->type != VALUE_NULL) {
		check_finish_later(
			c, FAULT_EVALUATION, "bench: `disk` takes {rw, block, jobs, size, time}");
		return false;
	}
	k->digits = 4000;
	if (!check_number(c, "pi", 1, DIGITS_MAX, &k->digits))
		return false;
	bench_script_pi(script, (unsigned)k->digits);
	return true;
}

void check_bench(struct check_call *c)
{
	struct buf script = BUF(GUEST_SCRIPT_MAX);
	struct guest_order order = {
		.deadline_ns = c->deadline_ns, .output_max = FIGURE_TEXT_MAX + 4096};
	struct bench_check *k = mem_new(struct bench_check);
	struct error err = {0};
	c->data = k;
	c->cleanup = cleanup;
	if (guest_run_named(c, "on", &order.guest) && write_script(c, &script)) {
		order.script = buf_slice(&script);
		if ((k->run = guest_run(c, &order, on_done, c, &err)))
			c->cancel = cancel;
		else
			check_finish_later(c, FAULT_EVALUATION, "%.200s", err.msg);
	}
	buf_fini(&script);
}
