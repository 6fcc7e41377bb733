/*
 * guest_bench.c - bc, fio and iperf3: what they print, with figures that are drawn. Nothing is
 * computed, written or sent; the time they say passes.
 */

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "base/units.h"
#include "sim/guest_memory.h"

#define SEND_MAX   300 /* s */
#define DIGITS_MAX 100000
#define PI_S       10.7  /* of 4000 digits, on a processor that is not shared */
#define LINK_BITS  2.0e9 /* about what comes through, a second */
#define TCP_BLOCK  131072
#define DISK_IOPS  6000.0 /* about, reads and writes together */
#define IPERF_PORT 5201

static double about(double x)
{
	return x * (0.9 + 0.2 * random_unit(&random_system));
}

static void end_job(struct timer *t)
{
	struct shell *sh = t->arg;
	shell_job_done(sh, 0);
	sh->wake(sh->arg);
}

static int last(struct shell *sh, double seconds)
{
	return shell_wait(sh, JOB_SLEEP, (int64_t)(seconds * (double)NS_PER_S), end_job);
}

/* --- bc, times ----------------------------------------------------------------------------------
 */

/* `scale=N; 4*a(1)` alone: as many digits as asked for, of which few are right. */
int command_bc(struct shell *sh, const struct world_guest *g, size_t argc, char **argv)
{
	static const char pi[] = "3.14159265358979323846264338327950288419716939937510";
	struct slice rest = slice_trim(buf_slice(&sh->in));
	int64_t digits;
	rest = slice_starts(rest, "scale=") ? slice_sub(rest, 6, rest.n) : SLICE("");
	const size_t n = slice_find(rest, ';');
	if (!units_parse_int(slice_sub(rest, 0, n), &digits) || digits < 1 || digits > DIGITS_MAX ||
		!slice_is(slice_trim(slice_sub(rest, n + 1, rest.n)), "4*a(1)")) {
		shell_err(sh, "bc: only `scale=N; 4*a(1)` is known here\n");
		return 1;
	}
	for (int64_t i = 0; i < digits + 2; i++)
		shell_out_text(sh, i < (int64_t)sizeof(pi) - 1 ? pi + i : "0", 1);
	shell_out(sh, "\n");
	const double seconds = about(PI_S * pow((double)digits / 4000, 2.2));
	sh->cpu_ns += (int64_t)(seconds * (double)NS_PER_S);
	return last(sh, seconds);
}

static void show_time(struct shell *sh, int64_t ns, const char *after)
{
	const int64_t ms = ns / NS_PER_MS;
	shell_out(sh, "%" PRId64 "m%" PRId64 ".%03" PRId64 "s%s", ms / 60000, ms / 1000 % 60,
		ms % 1000, after);
}

int command_times(struct shell *sh, const struct world_guest *g, size_t argc, char **argv)
{
	show_time(sh, 2 * NS_PER_MS, " ");
	show_time(sh, NS_PER_MS, "\n");
	show_time(sh, sh->cpu_ns, " ");
	show_time(sh, sh->cpu_ns / 50, "\n");
	return 0;
}

/* --- fio ----------------------------------------------------------------------------------------
 */

struct fio {
	const char *rw, *directory;
	double block, seconds, jobs;
	bool plus;
};

/* "16k", "500m", "16384" */
static bool amount(const char *text, double *ret)
{
	static const char letters[] = "kmg";
	const size_t n = strlen(text);
	const char *at = n ? strchr(letters, text[n - 1]) : NULL;
	if (!units_parse_real(slice_from(text, n - (at != NULL)), ret) || *ret <= 0)
		return false;
	for (const char *c = letters; at && c <= at; c++)
		*ret *= 1024;
	return true;
}

