/*
 * test_serve.c - the serving half as a whole: what is answered to whom, in which form, and what
 * happens when the house or the child is not there.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/http_server.h"
#include "served.h"
#include "web/page.h"
#include "web/route.h"

#define JSON_TYPE "Content-Type: application/json\r\n"

static struct got public_get(struct served *s, const char *path, const char *headers)
{
	return served_get(s, web_public_port(s->web), path, headers);
}

static struct got intake_get(struct served *s, const char *path, const char *headers)
{
	return served_get(s, web_intake_port(s->web), path, headers);
}

static void expect(struct got g, int status, const char *part)
{
	if (g.status != status)
		fail_msg("status %d instead of %d: %s%.200s", g.status, status, g.head,
			buf_str(&g.body));
	if (part)
		assert_has(buf_str(&g.body), part);
	got_fini(&g);
}

/* --- pages ---------------------------------------------------------------------------------------
 */

static void pages_and_models_are_there(void **state)
{
	struct served *s = *state;
	served_open(s, (struct web_options){0});
	expect(public_get(s, "/", ""), 200, "Example Cloud");
	expect(public_get(s, "/components/compute.one", ""), 200, "Compute");
	assert_string_equal(s->what, "component");
	assert_string_equal(s->args, "{\"id\":\"compute.one\"}");
	assert_int_equal(s->audience, AUDIENCE_PUBLIC);
	expect(public_get(s, "/api/ops/v1/components/a%20b.json", ""), 200, "Compute");
	assert_string_equal(s->args, "{\"id\":\"a b\"}");
	expect(public_get(s, "/availability", ""), 200, "Example Cloud");
	expect(public_get(s, "/scenarios/server-login", ""), 200, "Example Cloud");
	expect(public_get(s, "/evidence/7", ""), 200, "Example Cloud");
	assert_string_equal(s->args, "{\"id\":7}");
	expect(public_get(s, "/api/ops/v1/availability.json", ""), 200, "availability");
	expect(public_get(s, "/api/ops/v1/status.json", ""), 200, "\"revision\":1");
	expect(public_get(s, "/api/ops/v1/status.json", ""), 200,
		"\"probes\":[{\"name\":\"web\"}]");
	expect(public_get(s, "/api/v2/status.json", ""), 200, "All Systems Operational");
	expect(public_get(s, "/api/ops/v1/openapi.yaml", ""), 200, "openapi: 3.0.3");
	expect(public_get(s, "/robots.txt", ""), 200, "User-agent");
	expect(public_get(s, "/favicon.ico", ""), 200, "<svg");
	expect(public_get(s, "/nowhere", ""), 404, "404");
	expect(public_get(s, "/components/", ""), 404, "404");
	expect(public_get(s, "/components/a/b", ""), 404, "404");
	expect(public_get(s, "/components/%00", ""), 404, "404");
	expect(public_get(s, "/components/nobody", ""), 404, "404");
	expect(public_get(s, "/api/ops/v1/nowhere", ""), 404, "\"status\":404");
}

static void every_answer_is_guarded(void **state)
{
	static const char *const paths[] = {"/", "/nowhere", "/api/v2/summary.json", "/favicon.ico",
		"/components/compute.one", "/runs/1", "/api/nowhere"};
	struct served *s = *state;
	served_open(s, (struct web_options){0});
	for (size_t i = 0; i < array_len(paths); i++) {
		struct got g = public_get(s, paths[i], "");
		assert_has(got_header(&g, "Content-Security-Policy"), "default-src 'none'");
		assert_has(got_header(&g, "Content-Security-Policy"), "frame-ancestors 'none'");
		assert_string_equal(got_header(&g, "X-Content-Type-Options"), "nosniff");
		assert_string_equal(got_header(&g, "Referrer-Policy"), "no-referrer");
		assert_non_null(got_header(&g, "Cross-Origin-Resource-Policy"));
		assert_non_null(got_header(&g, "Cache-Control"));
		got_fini(&g);
	}
	struct got g = public_get(s, "/api/v2/summary.json", "");
	assert_string_equal(got_header(&g, "Access-Control-Allow-Origin"), "*");
	got_fini(&g);
	g = intake_get(s, "/api/v2/summary.json", "");
	assert_null(got_header(&g, "Access-Control-Allow-Origin"));
	got_fini(&g);
}

