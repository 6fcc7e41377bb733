/* test_guest.c - guests of the simulated cloud: who gets in, when, and what they answer. */
#include "../check.h"

#include <malloc.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/json.h"
#include "sim/guest.h"
#include "sim/guest_serve.h"
#include "sim/network.h"
#include "town.h"

static unsigned ssh_port(const struct town *t)
{
	return guests_ssh_port(t->sim->guests);
}

static unsigned ping_port(const struct town *t)
{
	return guests_ping_port(t->sim->guests);
}

/* A server that lets everything in, and its floating IP. */
static struct object *open_server(struct town *t, const char *name, unsigned *ret_n)
{
	struct object *o = town_server(t, name, t->net, t->group);
	*ret_n = town_floating(t, o, NULL);
	return o;
}

static void allow_all(struct town *t)
{
	town_allow(t, t->group, "tcp 22", NULL, NULL, NULL);
	town_allow(t, t->group, "icmp", NULL, NULL, NULL);
}

static void assert_said(const struct said *s, int status, const char *out, const char *err)
{
	if (s->status != status || strcmp(s->out, out) || strcmp(s->err, err))
		print_error("status %d, detail %s\n", s->status, s->detail);
	assert_string_equal(s->out, out);
	assert_string_equal(s->err, err);
	assert_int_equal(s->status, status);
}

/* --- logging in --------------------------------------------------------------------------------
 */

static void test_login(void **state)
{
	struct town *t = *state;
	unsigned n;
	struct said s;
	allow_all(t);
	open_server(t, "Web_1", &n);
	town_await(t, n, ssh_port(t), true);
	town_await(t, n, ping_port(t), true);
	town_run(t, n, "hostname", &s);
	assert_said(&s, 0, "web-1\n", "");
	char host[32], arguments[64];
	snprintf(host, sizeof(host), "127.77.4.%u", n);
	town_ssh(t, 0, host, "root", t->key, "id -un", &s);
	assert_said(&s, 0, "root\n", "");
	snprintf(arguments, sizeof(arguments), "g%u 'hostname; whoami; nope'", n);
	town_openssh(t, arguments, &s);
	assert_said(&s, 127, "web-1\ndebian\n", "sh: nope: not found\n");
	snprintf(arguments, sizeof(arguments), "root@g%u true", n);
	town_openssh(t, arguments, &s);
	assert_said(&s, 0, "", "");
}

static void test_refused(void **state)
{
	struct town *t = *state;
	unsigned n, keyless, lost;
	struct said s;
	char host[32], arguments[64];
	allow_all(t);
	open_server(t, "one", &n);
	struct object *two = open_server(t, "two", &keyless),
		      *three = open_server(t, "three", &lost);
	free(server_of(two)->public_key);
	server_of(two)->public_key = NULL;
	guests_disk_new(t->sim, two->id);
	server_of(three)->no_metadata = true;
	guests_disk_new(t->sim, three->id);
	guests_changed(t->sim);
	town_settle(t);
	snprintf(host, sizeof(host), "127.77.4.%u", n);
	town_ssh(t, 0, host, "debian", t->stranger, "hostname", &s);
	assert_int_equal(s.fault, FAULT_SSH_AUTH);
	town_ssh(t, 0, host, "ubuntu", t->key, "hostname", &s);
	assert_int_equal(s.fault, FAULT_SSH_AUTH);
	town_run(t, keyless, "hostname", &s);
	assert_int_equal(s.fault, FAULT_SSH_AUTH);
	town_run(t, lost, "hostname", &s);
	assert_int_equal(s.fault, FAULT_SSH_AUTH);
	snprintf(arguments, sizeof(arguments), "ubuntu@g%u true", n);
	town_openssh(t, arguments, &s);
	assert_int_equal(s.status, 255);
	assert_non_null(strstr(s.err, "Permission denied (publickey)"));
	town_run(t, n, "hostname", &s); /* none of it hurt the guest */
	assert_said(&s, 0, "one\n", "");
	server_of(three)->no_metadata = false; /* at the next boot it is told */
	server_of(three)->boots++;
	guests_changed(t->sim);
	town_settle(t);
	town_run(t, lost, "hostname", &s);
	assert_said(&s, 0, "three\n", "");
}

/* --- the way in --------------------------------------------------------------------------------
 */

