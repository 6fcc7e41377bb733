/* test_script.c - sh on a simulated guest: scripts as a monitor sends them. */
#include "../check.h"

#include "base/clock.h"
#include "sim/guest.h"
#include "sim/script.h"
#include "town.h"

static const struct {
	const char *script;
	int status;
	const char *out, *err;
} scripts[] = {
	{"echo a; echo b && echo c || echo d", 0, "a\nb\nc\n", ""},
	{"x=1; y=\"$x 2\"; echo $y \"${y}3\" '$x'", 0, "1 2 1 23 $x\n", ""},
	{"x='a  b'; for i in $x \"$x\" c; do echo \"<$i>\"; done", 0, "<a>\n<b>\n<a  b>\n<c>\n",
		""},
	{"x=$(echo one; echo two); echo \"$x\"; echo $x", 0, "one\ntwo\none two\n", ""},
	{"s=3; s=$((s + 1)); echo $((s * 2 - 1))", 0, "7\n", ""},
	{"if false; then echo a; elif true; then echo b; else echo c; fi", 0, "b\n", ""},
	{"if false; then echo a; fi; echo $?", 0, "0\n", ""},
	{"for i in 1 2 3; do test $i = 2 && break; echo $i; done; echo end", 0, "1\nend\n", ""},
	{"i=0; while test $i != 3; do i=$((i + 1)); echo $i; done", 0, "1\n2\n3\n", ""},
	{"while true; do echo once; break; done; while false; do :; done; echo $?", 0, "once\n0\n",
		""},
	{"i=0; while true; do i=$((i + 1)); done", 2, "", "sh: error: it does too much\n"},
	{"echo a b | grep -q b && echo found", 0, "found\n", ""},
	{"{ echo a; echo b; } | grep -c .", 0, "2\n", ""},
	{"( exit 3 ); echo $?", 0, "3\n", ""},
	{"! true; echo $?", 0, "1\n", ""},
	{"{ echo out; nope; } >/tmp/f 2>&1; cat /tmp/f", 0, "out\nsh: nope: not found\n", ""},
	{"echo a >/tmp/f; echo b >>/tmp/f; wc -c </tmp/f", 0, "4\n", ""},
	{"echo said >&2", 0, "", "said\n"},
	{"x=1\ncat <<END\n$x \"two\"\nEND\ncat <<'END'\n$x\nEND\n", 0, "1 \"two\"\n$x\n", ""},
	{"true &\nsleep 0.01 &\nwait\necho all # done", 0, "all\n", ""},
	{"exit 7; echo never", 7, "", ""},
	{"nope || exit 5", 5, "", "sh: nope: not found\n"},
	{"printf '%s\\n' a b", 0, "a\nb\n", ""},
	{"sh -c 'echo $USER; exit 2'", 2, "debian\n", ""},
	{"sudo -n id -u; id -u", 0, "0\n1000\n", ""},
	{"mkdir -p /run/x", 1, "", "mkdir: can't create directory '/run/x': Permission denied\n"},
	{"echo 1 >/proc/sys/net/ipv4/ip_forward", 1, "",
		"sh: can't create /proc/sys/net/ipv4/ip_forward: Permission denied\n"},
	{"echo 'a", 2, "", "sh: syntax error: unterminated quoted string\n"},
	{"if true; then echo", 2, "", "sh: syntax error: if without fi\n"},
	{"{ echo a", 2, "", "sh: syntax error: { without }\n"},
	{"echo a | | b", 2, "", "sh: syntax error: a command is missing\n"},
	{"cat <<END\nx", 2, "", "sh: syntax error: a here-document that does not end\n"},
	{"echo $((1 / 0))", 2, "", "sh: error: $(( ))\n"},
	{"echo )", 2, "", "sh: syntax error: )\n"},
};

static void script(struct town *t, unsigned n, const char *text, struct said *s)
{
	struct buf command = BUF(BUF_LINE);
	buf_add_str(&command, "sh -c '");
	for (const char *c = text; *c; c++)
		if (*c == '\'')
			buf_add_str(&command, "'\\''");
		else
			buf_add_char(&command, *c);
	buf_add_str(&command, "'");
	town_run(t, n, buf_str(&command), s);
	buf_fini(&command);
}

static unsigned a_guest(struct town *t, struct object **ret)
{
	town_allow(t, t->group, "tcp 22", NULL, NULL, NULL);
	*ret = town_server(t, "one", t->net, t->group);
	const unsigned n = town_floating(t, *ret, NULL);
	town_await(t, n, guests_ssh_port(t->sim->guests), true);
	return n;
}

