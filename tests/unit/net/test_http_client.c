/*
 * test_http_client.c - the client against a peer whose path says how it answers, with and without
 * TLS, and against a real HTTP/2 server.
 */
#include "net/http_client.h"

#include <dirent.h>
#include <ftw.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../check.h"
#include "base/vec.h"
#include "peer.h"

#define LONG  (20 * NS_PER_S)
#define SHORT (250 * NS_PER_MS)

extern char **environ;

/* --- the peer ----------------------------------------------------------------------------------
 */

static bool is_for(const struct peer_connection *c, const char *path)
{
	const char *at = strchr(c->request, ' ');

	return at && strncmp(at + 1, path, strlen(path)) == 0 && at[1 + strlen(path)] == ' ';
}

static bool say_body(struct peer_connection *c, const char *headers, const char *body)
{
	return peer_say(c, "HTTP/1.1 200 OK\r\n%sContent-Length: %zu\r\n\r\n%s", headers,
		strlen(body), body);
}

static void say_slowly(struct peer_connection *c)
{
	peer_say(c, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
	for (int i = 0; i < 1000 && peer_write(c, "x", 1); i++)
		peer_sleep_ms(c, 20);
}

static void say_much(struct peer_connection *c, size_t n)
{
	char piece[1000];

	memset(piece, 'm', sizeof(piece));
	peer_say(c, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", n);
	for (size_t i = 0; i < n / sizeof(piece); i++)
		if (!peer_write(c, piece, sizeof(piece)))
			return;
}

static void say_headers_without_end(struct peer_connection *c)
{
	peer_say(c, "HTTP/1.1 200 OK\r\n");
	for (int i = 0; i < 100000; i++)
		if (!peer_say(c, "X-Header-%d: some value to fill the line with\r\n", i))
			return;
}

/* True: the connection is kept. */
static bool answer(struct peer_connection *c)
{
	if (is_for(c, "/echo"))
		return say_body(c, "", c->request);
	if (is_for(c, "/headers"))
		return say_body(c, "Link: <a>\r\nlink:  <b> \r\nX-Empty:\r\n", "");
	if (is_for(c, "/redirect"))
		return peer_say(c,
			"HTTP/1.1 302 Found\r\nLocation: /echo\r\n"
			"Content-Length: 0\r\n\r\n");
	if (is_for(c, "/chunked"))
		return peer_say(c,
			"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
			"3\r\nabc\r\n5;x=y\r\ndefgh\r\n0\r\nTrailer: t\r\n\r\n");
	if (is_for(c, "/continue"))
		return peer_say(c, "HTTP/1.1 103 Early Hints\r\nLink: <early>\r\n\r\n") &&
		       say_body(c, "X-Real: 1\r\n", "ok");
	if (is_for(c, "/missing"))
		return peer_say(c, "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone");
	if (is_for(c, "/cut"))
		peer_say(c, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc");
	else if (is_for(c, "/until-close"))
		peer_say(c, "HTTP/1.0 200 OK\r\n\r\nall of it");
	else if (is_for(c, "/no-http"))
		peer_say(c, "220 mail.example ESMTP\r\n");
	else if (is_for(c, "/bad-chunk"))
		peer_say(c, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc");
	else if (is_for(c, "/reset"))
		peer_reset(c);
	else if (is_for(c, "/slow"))
		say_slowly(c);
	else if (is_for(c, "/silent"))
		peer_sleep_ms(c, 60000);
	else if (is_for(c, "/much"))
		say_much(c, 1000000);
	else if (is_for(c, "/header-flood"))
		say_headers_without_end(c);
	else if (is_for(c, "/once") && c->nth == 0) /* then it breaks */
		return say_body(c, "", "first");
	else if (is_for(c, "/once"))
		return say_body(c, "", "again");
	return false; /* /nothing: it closes */
}

static void serve(struct peer_connection *c)
{
	while (peer_read(c))
		if (!answer(c))
			return;
}

/* The second request of the first connection finds nobody. */
static void serve_once(struct peer_connection *c)
{
	if (peer_read(c) && answer(c) && c->nth == 0)
		peer_read(c);
	else
		serve(c);
}

/* The second request finds the connection gone, with a reset. */
static void serve_once_then_reset(struct peer_connection *c)
{
	if (peer_read(c) && answer(c) && c->nth == 0) {
		peer_read(c);
		peer_reset(c);
	} else {
		serve(c);
	}
}

static void say_nothing(struct peer_connection *c)
{
	peer_sleep_ms(c, 60000);
}

/* --- asking ------------------------------------------------------------------------------------
 */

struct room {
	struct loop *loop;
	struct http_client *client;
	struct peer *peer;
	char *url; /* of the peer, without path */
	struct error err;
};

struct ask {
	struct room *room;
	int times;
	bool done;
	struct http_answer a;
	char *body, *link, *location;
	size_t headers;
	bool free_client; /* in the callback */
};

static void on_done(void *arg, const struct http_answer *answer)
{
	struct ask *a = arg;
	const struct http_header *all;

	a->times++;
	a->done = true;
	a->a = *answer;
	a->body = slice_dup(answer->body);
	a->link = mem_strdup(http_answer_header(answer, "LINK"));
	a->location = mem_strdup(http_answer_header(answer, "location"));
	a->headers = http_answer_headers(answer, &all);
	if (a->free_client) {
		http_client_free(a->room->client);
		a->room->client = NULL;
	}
}

static void forget(struct ask *a)
{
	free(a->body);
	free(a->link);
	free(a->location);
	memset(a, 0, sizeof(*a));
}

static struct http_call *send_to(
	struct room *r, struct ask *a, const char *path, struct http_request q)
{
	char *url = mem_printf("%s%s", r->url, path);
	struct http_call *call;

	a->room = r;
	q.url = url;
	q.method = q.method ? q.method : "GET";
	q.deadline_ns = q.deadline_ns ? q.deadline_ns : LONG;
	call = http_send(r->client, &q, on_done, a);
	assert_int_equal(a->times, 0);
	free(url);
	return call;
}

static void run(struct room *r, struct ask *a, const char *path, struct http_request q)
{
	memset(a, 0, sizeof(*a));
	send_to(r, a, path, q);
	loop_run(r->loop);
	assert_int_equal(a->times, 1);
}

static void get(struct room *r, struct ask *a, const char *path)
{
	run(r, a, path, (struct http_request){0});
}

static void assert_fault(const struct ask *a, enum fault expected, const char *part)
{
	if (a->a.fault != expected || !strstr(a->a.detail, part))
		fail_msg("%s: \"%s\"; expected %s: \"%s\"", fault_name(a->a.fault), a->a.detail,
			fault_name(expected), part);
}

static void open_client(struct room *r, struct http_client_options o)
{
	http_client_free(r->client);
	r->client = http_client_new(r->loop, &o, &r->err);
	assert_non_null(r->client);
}

static void open_peer(struct room *r, peer_serve *how, SSL_CTX *tls)
{
	if (r->peer)
		peer_stop(r->peer);
	free(r->url);
	r->peer = peer_start(how, NULL, tls);
	r->url = mem_printf("%s://127.0.0.1:%u", tls ? "https" : "http", r->peer->port);
}

static int set_up(void **state)
{
	struct room *r = mem_new(struct room);

	r->loop = loop_new(NULL, &r->err);
	open_client(r, (struct http_client_options){0});
	open_peer(r, serve, NULL);
	*state = r;
	return 0;
}

static int tear_down(void **state)
{
	struct room *r = *state;

	http_client_free(r->client);
	peer_stop(r->peer);
	loop_free(r->loop);
	free(r->url);
	free(r);
	return 0;
}

/* --- what works --------------------------------------------------------------------------------
 */

static void a_request_and_its_answer_are_whole(void **state)
{
	static const struct http_header headers[] = {
		{"X-Openstack-Request-Id", "req-0f3b"}, {"X-Empty", ""}};
	struct ask a;

	run(*state, &a, "/echo",
		(struct http_request){.method = "POST",
			.headers = headers,
			.header_count = 2,
			.body = "{\"a\": 1}",
			.body_n = 8});
	assert_fault(&a, FAULT_NONE, "");
	assert_int_equal(a.a.status, 200);
	assert_int_equal(a.a.version, 11);
	assert_true(a.a.sent);
	assert_string_equal(a.a.address, "127.0.0.1");
	assert_non_null(strstr(a.body, "POST /echo HTTP/1.1\r\n"));
	assert_non_null(strstr(a.body, "User-Agent: glasshouse/"));
	assert_non_null(strstr(a.body, "X-Openstack-Request-Id: req-0f3b\r\n"));
	assert_non_null(strstr(a.body, "X-Empty:"));
	assert_non_null(strstr(a.body, "Content-Length: 8\r\n"));
	assert_null(strstr(a.body, "Expect"));
	assert_null(strstr(a.body, "urlencoded"));
	assert_null(strstr(a.body, "Accept-Encoding")); /* so nothing comes packed */
	assert_non_null(strstr(a.body, "\r\n\r\n{\"a\": 1}"));
	forget(&a);
}

static void connections_are_kept(void **state)
{
	struct room *r = *state;
	struct ask a;

	for (int i = 0; i < 3; i++) {
		get(r, &a, "/echo");
		assert_fault(&a, FAULT_NONE, "");
		assert_int_equal(a.a.reused, i > 0);
		assert_int_equal(a.a.phases.connect_ns == 0, i > 0);
		forget(&a);
	}
	assert_int_equal(r->peer->connections, 1);
}

static void a_fresh_client_keeps_none(void **state)
{
	struct room *r = *state;
	struct ask a;

	open_client(r, (struct http_client_options){.fresh = true});
	for (int i = 0; i < 3; i++) {
		get(r, &a, "/echo");
		assert_false(a.a.reused);
		assert_true(a.a.phases.connect_ns > 0);
		forget(&a);
	}
	assert_int_equal(r->peer->connections, 3);
}

static void answers_have_many_forms(void **state)
{
	static const struct {
		const char *path, *body;
		int status, version;
	} forms[] = {{"/chunked", "abcdefgh", 200, 11}, {"/until-close", "all of it", 200, 10},
		{"/missing", "none", 404, 11}, {"/continue", "ok", 200, 11},
		{"/redirect", "", 302, 11}};
	struct room *r = *state;
	struct ask a;

	for (size_t i = 0; i < array_len(forms); i++) {
		get(r, &a, forms[i].path);
		assert_fault(&a, FAULT_NONE, "");
		assert_int_equal(a.a.status, forms[i].status);
		assert_int_equal(a.a.version, forms[i].version);
		assert_string_equal(a.body, forms[i].body);
		assert_int_equal(a.a.body_size, strlen(forms[i].body));
		assert_null(a.link); /* that of the 103 is not the answer's */
		if (a.a.status == 302)
			assert_string_equal(a.location, "/echo"); /* told, not followed */
		forget(&a);
	}
	assert_int_equal(r->peer->requests, array_len(forms));
}

static void headers_are_found_in_any_case(void **state)
{
	struct ask a;

	get(*state, &a, "/headers");
	assert_string_equal(a.link, "<a>");
	assert_int_equal(a.headers, 4);
	forget(&a);
}

static void many_at_once_all_come_back(void **state)
{
	static struct ask asks[200];
	struct room *r = *state;

	memset(asks, 0, sizeof(asks));
	open_client(r, (struct http_client_options){.connections = 16});
	for (size_t i = 0; i < array_len(asks); i++)
		send_to(r, &asks[i], "/echo", (struct http_request){0});
	loop_run(r->loop);
	for (size_t i = 0; i < array_len(asks); i++) {
		assert_int_equal(asks[i].times, 1);
		assert_fault(&asks[i], FAULT_NONE, "");
		forget(&asks[i]);
	}
	assert_true(r->peer->connections <= 16);
}

static void the_callers_addresses_come_first(void **state)
{
	struct room *r = *state;
	char *entry = mem_printf("cloud.invalid:%u:127.0.0.1", r->peer->port);
	const char *const entries[] = {entry, NULL};
	struct ask a;

	free(r->url);
	r->url = mem_printf("http://cloud.invalid:%u", r->peer->port);
	run(r, &a, "/echo", (struct http_request){.resolve = entries});
	assert_fault(&a, FAULT_NONE, "");
	assert_non_null(strstr(a.body, "Host: cloud.invalid:"));
	assert_int_equal(a.a.phases.resolve_ns, 0);
	forget(&a);
	free(entry);
}

static void another_peer_is_connected_to(void **state)
{
	struct room *r = *state;
	char *peer = mem_printf("127.0.0.1:%u", r->peer->port);
	struct ask a;

	free(r->url);
	r->url = mem_strdup("http://192.0.2.7:81");
	run(r, &a, "/echo", (struct http_request){.connect_to = peer});
	assert_fault(&a, FAULT_NONE, "");
	assert_non_null(strstr(a.body, "Host: 192.0.2.7:81"));
	forget(&a);
	free(r->url);
	r->url = mem_strdup("http://cloud.invalid");
	run(r, &a, "/echo", (struct http_request){.connect_to = peer});
	assert_fault(&a, FAULT_NONE, "");
	assert_int_equal(a.a.phases.resolve_ns, 0);
	forget(&a);
	free(peer);
}

/* --- bodies in pieces --------------------------------------------------------------------------
 */

struct flow {
	size_t left;
	size_t taken, stop_at;
	struct http_call **cancel;
};

static size_t give(void *arg, void *p, size_t n)
{
	struct flow *f = arg;

	n = n < f->left ? n : f->left;
	memset(p, 'u', n);
	f->left -= n;
	return n;
}

static bool take(void *arg, const void *p, size_t n)
{
	struct flow *f = arg;

	f->taken += n;
	if (f->cancel)
		http_cancel(*f->cancel);
	return f->stop_at == 0 || f->taken < f->stop_at;
}

static void a_body_is_uploaded_in_pieces(void **state)
{
	struct flow f = {.left = 50000};
	struct ask a;

	run(*state, &a, "/echo",
		(struct http_request){
			.method = "PUT", .source = give, .source_n = 50000, .stream_arg = &f});
	assert_fault(&a, FAULT_NONE, "");
	assert_int_equal(strlen(strstr(a.body, "\r\n\r\n") + 4), 50000);
	forget(&a);
	f.left = 20000;
	run(*state, &a, "/echo",
		(struct http_request){
			.method = "PUT", .source = give, .source_n = 50000, .stream_arg = &f});
	assert_fault(&a, FAULT_LOCAL, "30000 bytes early");
	forget(&a);
}

static void a_body_is_taken_in_pieces(void **state)
{
	struct flow f = {0};
	struct ask a;

	run(*state, &a, "/much", (struct http_request){.sink = take, .stream_arg = &f});
	assert_fault(&a, FAULT_NONE, "");
	assert_int_equal(f.taken, 1000000);
	assert_string_equal(a.body, "");
	forget(&a);
	f = (struct flow){.stop_at = 1};
	run(*state, &a, "/much", (struct http_request){.sink = take, .stream_arg = &f});
	assert_fault(&a, FAULT_LOCAL, "reader");
	forget(&a);
	f = (struct flow){0};
	run(*state, &a, "/missing", (struct http_request){.sink = take, .stream_arg = &f});
	assert_int_equal(f.taken, 0); /* an error's body is for people */
	assert_string_equal(a.body, "none");
	forget(&a);
}

/* --- what goes wrong ---------------------------------------------------------------------------
 */

static void broken_answers_have_their_fault(void **state)
{
	static const struct {
		const char *path, *part;
		enum fault fault;
	} cases[] = {{"/cut", "", FAULT_CONNECTION_LOST}, {"/nothing", "", FAULT_CONNECTION_LOST},
		{"/reset", "", FAULT_CONNECTION_LOST}, {"/no-http", "", FAULT_PROTOCOL},
		{"/bad-chunk", "", FAULT_CONNECTION_LOST}, {"/header-flood", "", FAULT_PROTOCOL}};
	struct room *r = *state;
	struct ask a;

	open_client(r, (struct http_client_options){.fresh = true});
	for (size_t i = 0; i < array_len(cases); i++) {
		get(r, &a, cases[i].path);
		if (a.a.fault != cases[i].fault)
			fail_msg("%s: %s %s", cases[i].path, fault_name(a.a.fault), a.a.detail);
		assert_true(a.a.detail[0]);
		assert_true(a.a.sent); /* a create may have happened */
		forget(&a);
	}
	free(r->url);
	r->url = mem_printf("http://127.0.0.1:%u", peer_free_port());
	get(r, &a, "/");
	assert_fault(&a, FAULT_REFUSED, "refused");
	assert_false(a.a.sent);
	assert_true(a.a.phases.connect_ns > 0);
	forget(&a);
}

static void what_may_have_happened_is_not_sent_again(void **state)
{
	struct room *r = *state;
	struct ask a;

	open_peer(r, serve_once, NULL);
	get(r, &a, "/once");
	forget(&a);
	run(r, &a, "/once", (struct http_request){.method = "POST", .body = "x", .body_n = 1});
	assert_fault(&a, FAULT_CONNECTION_LOST, "not sent again");
	assert_true(a.a.sent);
	assert_int_equal(r->peer->requests, 2);
	forget(&a);
	static peer_serve *const breaking[] = {serve_once, serve_once_then_reset};
	for (size_t i = 0; i < array_len(breaking); i++) {
		open_peer(r, breaking[i], NULL);
		get(r, &a, "/once");
		forget(&a);
		get(r, &a, "/once"); /* reading twice changes nothing */
		assert_fault(&a, FAULT_NONE, "");
		assert_string_equal(a.body, "again");
		assert_int_equal(r->peer->requests, 3);
		forget(&a);
	}
}

static void an_answer_over_the_limit_is_refused(void **state)
{
	struct ask a;

	run(*state, &a, "/much", (struct http_request){.answer_max = 999999});
	assert_fault(&a, FAULT_BODY_TOO_LARGE, "larger than");
	forget(&a);
	run(*state, &a, "/much", (struct http_request){.answer_max = 1000000});
	assert_fault(&a, FAULT_NONE, "");
	forget(&a);
}

static void deadlines_say_how_far_it_came(void **state)
{
	struct room *r = *state;
	struct peer_deaf deaf;
	struct ask a;

	run(r, &a, "/silent", (struct http_request){.deadline_ns = SHORT});
	assert_fault(&a, FAULT_TIMEOUT, "no answer within");
	assert_true(a.a.sent && a.a.phases.total_ns >= SHORT && a.a.phases.wait_ns > 0);
	forget(&a);
	run(r, &a, "/slow", (struct http_request){.deadline_ns = SHORT});
	assert_fault(&a, FAULT_TIMEOUT, "not complete");
	assert_int_equal(a.a.status, 200);
	assert_true(a.a.phases.body_ns > 0);
	forget(&a);
	free(r->url);
	peer_deafen(&deaf);
	r->url = mem_printf("http://127.0.0.1:%u", deaf.port);
	run(r, &a, "/", (struct http_request){.connect_ns = SHORT});
	assert_fault(&a, FAULT_TIMEOUT, "connecting");
	assert_false(a.a.sent);
	assert_true(a.a.phases.connect_ns > 0);
	forget(&a);
	peer_deaf_fini(&deaf);
	open_peer(r, say_nothing, NULL);
	free(r->url);
	r->url = mem_printf("https://127.0.0.1:%u", r->peer->port);
	run(r, &a, "/", (struct http_request){.connect_ns = SHORT});
	assert_fault(&a, FAULT_TIMEOUT, "TLS handshake");
	assert_false(a.a.sent);
	assert_true(a.a.phases.tls_ns > 0);
	forget(&a);
}

static void what_cannot_be_sent_is_not(void **state)
{
	static const struct http_header split[] = {{"X-A", "b\r\nX-Evil: 1"}};
	static const struct http_header spaced[] = {{"X A", "b"}};
	struct room *r = *state;
	struct ask a;

	run(r, &a, "/echo", (struct http_request){.method = "GE T"});
	assert_fault(&a, FAULT_LOCAL, "no method");
	forget(&a);
	run(r, &a, "/echo", (struct http_request){.headers = split, .header_count = 1});
	assert_fault(&a, FAULT_LOCAL, "cannot be sent");
	forget(&a);
	run(r, &a, "/echo", (struct http_request){.headers = spaced, .header_count = 1});
	assert_fault(&a, FAULT_LOCAL, "cannot be sent");
	forget(&a);
	run(r, &a, "/a b", (struct http_request){0});
	assert_fault(&a, FAULT_LOCAL, "");
	forget(&a);
	free(r->url);
	r->url = mem_strdup("ftp://127.0.0.1");
	get(r, &a, "/");
	assert_fault(&a, FAULT_LOCAL, "no http");
	assert_false(a.a.sent);
	assert_int_equal(r->peer->connections, 0);
	forget(&a);
}

/* --- cancelling --------------------------------------------------------------------------------
 */

struct later {
	struct http_call *call;
	struct timer timer;
};

static void on_later(struct timer *t)
{
	struct later *l = t->arg;

	http_cancel(l->call);
	http_cancel(l->call);
}

static void cancel_after(struct room *r, const char *path, int64_t ns)
{
	struct later later = {0};
	struct ask a = {0};

	later.call = send_to(r, &a, path, (struct http_request){0});
	if (ns > 0)
		timer_start(r->loop, &later.timer, ns, on_later, &later);
	else
		on_later(&(struct timer){.arg = &later});
	assert_int_equal(a.times, 0);
	loop_run(r->loop);
	assert_int_equal(a.times, 1);
	assert_fault(&a, FAULT_CANCELLED, "");
	forget(&a);
}

static void cancelling_calls_back_once(void **state)
{
	struct room *r = *state;
	struct peer_deaf deaf;

	cancel_after(r, "/silent", 0);
	cancel_after(r, "/silent", 50 * NS_PER_MS);
	cancel_after(r, "/slow", 50 * NS_PER_MS);
	cancel_after(r, "/a b", 0); /* has ended already */
	free(r->url);
	peer_deafen(&deaf);
	r->url = mem_printf("http://127.0.0.1:%u", deaf.port);
	cancel_after(r, "/", 0);
	cancel_after(r, "/", 50 * NS_PER_MS);
	peer_deaf_fini(&deaf);
	open_peer(r, say_nothing, NULL);
	free(r->url);
	r->url = mem_printf("https://127.0.0.1:%u", r->peer->port);
	cancel_after(r, "/", 50 * NS_PER_MS);
	free(r->url);
	r->url = mem_strdup("http://slow.invalid");
	cancel_after(r, "/", 0);
}

static void cancelling_inside_a_piece(void **state)
{
	struct room *r = *state;
	struct http_call *call;
	struct flow f = {.cancel = &call};
	struct ask a = {0};

	call = send_to(r, &a, "/much", (struct http_request){.sink = take, .stream_arg = &f});
	loop_run(r->loop);
	assert_int_equal(a.times, 1);
	assert_fault(&a, FAULT_CANCELLED, "");
	forget(&a);
	get(r, &a, "/echo"); /* the client is whole */
	assert_fault(&a, FAULT_NONE, "");
	forget(&a);
}

static void freeing_the_client_ends_its_calls(void **state)
{
	static const char *const paths[] = {"/silent", "/slow", "/echo", "/a b"};
	struct room *r = *state;
	struct ask asks[array_len(paths)] = {0};

	for (size_t i = 0; i < array_len(paths); i++)
		send_to(r, &asks[i], paths[i], (struct http_request){0});
	http_client_free(r->client);
	r->client = NULL;
	for (size_t i = 0; i < array_len(paths); i++) {
		assert_int_equal(asks[i].times, 1);
		assert_true(asks[i].a.fault != FAULT_NONE);
		forget(&asks[i]);
	}
}

static void a_callback_may_free_the_client(void **state)
{
	struct room *r = *state;
	struct ask first = {.free_client = true}, second = {0};

	send_to(r, &second, "/silent", (struct http_request){0});
	send_to(r, &first, "/echo", (struct http_request){0});
	loop_run(r->loop);
	assert_int_equal(first.times, 1);
	assert_int_equal(second.times, 1);
	assert_fault(&second, FAULT_CANCELLED, "");
	forget(&first);
	forget(&second);
}

/* --- TLS ---------------------------------------------------------------------------------------
 */

struct authority {
	struct peer_certificate root, leaf;
	SSL_CTX *tls;
	char dir[64], *ca;
};

static void open_authority(struct authority *a, const char *names, int to_days)
{
	a->root = peer_certify(NULL, NULL, -10, 10);
	a->leaf = peer_certify(&a->root, names, -5, to_days);
	a->tls = peer_tls(&a->leaf);
	snprintf(a->dir, sizeof(a->dir), "/tmp/test-tls-XXXXXX");
	assert_non_null(mkdtemp(a->dir));
	a->ca = mem_printf("%s/ca.pem", a->dir);
	peer_save_certificate(&a->root, a->ca);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	return remove(path);
}

static void close_authority(struct authority *a)
{
	nftw(a->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(a->ca);
	SSL_CTX_free(a->tls);
	peer_certificate_fini(&a->leaf);
	peer_certificate_fini(&a->root);
}

/* What becomes of a request to a peer with such a certificate. */
static void try_certificate(
	struct room *r, const char *names, int to_days, bool trusted, enum fault expected)
{
	struct authority auth;
	struct ask a;

	open_authority(&auth, names, to_days);
	open_peer(r, serve, auth.tls);
	run(r, &a, "/echo", (struct http_request){.ca_file = trusted ? auth.ca : NULL});
	assert_fault(&a, expected, "");
	assert_int_equal(a.a.sent, expected == FAULT_NONE);
	assert_true(a.a.phases.tls_ns > 0);
	forget(&a);
	run(r, &a, "/echo", (struct http_request){.insecure = true});
	assert_fault(&a, FAULT_NONE, "");
	forget(&a);
	close_authority(&auth);
}

static void certificates_are_looked_at(void **state)
{
	struct room *r = *state;

	try_certificate(r, "IP:127.0.0.1", 5, true, FAULT_NONE);
	try_certificate(r, "IP:127.0.0.1", 5, false, FAULT_TLS_AUTHORITY);
	try_certificate(r, "DNS:other.example", 5, true, FAULT_TLS_NAME);
	try_certificate(r, "IP:127.0.0.1", -1, true, FAULT_TLS_EXPIRED);
}

static void the_phases_add_up(void **state)
{
	struct room *r = *state;
	struct authority auth;
	struct ask a;
	struct phases *p = &a.a.phases;

	open_authority(&auth, "IP:127.0.0.1", 5);
	open_peer(r, serve, auth.tls);
	run(r, &a, "/much", (struct http_request){.ca_file = auth.ca});
	assert_fault(&a, FAULT_NONE, "");
	assert_int_equal(p->resolve_ns, 0);
	assert_true(p->connect_ns > 0 && p->tls_ns > 0 && p->wait_ns > 0 && p->body_ns > 0);
	assert_true(p->connect_ns + p->tls_ns + p->wait_ns + p->body_ns <= p->total_ns);
	forget(&a);
	run(r, &a, "/echo", (struct http_request){.ca_file = auth.ca});
	forget(&a);
	close_authority(&auth);
}

/* --- HTTP/2 ------------------------------------------------------------------------------------
 */

#define SERVER "/usr/sbin/nghttpd"

static pid_t start_http2(const struct authority *a, unsigned port)
{
	char *key = mem_printf("%s/key.pem", a->dir), *cert = mem_printf("%s/cert.pem", a->dir);
	char *number = mem_printf("%u", port);
	const char *argv[] = {SERVER, "-a", "127.0.0.1", "-d", a->dir, number, key, cert, NULL};
	pid_t pid;

	peer_save_key(&a->leaf, key);
	peer_save_certificate(&a->leaf, cert);
	if (posix_spawn(&pid, SERVER, NULL, NULL, (char *const *)(uintptr_t)argv, environ) != 0)
		mem_panic("%s is not installed: run tools/packages check", SERVER);
	free(number);
	free(key);
	free(cert);
	return pid;
}

/* Until it listens. */
static void first_answer(struct room *r, const struct authority *auth)
{
	for (int tries = 0; tries < 500; tries++) {
		struct ask a;
		enum fault f;

		run(r, &a, "/ca.pem", (struct http_request){.ca_file = auth->ca});
		f = a.a.fault;
		forget(&a);
		if (f != FAULT_REFUSED)
			return;
		usleep(10000);
	}
}

static void http2_shares_one_connection(void **state)
{
	static struct ask asks[50];
	struct room *r = *state;
	struct authority auth;
	unsigned port = peer_free_port();
	pid_t pid;

	memset(asks, 0, sizeof(asks));
	open_authority(&auth, "IP:127.0.0.1", 5);
	pid = start_http2(&auth, port);
	free(r->url);
	r->url = mem_printf("https://127.0.0.1:%u", port);
	first_answer(r, &auth);
	for (size_t i = 0; i < array_len(asks); i++)
		send_to(r, &asks[i], i % 2 ? "/ca.pem" : "/no-such-file",
			(struct http_request){.ca_file = auth.ca});
	loop_run(r->loop);
	for (size_t i = 0; i < array_len(asks); i++) {
		assert_int_equal(asks[i].times, 1);
		assert_fault(&asks[i], FAULT_NONE, "");
		assert_int_equal(asks[i].a.version, 20);
		assert_int_equal(asks[i].a.status, i % 2 ? 200 : 404);
		assert_true(asks[i].a.reused);
		if (i % 2)
			assert_non_null(strstr(asks[i].body, "BEGIN CERTIFICATE"));
		forget(&asks[i]);
	}
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	close_authority(&auth);
}

int test_http_client(void)
{
#define t(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		t(a_request_and_its_answer_are_whole),
		t(connections_are_kept),
		t(a_fresh_client_keeps_none),
		t(answers_have_many_forms),
		t(headers_are_found_in_any_case),
		t(many_at_once_all_come_back),
		t(the_callers_addresses_come_first),
		t(another_peer_is_connected_to),
		t(a_body_is_uploaded_in_pieces),
		t(a_body_is_taken_in_pieces),
		t(broken_answers_have_their_fault),
		t(what_may_have_happened_is_not_sent_again),
		t(an_answer_over_the_limit_is_refused),
		t(deadlines_say_how_far_it_came),
		t(what_cannot_be_sent_is_not),
		t(cancelling_calls_back_once),
		t(cancelling_inside_a_piece),
		t(freeing_the_client_ends_its_calls),
		t(a_callback_may_free_the_client),
		t(certificates_are_looked_at),
		t(the_phases_add_up),
		t(http2_shares_one_connection),
	};
#undef t

	return cmocka_run_group_tests_name("http_client", tests, NULL, NULL);
}