static void test_groups(void **state)
{
	struct town *t = *state;
	unsigned n;
	struct said s;
	char rule[ID_TEXT], far[ID_TEXT];
	open_server(t, "one", &n);
	town_settle(t);
	town_await(t, n, ssh_port(t), false);
	town_await(t, n, ping_port(t), false);
	town_run(t, n, "hostname", &s);
	assert_int_equal(s.fault, FAULT_REFUSED);
	town_allow(t, t->group, "icmp", NULL, NULL, NULL);
	town_await(t, n, ping_port(t), true);
	town_await(t, n, ssh_port(t), false);
	town_allow(t, t->group, "tcp 22", "198.51.100.0/24", NULL, far);
	town_settle(t);
	town_await(t, n, ssh_port(t), false); /* not from where we are */
	town_allow(t, t->group, "tcp 22", "172.24.4.0/24", NULL, rule);
	town_await(t, n, ssh_port(t), true);
	town_delete(t, KIND_RULE, rule);
	town_await(t, n, ssh_port(t), false);
	town_await(t, n, ping_port(t), true);
	/* without port security nothing is looked at */
	const struct object *port = NULL;
	OBJECT_EACH (t->sim, KIND_PORT, p)
		if (!strncmp(object_str(p, "device_owner"), "compute:", 8))
			port = p;
	object_set((struct object *)port, "port_security_enabled", json_false());
	guests_changed(t->sim);
	town_await(t, n, ssh_port(t), true);
}

static void test_way(void **state)
{
	struct town *t = *state;
	unsigned n;
	allow_all(t);
	struct object *o = open_server(t, "one", &n);
	struct object *port = town_object(t, KIND_PORT, server_of(o)->nics.p[0].port);
	struct object *router = town_object(t, KIND_ROUTER, t->router);
	struct object *const all[] = {port, router, town_object(t, KIND_NETWORK, t->net)};
	town_await(t, n, ssh_port(t), true);
	for (size_t i = 0; i < array_len(all); i++) {
		object_set(all[i], "admin_state_up", json_false());
		guests_changed(t->sim);
		town_await(t, n, ssh_port(t), false);
		town_await(t, n, ping_port(t), false);
		object_set(all[i], "admin_state_up", json_true());
		guests_changed(t->sim);
		town_await(t, n, ssh_port(t), true);
	}
	object_set_str(o, "status", "ERROR");
	guests_changed(t->sim);
	town_await(t, n, ssh_port(t), false);
}

static void test_floating_moves(void **state)
{
	struct town *t = *state;
	struct said s;
	char floating[ID_TEXT];
	allow_all(t);
	struct object *one = town_server(t, "one", t->net, t->group);
	struct object *two = town_server(t, "two", t->net, t->group);
	const unsigned n = town_floating(t, one, floating);
	town_await(t, n, ssh_port(t), true);
	town_run(t, n, "hostname", &s);
	assert_said(&s, 0, "one\n", "");
	char first_key[64];
	memcpy(first_key, s.host_key, sizeof(first_key));
	struct object *f = town_object(t, KIND_FLOATING_IP, floating);
	object_set_str(f, "port_id", server_of(two)->nics.p[0].port);
	object_set_str(f, "fixed_ip_address", town_fixed(two));
	guests_changed(t->sim);
	town_settle(t);
	town_run(t, n, "hostname", &s);
	assert_said(&s, 0, "two\n", "");
	assert_string_not_equal(s.host_key, first_key);
	town_delete(t, KIND_FLOATING_IP, floating);
	town_await(t, n, ssh_port(t), false);
	town_await(t, n, ping_port(t), false);
}

/* --- boots -------------------------------------------------------------------------------------
 */

static void on_broken(void *arg, const struct ssh_result *r)
{
	*(enum fault *)arg = r->fault;
}

/* How a connection ends that the guest leaves, however far it had come. */
static bool is_cut(enum fault fault)
{
	return fault == FAULT_CONNECTION_LOST || fault == FAULT_REFUSED ||
	       fault == FAULT_SSH_BANNER;
}

