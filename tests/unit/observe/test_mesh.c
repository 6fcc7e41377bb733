/* A mesh: what guests are told, what their pings say, what it comes to. */
#include "../check.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/json.h"
#include "observe/scenario/guest_run.h"
#include "observe/scenario/mesh.h"

/* Guests "vm[i]" with one address each, or more of the first. */
static void build(struct mesh *m, size_t sources, size_t further, unsigned port)
{
	char name[32];
	*m = (struct mesh){.count = 1};
	m->names = mem_new_array(sources, sizeof(*m->names));
	for (size_t i = 0; i < sources; i++) {
		snprintf(name, sizeof(name), "vm[%zu]", i);
		m->names[i] = mem_strdup(name);
		snprintf(name, sizeof(name), "10.0.%zu.%zu", i / 200, i % 200 + 1);
		assert_true(mesh_add_target(m, name, port, i));
	}
	m->source_count = sources;
	for (size_t k = 0; k < further; k++) {
		snprintf(name, sizeof(name), "10.1.%zu.%zu", k / 200, k % 200 + 1);
		assert_true(mesh_add_target(m, name, port, 0));
	}
	mesh_begin(m);
}

static void answer(struct buf *said, const char *address, const char *ms)
{
	buf_printf(said, "64 bytes from %s: icmp_seq=1 ttl=64 time=%s ms\n", address, ms);
}

static void test_replies(void **state)
{
	struct mesh m;
	struct mesh_sums sums;
	build(&m, 3, 0, 0);
	/* iputils, busybox with a name, and much that is none of it */
	mesh_said(&m, 0,
		SLICE("PING 10.0.0.2 (10.0.0.2) 56(84) bytes of data.\n"
		      "64 bytes from 10.0.0.2: icmp_seq=1 ttl=64 time=0.412 ms\n"
		      "64 bytes from 10.0.0.2: icmp_seq=1 ttl=64 time=9.9 ms (DUP!)\n"
		      "64 bytes from host (10.0.0.3): seq=0 ttl=64 time=1.5 ms\n"
		      "64 bytes from 10.9.9.9: seq=0 ttl=64 time=1.5 ms\n"
		      "64 bytes from 10.0.0.1: seq=0 ttl=64 time=7.5 ms\n"
		      "64 bytes from 10.0.0.2: seq=0 time=nan ms\n"
		      "64 bytes from \n bytes from \ntime\n"));
	mesh_said(
		&m, 1, SLICE("again 10.0.0.1 0\n64 bytes from 10.0.0.1: seq=0 ttl=64 time<1 ms\n"));
	mesh_said(&m, 2, SLICE(""));
	mesh_sum(&m, &sums);
	assert_int_equal(sums.pairs, 6);
	assert_int_equal(sums.lost, 3);
	assert_int_equal(sums.retried, 1);
	assert_true(sums.rtt_ms == 1 && sums.rtt_max_ms == 1.5);
	json_t *matrix = mesh_matrix(&m);
	char *text = json_text(matrix);
	json_decref(matrix);
	assert_string_equal(text,
		"{\"names\":[\"vm[0]\",\"vm[1]\",\"vm[2]\"],\"addresses\":[\"10.0.0.1\","
		"\"10.0.0.2\",\"10.0.0.3\"],\"owners\":[0,1,2],"
		"\"rtt_ms\":[[null,0.412,1.5],[1.0,null,null],[null,null,null]],"
		"\"loss\":[[null,0.0,0.0],[0.5,null,1.0],[1.0,1.0,null]]}");
	free(text);
	mesh_fini(&m);
}

static void explained(const struct mesh *m, size_t n, const char *want)
{
	char text[400];
	mesh_explain(m, text, n);
	assert_string_equal(text, want);
}

static void test_explained(void **state)
{
	struct mesh m;
	build(&m, 4, 1, 0);
	for (size_t i = 0; i < 4; i++) {
		struct buf said = BUF(BUF_LINE);
		for (size_t k = 0; k < m.targets.n; k++)
			if (k != 3 && i != 1 && !(i == 2 && k == 4))
				answer(&said, m.targets.p[k].address, "1.0");
		mesh_said(&m, i, buf_slice(&said));
		buf_fini(&said);
	}
	explained(&m, 400,
		"nothing reaches vm[3] (10.0.0.4); vm[1] reaches nothing; vm[2] -> vm[0] (10.1.0.1)");
	explained(&m, 70, "nothing reaches vm[3] (10.0.0.4); and 2 more");
	mesh_fini(&m);
}

/* Who could not be asked has lost nothing. */
static void test_unasked(void **state)
{
	struct mesh m;
	struct mesh_sums sums;
	build(&m, 2, 0, 0);
	mesh_said(&m, 0, SLICE("64 bytes from 10.0.0.2: seq=0 ttl=64 time=0.2 ms\n"));
	mesh_sum(&m, &sums);
	assert_int_equal(sums.lost, 0);
	explained(&m, 400, "");
	json_t *matrix = mesh_matrix(&m);
	assert_true(json_is_null(
		json_array_get(json_array_get(json_object_get(matrix, "loss"), 1), 0)));
	json_decref(matrix);
	mesh_fini(&m);
}

