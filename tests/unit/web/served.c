/* served.c - see served.h. */
#include "served.h"

#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "models.h"

#define READ_S 20

/* The serving half is this program again: it never comes to main(). */
__attribute__((constructor)) static void be_the_child(int argc, char **argv, char **envp)
{
	if (argc > 1 && strcmp(argv[1], "web-serve") == 0)
		_exit(web_serve_main(argc - 1, argv + 1));
}

/* --- the house -----------------------------------------------------------------------------------
 */

static json_t *component(void)
{
	json_t *days = json_array();
	for (int i = 0; i < 90; i++)
		json_array_append_new(
			days, json_pack("{s:i, s:[i,i,i,i,i], s:i}", "day", 20693 + i - 89, "s",
				      86400, 0, 0, 0, 0, "gap", 0));
	json_t *ratio = json_pack(
		"{s:f, s:f, s:f, s:f}", "up", 1.0, "best", 1.0, "worst", 1.0, "seen", 1.0);
	json_t *availability = json_pack(
		"{s:O, s:O, s:O, s:o}", "d1", ratio, "d7", ratio, "d30", ratio, "d90", ratio);
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:b, s:n, s:o, s:o}", "id",
		"compute.one", "name", "Compute", "category", "Services", "region", "one", "cloud",
		"prod", "health", "operational", "rule", "checks", "since_ms",
		(json_int_t)1787900000000, "checked_ms", (json_int_t)1787990000000, "stored", 0,
		"evidence", "days", days, "availability", availability);
}

static json_t *site(const char *name, int64_t revision, bool operators)
{
	json_t *s = json_pack(
		"{s:{s:s, s:s, s:s, s:[s,s], s:b, s:s, s:s}, s:I, s:I, s:I, s:s, "
		"s:{s:i}, s:{s:b, s:b, s:I}, s:[o], s:[{s:s, s:[s]}], s:[], s:[]}",
		"site", "name", name, "url", "https://status.example.org", "timezone", "UTC",
		"languages", "en", "de", "simulated", 0, "location", "here", "version", "0.1.0",
		"at_ms", (json_int_t)1787990000000, "started_ms", (json_int_t)1787900000000,
		"revision", (json_int_t)revision, "health", "operational", "counts", "operational",
		1, "observing", "storing", 1, "blind", 0, "since_ms", (json_int_t)1787900000000,
		"components", component(), "categories", "name", "Services", "components",
		"compute.one", "scenarios", "possible");
	assert_non_null(s);
	if (operators) {
		json_object_set_new(s, "alarms", json_array());
		json_object_set_new(s, "jobs", json_array());
	}
	return s;
}

static json_t *document(const char *what)
{
	if (!strcmp(what, "component")) {
		json_t *c = component();
		json_object_set_new(c, "spans", json_array());
		json_object_set_new(c, "probes", json_array());
		return c;
	}
	if (!strcmp(what, "metrics"))
		return json_pack("{s:s}", "text", "# TYPE runs counter\nruns 1\n");
	if (!strcmp(what, "health"))
		return json_pack("{s:b}", "ready", 1);
	if (!strcmp(what, "availability"))
		return model_availability(MOOD_GOOD, 2);
	if (!strcmp(what, "scenario"))
		return model_scenario(MOOD_GOOD, true);
	if (!strcmp(what, "run"))
		return model_run(MOOD_GOOD);
	if (!strcmp(what, "evidence"))
		return model_evidence(MOOD_GOOD, true);
	return json_pack("{s:s}", "did", what);
}

static bool is_nobody(const json_t *args)
{
	const char *id = json_str(args, "id");
	return id && !strcmp(id, "nobody");
}

static void take(struct served *s, const char *what, const json_t *args, struct web_answer *answer)
{
	mem_replace(&s->what, what);
	free(s->args);
	s->args = json_text(args);
	if (s->keep)
		vec_push(&s->kept, ((struct question){mem_strdup(what), answer}));
	else if (!strcmp(what, "nothing") || is_nobody(args))
		web_answer(answer, 404, NULL);
	else
		web_answer(answer, 200, document(what));
}