static void test_reboot(void **state)
{
	struct town *t = *state;
	struct said s;
	unsigned n;
	char first[64], host[32];
	enum fault fault = FAULT_NONE;
	allow_all(t);
	struct object *o = open_server(t, "one", &n);
	town_await(t, n, ssh_port(t), true);
	town_run(t, n, "hostname", &s);
	assert_said(&s, 0, "one\n", "");
	memcpy(first, s.host_key, sizeof(first));
	snprintf(host, sizeof(host), "127.77.4.%u", n);
	const struct ssh_request q = {.target = {host, ssh_port(t), "debian", t->key},
		.command = "sleep 600",
		.deadline_ns = 60 * NS_PER_S};
	ssh_run(t->pool, &q, on_broken, &fault);
	server_of(o)->up_ns = INT64_MAX;
	guests_changed(t->sim);
	town_await(t, n, ssh_port(t), false);
	for (int i = 0; i < 4000 && fault == FAULT_NONE; i++)
		uv_run(loop_uv(t->loop), UV_RUN_ONCE);
	assert_true(is_cut(fault));
	server_of(o)->boots++;
	server_of(o)->up_ns = loop_now_ns(t->loop) + 30 * NS_PER_MS;
	guests_changed(t->sim); /* once: the guest comes up by itself */
	town_await(t, n, ssh_port(t), true);
	assert_true(loop_now_ns(t->loop) >= server_of(o)->up_ns);
	town_run(t, n, "hostname", &s);
	assert_string_equal(s.host_key, first);
	object_set_str(o, "name", "renamed");
	server_of(o)->boots++;
	guests_disk_new(t->sim, o->id);
	guests_changed(t->sim);
	town_settle(t);
	town_run(t, n, "hostname", &s);
	assert_said(&s, 0, "renamed\n", "");
	assert_string_not_equal(s.host_key, first);
}

/* --- from guest to guest -----------------------------------------------------------------------
 */

static void test_jump(void **state)
{
	struct town *t = *state;
	struct said s;
	unsigned n;
	char inner[ID_TEXT], rule[ID_TEXT], arguments[96];
	allow_all(t);
	open_server(t, "outer", &n);
	town_call(t, "/network/v2.0/security-groups", 201, inner,
		"{'security_group': {'name': 'inner'}}");
	struct object *o = town_server(t, "inner", t->net, inner);
	town_settle(t);
	town_ssh(t, n, town_fixed(o), "debian", t->key, "hostname", &s);
	assert_int_equal(s.fault, FAULT_REFUSED);
	if (!strstr(s.detail, "error (1)")) /* administratively prohibited, RFC 4254 section 5.1 */
		fail_msg("%s", s.detail);
	snprintf(arguments, sizeof(arguments), "-J g%u -p 22 %s hostname", n, town_fixed(o));
	town_openssh(t, arguments, &s);
	assert_int_equal(s.status, 255);
	assert_non_null(strstr(s.err, "administratively prohibited"));
	town_allow(t, inner, "tcp 22", NULL, t->group, rule);
	town_settle(t);
	town_ssh(t, n, town_fixed(o), "debian", t->key, "hostname", &s);
	assert_said(&s, 0, "inner\n", "");
	town_ssh(t, n, town_fixed(o), "debian", t->stranger, "hostname", &s);
	assert_int_equal(s.fault, FAULT_SSH_AUTH);
	town_ssh(t, n, "10.7.0.250", "debian", t->key, "hostname", &s);
	assert_int_equal(s.fault, FAULT_REFUSED);
	snprintf(arguments, sizeof(arguments), "-J g%u -p 22 %s 'hostname; false'", n,
		town_fixed(o));
	town_openssh(t, arguments, &s);
	assert_said(&s, 1, "inner\n", "");
	/* two hops, back to where it came from */
	snprintf(arguments, sizeof(arguments), "-J g%u,%s:22 -p 22 127.0.0.1 hostname", n,
		town_fixed(o));
	town_openssh(t, arguments, &s);
	assert_said(&s, 0, "inner\n", "");
}

like_printf(4, 5) static void run_in(struct town *t, unsigned n, int status, const char *fmt, ...)
{
	struct said s;
	va_list ap;
	va_start(ap, fmt);
	char *command = mem_vprintf(fmt, ap);
	va_end(ap);
	town_run(t, n, command, &s);
	if (s.status != status)
		print_error("%s: %d %s%s\n", command, s.status, s.out, s.err);
	free(command);
	assert_int_equal(s.status, status);
}

