/* What guests are told to do, run by a real sh with tools that note what they are asked. */
#include "../check.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "observe/scenario/guest_run.h"
#include "observe/scenario/guest_script.h"

static char place[] = "/tmp/guest-script-XXXXXX";

static void tool(const char *name, const char *text)
{
	char path[80];
	snprintf(path, sizeof(path), "%s/%s", place, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "#!/bin/sh\n%s\n", text);
	fclose(f);
	assert_int_equal(chmod(path, 0755), 0);
}

/* Of the system's own, only what any guest has; never anything that changes this machine. */
static void system_tool(const char *name)
{
	char to[80], from[80];
	snprintf(to, sizeof(to), "%s/%s", place, name);
	snprintf(from, sizeof(from), "/bin/%s", name);
	if (access(from, X_OK) != 0)
		snprintf(from, sizeof(from), "/usr/bin/%s", name);
	assert_int_equal(symlink(from, to), 0);
}

/* The script with its paths turned to `place`, so that it finds nothing else and touches nothing.
 */
static char *confined(const struct buf *script)
{
	static const char *const paths[] = {"/run/glasshouse", "/proc/sys/net", "/proc/net"};
	struct buf out = BUF(2 * GUEST_SCRIPT_MAX);
	struct slice rest = buf_slice(script);
	while (rest.n) {
		bool moved = false;
		if (slice_starts(rest, "PATH=$PATH")) {
			rest = slice_sub(rest, slice_find(rest, '\n'), rest.n);
			continue;
		}
		for (size_t i = 0; i < array_len(paths); i++)
			if (slice_starts(rest, paths[i])) {
				buf_printf(&out, "%s%s", place, paths[i]);
				rest = slice_sub(rest, strlen(paths[i]), rest.n);
				moved = true;
				break;
			}
		if (!moved) {
			buf_add_char(&out, *rest.p);
			rest = slice_sub(rest, 1, rest.n);
		}
	}
	return buf_take(&out);
}

static int run(const struct buf *script, struct buf *said)
{
	char path[80], command[200], piece[1024];
	size_t n;
	assert_false(script->over);
	char *text = confined(script);
	snprintf(path, sizeof(path), "%s/script", place);
	FILE *f = fopen(path, "w");
	fputs(text, f);
	fclose(f);
	free(text);
	snprintf(command, sizeof(command), "PATH=%s /bin/sh -s <%s 2>&1", place, path);
	f = popen(command, "r");
	assert_non_null(f);
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		buf_add(said, piece, n);
	return WEXITSTATUS(pclose(f));
}

static void file_has(const char *name, const char *text)
{
	char path[120], got[8192];
	snprintf(path, sizeof(path), "%s/%s", place, name);
	FILE *f = fopen(path, "r");
	const size_t n = f ? fread(got, 1, sizeof(got) - 1, f) : 0;
	got[n] = 0;
	if (f)
		fclose(f);
	if (!strstr(got, text))
		print_error("%s holds:\n%s\n", name, got);
	assert_non_null(strstr(got, text));
}

static int setup(void **state)
{
	static const char *const own[] = {"grep", "sleep", "rm", "mkdir", "cat", "cp", "ls",
		"hostname", "setsid", "wc", "sh"};
	char command[300];
	assert_non_null(mkdtemp(place));
	for (size_t i = 0; i < array_len(own); i++)
		system_tool(own[i]);
	snprintf(command, sizeof(command),
		"mkdir -p %s/proc/sys/net/ipv4 %s/proc/net; : >%s/proc/net/tcp", place, place,
		place);
	assert_int_equal(system(command), 0);
	return 0;
}

static int teardown(void **state)
{
	char command[80];
	snprintf(command, sizeof(command), "rm -rf %s", place);
	return system(command);
}

static void test_plain(void **state)
{
	assert_true(guest_script_plain("10.0.0.1", false));
	assert_true(guest_script_plain("10.0.0.0/8", true));
	static const char *const wrong[] = {"", "10.0.0", "10.0.0.1;reboot", "10.0.0.1/8",
		"10.0.0.0/", "fe80::1", "10.0.0.0000000000001", " 10.0.0.1"};
	for (size_t i = 0; i < array_len(wrong); i++)
		assert_false(guest_script_plain(wrong[i], false));
	assert_false(guest_script_plain("10.0.0.0/33", true));
	assert_false(guest_script_plain("10.0.0.0/8/8", true));
}

static const struct gateway gateway = {.masquerade = "10.250.0.0/16",
	.address = "10.250.255.9",
	.forward = (const char *const[]){"10.250.0.5", "10.250.4.6"},
	.forward_count = 2,
	.from_port = 222};

static void ip_tool(void)
{
	tool("ip",
		"case \"$*\" in *route*) echo default via 10.0.0.1 dev eth7 metric 1;;\n"
		"*'address add'*) echo \"$*\" >>${0%/*}/ip.said;;\n"
		"*'address show'*) echo '2: eth7    inet 10.250.255.9/32 scope global eth7';; esac");
}

