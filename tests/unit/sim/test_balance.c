/* test_balance.c - what guests serve, as it is reached from outside: straight, and through load
 * balancers, whose monitors look at the same guests. */
#include "../check.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/json.h"
#include "sim/balancer.h"
#include "sim/guest.h"
#include "sim/guest_http.h"
#include "sim/guest_service.h"
#include "town.h"

#define L        "/load-balancer/v2/lbaas"
#define PATIENCE 4000 /* turns of the loop */

static unsigned port_80(const struct town *t)
{
	return guests_tcp_port(t->sim->guests, 0);
}

static void serve(struct town *t, const struct object *server, unsigned port, const char *text)
{
	assert_true(guest_service_start(
		guests_services(t->sim->guests), server->id, server_of(server)->boots, port, text));
}

static void stop(struct town *t, const struct object *server, unsigned port)
{
	assert_true(guest_service_stop(
		guests_services(t->sim->guests), server->id, server_of(server)->boots, port));
}

/* Writes a request and reads the answer to its end by Content-Length; the status, 0 for a
 * connection that ended instead. */
static int ask(int fd, const char *request, char *answer, size_t size)
{
	size_t n = 0, wanted = SIZE_MAX;
	int status = 0;
	assert_int_equal(write(fd, request, strlen(request)), strlen(request));
	while (n < wanted && n + 1 < size) {
		const ssize_t got = read(fd, answer + n, size - 1 - n);
		if (got <= 0)
			break;
		n += (size_t)got;
		answer[n] = 0;
		const char *body = strstr(answer, "\r\n\r\n"),
			   *at = strstr(answer, "Content-Length: ");
		if (body && at)
			wanted = (size_t)(body + 4 - answer) + strtoul(at + 16, NULL, 10);
	}
	answer[n] = 0;
	sscanf(answer, "HTTP/1.1 %d", &status);
	return status;
}

static const char *body_of(const char *answer)
{
	const char *body = strstr(answer, "\r\n\r\n");
	return body ? body + 4 : "";
}

#define GET "GET / HTTP/1.1\r\nHost: x\r\n\r\n"

/* Of so many requests over one connection, how many were answered with that text. */
static int count(unsigned n, unsigned port, int requests, const char *text)
{
	char answer[4096];
	const int fd = town_connect(n, port);
	int found = 0;
	assert_true(fd >= 0);
	for (int i = 0; i < requests; i++) {
		assert_int_equal(ask(fd, GET, answer, sizeof(answer)), 200);
		found += !strcmp(body_of(answer), text);
	}
	close(fd);
	return found;
}

/* --- straight to a guest -------------------------------------------------------------------------
 */

static void test_straight(void **state)
{
	struct town *t = *state;
	char answer[4096], rule[ID_TEXT];
	const struct object *o = town_server(t, "one", t->net, t->group);
	const unsigned n = town_floating(t, o, NULL), also = guests_tcp_port(t->sim->guests, 2);
	serve(t, o, 80, "one\n");
	town_settle(t);
	town_await(t, n, port_80(t), false); /* the group lets nothing in */
	town_allow(t, t->group, "tcp 80", NULL, NULL, rule);
	town_await(t, n, port_80(t), true);
	assert_int_equal(count(n, port_80(t), 3, "one\n"), 3);
	town_await(t, n, also, false);
	serve(t, o, 8080, "8080\n");
	town_await(t, n, also, true);
	assert_int_equal(count(n, also, 1, "8080\n"), 1);
	const int fd = town_connect(n, also), other = town_connect(n, port_80(t));
	assert_int_equal(ask(fd, GET, answer, sizeof(answer)), 200);
	stop(t, o, 8080);
	town_await(t, n, also, false);
	assert_int_equal(recv(fd, answer, 1, 0), 0); /* who serves no more ends connections */
	assert_int_equal(ask(other, "HEAD / HTTP/1.0\r\n\r\n", answer, sizeof(answer)), 200);
	assert_non_null(strstr(answer, "Content-Length: 4\r\nConnection: close\r\n\r\n"));
	close(fd);
	close(other);
	const int bad = town_connect(n, port_80(t));
	assert_int_equal(ask(bad, "what\r\n\r\n", answer, sizeof(answer)), 400);
	close(bad);
	/* services do not outlive a boot */
	server_of(o)->boots++;
	guests_changed(t->sim);
	town_await(t, n, port_80(t), false);
}