static void what_moved_says_where_it_is(void **state)
{
	struct served *s = *state;
	served_open(s, (struct web_options){0});
	struct got g = public_get(s, "/incidents/a%20b?lang=de", "");
	assert_int_equal(g.status, 301);
	assert_string_equal(got_header(&g, "Location"), "/events/a%20b?lang=de");
	got_fini(&g);
	g = public_get(s, "/incidents/%2F%2Fevil.example", "");
	assert_int_equal(g.status, 404);
	got_fini(&g);
	assert_int_equal(s->queries, 0);
	expect(public_get(s, "/events/nobody", ""), 404, "404");
}

static void the_public_never_sees_what_is_the_operators(void **state)
{
	struct served *s = *state;
	served_open(s, (struct web_options){0});
	expect(public_get(s, "/runs/7", ""), 403, "403");
	expect(public_get(s, "/api/ops/v1/runs/7.json", "Authorization: Bearer x\r\n"), 403, "403");
	assert_int_equal(s->queries, 0);
	struct got g = public_get(s, "/api/ops/v1/status.json", "");
	assert_null(strstr(buf_str(&g.body), "alarms"));
	got_fini(&g);
	expect(public_get(s, "/metrics", ""), 404, NULL);
	expect(public_get(s, "/healthz", ""), 404, NULL);
	expect(served_send(s, web_public_port(s->web),
		       SLICE("POST /api/ops/v1/command/go HTTP/1.1\r\nHost: localhost\r\n"
			     "Connection: close\r\n" JSON_TYPE "Content-Length: 2\r\n\r\n{}")),
		404, NULL);
	assert_int_equal(s->commands, 0);
	expect(intake_get(s, "/runs/7", ""), 200, "Example Cloud");
	assert_int_equal(s->audience, AUDIENCE_OPERATORS);
	expect(intake_get(s, "/api/ops/v1/status.json", ""), 200, "alarms");
	expect(intake_get(s, "/metrics", ""), 200, "runs 1\n");
	expect(intake_get(s, "/healthz", ""), 200, "ready");
}

/* --- forms ---------------------------------------------------------------------------------------
 */

static bool has_another_name(struct served *s)
{
	struct got g = public_get(s, "/", "");
	const bool has = strstr(buf_str(&g.body), "Other Cloud") != NULL;
	got_fini(&g);
	return has;
}

static void a_reader_who_has_it_is_told_so(void **state)
{
	struct served *s = *state;
	char tag[100], *header;
	served_open(s, (struct web_options){0});
	struct got g = public_get(s, "/", "");
	snprintf(tag, sizeof(tag), "%s", got_header(&g, "ETag"));
	assert_int_equal(tag[0], '"');
	assert_string_equal(got_header(&g, "Vary"), "Accept-Encoding, Accept-Language");
	got_fini(&g);
	header = mem_printf("If-None-Match: \"other\", W/%s\r\n", tag);
	g = public_get(s, "/", header);
	assert_int_equal(g.status, 304);
	assert_int_equal(g.body.n, 0);
	assert_string_equal(got_header(&g, "ETag"), tag);
	got_fini(&g);
	g = public_get(s, "/?lang=de", header); /* another page */
	assert_int_equal(g.status, 200);
	got_fini(&g);
	free(header);
	served_publish(s, "Other Cloud", 2);
	header = mem_printf("If-None-Match: %s\r\n", tag);
	served_wait(s, has_another_name);
	expect(public_get(s, "/", header), 200, "Other Cloud");
	free(header);
}

static void codings_are_chosen(void **state)
{
	static const struct {
		const char *accept, *coding;
	} rows[] = {{"", NULL}, {"Accept-Encoding: gzip\r\n", "gzip"},
		{"Accept-Encoding: gzip, deflate, br\r\n", "br"},
		{"Accept-Encoding: br;q=0.5, gzip\r\n", "gzip"},
		{"Accept-Encoding: identity\r\n", NULL}};
	struct served *s = *state;
	char *tags[array_len(rows)];
	served_open(s, (struct web_options){0});
	for (size_t i = 0; i < array_len(rows); i++) {
		struct got g = public_get(s, "/api/v2/summary.json", rows[i].accept);
		assert_int_equal(g.status, 200);
		const char *coding = got_header(&g, "Content-Encoding");
		if (rows[i].coding)
			assert_string_equal(coding, rows[i].coding);
		else
			assert_null(coding);
		tags[i] = mem_strdup(got_header(&g, "ETag"));
		if (rows[i].coding && !strcmp(rows[i].coding, "gzip"))
			assert_memory_equal(g.body.p, "\x1f\x8b", 2);
		got_fini(&g);
	}
	assert_string_not_equal(tags[0], tags[1]);
	assert_string_not_equal(tags[1], tags[2]);
	for (size_t i = 0; i < array_len(rows); i++)
		free(tags[i]);
}

