/* Commands for guests, run by sh with one tool at a time against a server that answers for real. */
#include "../check.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "observe/scenario/guest_tool.h"

#define ANSWER_MAX 8192

static char place[] = "/tmp/guest-tool-XXXXXX";
static unsigned port, closed_port;
static pid_t server;

/* --- a server that says what it was asked ----------------------------------------------------- */

static size_t read_request(int fd, char *text)
{
	size_t n = 0, wanted = SIZE_MAX;
	while (n < ANSWER_MAX - 1 && n < wanted) {
		const ssize_t got = read(fd, text + n, ANSWER_MAX - 1 - n);
		if (got <= 0)
			break;
		n += (size_t)got;
		text[n] = 0;
		const char *end = strstr(text, "\r\n\r\n");
		const char *length = strstr(text, "Content-Length: ");
		if (end)
			wanted = (size_t)(end + 4 - text) +
				 (length ? strtoul(length + 16, NULL, 10) : 0);
	}
	text[n] = 0;
	return n;
}

static void serve_one(int fd)
{
	char text[ANSWER_MAX], head[200];
	read_request(fd, text);
	const bool missing = strstr(text, " /missing ") != NULL;
	const bool early = strstr(text, " /early ") != NULL;
	const int n = snprintf(head, sizeof(head),
		"%sHTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n"
		"Connection: close\r\n\r\n",
		early ? "HTTP/1.1 103 Early Hints\r\n\r\n" : "",
		missing ? "404 Not Found" : "200 OK", strlen(text));
	if (write(fd, head, (size_t)n) == n && write(fd, text, strlen(text)) < 0)
		perror("writing to a client that has gone");
	close(fd);
}

static int listener(unsigned *ret_port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(at);
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, n), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
	*ret_port = ntohs(at.sin_port);
	return fd;
}

/* A PATH that has one tool. */
static bool add_tool(const char *tool, const char *source)
{
	char name[128], folder[96];
	snprintf(folder, sizeof(folder), "%s/%s", place, tool);
	snprintf(name, sizeof(name), "%s/%s", folder, tool);
	if (access(source, X_OK) != 0)
		return false;
	assert_int_equal(mkdir(folder, 0700), 0);
	assert_int_equal(symlink(source, name), 0);
	for (size_t i = 0; i < 2; i++) {
		static const char *const helpers[] = {"cat", "true"};
		char from[32];
		snprintf(name, sizeof(name), "%s/%s", folder, helpers[i]);
		snprintf(from, sizeof(from), "/usr/bin/%s", helpers[i]);
		assert_int_equal(symlink(from, name), 0);
	}
	return true;
}

static const struct {
	const char *name, *source;
} tools[] = {{"bash", "/usr/bin/bash"}, {"nc", "/usr/bin/busybox"}, {"curl", "/usr/bin/curl"},
	{"wget", "/usr/bin/wget"}};
static bool there[array_len(tools)];

static int setup(void **state)
{
	assert_non_null(mkdtemp(place));
	for (size_t i = 0; i < array_len(tools); i++)
		there[i] = add_tool(tools[i].name, tools[i].source);
	close(listener(&closed_port));
	const int fd = listener(&port);
	assert_int_equal(listen(fd, 16), 0);
	server = fork();
	if (!server && signal(SIGPIPE, SIG_IGN) != SIG_ERR)
		for (;;) {
			const int one = accept(fd, NULL, NULL);
			if (one < 0)
				_exit(0);
			serve_one(one);
		}
	close(fd);
	return 0;
}

static int teardown(void **state)
{
	char *command = mem_printf("rm -rf %s", place);
	kill(server, SIGKILL);
	waitpid(server, NULL, 0);
	assert_int_equal(system(command), 0);
	free(command);
	return 0;
}

/* --- running ---------------------------------------------------------------------------------- */

struct ran {
	int status;
	struct buf out, err;
};

