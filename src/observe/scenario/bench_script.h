/*
 * bench_script.h - what measures in a guest, as sh: pi, a disk, and the two ends of a throughput.
 *
 * As guest_script.h: what is used is said as `tool NAME`, 127 means that there is none. What a
 * script starts it ends, by itself too when nobody comes back (where the guest has `timeout`).
 * Pure. Thread: any.
 */
#ifndef OBSERVE_SCENARIO_BENCH_SCRIPT_H
#define OBSERVE_SCENARIO_BENCH_SCRIPT_H

#include <stdint.h>

#include "base/buf.h"

#define THROUGHPUT_PORT 5201

/* digits of pi by bc; else a loop of awk or sh, which is no comparable work. Says `digits N`. */
void bench_script_pi(struct buf *script, unsigned digits);

struct bench_disk {
	const char *rw; /* fio's word, checked by bench_rw() */
	int64_t block, size;
	unsigned jobs, seconds;
};

bool bench_rw(const char *rw);
/* By fio, which reports JSON; else by dd, which writes one after the other. Their report follows.
 */
void bench_script_disk(struct buf *script, const struct bench_disk *d);

/* Which of the tools there are: `has NAME` a line. */
void throughput_script_tools(struct buf *script);
enum throughput_tool { THROUGHPUT_IPERF3, THROUGHPUT_NC };
/* The receiving end, begun; says `ready`. One of iperf3's that listens already will do. */
void throughput_script_serve(struct buf *script, enum throughput_tool tool, unsigned seconds);
void throughput_script_send(
	struct buf *script, enum throughput_tool tool, const char *address, unsigned seconds);
/* Ends what throughput_script_serve() began; says `received BYTES` of nc. */
void throughput_script_end(struct buf *script);

#endif
