/* guests.c - what tools in guests print: iperf3, fio, dd, times, ping. */
#include "fuzz.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "observe/scenario/guest_figure.h"
#include "observe/scenario/mesh.h"

static bool is_figure(double x)
{
	return isfinite(x) && x >= 0;
}

static void hold_disk(const struct figure_disk *d)
{
	fuzz_hold(is_figure(d->bytes_per_s) && is_figure(d->operations_per_s));
	fuzz_hold(!d->has_latency || (d->p50_ns >= 0 && d->p50_ns <= d->p99_ns));
	fuzz_hold(!d->has_latency || (d->over_10ms >= 0 && d->over_10ms <= 1));
}

static void figures(struct slice text)
{
	struct figure_throughput f;
	struct figure_disk d;
	struct figure_cpu c;
	char why[FIGURE_WHY] = "";
	if (figure_iperf3(text, &f, why))
		fuzz_hold(is_figure(f.bits_per_s) && f.received >= 0 && f.retransmits >= -1);
	else
		fuzz_hold(strlen(why) > 0);
	why[0] = 0;
	if (figure_fio(text, &d, why))
		hold_disk(&d);
	else
		fuzz_hold(strlen(why) > 0);
	if (figure_dd(text, 4096, &d))
		hold_disk(&d);
	if (figure_cpu(text, &c))
		fuzz_hold(c.user_ns >= 0 && (c.steal == -1 || (c.steal >= 0 && c.steal <= 1)));
}

/* Two guests, both told the same; the second also by TCP. */
static void pings(struct slice text)
{
	struct mesh m = {.count = 2};
	struct mesh_sums sums;
	char explained[128];
	m.source_count = 2;
	m.names = mem_new_array(2, sizeof(*m.names));
	m.names[0] = mem_strdup("a");
	m.names[1] = mem_strdup("b");
	mesh_add_target(&m, "10.0.0.1", 0, 0);
	mesh_add_target(&m, "10.0.0.2", 0, 1);
	mesh_add_target(&m, "fd00::2", 22, 1);
	mesh_begin(&m);
	mesh_said(&m, 0, text);
	mesh_said(&m, 1, text);
	mesh_sum(&m, &sums);
	fuzz_hold(sums.pairs == 3 && sums.lost <= 3 && sums.retried <= 3);
	fuzz_hold(!sums.has_rtt || (is_figure(sums.rtt_ms) && sums.rtt_ms <= sums.rtt_max_ms));
	for (size_t i = 0; i < m.source_count * m.targets.n; i++)
		fuzz_hold(m.cells[i].received <= m.cells[i].sent);
	mesh_explain(&m, explained, sizeof(explained));
	json_t *matrix = mesh_matrix(&m);
	fuzz_hold(json_array_size(json_object_get(matrix, "loss")) == 2);
	json_decref(matrix);
	mesh_fini(&m);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct slice text = slice_from((const char *)p, n);
	figures(text);
	pings(text);
	return 0;
}