static void read_back(const char *name, struct buf *ret)
{
	char piece[4096], path[96];
	size_t n;
	snprintf(path, sizeof(path), "%s/%s", place, name);
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	*ret = BUF(BUF_LINE);
	while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
		buf_add(ret, piece, n);
	fclose(f);
}

static void run_with(
	const char *tool, const struct buf *command, const struct buf *input, struct ran *ret)
{
	char path[96], *line;
	snprintf(path, sizeof(path), "%s/in", place);
	FILE *f = fopen(path, "w");
	assert_int_equal(fwrite(buf_str(input), 1, input->n, f), input->n);
	assert_int_equal(fclose(f), 0);
	snprintf(path, sizeof(path), "%s/line", place);
	f = fopen(path, "w");
	assert_true(fputs(buf_str(command), f) >= 0);
	assert_int_equal(fclose(f), 0);
	line = mem_printf("PATH=%s/%s /bin/sh %s/line < %s/in > %s/out 2> %s/err", place, tool,
		place, place, place, place);
	const int status = system(line);
	free(line);
	assert_true(WIFEXITED(status));
	ret->status = WEXITSTATUS(status);
	read_back("out", &ret->out);
	read_back("err", &ret->err);
}

static void ran_fini(struct ran *r)
{
	buf_fini(&r->out);
	buf_fini(&r->err);
}

static void ask(const char *tool, const struct http_request *q, struct ran *ret)
{
	struct buf command = BUF(BUF_LINE), input = BUF(BUF_LINE);
	struct error err = {0};
	if (!guest_tool_http(q, &command, &input, &err))
		fail_msg("%s", err.msg);
	run_with(tool, &command, &input, ret);
	buf_fini(&command);
	buf_fini(&input);
}

/* --- tests ------------------------------------------------------------------------------------ */

static void test_there(void **state)
{
	for (size_t i = 0; i < array_len(tools); i++)
		if (!there[i])
			fail_msg("%s is missing: see debian-packages", tools[i].source);
}

static void test_answers(void **state)
{
	static const struct http_header headers[] = {{"X-Odd", "it's $HOME `x` \"y\""}};
	static const struct {
		const char *path, *method, *body;
		int status;
	} asked[] = {{"/", "GET", "", 200}, {"/missing", "GET", "", 404},
		{"/a?b=c%20d", "POST", "it's\n\"it\" \\ $x", 200}, {"/early", "GET", "", 200}};
	for (size_t i = 0; i < array_len(tools); i++)
		for (size_t k = 0; k < array_len(asked); k++) {
			char url[64];
			int status = 0;
			struct slice body;
			struct ran r;
			snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", port, asked[k].path);
			const struct http_request q = {.method = asked[k].method,
				.url = url,
				.headers = headers,
				.header_count = 1,
				.body = asked[k].body,
				.body_n = strlen(asked[k].body),
				.deadline_ns = 10 * NS_PER_S};
			ask(tools[i].name, &q, &r);
			if (!guest_tool_http_answer(
				    buf_slice(&r.out), buf_slice(&r.err), &status, &body))
				fail_msg("%s %s: %s%s", tools[i].name, url, buf_str(&r.out),
					buf_str(&r.err));
			assert_int_equal(status, asked[k].status);
			char *text = slice_dup(body);
			char line[64];
			snprintf(line, sizeof(line), "%s %s HTTP/1.", asked[k].method,
				asked[k].path);
			assert_true(slice_starts(body, line));
			assert_non_null(strstr(text, "X-Odd: it's $HOME `x` \"y\"\r\n"));
			assert_true(slice_ends(body, asked[k].body));
			free(text);
			ran_fini(&r);
		}
}

static void test_refused(void **state)
{
	char url[64];
	int status;
	struct slice body;
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", closed_port);
	const struct http_request q = {.method = "GET", .url = url, .deadline_ns = 10 * NS_PER_S};
	for (size_t i = 0; i < array_len(tools); i++) {
		struct ran r;
		ask(tools[i].name, &q, &r);
		assert_false(guest_tool_http_answer(
			buf_slice(&r.out), buf_slice(&r.err), &status, &body));
		const enum fault fault =
			guest_tool_fault(r.status, buf_slice(&r.err), FAULT_CONNECTION_LOST);
		/* wget says nothing when it is told to be quiet */
		if (fault !=
			(strcmp(tools[i].name, "wget") ? FAULT_REFUSED : FAULT_CONNECTION_LOST))
			fail_msg("%s: %d %s", tools[i].name, fault, buf_str(&r.err));
		ran_fini(&r);
	}
}