static void languages_are_chosen(void **state)
{
	struct served *s = *state;
	served_open(s, (struct web_options){0});
	expect(public_get(s, "/", ""), 200, "lang=\"en\"");
	expect(public_get(s, "/", "Accept-Language: de-DE,de;q=0.9\r\n"), 200, "lang=\"de\"");
	expect(public_get(s, "/?lang=de", "Accept-Language: en\r\n"), 200, "lang=\"de\"");
	expect(public_get(s, "/?lang=xx", "Accept-Language: de\r\n"), 200, "lang=\"de\"");
	expect(public_get(s, "/components/compute.one?lang=de", ""), 200, "lang=\"de\"");
	expect(public_get(s, "/nowhere?lang=de", ""), 404, "lang=\"de\"");
}

static void expect_name(struct got g, int status, const char *name)
{
	const char *got = got_header(&g, "X-Request-Id");
	assert_int_equal(g.status, status);
	assert_non_null(got);
	if (name)
		assert_string_equal(got, name);
	else /* a UUID */
		assert_true(strlen(got) == 36 && got[14] == '4');
	got_fini(&g);
}

static void requests_are_called_by_their_name(void **state)
{
	struct served *s = *state;
	char longest[129 + 1], last[40];
	memset(longest, 'x', sizeof(longest));
	longest[129] = 0;
	served_open(s, (struct web_options){0});
	struct got g = intake_get(s, "/metrics", "");
	snprintf(last, sizeof(last), "%s", got_header(&g, "X-Request-Id"));
	got_fini(&g);
	g = intake_get(s, "/metrics", "");
	assert_string_not_equal(got_header(&g, "X-Request-Id"), last);
	expect_name(g, 200, NULL);
	static const char *const bad[] = {"a b", "\"a\"", "<a>", "\xc3\xa4", ""};
	for (size_t i = 0; i < array_len(bad); i++) {
		char *header = mem_printf("X-Request-Id: %s\r\n", bad[i]);
		expect_name(intake_get(s, "/metrics", header), 200, NULL);
		free(header);
	}
	expect_name(intake_get(s, "/metrics", "X-Request-Id: req-7f.A:1\r\n"), 200, "req-7f.A:1");
	char *too_long = mem_printf("X-Request-Id: %s\r\n", longest);
	char *fits = mem_printf("X-Request-Id: %s\r\n", longest + 1);
	expect_name(intake_get(s, "/metrics", too_long), 200, NULL);
	expect_name(intake_get(s, "/metrics", fits), 200, longest + 1);
	/* what goes wrong is looked for by it most of all */
	expect_name(public_get(s, "/api/v1/health?service=%FF", "X-Request-Id: a\r\n"), 400, "a");
	expect_name(public_get(s, "/api/v1/health?id=nobody", "X-Request-Id: b\r\n"), 404, "b");
	expect_name(served_send(s, web_intake_port(s->web),
			    SLICE("POST /write HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: c\r\n"
				  "Origin: http://evil.example\r\nConnection: close\r\n"
				  "Content-Length: 0\r\n\r\n")),
		403, "c");
	expect_name(served_send(s, web_intake_port(s->web),
			    SLICE("POST /api/ops/v1/command/go HTTP/1.1\r\nHost: localhost\r\n"
				  "X-Request-Id: d\r\n" JSON_TYPE "Connection: close\r\n"
				  "Content-Length: 2\r\n\r\n[]")),
		400, "d");
	/* what is held ready is the same for all */
	g = public_get(s, "/", "X-Request-Id: e\r\n");
	assert_null(got_header(&g, "X-Request-Id"));
	got_fini(&g);
	free(too_long);
	free(fits);
}