static void test_inside(void **state)
{
	struct town *t = *state;
	struct said s;
	unsigned n;
	char joined[ID_TEXT], apart[ID_TEXT], command[96], outside[32];
	allow_all(t);
	open_server(t, "one", &n);
	struct object *near = town_server(t, "near", t->net, t->group);
	town_network(t, "10.8.0.0/24", t->router, joined);
	struct object *routed = town_server(t, "routed", joined, t->group);
	town_network(t, "10.9.0.0/24", "", apart);
	struct object *far = town_server(t, "far", apart, t->group);
	town_settle(t);
	run_in(t, n, 0, "ping -c 1 -W 2 %s", town_fixed(near));
	run_in(t, n, 0, "ping -c1 -W2 %s", town_fixed(routed));
	run_in(t, n, 1, "ping -c 1 -W 0.1 %s", town_fixed(far));
	run_in(t, n, 0, "ping -c 1 %s", "10.8.0.1"); /* the router's other side */
	run_in(t, n, 0, "ping -c 1 %s", "172.24.4.1");
	run_in(t, n, 0, "ping -c 1 %s", "dns.google");
	run_in(t, n, 0, "ping -c 1 %s", "9.9.9.9");
	run_in(t, n, 1, "ping -c 1 -W 0.1 %s", "9.9.9.10");
	run_in(t, n, 1, "nc -z -w 0.1 %s 53", "8.8.8.8");
	run_in(t, n, 1, "ping -c 1 %s", "nowhere.example");
	snprintf(outside, sizeof(outside), "172.24.4.%u", n);
	run_in(t, n, 0, "ping -c 1 %s", outside);
	run_in(t, n, 0, "nc -z -w 5 %s 22", town_fixed(routed));
	run_in(t, n, 1, "nc -z -w 5 %s 22", "10.8.0.1");
	run_in(t, n, 1, "nc -z -w 0.1 %s 80", town_fixed(routed)); /* dropped by the group */
	snprintf(command, sizeof(command), "ping -c 2 -i 0.02 %s", town_fixed(near));
	town_run(t, n, command, &s);
	assert_non_null(strstr(s.out, ": 56 data bytes\n64 bytes from 10.7.0."));
	assert_non_null(strstr(s.out, "2 packets transmitted, 2 packets received, 0% packet loss"));
	town_run(t, n, "ping -c 1 -W 0.1 10.9.0.77", &s);
	assert_non_null(
		strstr(s.out, "1 packets transmitted, 0 packets received, 100% packet loss"));
}

static void test_served_inside(void **state)
{
	struct town *t = *state;
	unsigned n;
	allow_all(t);
	open_server(t, "one", &n);
	const struct object *near = town_server(t, "near", t->net, t->group);
	struct guest_services *served = guests_services(t->sim->guests);
	town_allow(t, t->group, "tcp 80", NULL, NULL, NULL);
	town_settle(t);
	run_in(t, n, 1, "nc -z -w 5 %s 80", town_fixed(near)); /* refused: nobody serves */
	assert_true(guest_service_start(served, near->id, server_of(near)->boots, 80, "near\n"));
	run_in(t, n, 0, "nc -z -w 5 %s 80", town_fixed(near));
	run_in(t, n, 1, "nc -z -w 0.1 %s 81", town_fixed(near));
	assert_true(guest_service_stop(served, near->id, server_of(near)->boots, 80));
	run_in(t, n, 1, "nc -z -w 5 %s 80", town_fixed(near));
}

/* --- commands ----------------------------------------------------------------------------------
 */