static void test_nothing_there(void **state)
{
	const struct http_request q = {
		.method = "GET", .url = "http://127.0.0.1:1/", .deadline_ns = NS_PER_S};
	struct ran r;
	ask("none", &q, &r);
	assert_int_equal(r.status, 127);
	assert_int_equal(
		guest_tool_fault(r.status, buf_slice(&r.err), FAULT_REFUSED), FAULT_EXIT_STATUS);
	ran_fini(&r);
}

static void test_tcp(void **state)
{
	static const char *const with[] = {"bash", "nc"};
	for (size_t i = 0; i < array_len(with); i++)
		for (int open = 0; open < 2; open++) {
			struct buf command = BUF(BUF_LINE), input = BUF(BUF_LINE);
			struct ran r;
			guest_tool_tcp(&command, "127.0.0.1", open ? port : closed_port);
			run_with(with[i], &command, &input, &r);
			assert_int_equal(r.status == 0, open);
			if (!open)
				assert_int_equal(guest_tool_fault(r.status, buf_slice(&r.err),
							 FAULT_TIMEOUT),
					FAULT_REFUSED);
			ran_fini(&r);
			buf_fini(&command);
		}
}

static void test_not_sendable(void **state)
{
	static const struct http_header split[] = {{"X", "a\r\nEvil: b"}},
					odd[] = {{"X: y\r\nZ", "a"}};
	static const struct {
		const char *method, *url;
		const struct http_header *headers;
	} wrong[] = {{"GET", "ftp://a/", NULL}, {"GET", "http://a;reboot/", NULL},
		{"GET", "http://-oProxy/", NULL}, {"GET", "nothing", NULL},
		{"GET /", "http://a/", NULL}, {"", "http://a/", NULL}, {"GET", "http://a/", split},
		{"GET", "http://a/", odd}};
	for (size_t i = 0; i < array_len(wrong); i++) {
		const struct http_request q = {.method = wrong[i].method,
			.url = wrong[i].url,
			.headers = wrong[i].headers,
			.header_count = wrong[i].headers != NULL,
			.deadline_ns = NS_PER_S};
		struct buf command = BUF(BUF_LINE), input = BUF(BUF_LINE);
		struct error err = {0};
		assert_false(guest_tool_http(&q, &command, &input, &err));
		assert_true(err.msg[0]);
		buf_fini(&command);
		buf_fini(&input);
	}
}

/* What others of these tools say. */
static void test_words(void **state)
{
	static const struct {
		const char *text;
		enum fault fault;
	} said[] = {{"nc: timed out\n", FAULT_TIMEOUT},
		{"curl: (28) Connection timed out after 2001 milliseconds", FAULT_TIMEOUT},
		{"curl: (6) Could not resolve host: nope", FAULT_RESOLVE},
		{"nc: bad address 'nope'", FAULT_RESOLVE},
		{"curl: (60) SSL certificate problem: self-signed certificate", FAULT_TLS},
		{"bash: connect: No route to host", FAULT_UNREACHABLE},
		{"nc: can't connect to remote host (192.0.2.1): Network is unreachable",
			FAULT_UNREACHABLE},
		{"curl: (52) Empty reply from server", FAULT_CONNECTION_LOST}};
	for (size_t i = 0; i < array_len(said); i++)
		assert_int_equal(guest_tool_fault(1, slice_of(said[i].text), FAULT_CONNECTION_LOST),
			said[i].fault);
}

int test_guest_tool(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_there),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_nothing_there),
		cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_not_sendable),
		cmocka_unit_test(test_words),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