static void on_query(void *arg, const char *what, const json_t *args, enum audience audience,
	struct web_answer *answer)
{
	struct served *s = arg;
	s->queries++;
	s->audience = audience;
	take(s, what, args, answer);
}

static void on_command(void *arg, const char *what, const json_t *args, const char *principal,
	struct web_answer *answer)
{
	struct served *s = arg;
	s->commands++;
	mem_replace(&s->principal, principal);
	take(s, what, args, answer);
}

void served_answer_all(struct served *s, int status)
{
	while (s->kept.n) {
		struct question q = vec_pop(&s->kept);
		web_answer(q.answer, status, status == 200 ? document(q.what) : NULL);
		free(q.what);
	}
}

static int open_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* libuv opens a spare descriptor with the first pipe of a loop. */
static void open_spare(struct loop *l)
{
	uv_pipe_t *pipe = mem_new(uv_pipe_t);
	uv_pipe_init(loop_uv(l), pipe, 0);
	uv_close((uv_handle_t *)pipe, (uv_close_cb)free);
	uv_run(loop_uv(l), UV_RUN_NOWAIT);
}

int served_set_up(void **state)
{
	struct served *s = mem_new(struct served);
	s->loop = loop_new(NULL, &s->err);
	open_spare(s->loop);
	s->descriptors = open_descriptors();
	*state = s;
	return 0;
}

int served_tear_down(void **state)
{
	struct served *s = *state;
	web_free(s->web);
	served_answer_all(s, 200); /* to nobody */
	assert_int_equal(open_descriptors(), s->descriptors);
	vec_fini(&s->kept);
	loop_free(s->loop);
	free(s->what);
	free(s->args);
	free(s->principal);
	free(s);
	return 0;
}

static void on_tick(struct timer *t)
{
	*(bool *)t->arg = true;
}

void served_wait(struct served *s, bool (*there)(struct served *s))
{
	for (int tries = 0; tries < READ_S * 100; tries++) {
		struct timer t = {0};
		bool ticked = false;
		if (there(s))
			return;
		timer_start(s->loop, &t, 10 * NS_PER_MS, on_tick, &ticked);
		loop_run_until(s->loop, &ticked);
	}
	fail_msg("waited in vain");
}

void served_publish(struct served *s, const char *name, int64_t revision)
{
	web_publish(s->web, AUDIENCE_PUBLIC, site(name, revision, false), "[{\"name\":\"web\"}]");
	web_publish(s->web, AUDIENCE_OPERATORS, site(name, revision, true),
		"[{\"name\":\"web\",\"target\":\"10.0.0.1\"}]");
}

static bool is_there(struct served *s)
{
	struct got g = served_get(s, web_public_port(s->web), "/", "");
	struct got i = served_get(s, web_intake_port(s->web), "/robots.txt", "");
	const bool there = g.status == 200 && i.status != 503;
	got_fini(&g);
	got_fini(&i);
	if (!there || i.status != 200)
		return there;
	i = served_get(s, web_intake_port(s->web), "/", "");
	const bool both = i.status == 200;
	got_fini(&i);
	return both;
}

void served_open(struct served *s, struct web_options o)
{
	const struct web_house house = {.query = on_query, .command = on_command, .arg = s};
	o.public_address = "127.0.0.1:0";
	o.intake_address = "127.0.0.1:0";
	o.connections = 200;
	s->web = web_new(s->loop, &o, &house, &s->err);
	if (!s->web)
		fail_msg("%s", s->err.msg);
	served_publish(s, "Example Cloud", 1);
	served_wait(s, is_there);
}

/* --- clients -------------------------------------------------------------------------------------
 */

struct client {
	struct served *served;
	pthread_t id;
	unsigned port;
	struct slice say;
	struct buf got;
	int *waiting;
	bool *all_back;
};

static int dial(unsigned port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)port)};
	struct timeval patience = {.tv_sec = READ_S};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	close(fd);
	return -1;
}