/* --- through a load balancer
 * ---------------------------------------------------------------------- */

struct balanced {
	struct town *t;
	struct object *server[2];
	char lb[ID_TEXT], pool[ID_TEXT], listener[ID_TEXT], member[2][ID_TEXT];
	unsigned n; /* 127.77.4.N */
};

/* Two servers that serve their names, a load balancer over them, and a floating IP that leads
 * there. */
static void balance(struct town *t, struct balanced *b, const char *protocol, const char *pool)
{
	char path[128], floating[ID_TEXT];
	*b = (struct balanced){.t = t};
	town_allow(t, t->group, "tcp 80", NULL, NULL, NULL);
	town_call(t, L "/loadbalancers", 201, b->lb, "{'loadbalancer': {'vip_subnet_id': '%s'}}",
		t->subnet);
	town_call(t, L "/pools", 201, b->pool,
		"{'pool': {'loadbalancer_id': '%s', 'protocol': '%s', %s}}", b->lb, protocol, pool);
	snprintf(path, sizeof(path), L "/pools/%s/members", b->pool);
	for (int i = 0; i < 2; i++) {
		b->server[i] = town_server(t, i ? "b" : "a", t->net, t->group);
		serve(t, b->server[i], 80, i ? "b\n" : "a\n");
		town_call(t, path, 201, b->member[i],
			"{'member': {'address': '%s', 'protocol_port': 80, 'weight': %d}}",
			town_fixed(b->server[i]), i + 1);
	}
	town_call(t, "/network/v2.0/floatingips", 201, floating,
		"{'floatingip': {'floating_network_id': '%s', 'port_id': '%s'}}",
		t->sim->net.public_network,
		object_str(town_object(t, KIND_LOADBALANCER, b->lb), "vip_port_id"));
	const struct object *o = town_object(t, KIND_FLOATING_IP, floating);
	assert_int_equal(sscanf(object_str(o, "floating_ip_address"), "172.24.4.%u", &b->n), 1);
	for (int i = 0; i < PATIENCE && strcmp(object_str(o, "status"), "ACTIVE"); i++)
		uv_run(loop_uv(t->loop), UV_RUN_ONCE);
	town_settle(t);
	town_await(t, b->n, port_80(t), false); /* nobody listens there yet */
	town_call(t, L "/listeners", 201, b->listener,
		"{'listener': {'loadbalancer_id': '%s', 'protocol': '%s', 'protocol_port': 80, "
		"'default_pool_id': '%s'}}",
		b->lb, protocol, b->pool);
	town_await(t, b->n, port_80(t), true);
}

static void await_status(struct town *t, enum kind k, const char *id, const char *status)
{
	for (int i = 0; i < PATIENCE; i++) {
		if (!strcmp(object_str(town_object(t, k, id), "operating_status"), status))
			break;
		uv_run(loop_uv(t->loop), UV_RUN_ONCE);
	}
	assert_string_equal(object_str(town_object(t, k, id), "operating_status"), status);
	town_settle(t); /* and until packets follow it */
}

static void test_requests(void **state)
{
	struct town *t = *state;
	struct balanced b;
	char answer[4096];
	balance(t, &b, "HTTP", "'lb_algorithm': 'ROUND_ROBIN'");
	assert_int_equal(count(b.n, port_80(t), 9, "b\n"), 6); /* by weight */
	town_await(t, b.n, guests_ping_port(t->sim->guests), true);
	/* one that serves no more is passed over, monitored or not */
	stop(t, b.server[1], 80);
	assert_int_equal(count(b.n, port_80(t), 9, "a\n"), 9);
	stop(t, b.server[0], 80);
	const int fd = town_connect(b.n, port_80(t));
	assert_int_equal(ask(fd, GET, answer, sizeof(answer)), 503);
	assert_int_equal(recv(fd, answer, 1, 0), 0);
	close(fd);
}