static void test_scripts(void **state)
{
	struct town *t = *state;
	struct object *o;
	struct said s;
	const unsigned n = a_guest(t, &o);
	for (size_t i = 0; i < array_len(scripts); i++) {
		script(t, n, scripts[i].script, &s);
		if (s.status != scripts[i].status || strcmp(s.out, scripts[i].out) ||
			strcmp(s.err, scripts[i].err))
			print_error("%s\nstatus %d %s\n%s%s", scripts[i].script, s.status, s.detail,
				s.out, s.err);
		assert_int_equal(s.status, scripts[i].status);
		assert_string_equal(s.out, scripts[i].out);
		assert_string_equal(s.err, scripts[i].err);
	}
}

/* What it waits for passes: the longest of the background, not the sum. */
static void test_time(void **state)
{
	struct town *t = *state;
	struct object *o;
	struct said s;
	const unsigned n = a_guest(t, &o);
	const int64_t began = clock_mono_ns(&clock_system);
	script(t, n, "for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.3 & done; wait; echo waited", &s);
	const int64_t took = clock_mono_ns(&clock_system) - began;
	assert_string_equal(s.out, "waited\n");
	assert_true(took >= 300 * NS_PER_MS && took < 3000 * NS_PER_MS);
}

static void test_programs(void **state)
{
	struct town *t = *state;
	struct object *o;
	struct said s;
	const unsigned n = a_guest(t, &o);
	struct guest_services *services = guests_services(t->sim->guests);
	const unsigned boots = server_of(o)->boots;
	script(t, n,
		"mkdir -p /tmp/www && hostname >/tmp/www/index.html && cd /tmp/www && "
		"{ setsid busybox httpd -f -p 8080 -h /tmp/www >/dev/null 2>&1 & } ; echo $! >/tmp/pid; "
		"grep -q -i ':1F90 0*:0000 0A' /proc/net/tcp && echo listens",
		&s);
	assert_string_equal(s.out, "listens\n");
	char *text = guest_service_text(services, o->id, boots, 8080);
	assert_string_equal(text, "one\n");
	free(text);
	script(t, n, "busybox httpd -f -p 8080 -h /tmp/www", &s); /* another session, taken */
	assert_int_equal(s.status, 1);
	assert_string_equal(s.err, "httpd: bind: Address already in use\n");
	script(t, n, "busybox httpd -f -p 80 -h /tmp/www", &s);
	assert_string_equal(s.err, "httpd: bind: Permission denied\n");
	script(t, n,
		"kill -0 $(cat /tmp/pid) && kill -TERM -$(cat /tmp/pid); kill -0 $(cat /tmp/pid)",
		&s);
	assert_int_equal(s.status, 1);
	assert_null(guest_service_text(services, o->id, boots, 8080));
}

static void test_rules(void **state)
{
	struct town *t = *state;
	struct object *o;
	struct said s;
	const unsigned n = a_guest(t, &o);
	script(t, n, "iptables -w -t nat -N a", &s);
	assert_int_equal(s.status, 4);
	script(t, n,
		"i='sudo -n iptables -w -t nat'; $i -N a && $i -A a -p tcp -j DNAT && $i -I PREROUTING -j "
		"a; $i -C PREROUTING -j a && $i -S a; $i -N a; $i -C a -j X; $i -F a; $i -D PREROUTING -j "
		"a; $i -X a; $i -S a; $i -A a -j X",
		&s);
	assert_string_equal(s.out, "-N a\n-A a -p tcp -j DNAT\n");
	assert_string_equal(s.err,
		"iptables: Chain already exists.\n"
		"iptables: Bad rule (does a matching rule exist in that chain?).\n"
		"iptables: No chain/target/match by that name.\n");
	script(t, n,
		"i='sudo -n ip address'; $i add 10.7.0.99/32 dev eth0 && $i add 10.7.0.99/32 dev eth0; "
		"ip -4 -o address show dev eth0 | grep -c 10.7.0.99/32; $i del 10.7.0.99/32 dev eth0; "
		"ip -4 -o addr show | grep -c 10.7.0.99",
		&s);
	assert_string_equal(s.out, "1\n0\n");
	assert_string_equal(s.err, "ip: RTNETLINK answers: File exists\n");
}

/* Standard input that comes in pieces, and a script that is none. */
static void test_standard_input(void **state)
{
	struct town *t = *state;
	struct object *o;
	struct said s;
	char arguments[64];
	const unsigned n = a_guest(t, &o);
	town_file(t, "in", "echo from\necho here\n");
	snprintf(arguments, sizeof(arguments), "g%u 'exec sudo -n sh -s' <%s/in", n, t->dir);
	town_openssh(t, arguments, &s);
	assert_string_equal(s.out, "from\nhere\n");
	assert_int_equal(s.status, 0);
}

int test_script(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_scripts, town_setup, town_teardown),
		cmocka_unit_test_setup_teardown(test_time, town_setup, town_teardown),
		cmocka_unit_test_setup_teardown(test_programs, town_setup, town_teardown),
		cmocka_unit_test_setup_teardown(test_rules, town_setup, town_teardown),
		cmocka_unit_test_setup_teardown(test_standard_input, town_setup, town_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