static bool read_fio(struct fio *q, size_t argc, char **argv)
{
	for (size_t i = 1; i < argc; i++) {
		const char *value = strchr(argv[i], '=');
		const size_t n = value ? (size_t)(value++ - argv[i]) : strlen(argv[i]);
		const struct slice key = slice_from(argv[i], n);
		bool good = true;
		if (slice_is(key, "--rw") && value)
			q->rw = value;
		else if (slice_is(key, "--directory") && value)
			q->directory = value;
		else if (slice_is(key, "--bs") && value)
			good = amount(value, &q->block);
		else if (slice_is(key, "--runtime") && value)
			good = amount(value, &q->seconds);
		else if (slice_is(key, "--numjobs") && value)
			good = amount(value, &q->jobs);
		else if (slice_is(key, "--output-format") && value)
			q->plus = !strcmp(value, "json+");
		if (!good)
			return false;
	}
	return q->rw && q->directory && q->seconds <= SHELL_WAIT_MAX;
}

/* A direction with a histogram of a few bins, in microseconds around what its rate makes of it. */
static void show_direction(struct shell *sh, const struct fio *q, const char *name, double iops)
{
	static const double share[] = {0.05, 0.40, 0.40, 0.10, 0.04, 0.01};
	const double total = floor(iops * q->seconds);
	const double middle = iops > 0 ? 1e9 * q->jobs / iops : 0;
	shell_out(sh,
		"      \"%s\" : {\n        \"io_bytes\" : %.0f,\n        \"bw_bytes\" : %.0f,\n"
		"        \"iops\" : %.6f,\n        \"runtime\" : %.0f,\n        \"total_ios\" : %.0f,\n"
		"        \"clat_ns\" : {\n          \"percentile\" : {\n"
		"            \"50.000000\" : %.0f,\n            \"99.000000\" : %.0f\n          }",
		name, total * q->block, iops * q->block, iops, q->seconds * 1000, total, middle,
		middle * 16);
	if (q->plus && total > 0) {
		shell_out(sh, ",\n          \"bins\" : {");
		for (size_t i = 0; i < array_len(share); i++)
			shell_out(sh, "%s\n            \"%.0f\" : %.0f", i ? "," : "",
				middle * pow(2, (double)i - 1.5), ceil(total * share[i]));
		shell_out(sh, "\n          }");
	}
	shell_out(sh, "\n        }\n      }");
}

int command_fio(struct shell *sh, const struct world_guest *g, size_t argc, char **argv)
{
	struct fio q = {.block = 4096, .seconds = 10, .jobs = 1};
	if (!read_fio(&q, argc, argv)) {
		shell_err(sh, "fio: --rw, --directory and numbers are needed here\n");
		return 1;
	}
	const bool reads = strchr(q.rw, 'r') == q.rw, writes = strstr(q.rw, "w") != NULL;
	const double iops = about(DISK_IOPS) / (reads && writes ? 2 : 1);
	shell_out(sh,
		"{\n  \"fio version\" : \"fio-3.33\",\n  \"jobs\" : [\n    {\n"
		"      \"jobname\" : \"glasshouse\",\n      \"error\" : 0,\n");
	show_direction(sh, &q, "read", reads ? iops : 0);
	shell_out(sh, ",\n");
	show_direction(sh, &q, "write", writes ? iops : 0);
	shell_out(sh, "\n    }\n  ]\n}\n");
	return last(sh, q.seconds);
}

/* --- iperf3 -------------------------------------------------------------------------------------
 */

struct iperf {
	bool server, once, json;
	const char *to;
	double port, seconds;
};

static bool read_iperf(struct iperf *q, size_t argc, char **argv)
{
	for (size_t i = 1; i < argc; i++) {
		const char *word = argv[i], *next = i + 1 < argc ? argv[i + 1] : "";
		if (!strcmp(word, "-s"))
			q->server = true;
		else if (!strcmp(word, "-1"))
			q->once = true;
		else if (!strcmp(word, "-J"))
			q->json = true;
		else if (!strcmp(word, "-c"))
			q->to = argv[++i < argc ? i : argc - 1];
		else if ((!strcmp(word, "-p") || !strcmp(word, "-t")) &&
			 units_parse_real(slice_of(next), word[1] == 'p' ? &q->port : &q->seconds))
			i++;
		else
			return false;
	}
	return (q->server || (q->to && q->json)) && q->port >= 1 && q->port <= 65535 &&
	       q->seconds > 0 && q->seconds <= SEND_MAX;
}

