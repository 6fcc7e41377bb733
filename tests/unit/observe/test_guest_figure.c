/* Figures out of what tools in guests print. */
#include "../check.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "observe/scenario/guest_figure.h"

static char why[FIGURE_WHY];

static void test_iperf3(void **state)
{
	struct figure_throughput f;
	assert_true(figure_iperf3(SLICE("warning: old {\n"), &f, why) == false);
	assert_string_equal(why, "it gave no JSON");
	assert_true(
		figure_iperf3(SLICE("{\"end\": {\"sum_sent\": {\"retransmits\": 7}, "
				    "\"sum_received\": {\"bytes\": 125000000, "
				    "\"bits_per_second\": 1e9}, \"cpu_utilization_percent\": "
				    "{\"host_total\": 12.5, \"remote_total\": 250}}}\niperf Done."),
			&f, why));
	assert_true(f.bits_per_s == 1e9 && f.received == 125000000 && f.retransmits == 7);
	assert_true(f.sender == 0.125 && f.receiver == 2.5);
	assert_true(figure_iperf3(
		SLICE("{\"end\": {\"sum_received\": {\"bits_per_second\": 5}}}"), &f, why));
	assert_true(f.retransmits == -1 && f.sender < 0 && f.received == 0);
	assert_false(figure_iperf3(SLICE("{\"end\": {}, \"error\": \"unable to connect to server: "
					 "Connection refused\"}"),
		&f, why));
	assert_string_equal(why, "unable to connect to server: Connection refused");
	assert_false(figure_iperf3(
		SLICE("{\"end\": {\"sum_received\": {\"bits_per_second\": -5}}}"), &f, why));
	assert_false(figure_iperf3(
		SLICE("{\"end\": {\"sum_received\": {\"bits_per_second\": \"5\"}}}"), &f, why));
	assert_false(figure_iperf3(SLICE("{\"end\": 3, \"error\": 4}"), &f, why));
	char *large = calloc(1, FIGURE_TEXT_MAX + 1);
	large[0] = '{';
	assert_false(figure_iperf3(slice_from(large, FIGURE_TEXT_MAX + 1), &f, why));
	assert_string_equal(why, "it said too much");
	free(large);
}

static void test_fio(void **state)
{
	struct figure_disk d;
	/* reads and writes have histograms of their own: the quantiles are those of both together
	 */
	assert_true(figure_fio(
		SLICE("fio: a note\n{\"jobs\": [{"
		      "\"read\": {\"bw_bytes\": 1000, \"iops\": 60, \"total_ios\": 60, \"clat_ns\": "
		      "{\"bins\": {\"2000000\": 10, \"1000000\": 50}}},"
		      "\"write\": {\"bw_bytes\": 500, \"iops\": 40.5, \"total_ios\": 40, \"clat_ns\": "
		      "{\"bins\": {\"20000000\": 2, \"3000000\": 38, \"junk\": 5, \"4\": -1}}}}]}"),
		&d, why));
	assert_true(d.bytes_per_s == 1500 && d.operations_per_s == 100.5 && d.has_latency);
	assert_int_equal(d.p50_ns, 1000000);
	assert_int_equal(d.p99_ns, 20000000);
	assert_true(d.over_10ms == 0.02);
	/* an older one, without histogram and in KiB/s */
	assert_true(
		figure_fio(SLICE("{\"jobs\": [{\"write\": {\"bw\": 10, \"iops\": 5}}]}"), &d, why));
	assert_true(d.bytes_per_s == 10240 && !d.has_latency);
	assert_false(figure_fio(SLICE("{\"jobs\": [{\"read\": 5}, 7]}"), &d, why));
	assert_string_equal(why, "it reports no operations");
	assert_false(figure_fio(SLICE("fio: failed"), &d, why));
}

static void test_dd(void **state)
{
	struct figure_disk d;
	assert_true(figure_dd(SLICE("tool dd\nbegan 5.00 1\nended 9.00 1\n512+0 records out\n"
				    "8388608 bytes (8.4 MB, 8.0 MiB) copied, 0.5 s, 16 MB/s\n"),
		16384, &d));
	assert_true(d.bytes_per_s == 16777216 && d.operations_per_s == 1024 && !d.has_latency);
	assert_true(figure_dd(SLICE("began 10.00 3.00\nended 10.50 3.10\n512+0 records in\n512+0 "
				    "records out\n"),
		16384, &d));
	assert_true(d.bytes_per_s == 16777216);
	static const char *const wrong[] = {"", "began 10.00\nended 10.00\n512+0 records out\n",
		"512+0 records out\n", "began 10.00\nended 9\n5+0 records out\n", "copied,",
		"5 bytes copied, 0 s", "-5 bytes copied, 1 s", "began x\nended y\n1+0 records out",
		"1e300 bytes copied, 1 s", " records out\nbegan 1\nended 2"};
	for (size_t i = 0; i < array_len(wrong); i++)
		assert_false(figure_dd(slice_of(wrong[i]), 16384, &d));
}

static void test_cpu(void **state)
{
	struct figure_cpu c;
	assert_true(figure_cpu(
		SLICE("tool bc\nbefore cpu  100 0 50 800 0 0 0 50 0 0\nafter cpu 150 0 70 "
		      "850 0 0 0 60 9 9\n0m0.001s 0m0.002s\n1m10.710s 0m0.020s\n"),
		&c));
	assert_int_equal(c.user_ns, 70710 * NS_PER_MS);
	assert_true(c.steal > 0.0769 && c.steal < 0.0770);
	/* nothing has passed, or an old kernel says nothing of steal */
	assert_true(figure_cpu(
		SLICE("before cpu 1 2 3 4\nafter cpu 2 3 4 5\n0m0.0s 0m0s\n0m0.5s 0m0s\n"), &c));
	assert_true(c.steal == -1 && c.user_ns == 500 * NS_PER_MS);
	assert_false(figure_cpu(SLICE("0m0.5s 0m0s\n"), &c));
	assert_false(figure_cpu(SLICE("xm0.5s 0m0s\n0m1e400s 0m0s\n"), &c));
}

int test_guest_figure(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_iperf3),
		cmocka_unit_test(test_fio),
		cmocka_unit_test(test_dd),
		cmocka_unit_test(test_cpu),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