static void test_targets(void **state)
{
	struct mesh m;
	build(&m, 1, 0, 0);
	assert_false(mesh_add_target(&m, "10.0.0.5; reboot", 0, 0));
	assert_false(mesh_add_target(&m, "", 0, 0));
	assert_true(mesh_add_target(&m, "FD00:0::5", 0, 0));
	assert_string_equal(m.targets.p[1].address, "fd00::5");
	while (m.targets.n < MESH_TARGETS_MAX)
		assert_true(mesh_add_target(&m, "10.0.0.5", 0, 0));
	assert_false(mesh_add_target(&m, "10.0.0.5", 0, 0));
	mesh_fini(&m);
}

/* --- by a real sh -------------------------------------------------------------------------------
 */

/* Runs the script of source 0; `tools` is a folder of them, or NULL for the system's own. */
static int run(const struct mesh *m, const char *tools, struct buf *said)
{
	char path[] = "/tmp/test-mesh-XXXXXX", command[300];
	struct buf script = BUF(GUEST_SCRIPT_MAX);
	char piece[4096];
	size_t n;
	const int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_true(mesh_script(m, 0, &script));
	assert_int_equal(write(fd, buf_str(&script), script.n), (ssize_t)script.n);
	close(fd);
	snprintf(command, sizeof(command), "%s%s /bin/sh -s <%s 2>&1", tools ? "PATH=" : "",
		tools ? tools : "", path);
	FILE *f = popen(command, "r");
	assert_non_null(f);
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		buf_add(said, piece, n);
	const int status = pclose(f);
	unlink(path);
	buf_fini(&script);
	return WEXITSTATUS(status);
}

static void test_tcp(void **state)
{
	struct mesh m = {.count = 1};
	struct mesh_sums sums;
	struct buf said = BUF(BUF_LINE);
	m.names = mem_new_array(2, sizeof(*m.names));
	m.names[0] = mem_strdup("a");
	m.names[1] = mem_strdup("b");
	m.source_count = 2;
	assert_true(mesh_add_target(&m, "127.0.0.1", 1, 1)); /* nobody listens there */
	mesh_begin(&m);
	assert_int_equal(run(&m, NULL, &said), 0);
	assert_string_equal(buf_str(&said), "again 127.0.0.1 1\n");
	mesh_said(&m, 0, buf_slice(&said));
	mesh_said(&m, 1, SLICE(""));
	mesh_sum(&m, &sums);
	assert_int_equal(sums.lost, 1);
	assert_int_equal(sums.retried, 1);
	explained(&m, 400, "a -> b (127.0.0.1 tcp:1)");
	buf_fini(&said);
	mesh_fini(&m);
}

/* 400 targets: a script that sh takes, and what it says fits. */
static void test_many(void **state)
{
	char tools[] = "/tmp/test-mesh-XXXXXX", path[64];
	struct mesh m;
	struct mesh_sums sums;
	struct buf said = BUF(BUF_PAGE);
	assert_non_null(mkdtemp(tools));
	snprintf(path, sizeof(path), "%s/ping", tools);
	FILE *f = fopen(path, "w");
	fputs("#!/bin/sh\necho \"PING $7\"\necho \"64 bytes from $6: icmp_seq=1 ttl=64 time=0.5 ms\"\n",
		f);
	fclose(f);
	chmod(path, 0755);
	build(&m, MESH_SOURCES_MAX, MESH_TARGETS_MAX - MESH_SOURCES_MAX, 0);
	/* source 0 owns the further ones too: 99 are left for it */
	assert_int_equal(run(&m, tools, &said), 0);
	assert_true(said.n < mesh_output_max(&m));
	mesh_said(&m, 0, buf_slice(&said));
	mesh_sum(&m, &sums);
	assert_int_equal(sums.pairs, 99 + 99 * 399);
	assert_int_equal(sums.lost, 0);
	unlink(path);
	buf_clear(&said);
	assert_int_equal(run(&m, tools, &said), 127);
	assert_string_equal(buf_str(&said), "this guest has no ping\n");
	rmdir(tools);
	buf_fini(&said);
	mesh_fini(&m);
}

static void test_order(void **state)
{
	struct mesh m = {0};
	(void)state;

	assert_true(mesh_add_target(&m, "10.0.0.4", 0, 1));
	assert_true(mesh_add_target(&m, "10.0.0.3", 22, 0));
	assert_true(mesh_add_target(&m, "10.1.0.4", 0, 1));
	assert_true(mesh_add_target(&m, "10.0.0.3", 0, 0));
	mesh_order(&m);
	assert_true(m.targets.p[0].owner == 0 && m.targets.p[0].port == 0);
	assert_true(m.targets.p[1].owner == 0 && m.targets.p[1].port == 22);
	assert_string_equal(m.targets.p[2].address, "10.0.0.4");
	assert_string_equal(m.targets.p[3].address, "10.1.0.4");
	mesh_fini(&m);
}

int test_mesh(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_replies),
		cmocka_unit_test(test_explained),
		cmocka_unit_test(test_unasked),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_many),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