static void test_gateway(void **state)
{
	struct buf script = BUF(GUEST_SCRIPT_MAX), said = BUF(BUF_LINE);
	ip_tool();
	guest_script_gateway(&script, &gateway);
	assert_int_equal(run(&script, &said), 127);
	assert_string_equal(buf_str(&said), "this guest has neither iptables nor nft\n");

	buf_clear(&said);
	tool("iptables",
		"echo \"$*\" >>${0%/*}/iptables.said\n"
		"case \"$*\" in *' -C '*) exit 1;; *' -S '*) echo DNAT; echo DNAT;; esac");
	assert_int_equal(run(&script, &said), 0);
	assert_string_equal(buf_str(&said), "tool iptables\n");
	file_has("ip.said", "address add 10.250.255.9/32 dev eth7\n");
	file_has("iptables.said", "-t nat -I PREROUTING -j glasshouse-in\n");
	file_has("iptables.said",
		"-t nat -A glasshouse-out -s 10.250.0.0/16 ! -d 10.250.0.0/16 -j "
		"MASQUERADE\n");
	file_has("iptables.said",
		"-t nat -A glasshouse-in -i eth7 ! -s 10.250.0.0/16 -p tcp --dport 223 "
		"-j DNAT --to-destination 10.250.4.6:22\n");
	file_has("iptables.said", "--clamp-mss-to-pmtu\n");
	file_has("proc/sys/net/ipv4/ip_forward", "1\n");

	/* what was not taken is said */
	buf_clear(&said);
	tool("iptables", "case \"$*\" in *' -S '*) echo DNAT;; esac");
	assert_int_equal(run(&script, &said), 1);
	assert_string_equal(buf_str(&said), "only 1 of 2 forwards are there\n");
	buf_clear(&said);
	tool("iptables", "echo 'iptables: no permission' >&2; exit 4");
	assert_int_equal(run(&script, &said), 1);
	assert_non_null(strstr(buf_str(&said), "no permission"));
	buf_fini(&script);
	buf_fini(&said);
}

static void remove_tool(const char *name)
{
	char path[80];
	snprintf(path, sizeof(path), "%s/%s", place, name);
	assert_int_equal(unlink(path), 0);
}

static void test_gateway_nft(void **state)
{
	struct buf script = BUF(GUEST_SCRIPT_MAX), said = BUF(BUF_LINE);
	ip_tool();
	remove_tool("iptables");
	tool("nft",
		"case \"$*\" in '-f -') cat >${0%/*}/nft.said;; list*) echo 'dnat to'; echo 'dnat "
		"to';; esac");
	guest_script_gateway(&script, &gateway);
	assert_int_equal(run(&script, &said), 0);
	assert_string_equal(buf_str(&said), "tool nft\n");
	file_has("nft.said",
		"iifname \"eth7\" ip saddr != 10.250.0.0/16 tcp dport 222 dnat to "
		"10.250.0.5:22\n");
	file_has("nft.said", "delete table ip glasshouse\n");
	buf_fini(&script);
	buf_fini(&said);
}

static void test_serve(void **state)
{
	struct buf script = BUF(GUEST_SCRIPT_MAX), said = BUF(BUF_LINE);
	guest_script_serve(&script, 80, "it's\n\"me\" $HOME");
	assert_int_equal(run(&script, &said), 127);
	assert_non_null(strstr(buf_str(&said), "no python3, no busybox with httpd and no nc"));

	/* one that says it listens, as the kernel would */
	buf_clear(&said);
	tool("python3",
		"echo \"$*\" >${0%/*}/python3.said\n"
		"echo ' 0: 00000000:0050 00000000:0000 0A' >${0%/*}/proc/net/tcp\n"
		"trap ': >${0%/*}/proc/net/tcp; exit' TERM\n"
		"for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do sleep 1; done");
	assert_int_equal(run(&script, &said), 0);
	assert_string_equal(buf_str(&said), "tool python3\n");
	file_has("python3.said", "-m http.server 80\n");
	file_has("run/glasshouse/serve-80/hostname", "it's\n\"me\" $HOME\n");
	file_has("run/glasshouse/serve-80/index.html", "it's\n");

	buf_clear(&said);
	buf_clear(&script);
	guest_script_serve_end(&script, 0);
	assert_int_equal(run(&script, &said), 0);
	assert_string_equal(buf_str(&said), "stopped 1\n");
	buf_clear(&said);
	assert_int_equal(run(&script, &said), 0);
	assert_string_equal(buf_str(&said), "stopped 0\n");
	buf_fini(&script);
	buf_fini(&said);
}

static void test_serve_taken(void **state)
{
	struct buf script = BUF(GUEST_SCRIPT_MAX), said = BUF(BUF_LINE);
	char command[120];
	remove_tool("sleep");
	tool("sleep", "exit 0");
	snprintf(command, sizeof(command), "echo ' 0: 0:1F90 00000000:0000 0A' >%s/proc/net/tcp",
		place);
	assert_int_equal(system(command), 0);
	guest_script_serve(&script, 8080, NULL);
	assert_int_equal(run(&script, &said), 1);
	assert_string_equal(buf_str(&said), "port 8080 is taken by another program\n");
	buf_clear(&said);
	buf_clear(&script);
	tool("python3", "exit 1"); /* ends at once */
	guest_script_serve(&script, 8081, NULL);
	assert_int_equal(run(&script, &said), 1);
	assert_string_equal(buf_str(&said), "python3 does not listen on port 8081\n");
	buf_fini(&script);
	buf_fini(&said);
}

int test_guest_script(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_gateway),
		cmocka_unit_test(test_gateway_nft),
		cmocka_unit_test(test_serve),
		cmocka_unit_test(test_serve_taken),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