static int not_connected(struct shell *sh, const char *why)
{
	shell_out(sh,
		"{\n\t\"start\":\t{\n\t\t\"connected\":\t[],\n\t\t\"version\":\t\"iperf 3.12\"\n\t},\n"
		"\t\"intervals\":\t[],\n\t\"end\":\t{\n\t},\n"
		"\t\"error\":\t\"unable to connect to server: %s\"\n}\n",
		why);
	return 1;
}

static void end_not_connected(struct timer *t)
{
	struct shell *sh = t->arg;
	not_connected(sh, "Connection timed out");
	shell_job_done(sh, 1);
	sh->wake(sh->arg);
}

static int send_to(struct shell *sh, const struct world_guest *g, const struct iperf *q)
{
	struct ip address;
	if (!ip_parse(q->to, &address))
		return not_connected(sh, "Name or service not known");
	const struct world_end end =
		world_way(*sh->world, g, address, PACKET_TCP, (unsigned)q->port);
	const enum way way = end.way;
	const struct world_guest *to = end.guest;
	char *served = way == WAY_GUEST ? guest_service_text(sh->services, to->id, to->boots,
						  (unsigned)q->port)
					: NULL;
	const bool serves = served, once = served && !strcmp(served, "once");
	free(served);
	if (way == WAY_LOST) /* as long as Linux tries */
		return shell_wait(sh, JOB_CONNECT, 130 * NS_PER_S, end_not_connected);
	if (!serves)
		return not_connected(
			sh, way == WAY_NO_ROUTE ? "Network is unreachable" : "Connection refused");
	if (once)
		guest_service_stop(sh->services, to->id, to->boots, (unsigned)q->port);
	const double bits = about(LINK_BITS), bytes = floor(bits * q->seconds / 8);
	shell_out(sh,
		"{\n\t\"start\":\t{\n\t\t\"version\":\t\"iperf 3.12\",\n\t\t\"test_start\":\t{\n"
		"\t\t\t\"protocol\":\t\"TCP\",\n\t\t\t\"num_streams\":\t1,\n\t\t\t\"blksize\":\t%d,\n"
		"\t\t\t\"duration\":\t%.0f\n\t\t}\n\t},\n\t\"intervals\":\t[],\n\t\"end\":\t{\n",
		TCP_BLOCK, q->seconds);
	for (int received = 0; received < 2; received++)
		shell_out(sh,
			"\t\t\"sum_%s\":\t{\n\t\t\t\"start\":\t0,\n\t\t\t\"end\":\t%.6f,\n"
			"\t\t\t\"seconds\":\t%.6f,\n\t\t\t\"bytes\":\t%.0f,\n"
			"\t\t\t\"bits_per_second\":\t%f,\n%s\t\t\t\"sender\":\ttrue\n\t\t},\n",
			received ? "received" : "sent", q->seconds, q->seconds, bytes,
			bytes * 8 / q->seconds, received ? "" : "\t\t\t\"retransmits\":\t3,\n");
	shell_out(sh,
		"\t\t\"cpu_utilization_percent\":\t{\n\t\t\t\"host_total\":\t%f,\n"
		"\t\t\t\"remote_total\":\t%f\n\t\t}\n\t}\n}\n",
		about(20), about(35));
	return last(sh, q->seconds);
}

int command_iperf3(struct shell *sh, const struct world_guest *g, size_t argc, char **argv)
{
	struct iperf q = {.port = IPERF_PORT, .seconds = 10};
	if (!read_iperf(&q, argc, argv)) {
		shell_err(sh,
			"iperf3: only `-s [-1] [-p PORT]` and `-c ADDRESS [-p PORT] [-t S] -J` are "
			"known here\n");
		return 1;
	}
	if (!q.server)
		return send_to(sh, g, &q);
	/* whoever connects learns by this text whether it ends with one test */
	if (guest_service_start(
		    sh->services, g->id, g->boots, (unsigned)q.port, q.once ? "once" : "")) {
		shell_stay(sh, (unsigned)q.port);
		return 0;
	}
	shell_err(sh,
		"iperf3: error - unable to start listener for connections: Address already in "
		"use\n");
	return 1;
}