static const struct {
	const char *command;
	int status;
	const char *out, *err;
} commands[] = {
	{"true", 0, "", ""},
	{"false", 1, "", ""},
	{"id", 0, "uid=1000(debian) gid=1000(debian) groups=1000(debian)\n", ""},
	{"echo a  'b  c' \"d $USER\" $HOME", 0, "a b  c d debian /home/debian\n", ""},
	{"echo -n x; echo y", 0, "xy\n", ""},
	{"true && echo yes || echo no", 0, "yes\n", ""},
	{"false && echo yes || echo no", 0, "no\n", ""},
	{"false; echo $?", 0, "1\n", ""},
	{"nope x", 127, "", "sh: nope: not found\n"},
	{"nope 2>/dev/null || echo gone", 0, "gone\n", ""},
	{"nope 2>&1", 127, "sh: nope: not found\n", ""},
	{"echo hidden >/dev/null", 0, "", ""},
	{"exit 7; echo never", 7, "", ""},
	{"echo a | cat", 2, "", "sh: syntax error: |\n"},
	{"echo a; echo $(b)", 2, "", "sh: syntax error: $\n"},
	{"echo 'a", 2, "", "sh: syntax error: unterminated quoted string\n"},
	{"&& true", 2, "", "sh: syntax error: &&\n"},
	{"echo a # b", 0, "a\n", ""},
	{"cat /etc/hostname", 0, "one\n", ""},
	{"cat /tmp/testfile /nowhere", 1, "line one\nline two\n",
		"cat: can't open '/nowhere': No such file or directory\n"},
	{"cat /etc/decoded", 0, "hi\n", ""},
	{"test -e /tmp/testfile && [ -f /nowhere ] || echo right", 0, "right\n", ""},
	{"uname", 0, "Linux\n", ""},
	{"uname -sn", 0, "Linux one\n", ""},
	{"sleep 0.01 && sleep 0 && echo slept", 0, "slept\n", ""},
	{"sleep x", 1, "", "sleep: invalid number 'x'\n"},
	{"sleep 100000", 1, "", "sleep: at most 3600 s here\n"},
	{"lsblk -n -o NAME,SIZE", 0, "vdb  5G\n", ""},
	{"ping nowhere", 1, "", "ping: bad address 'nowhere'\n"},
	{"command -v nc >/dev/null 2>&1 && exec echo there; echo never", 0, "there\n", ""},
	{"command -v curl >/dev/null 2>&1 && exec curl x; exec nope; echo never", 127, "",
		"sh: exec: nope: not found\n"},
	{"nc -w x 1.2.3.4 80", 1, "",
		"nc: only `nc [-z] [-w SECONDS] ADDRESS PORT` is known here\n"},
	{"nc 10.7.0.1 80", 1, "",
		"nc: can't connect to remote host (10.7.0.1): Connection refused\n"},
	{"nc -z 169.254.169.254 80", 0, "", ""},
	{"ip link", 1, "",
		"ip: only `ip addr`, `ip link set NAME up`, `ip rule`, `ip route add|del|replace` and "
		"`ip route show default` are known here\n"},
	{"ip link set eth0 up", 2, "", "ip: RTNETLINK answers: Operation not permitted\n"},
	{"sudo ip link set eth0 up", 0, "", ""},
	{"sudo ip link set eth7 up", 1, "", "ip: can't find device 'eth7'\n"},
	{"sudo ip route replace default via 10.7.0.1 dev eth0 table 102", 0, "", ""},
	{"sudo ip rule add from 10.7.0.5 table 102", 0, "", ""},
	{"ls /sys/class/net", 0, "eth0\nlo\n", ""},
	{"grep -qi : /sys/class/net/eth0/address && cat /sys/class/net/lo/address", 0,
		"00:00:00:00:00:00\n", ""},
};

static void test_commands(void **state)
{
	static const char user_data[] =
		"#cloud-config\n"
		"write_files:\n"
		"- path: /tmp/testfile\n"
		"  content: |\n"
		"    line one\n"
		"    line two\n"
		"- {path: /etc/decoded, encoding: b64, content: aGkK}\n";
	struct town *t = *state;
	unsigned n;
	struct said s;
	char expected[64];
	allow_all(t);
	struct object *o = town_server(t, "one", t->net, t->group);
	server_of(o)->user_data = base64_encode(user_data, sizeof(user_data) - 1);
	struct object *volume = object_new(t->sim, KIND_VOLUME, NULL, t->project, t->user);
	object_set(volume, "size", json_integer(5));
	struct server_disk disk = {.device = "/dev/vdb"};
	snprintf(disk.volume, sizeof(disk.volume), "%s", volume->id);
	vec_push(&server_of(o)->disks, disk);
	n = town_floating(t, o, NULL);
	town_await(t, n, ssh_port(t), true);
	for (size_t i = 0; i < array_len(commands); i++) {
		town_run(t, n, commands[i].command, &s);
		assert_said(&s, commands[i].status, commands[i].out, commands[i].err);
	}
	town_run(t, n, "ip -4 -o addr show eth0", &s);
	snprintf(expected, sizeof(expected), "2: eth0    inet %s/24 scope global eth0",
		town_fixed(o));
	assert_non_null(strstr(s.out, expected));
	town_run(t, n, "cat /proc/uptime", &s);
	assert_int_equal(s.status, 0);
	assert_true(s.out[0] >= '0' && s.out[0] <= '9');
}