static void test_connections(void **state)
{
	struct town *t = *state;
	struct balanced b;
	char answer[4096];
	balance(t, &b, "TCP", "'lb_algorithm': 'SOURCE_IP'");
	/* one address outside: always the same member, and a connection stays with it */
	const int found = count(b.n, port_80(t), 3, "a\n");
	assert_true(found == 0 || found == 3);
	assert_int_equal(count(b.n, port_80(t), 3, "a\n"), found);
	const int fd = town_connect(b.n, port_80(t));
	assert_int_equal(ask(fd, GET, answer, sizeof(answer)), 200);
	stop(t, b.server[0], 80);
	stop(t, b.server[1], 80);
	assert_int_equal(recv(fd, answer, 1, 0), 0);
	close(fd);
	const int late = town_connect(b.n, port_80(t)); /* taken, and ended */
	assert_true(late >= 0);
	assert_true(recv(late, answer, 1, 0) <= 0);
	close(late);
}

static void test_cookie(void **state)
{
	struct town *t = *state;
	struct balanced b;
	char answer[4096], cookie[128], request[256];
	balance(t, &b, "HTTP",
		"'lb_algorithm': 'ROUND_ROBIN', 'session_persistence': {'type': 'HTTP_COOKIE'}");
	const int fd = town_connect(b.n, port_80(t));
	assert_int_equal(ask(fd, GET, answer, sizeof(answer)), 200);
	const char *at = strstr(answer, "Set-Cookie: ");
	assert_non_null(at);
	assert_int_equal(sscanf(at, "Set-Cookie: %127[^;]", cookie), 1);
	char first[16];
	snprintf(first, sizeof(first), "%s", body_of(answer));
	snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nCookie: a=b; %s\r\n\r\n", cookie);
	for (int i = 0; i < 6; i++) {
		assert_int_equal(ask(fd, request, answer, sizeof(answer)), 200);
		assert_string_equal(body_of(answer), first);
		assert_null(strstr(answer, "Set-Cookie"));
	}
	close(fd);
}

static void test_monitor(void **state)
{
	struct town *t = *state;
	struct balanced b;
	char monitor[ID_TEXT];
	t->sim->draw.speed = 10;
	balance(t, &b, "TCP", "'lb_algorithm': 'ROUND_ROBIN'");
	town_call(t, L "/healthmonitors", 201, monitor,
		"{'healthmonitor': {'pool_id': '%s', 'type': 'HTTP', 'delay': 1, 'timeout': 1, "
		"'max_retries': 2, 'max_retries_down': 2}}",
		b.pool);
	await_status(t, KIND_MEMBER, b.member[0], "ONLINE");
	await_status(t, KIND_POOL, b.pool, "ONLINE");
	stop(t, b.server[0], 80);
	await_status(t, KIND_MEMBER, b.member[0], "ERROR");
	await_status(t, KIND_POOL, b.pool, "DEGRADED");
	await_status(t, KIND_LOADBALANCER, b.lb, "DEGRADED");
	assert_int_equal(count(b.n, port_80(t), 1, "b\n"), 1);
	server_of(b.server[1])->up_ns = INT64_MAX; /* the other one goes down as a whole */
	guests_changed(t->sim);
	await_status(t, KIND_POOL, b.pool, "ERROR");
	server_of(b.server[1])->up_ns = loop_now_ns(t->loop);
	guests_changed(t->sim);
	serve(t, b.server[0], 80, "back\n");
	await_status(t, KIND_POOL, b.pool, "ONLINE");
	await_status(t, KIND_LOADBALANCER, b.lb, "ONLINE");
	/* groups that do not admit the VIP */
	OBJECT_EACH_BACK (t->sim, KIND_RULE, o)
		if (!strcmp(object_str(o, "security_group_id"), t->group))
			object_remove(o);
	guests_changed(t->sim);
	await_status(t, KIND_POOL, b.pool, "ERROR");
	char *own = mem_printf(
		"%s/32", object_str(town_object(t, KIND_LOADBALANCER, b.lb), "vip_address"));
	town_allow(t, t->group, "tcp 80", own, NULL, NULL);
	await_status(t, KIND_POOL, b.pool, "ONLINE");
	free(own);
}

