/*
 * calling.c - see calling.h.
 */
#include "calling.h"

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

bool calling_answer(struct peer_connection *c)
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

void calling_serve(struct peer_connection *c)
{
	while (peer_read(c))
		if (!calling_answer(c))
			return;
}

/* --- asking ------------------------------------------------------------------------------------
 */

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

void ask_forget(struct ask *a)
{
	free(a->body);
	free(a->link);
	free(a->location);
	memset(a, 0, sizeof(*a));
}

struct http_call *ask_send(struct room *r, struct ask *a, const char *path, struct http_request q)
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

void ask_for(struct room *r, struct ask *a, const char *path, struct http_request q)
{
	memset(a, 0, sizeof(*a));
	ask_send(r, a, path, q);
	loop_run(r->loop);
	assert_int_equal(a->times, 1);
}

void ask_get(struct room *r, struct ask *a, const char *path)
{
	ask_for(r, a, path, (struct http_request){0});
}

void assert_fault(const struct ask *a, enum fault expected, const char *part)
{
	if (a->a.fault != expected || !strstr(a->a.detail, part))
		fail_msg("%s: \"%s\"; expected %s: \"%s\"", fault_name(a->a.fault), a->a.detail,
			fault_name(expected), part);
}

void open_client(struct room *r, struct http_client_options o)
{
	http_client_free(r->client);
	r->client = http_client_new(r->loop, &o, &r->err);
	assert_non_null(r->client);
}

void open_peer(struct room *r, peer_serve *how, SSL_CTX *tls)
{
	if (r->peer)
		peer_stop(r->peer);
	free(r->url);
	r->peer = peer_start(how, NULL, tls);
	r->url = mem_printf("%s://127.0.0.1:%u", tls ? "https" : "http", r->peer->port);
}

int calling_up(void **state)
{
	struct room *r = mem_new(struct room);

	r->loop = loop_new(NULL, &r->err);
	open_client(r, (struct http_client_options){0});
	open_peer(r, calling_serve, NULL);
	*state = r;
	return 0;
}

int calling_down(void **state)
{
	struct room *r = *state;

	http_client_free(r->client);
	peer_stop(r->peer);
	loop_free(r->loop);
	free(r->url);
	free(r);
	return 0;
}