/* A person at a terminal, a script on standard input, and input for a command. */
static void test_shell(void **state)
{
	struct town *t = *state;
	unsigned n;
	struct said s;
	char arguments[160];
	allow_all(t);
	open_server(t, "one", &n);
	town_await(t, n, ssh_port(t), true);
	snprintf(arguments, sizeof(arguments), "-T g%u < %s/in", n, t->dir);
	town_file(t, "in", "hostname\nnope\nsleep 0.01\necho last\nexit 3\necho never\n");
	town_openssh(t, arguments, &s);
	assert_said(&s, 3, "one\nlast\n", "sh: nope: not found\n");
	snprintf(arguments, sizeof(arguments), "g%u 'cat && echo end' < %s/in", n, t->dir);
	town_openssh(t, arguments, &s);
	assert_said(&s, 0, "hostname\nnope\nsleep 0.01\necho last\nexit 3\necho never\nend\n", "");
	town_file(t, "in", "echo onx\177e\rsleep 600\r\003\004");
	snprintf(arguments, sizeof(arguments), "-tt g%u < %s/in", n, t->dir);
	town_openssh(t, arguments, &s);
	assert_int_equal(s.status, 130);
	assert_non_null(strstr(s.out, "debian@one:~$ echo onx\b \be\r\none\r\n"));
	assert_non_null(strstr(s.out, "sleep 600\r\n^C\r\ndebian@one:~$ "));
}

/* More than any buffer or window on the way holds, there and back. */
static void test_bulk(void **state)
{
	struct town *t = *state;
	unsigned n;
	struct said s;
	char arguments[128];
	struct buf text = BUF(8u << 20);
	allow_all(t);
	struct object *o = open_server(t, "one", &n);
	town_await(t, n, ssh_port(t), true);
	for (unsigned i = 0; text.n < 5u << 20; i++)
		buf_printf(&text, "%u\n", i * 7919);
	town_file(t, "in", buf_str(&text));
	buf_fini(&text);
	snprintf(arguments, sizeof(arguments), "g%u cat < %s/in", n, t->dir);
	town_openssh(t, arguments, &s);
	assert_int_equal(s.status, 0);
	assert_true(town_same_files(t, "in", "out"));
	snprintf(arguments, sizeof(arguments), "-J g%u -p 22 %s cat < %s/in", n, town_fixed(o),
		t->dir);
	town_openssh(t, arguments, &s);
	assert_int_equal(s.status, 0);
	assert_true(town_same_files(t, "in", "out"));
}

/* --- limits ------------------------------------------------------------------------------------
 */

/* What comes before anything is sent: "SSH-2.0-…", or "" for a connection that is closed at once.
 */
static const char *greeting(int fd, char *ret, size_t size)
{
	const ssize_t n = recv(fd, ret, size - 1, 0);
	ret[n > 0 ? n : 0] = 0;
	return ret;
}

/* A command ends before its client has closed the channel too, and the connection goes on: what is
 * said of that channel then must reach nothing that is gone. What is freed is overwritten, so that
 * a library's look at it cannot go well by chance. */
static void test_channel_outlived(void **state)
{
	struct town *t = *state;
	unsigned n;
	struct said s;
	mallopt(M_PERTURB, 0xa5);
	allow_all(t);
	open_server(t, "one", &n);
	town_await(t, n, ssh_port(t), true);
	for (int i = 0; i < 20; i++) {
		town_run(t, n, "hostname", &s);
		assert_said(&s, 0, "one\n", "");
	}
	mallopt(M_PERTURB, 0);
}