static void test_inside(void **state)
{
	struct town *t = *state;
	struct balanced b;
	struct said s;
	char command[96], allowed[ID_TEXT];
	balance(t, &b, "TCP", "'lb_algorithm': 'ROUND_ROBIN'");
	const unsigned n = town_floating(t, b.server[0], NULL);
	const char *vip = object_str(town_object(t, KIND_LOADBALANCER, b.lb), "vip_address");
	town_settle(t);
	for (int port = 80; port < 82; port++) {
		snprintf(command, sizeof(command), "nc -z -w 5 %s %d", vip, port);
		town_run(t, n, command, &s);
		assert_int_equal(s.status, port == 80 ? 0 : 1);
	}
	snprintf(command, sizeof(command), "nc -z -w 5 172.24.4.%u 80 && ping -c 1 %s", b.n, vip);
	town_run(t, n, command, &s);
	assert_int_equal(s.status, 0);
	/* a listener that lets in others only */
	snprintf(allowed, sizeof(allowed), "[\"%s\"]", "10.7.0.0/24");
	object_set(town_object(t, KIND_LISTENER, b.listener), "allowed_cidrs",
		json_loads(allowed, 0, NULL));
	guests_changed(t->sim);
	town_await(t, b.n, port_80(t), false);
	snprintf(command, sizeof(command), "nc -z -w 5 %s 80", vip);
	town_run(t, n, command, &s);
	assert_int_equal(s.status, 0);
}

/* --- the head of a request
 * ------------------------------------------------------------------------- */

static enum guest_http_state state_of(const char *text)
{
	struct guest_http q;
	return guest_http_read(slice_of(text), &q);
}

static void test_head(void **state)
{
	struct guest_http q;
	assert_int_equal(
		guest_http_read(SLICE("POST /a?b HTTP/1.1\r\ncontent-length: 3\r\nCOOKIE: a=1; "
				      "SRV=x ;b=\r\n\r\nabcGET"),
			&q),
		GUEST_HTTP_WHOLE);
	assert_true(slice_is(q.method, "POST") && slice_is(q.target, "/a?b"));
	assert_int_equal(q.body_n, 3);
	assert_false(q.close);
	assert_true(slice_is(guest_http_cookie(q.cookie, "SRV"), "x"));
	assert_int_equal(guest_http_cookie(q.cookie, "b").n, 0);
	assert_int_equal(guest_http_read(SLICE("GET / HTTP/1.0\n\n"), &q), GUEST_HTTP_WHOLE);
	assert_true(q.close);
	assert_int_equal(guest_http_read(SLICE("GET / HTTP/1.0\nConnection: Keep-Alive\n\n"), &q),
		GUEST_HTTP_WHOLE);
	assert_false(q.close);
	assert_int_equal(state_of("GET / HTTP/1.1\r\nHost"), GUEST_HTTP_PART);
	assert_int_equal(state_of(""), GUEST_HTTP_PART);
	assert_int_equal(state_of("GET /\r\n"), GUEST_HTTP_BAD);
	assert_int_equal(state_of("GET / HTTP/2\r\n"), GUEST_HTTP_BAD);
	assert_int_equal(state_of("GET / HTTP/1.1\r\n: x\r\n"), GUEST_HTTP_BAD);
	assert_int_equal(state_of("GET / HTTP/1.1\r\nContent-Length: -1\r\n"), GUEST_HTTP_BAD);
	assert_int_equal(
		state_of("GET / HTTP/1.1\r\nContent-Length: 99999999\r\n"), GUEST_HTTP_BAD);
	assert_int_equal(
		state_of("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"), GUEST_HTTP_BAD);
	char *big = mem_alloc(GUEST_HTTP_HEAD_MAX + 2);
	memset(big, 'a', GUEST_HTTP_HEAD_MAX + 1);
	big[GUEST_HTTP_HEAD_MAX + 1] = 0;
	assert_int_equal(state_of(big), GUEST_HTTP_BAD);
	free(big);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, town_setup, town_teardown)

int test_balance(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_straight),
		TEST(test_requests),
		TEST(test_connections),
		TEST(test_cookie),
		TEST(test_monitor),
		TEST(test_inside),
		cmocka_unit_test(test_head),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
