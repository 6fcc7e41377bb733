/*
 * guest_figure.h - figures out of what tools in guests print: iperf3 and fio in JSON, dd, bc's time
 * by `times` and /proc/stat. All of it comes from outside: anything may stand there.
 *
 * Pure; a text over FIGURE_TEXT_MAX is refused. Thread: any.
 */
#ifndef OBSERVE_SCENARIO_GUEST_FIGURE_H
#define OBSERVE_SCENARIO_GUEST_FIGURE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

#define FIGURE_TEXT_MAX (256u << 10)
#define FIGURE_WHY      160

struct figure_throughput {
	double bits_per_s;
	int64_t received;        /* bytes */
	int64_t retransmits;     /* -1: the tool does not say */
	double sender, receiver; /* CPU, 0 to 1 and above with several cores; -1: not said */
};

/* False: no result; why has the tool's own words, or ours. */
bool figure_iperf3(struct slice text, struct figure_throughput *ret, char why[FIGURE_WHY]);

struct figure_disk {
	double bytes_per_s, operations_per_s;
	bool has_latency; /* p50, p99 and over are there */
	int64_t p50_ns, p99_ns;
	double over_10ms; /* share of the operations */
};

/* Of all jobs, reads and writes together: from the histogram where it is there (json+). */
bool figure_fio(struct slice text, struct figure_disk *ret, char why[FIGURE_WHY]);
/* "N bytes … copied, S s, …" where dd says so, else "N+M records out" in the time between `began`
 * and `ended`, which are /proc/uptime; `block` is what one operation was. */
bool figure_dd(struct slice text, int64_t block, struct figure_disk *ret);

struct figure_cpu {
	int64_t user_ns; /* of all that the script ran */
	double steal;    /* share of the time of all processors; -1: not said */
};

/* "before cpu …" and "after cpu …", lines of /proc/stat, and what `times` of sh says. */
bool figure_cpu(struct slice text, struct figure_cpu *ret);

/* The line that starts with `name` and a blank: what stands behind it. False: there is none. */
bool figure_line(struct slice text, const char *name, struct slice *ret);

#endif