static void methods_are_kept_apart(void **state)
{
	struct served *s = *state;
	served_open(s, (struct web_options){0});
	struct got g = served_send(s, web_public_port(s->web),
		SLICE("HEAD / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
	assert_int_equal(g.status, 200);
	assert_int_equal(g.body.n, 0);
	assert_true(strtoul(got_header(&g, "Content-Length"), NULL, 10) > 0);
	got_fini(&g);
	g = served_send(s, web_public_port(s->web),
		SLICE("DELETE / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"));
	assert_int_equal(g.status, 405);
	assert_string_equal(got_header(&g, "Allow"), "GET, HEAD");
	got_fini(&g);
	g = intake_get(s, "/api/ops/v1/command/go", "");
	assert_int_equal(g.status, 405);
	assert_string_equal(got_header(&g, "Allow"), "POST");
	got_fini(&g);
}

static void files_are_kept_for_ever(void **state)
{
	const struct page_file *files;
	struct served *s = *state;
	served_open(s, (struct web_options){0});
	const size_t n = page_files(&files);
	assert_true(n > 0);
	for (size_t i = 0; i < n; i++) {
		char *path = mem_printf(PAGE_FILES "%s", files[i].name);
		struct got g = public_get(s, path, "");
		assert_int_equal(g.status, 200);
		assert_has(got_header(&g, "Cache-Control"), "immutable");
		assert_int_equal(g.body.n, files[i].file->plain.n);
		assert_memory_equal(g.body.p, files[i].file->plain.p, g.body.n);
		got_fini(&g);
		g = public_get(s, path, "Accept-Encoding: br\r\n");
		assert_string_equal(got_header(&g, "Content-Encoding"), "br");
		assert_int_equal(g.body.n, files[i].file->brotli.n);
		assert_memory_equal(g.body.p, files[i].file->brotli.p, g.body.n);
		got_fini(&g);
		free(path);
	}
	expect(public_get(s, PAGE_FILES "style-old.css", ""), 404, NULL);
}

/* --- the intake ----------------------------------------------------------------------------------
 */

static struct got send_command(struct served *s, const char *headers, const char *body)
{
	char *text = mem_printf(
		"POST /api/ops/v1/command/go HTTP/1.1\r\nConnection: close\r\n"
		"Content-Length: %zu\r\n%s\r\n%s",
		strlen(body), headers, body);
	struct got g = served_send(s, web_intake_port(s->web), slice_of(text));
	free(text);
	return g;
}

static void commands_come_from_nobody_elses_page(void **state)
{
#define LOCAL "Host: localhost:80\r\n"
	struct served *s = *state;
	served_open(s, (struct web_options){0});
	expect(send_command(s, LOCAL JSON_TYPE, "{\"a\": 1}"), 200, "\"did\":\"go\"");
	assert_string_equal(s->args, "{\"a\":1}");
	assert_string_equal(s->principal, "intake");
	expect(send_command(s, LOCAL JSON_TYPE "Origin: http://localhost:80\r\n", "{}"), 200, NULL);
	assert_int_equal(s->commands, 2);
	expect(send_command(s, LOCAL JSON_TYPE "Origin: http://evil.example\r\n", "{}"), 403, NULL);
	expect(send_command(s, LOCAL JSON_TYPE "Origin: null\r\n", "{}"), 403, NULL);
	expect(send_command(s, LOCAL JSON_TYPE "Sec-Fetch-Site: cross-site\r\n", "{}"), 403, NULL);
	expect(send_command(s, LOCAL "Content-Type: text/plain\r\n", "{}"), 415, NULL);
	expect(send_command(s, LOCAL, "{}"), 415, NULL);
	expect(send_command(s, LOCAL JSON_TYPE, "[]"), 400, NULL);
	expect(send_command(s, LOCAL JSON_TYPE, "{"), 400, NULL);
	expect(send_command(s, "Host: evil.example\r\n" JSON_TYPE, "{}"), 421, NULL);
	char *large = mem_new_array(70000, 1);
	memset(large, ' ', 69999);
	struct got g = send_command(s, LOCAL JSON_TYPE, large);
	assert_int_equal(g.status, 413);
	assert_non_null(got_header(&g, "Content-Security-Policy"));
	got_fini(&g);
	free(large);
	assert_int_equal(s->commands, 2);
#undef LOCAL
}

static void a_strange_name_is_no_way_in(void **state)
{
	struct served *s = *state;
	served_open(s, (struct web_options){0});
	expect(served_send(s, web_intake_port(s->web),
		       SLICE("GET / HTTP/1.1\r\nHost: rebound.example:8091\r\n"
			     "Connection: close\r\n\r\n")),
		421, NULL);
	expect(served_send(s, web_intake_port(s->web),
		       SLICE("GET / HTTP/1.1\r\nHost: [::1]:8091\r\nConnection: close\r\n\r\n")),
		200, NULL);
}

/* The operators' pages are made after the public ones. */
static bool shows_operators_a_page(struct served *s)
{
	struct got g = intake_get(s, "/", "Authorization: Bearer correct horse\r\n");
	const bool shown = g.status == 200;
	got_fini(&g);
	return shown;
}

static void a_token_is_asked_for(void **state)
{
	struct served *s = *state;
	struct secret *token = secret_new(SLICE("correct horse"));
	served_open(s, (struct web_options){.intake_token = token});
	served_wait(s, shows_operators_a_page);
	struct got g = intake_get(s, "/", "");
	assert_int_equal(g.status, 401);
	assert_has(g.head, "WWW-Authenticate: Bearer realm=\"intake\"");
	assert_has(g.head, "WWW-Authenticate: Basic realm=\"intake\", charset=\"UTF-8\"");
	got_fini(&g);
	expect(intake_get(s, "/", "Authorization: Bearer wrong horse\r\n"), 401, NULL);
	expect(intake_get(s, "/", "Authorization: Bearer correct horse\r\n"), 200, NULL);
	/* anybody:correct horse */
	expect(intake_get(s, "/", "Authorization: Basic YW55Ym9keTpjb3JyZWN0IGhvcnNl\r\n"), 200,
		NULL);
	expect(intake_get(s, "/", "Authorization: Basic Y29ycmVjdCBob3JzZQ==\r\n"), 401, NULL);
	expect(intake_get(s, "/metrics", ""), 401, NULL);
	secret_unref(token);
}

static bool lets_in(struct served *s)
{
	struct got g = intake_get(s, "/robots.txt", "Authorization: Bearer correct horse\r\n");
	const bool in = g.status == 200;
	got_fini(&g);
	return in;
}

static void a_token_may_come_later(void **state)
{
	struct served *s = *state;
	struct secret *token = secret_new(SLICE("correct horse"));
	const struct web_house house = {.arg = s};
	s->web = web_new(s->loop,
		&(struct web_options){.intake_address = "0.0.0.0:0", .intake_has_token = true},
		&house, &s->err);
	assert_non_null(s->web);
	expect(intake_get(s, "/robots.txt", "Authorization: Bearer \r\n"), 503, NULL);
	web_set_token(s->web, token);
	served_wait(s, lets_in);
	expect(intake_get(s, "/robots.txt", "Authorization: Bearer correct horse\r\n"), 200, NULL);
	secret_unref(token);
}

static void an_open_intake_is_refused(void **state)
{
	struct served *s = *state;
	const struct web_house house = {.arg = s};
	assert_null(web_new(
		s->loop, &(struct web_options){.intake_address = "0.0.0.0:0"}, &house, &s->err));
	assert_has(s->err.msg, "token");
}

struct holder { /* of an address, as the child of a killed house is for a moment */
	int fd;
	pthread_t thread;
};

static void *let_go(void *arg)
{
	const struct holder *h = arg;
	usleep(200 * 1000);
	close(h->fd);
	return NULL;
}

static void an_address_is_taken_for_a_moment_only(void **state)
{
	struct served *s = *state;
	const struct web_house house = {.arg = s};
	struct holder h = {.fd = http_listen("127.0.0.1:0", false, &s->err)};
	assert_true(h.fd >= 0);
	char *address = mem_printf("127.0.0.1:%u", http_listener_port(h.fd));
	assert_int_equal(pthread_create(&h.thread, NULL, let_go, &h), 0);
	s->web =
		web_new(s->loop, &(struct web_options){.public_address = address}, &house, &s->err);
	assert_int_equal(pthread_join(h.thread, NULL), 0);
	if (!s->web)
		fail_msg("%s", s->err.msg);
	free(address);
}

static void an_address_that_stays_taken_is_refused(void **state)
{
	struct served *s = *state;
	const struct web_house house = {.arg = s};
	const int fd = http_listen("127.0.0.1:0", false, &s->err);
	assert_true(fd >= 0);
	char *address = mem_printf("127.0.0.1:%u", http_listener_port(fd));
	assert_null(web_new(
		s->loop, &(struct web_options){.public_address = address}, &house, &s->err));
	assert_has(s->err.msg, address);
	close(fd);
	free(address);
}

/* --- the house is slow, or gone ------------------------------------------------------------------
 */

static bool one_is_kept(struct served *s)
{
	return s->kept.n > 0;
}

static void many_readers_are_one_question(void **state)
{
	struct served *s = *state;
	served_open(s, (struct web_options){.threads = 2});
	s->queries = 0;
	assert_int_equal(
		served_many(s, web_public_port(s->web), "/components/compute.one", 40, 200), 40);
	assert_int_equal(s->queries, 1);
	expect(public_get(s, "/components/compute.one", ""), 200, NULL);
	assert_int_equal(s->queries, 1); /* kept */
	served_publish(s, "Other Cloud", 2);
	served_wait(s, has_another_name);
	expect(public_get(s, "/components/compute.one", ""), 200, NULL);
	assert_int_equal(s->queries, 2); /* another revision */
}

#define WAITING 64

static bool all_places_are_taken(struct served *s)
{
	return s->kept.n == WAITING;
}

static bool has_places_again(struct served *s)
{
	struct got g = public_get(s, "/components/one-more", "");
	const bool has = g.status == 200;
	got_fini(&g);
	return has;
}

/* What is asked begins so, and ends with a number. */
static void send_away(struct served *s, const char *begin, const char *one_more)
{
	int fds[WAITING];
	served_open(s, (struct web_options){0});
	s->keep = true;
	for (int i = 0; i < WAITING; i++) {
		char path[64];
		snprintf(path, sizeof(path), "%s%d", begin, i);
		fds[i] = served_leave(s, web_public_port(s->web), path);
	}
	served_wait(s, all_places_are_taken);
	struct got g = public_get(s, one_more, "");
	assert_int_equal(g.status, 503);
	assert_non_null(got_header(&g, "Retry-After"));
	got_fini(&g);
	/* pinned pages and what is asked by operators have nothing to do with it */
	expect(public_get(s, "/", ""), 200, NULL);
	s->keep = false;
	expect(intake_get(s, "/metrics", ""), 200, NULL);
	expect(intake_get(s, "/components/compute.one", ""), 200, NULL);
	served_answer_all(s, 200);
	for (int i = 0; i < WAITING; i++)
		close(fds[i]);
	served_wait(s, has_places_again);
}

static void more_than_fit_are_sent_away(void **state)
{
	send_away(*state, "/components/", "/components/one-more");
}

static void who_asks_for_lists_takes_nothing_from_operators(void **state)
{
	send_away(*state, "/api/ops/v1/events?skip=", "/api/ops/v1/events");
}

static void who_is_sent_away_may_come_again(void **state)
{
	struct served *s = *state;
	const struct web_house house = {.arg = s};
	s->web = web_new(
		s->loop, &(struct web_options){.public_address = "127.0.0.1:0"}, &house, &s->err);
	assert_non_null(s->web);
	struct got g = public_get(s, "/", ""); /* nothing was published */
	assert_int_equal(g.status, 503);
	assert_non_null(got_header(&g, "Retry-After"));
	got_fini(&g);
	expect(public_get(s, "/api/v2/summary.json", ""), 503, "\"status\":503");
}

static void closing_with_readers_waiting(void **state)
{
	struct served *s = *state;
	char start[13] = "";
	served_open(s, (struct web_options){0});
	s->keep = true;
	const int fd = served_leave(s, web_public_port(s->web), "/availability");
	served_wait(s, one_is_kept);
	web_free(s->web);
	s->web = NULL;
	/* it is told so, if there is time for it */
	const ssize_t n = recv(fd, start, 12, MSG_WAITALL);
	assert_true(n == 0 || (n == 12 && strcmp(start, "HTTP/1.1 503") == 0));
	close(fd);
}

static void who_leaves_is_not_answered(void **state)
{
	struct served *s = *state;
	served_open(s, (struct web_options){0});
	s->keep = true;
	close(served_leave(s, web_public_port(s->web), "/availability"));
	served_wait(s, one_is_kept);
	served_answer_all(s, 200);
	s->keep = false;
	expect(public_get(s, "/availability", ""), 200, NULL);
	assert_int_equal(s->queries, 1); /* it was kept for the next */
}

/* --- the child -----------------------------------------------------------------------------------
 */

static bool is_serving(struct served *s)
{
	return web_state(s->web).serving;
}

static char *status_line(int pid, const char *name)
{
	char *path = mem_printf("/proc/%d/status", pid), line[256];
	FILE *f = fopen(path, "re");
	char *found = NULL;
	free(path);
	assert_non_null(f);
	while (!found && fgets(line, sizeof(line), f))
		if (strncmp(line, name, strlen(name)) == 0)
			found = mem_strdup(line);
	fclose(f);
	return found;
}

static void the_child_can_do_nothing_else(void **state)
{
	struct served *s = *state;
	served_open(s, (struct web_options){.isolate = true, .threads = 2});
	served_wait(s, is_serving);
	const struct web_state w = web_state(s->web);
	assert_true(w.pid > 0 && w.pid != getpid());
	char *line = status_line(w.pid, "NoNewPrivs:");
	assert_has(line, "\t1");
	free(line);
	line = status_line(w.pid, "Seccomp:");
	assert_has(line, "\t2");
	free(line);
	/* what it tried itself: none of it worked */
	assert_true(json_is_true(json_object_get(w.isolation, "seccomp")));
	static const char *const tried[] = {"open", "exec", "socket", "ptrace"};
	for (size_t i = 0; i < array_len(tried); i++)
		assert_int_equal(json_int(w.isolation, tried[i], 0), EPERM);
	expect(public_get(s, "/", ""), 200, "Example Cloud");
	expect(public_get(s, "/components/compute.one", ""), 200, "Compute");
	expect(intake_get(s, "/metrics", ""), 200, "runs 1");
}

static bool was_started_again(struct served *s)
{
	return web_state(s->web).starts == 2 && web_state(s->web).serving;
}

static bool is_there_again(struct served *s)
{
	struct got g = public_get(s, "/", "");
	const bool there = g.status == 200;
	got_fini(&g);
	return there;
}

static void a_killed_child_is_started_again(void **state)
{
	struct served *s = *state;
	served_open(s, (struct web_options){.isolate = true});
	served_wait(s, is_serving);
	const int pid = web_state(s->web).pid;
	assert_int_equal(kill(pid, SIGKILL), 0);
	served_wait(s, was_started_again);
	assert_int_not_equal(web_state(s->web).pid, pid);
	/* it was told everything again; who connected meanwhile was kept */
	served_wait(s, is_there_again);
	expect(public_get(s, "/", ""), 200, "Example Cloud");
}

int test_serve(void)
{
#define t(f) cmocka_unit_test_setup_teardown(f, served_set_up, served_tear_down)
	const struct CMUnitTest tests[] = {
		t(pages_and_models_are_there),
		t(every_answer_is_guarded),
		t(what_moved_says_where_it_is),
		t(the_public_never_sees_what_is_the_operators),
		t(a_reader_who_has_it_is_told_so),
		t(codings_are_chosen),
		t(languages_are_chosen),
		t(requests_are_called_by_their_name),
		t(methods_are_kept_apart),
		t(files_are_kept_for_ever),
		t(commands_come_from_nobody_elses_page),
		t(a_strange_name_is_no_way_in),
		t(a_token_is_asked_for),
		t(a_token_may_come_later),
		t(an_open_intake_is_refused),
		t(an_address_is_taken_for_a_moment_only),
		t(an_address_that_stays_taken_is_refused),
		t(many_readers_are_one_question),
		t(more_than_fit_are_sent_away),
		t(who_asks_for_lists_takes_nothing_from_operators),
		t(who_is_sent_away_may_come_again),
		t(closing_with_readers_waiting),
		t(who_leaves_is_not_answered),
		t(the_child_can_do_nothing_else),
		t(a_killed_child_is_started_again),
	};
#undef t
	return cmocka_run_group_tests_name("serve", tests, NULL, NULL);
}