static void test_limits(void **state)
{
	struct town *t = *state;
	unsigned n, other;
	struct said s;
	int fd[SESSIONS_GUEST_MAX + 1];
	char text[256];
	allow_all(t);
	open_server(t, "one", &n);
	open_server(t, "two", &other);
	town_await(t, n, ssh_port(t), true);
	town_await(t, other, ssh_port(t), true);
	/* Silent, talking nonsense: none of them costs the others anything. */
	for (size_t i = 0; i < array_len(fd); i++) {
		fd[i] = town_connect(n, ssh_port(t));
		assert_true(fd[i] >= 0);
	}
	for (size_t i = 0; i < SESSIONS_GUEST_MAX; i++)
		assert_int_equal(strncmp(greeting(fd[i], text, sizeof(text)), "SSH-2.0-", 8), 0);
	assert_string_equal(greeting(fd[SESSIONS_GUEST_MAX], text, sizeof(text)), "");
	town_run(t, other, "hostname", &s);
	assert_said(&s, 0, "two\n", "");
	assert_true(send(fd[0], "GET / HTTP/1.0\r\n\r\n", 18, MSG_NOSIGNAL) == 18);
	while (recv(fd[0], text, sizeof(text), 0) > 0)
		; /* it is shown the door */
	for (size_t i = 0; i < array_len(fd); i++)
		close(fd[i]);
	for (int i = 0; i < 100; i++) {
		town_run(t, n, "hostname", &s);
		if (s.fault == FAULT_NONE)
			break;
	}
	assert_said(&s, 0, "one\n", "");
}

/* Guests that end while commands run on them, one through the other. */
static void test_end(void **state)
{
	struct town *t = *state;
	unsigned n;
	enum fault fault = FAULT_NONE, inner_fault = FAULT_NONE;
	char host[32];
	struct said s;
	allow_all(t);
	struct object *o = open_server(t, "one", &n);
	town_await(t, n, ssh_port(t), true);
	snprintf(host, sizeof(host), "127.77.4.%u", n);
	const struct ssh_host outer = {host, ssh_port(t), "debian", t->key};
	const struct ssh_request direct = {
		.target = outer, .command = "sleep 600", .deadline_ns = 60 * NS_PER_S};
	const struct ssh_request jump = {.target = {town_fixed(o), 22, "debian", t->key},
		.via = &outer,
		.via_count = 1,
		.command = "ping 127.0.0.1",
		.deadline_ns = 4 * NS_PER_S};
	ssh_run(t->pool, &direct, on_broken, &fault);
	ssh_run(t->pool, &jump, on_broken, &inner_fault);
	town_run(t, n, "sleep 0.2; hostname", &s); /* by then the others have likely begun */
	assert_said(&s, 0, "one\n", "");
	guests_free(t->sim->guests);
	t->sim->guests = NULL;
	for (int i = 0; i < 4000 && (fault == FAULT_NONE || inner_fault == FAULT_NONE); i++)
		uv_run(loop_uv(t->loop), UV_RUN_ONCE);
	assert_true(is_cut(fault));
	/* what the client behind the jump server sees is its own affair, but it ends */
	assert_true(is_cut(inner_fault) || inner_fault == FAULT_TIMEOUT);
}

/* --- the cloud's file --------------------------------------------------------------------------
 */

static void test_clouds(void **state)
{
	struct town *t = *state;
	const struct guests *g = t->sim->guests;
	char expected[192];
	char *text = sim_clouds_text(t->sim);
	snprintf(expected, sizeof(expected),
		"\n    reach: {network: 172.24.4.0/24, map: 127.77.4.0/24, ssh: %u, ping: %u, ports: "
		"{\"80\": %u, \"443\": %u, \"8080\": %u, \"8081\": %u}}\n",
		ssh_port(t), ping_port(t), guests_tcp_port(g, 0), guests_tcp_port(g, 1),
		guests_tcp_port(g, 2), guests_tcp_port(g, 3));
	size_t count = 0;
	for (const char *p = text; (p = strstr(p, expected)); p++)
		count++;
	assert_int_equal(count, 5);
	free(text);
	/* a second cloud takes other ports */
	struct error err = {0};
	const struct sim_options o = {.seed = 7};
	struct sim *other = sim_new(t->loop, &o, &err);
	assert_non_null(other);
	assert_int_not_equal(guests_ssh_port(other->guests), ssh_port(t));
	assert_int_not_equal(guests_ping_port(other->guests), ping_port(t));
	sim_free(other);
}

int test_guest(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, town_setup, town_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_login),
		TEST(test_refused),
		TEST(test_groups),
		TEST(test_way),
		TEST(test_floating_moves),
		TEST(test_reboot),
		TEST(test_jump),
		TEST(test_inside),
		TEST(test_served_inside),
		TEST(test_commands),
		TEST(test_shell),
		TEST(test_bulk),
		TEST(test_channel_outlived),
		TEST(test_limits),
		TEST(test_end),
		TEST(test_clouds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