static void come_back(void *arg)
{
	struct client *c = arg;
	if (--*c->waiting == 0)
		*c->all_back = true;
}

static void *client_main(void *arg)
{
	struct client *c = arg;
	char p[65536];
	ssize_t n;
	const int fd = dial(c->port);
	if (fd >= 0 && send(fd, c->say.p, c->say.n, MSG_NOSIGNAL) == (ssize_t)c->say.n)
		while ((n = recv(fd, p, sizeof(p), 0)) > 0)
			buf_add(&c->got, p, (size_t)n);
	if (fd >= 0)
		close(fd);
	loop_post(c->served->loop, come_back, c);
	return NULL;
}

static void run_clients(struct served *s, struct client *clients, unsigned n)
{
	int waiting = (int)n;
	bool all_back = false;
	for (unsigned i = 0; i < n; i++) {
		struct client *c = &clients[i];
		c->served = s;
		c->waiting = &waiting;
		c->all_back = &all_back;
		buf_init(&c->got, BUF_ANSWER);
		assert_int_equal(pthread_create(&c->id, NULL, client_main, c), 0);
	}
	loop_run_until(s->loop, &all_back);
	for (unsigned i = 0; i < n; i++)
		pthread_join(clients[i].id, NULL);
}

static struct got take_apart(struct buf *b)
{
	struct got g = {0};
	const struct slice all = buf_slice(b);
	const size_t end = slice_find_text(all, SLICE("\r\n\r\n"));
	buf_init(&g.body, BUF_ANSWER);
	g.head = slice_dup(slice_sub(all, 0, end + 2));
	buf_add_slice(&g.body, slice_sub(all, end + 4, all.n));
	if (slice_starts(all, "HTTP/1.1 "))
		g.status = (int)strtol(g.head + 9, NULL, 10);
	buf_fini(b);
	return g;
}

struct got served_send(struct served *s, unsigned port, struct slice bytes)
{
	struct client c = {.port = port, .say = bytes};
	run_clients(s, &c, 1);
	return take_apart(&c.got);
}

static char *get(unsigned port, const char *path, const char *headers)
{
	return mem_printf("GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nConnection: close\r\n%s\r\n",
		path, port, headers);
}

struct got served_get(struct served *s, unsigned port, const char *path, const char *headers)
{
	char *text = get(port, path, headers);
	struct got g = served_send(s, port, slice_of(text));
	free(text);
	return g;
}

int served_leave(struct served *s, unsigned port, const char *path)
{
	char *text = get(port, path, "");
	const int fd = dial(port);
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
	free(text);
	return fd;
}

unsigned served_many(struct served *s, unsigned port, const char *path, unsigned n, int status)
{
	struct client *clients = mem_new_array(n, sizeof(*clients));
	char **texts = mem_new_array(n, sizeof(*texts));
	unsigned had = 0;
	for (unsigned i = 0; i < n; i++) {
		char *own = strstr(path, "%u") ? mem_printf("%.*s%u",
							 (int)(strstr(path, "%u") - path), path, i)
					       : mem_strdup(path);
		texts[i] = get(port, own, "");
		clients[i].port = port;
		clients[i].say = slice_of(texts[i]);
		free(own);
	}
	run_clients(s, clients, n);
	for (unsigned i = 0; i < n; i++) {
		struct got g = take_apart(&clients[i].got);
		had += g.status == status;
		got_fini(&g);
		free(texts[i]);
	}
	free(texts);
	free(clients);
	return had;
}

void got_fini(struct got *g)
{
	free(g->head);
	buf_fini(&g->body);
}

const char *got_header(const struct got *g, const char *name)
{
	static char value[1024];
	struct slice rest = slice_of(g->head), line;
	while (rest.n && slice_next(&rest, '\n', &line)) {
		const size_t colon = slice_find(line, ':');
		if (!slice_is_nocase(slice_sub(line, 0, colon), name))
			continue;
		snprintf(value, sizeof(value), "%.*s",
			SLICE_ARG(slice_trim(slice_sub(line, colon + 1, line.n))));
		return value;
	}
	return NULL;
}
