/* test_stream.c - connections to speak over: plain, in TLS, from plain to TLS, and what goes wrong.
 */
#include "net/stream.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../check.h"
#include "base/mem.h"
#include "base/slice.h"
#include "peer.h"

#define LONG  (20 * NS_PER_S)
#define SHORT (500 * NS_PER_MS)

struct room {
	struct loop *loop;
	struct resolver *resolver;
	struct error err;
	int descriptors;
	struct stream *stream;
	bool done;
	unsigned times;
	enum fault fault;
};

static int open_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static int set_up(void **state)
{
	struct room *r = mem_new(struct room);

	r->loop = loop_new(NULL, &r->err);
	r->resolver = resolver_new(r->loop, NULL, &r->err);
	r->descriptors = open_descriptors();
	*state = r;
	return r->resolver ? 0 : -1;
}

static int tear_down(void **state)
{
	struct room *r = *state;

	stream_close(r->stream);
	assert_int_equal(open_descriptors(), r->descriptors);
	resolver_free(r->resolver);
	loop_free(r->loop);
	free(r);
	return 0;
}

static void on_done(void *arg, enum fault fault)
{
	struct room *r = arg;

	assert_false(r->done);
	r->done = true;
	r->fault = fault;
}

static enum fault ended(struct room *r)
{
	assert_false(r->done);
	assert_true(loop_run_until(r->loop, &r->done));
	r->done = false;
	return r->fault;
}

static enum fault connect_with(struct room *r, struct stream_options o)
{
	stream_close(r->stream);
	o.host = o.host ? o.host : "127.0.0.1";
	o.deadline_ns = o.deadline_ns ? o.deadline_ns : LONG;
	r->stream = stream_open(r->loop, r->resolver, &o, on_done, r);
	return ended(r);
}

static void assert_said(struct room *r, const char *part)
{
	if (!strstr(stream_detail(r->stream), part))
		fail_msg("\"%s\" is not in \"%s\"", part, stream_detail(r->stream));
}

/* A peer waits for what its client says: the client goes first. */
static void stop(struct room *r, struct peer *p)
{
	stream_close(r->stream);
	r->stream = NULL;
	peer_stop(p);
}

static enum fault connect_to(struct room *r, unsigned port)
{
	return connect_with(r, (struct stream_options){.port = port});
}

static bool has_line(void *arg, struct slice got)
{
	return slice_find(got, '\n') < got.n;
}

static bool never(void *arg, struct slice got)
{
	return false;
}

static enum fault wait_line(struct room *r)
{
	stream_wait(r->stream, 1000, has_line, on_done, r);
	return ended(r);
}

static void assert_line(struct room *r, const char *want)
{
	const size_t n = slice_find(stream_got(r->stream), '\n') + 1;

	assert_true(slice_is(slice_sub(stream_got(r->stream), 0, n), want));
	stream_take(r->stream, n);
}

/* --- peers -------------------------------------------------------------------------------------
 */

static void echo(struct peer_connection *c)
{
	char line[1000];

	peer_say(c, "hello\n");
	while (peer_hear(c, line, sizeof(line)))
		peer_say(c, "you said %s\n", line);
}

static void starttls(struct peer_connection *c)
{
	char line[100];
	SSL *ssl = SSL_new(c->peer->arg);

	peer_say(c, "ready\n");
	if (peer_hear(c, line, sizeof(line))) {
		peer_say(c, "%s", "go\n");
		SSL_set_fd(ssl, c->fd);
		if (SSL_accept(ssl) == 1) {
			c->tls = ssl;
			echo(c);
			SSL_shutdown(ssl);
		}
	}
	c->tls = NULL;
	SSL_free(ssl);
}

static void inject(struct peer_connection *c)
{
	peer_say(c, "go\ninjected\n");
	peer_sleep_ms(c, 60000);
}

static void silent(struct peer_connection *c)
{
	peer_sleep_ms(c, 60000); /* or as long as the peer lives */
}

static void half(struct peer_connection *c)
{
	peer_say(c, "half a li");
}

static void reset(struct peer_connection *c)
{
	char line[100];

	peer_hear(c, line, sizeof(line));
	peer_reset(c);
}

static void flood(struct peer_connection *c)
{
	while (!c->peer->stopping && peer_say(c, "more and more and more and more and more"))
		;
}

static void pieces(struct peer_connection *c)
{
	for (const char *p = "line one\nline two\n"; *p; p++) {
		peer_say(c, "%c", *p);
		peer_sleep_ms(c, 1);
	}
}

/* --- plain -------------------------------------------------------------------------------------
 */

static void test_plain(void **state)
{
	struct room *r = *state;
	struct peer *p = peer_start(echo, NULL, NULL);

	assert_int_equal(connect_to(r, p->port), FAULT_NONE);
	assert_string_equal(stream_address(r->stream), "127.0.0.1");
	assert_true(stream_connected(r->stream));
	assert_true(stream_phases(r->stream).connect_ns > 0);
	assert_int_equal(stream_phases(r->stream).tls_ns, 0);
	assert_null(stream_tls(r->stream));
	assert_int_equal(wait_line(r), FAULT_NONE);
	assert_line(r, "hello\n");
	assert_true(stream_send(r->stream, "a\nb\n", 4));
	assert_int_equal(wait_line(r), FAULT_NONE);
	assert_line(r, "you said a\n");
	assert_int_equal(wait_line(r), FAULT_NONE);
	assert_line(r, "you said b\n");
	assert_int_equal(stream_got(r->stream).n, 0);
	const struct phases t = stream_phases(r->stream);
	assert_true(t.wait_ns > 0 && t.connect_ns + t.wait_ns <= t.total_ns);
	stop(r, p);
}

static void test_pieces(void **state)
{
	struct room *r = *state;
	struct peer *p = peer_start(pieces, NULL, NULL);

	assert_int_equal(connect_to(r, p->port), FAULT_NONE);
	assert_int_equal(wait_line(r), FAULT_NONE);
	assert_line(r, "line one\n");
	assert_int_equal(wait_line(r), FAULT_NONE);
	assert_line(r, "line two\n");
	assert_int_equal(wait_line(r), FAULT_CONNECTION_LOST);
	assert_true(stream_ended(r->stream));
	stop(r, p);
}

static void test_large(void **state)
{
	struct room *r = *state;
	struct peer *p = peer_start(silent, NULL, NULL);
	char *much = mem_new_array(1, STREAM_SEND_MAX);

	assert_int_equal(connect_to(r, p->port), FAULT_NONE);
	assert_false(stream_send(r->stream, much, STREAM_SEND_MAX + 1));
	free(much);
	stop(r, p);
	p = peer_start(flood, NULL, NULL);
	assert_int_equal(connect_to(r, p->port), FAULT_NONE);
	stream_wait(r->stream, 100000, never, on_done, r);
	assert_int_equal(ended(r), FAULT_BODY_TOO_LARGE);
	assert_said(r, "more than 100000 bytes");
	assert_true(stream_got(r->stream).n > 100000 && stream_got(r->stream).n < 200000);
	stop(r, p);
}

static void test_not_reached(void **state)
{
	struct room *r = *state;
	struct peer_deaf deaf;

	assert_int_equal(connect_to(r, peer_free_port()), FAULT_REFUSED);
	assert_false(stream_connected(r->stream));
	assert_said(r, "refused");
	/* What is asked of it after that is told the same. */
	assert_int_equal(wait_line(r), FAULT_REFUSED);
	peer_deafen(&deaf);
	assert_int_equal(
		connect_with(r, (struct stream_options){.port = deaf.port, .deadline_ns = SHORT}),
		FAULT_TIMEOUT);
	assert_said(r, "neither accepted nor refused");
	assert_true(stream_phases(r->stream).connect_ns >= SHORT / 2);
	peer_deaf_fini(&deaf);
	assert_int_equal(
		connect_with(r, (struct stream_options){.host = "", .port = 1}), FAULT_RESOLVE);
	assert_int_equal(connect_with(r,
				 (struct stream_options){
					 .host = "127.0.0.1", .port = 1, .family = AF_INET6}),
		FAULT_RESOLVE);
}

static void test_families(void **state)
{
	struct room *r = *state;
	struct peer *p = peer_start(echo, NULL, NULL); /* listens on 127.0.0.1 only */
	struct stream_options o = {.host = "localhost", .port = p->port};

	assert_int_equal(connect_with(r, o), FAULT_NONE); /* ::1 refuses, which is passed over */
	assert_string_equal(stream_address(r->stream), "127.0.0.1");
	o.family = AF_INET;
	assert_int_equal(connect_with(r, o), FAULT_NONE);
	o.host = "::1";
	o.family = AF_INET6;
	assert_int_equal(connect_with(r, o), FAULT_REFUSED);
	assert_string_equal(stream_address(r->stream), "::1");
	stop(r, p);
}

static void test_waits_that_fail(void **state)
{
	struct room *r = *state;
	struct peer *p = peer_start(silent, NULL, NULL);
	struct stream_options o = {.port = p->port, .deadline_ns = SHORT};

	assert_int_equal(connect_with(r, o), FAULT_NONE);
	assert_int_equal(wait_line(r), FAULT_TIMEOUT);
	assert_string_equal(stream_detail(r->stream), "no answer came within the time allowed");
	assert_true(stream_phases(r->stream).wait_ns >= SHORT / 2);
	/* An idle one meets its deadline in its next call. */
	assert_int_equal(connect_with(r, o), FAULT_NONE);
	usleep(SHORT / 1000);
	assert_int_equal(wait_line(r), FAULT_TIMEOUT);
	stop(r, p);
	p = peer_start(half, NULL, NULL);
	assert_int_equal(connect_to(r, p->port), FAULT_NONE);
	assert_int_equal(wait_line(r), FAULT_CONNECTION_LOST);
	assert_true(slice_is(stream_got(r->stream), "half a li"));
	stop(r, p);
	p = peer_start(reset, NULL, NULL);
	assert_int_equal(connect_to(r, p->port), FAULT_NONE);
	stream_send(r->stream, "x\n", 2);
	assert_int_equal(wait_line(r), FAULT_CONNECTION_LOST);
	assert_false(stream_ended(r->stream));
	stop(r, p);
}

/* --- TLS ---------------------------------------------------------------------------------------
 */

static struct tls_context *context(struct tls_options o)
{
	struct error err = {0};
	struct tls_context *c = tls_context_new(&o, &err);

	if (!c)
		fail_msg("%s", err.msg);
	return c;
}

struct pair { /* an authority and what it signed */
	struct peer_certificate authority, server;
	SSL_CTX *tls;
	struct peer *peer;
	char ca[64];
	struct tls_context *context;
};

static void pair_start(struct pair *p, const char *names, int from_days, int to_days)
{
	p->authority = peer_certify(NULL, "DNS:authority.example", -10, 1000);
	p->server = peer_certify(&p->authority, names, from_days, to_days);
	p->tls = peer_tls(&p->server);
	p->peer = peer_start(echo, NULL, p->tls);
	snprintf(p->ca, sizeof(p->ca), "/tmp/test_stream.%d.pem", (int)getpid());
	peer_save_certificate(&p->authority, p->ca);
	p->context = context((struct tls_options){.ca_file = p->ca});
}

static void pair_stop(struct room *r, struct pair *p)
{
	stop(r, p->peer);
	SSL_CTX_free(p->tls);
	peer_certificate_fini(&p->server);
	peer_certificate_fini(&p->authority);
	tls_context_unref(p->context);
	unlink(p->ca);
}

static void test_tls(void **state)
{
	struct room *r = *state;
	struct pair p;
	const time_t now = time(NULL);

	pair_start(&p, "DNS:localhost,DNS:*.example.org,IP:127.0.0.1,IP:::1", -1, 30);
	const struct stream_options o = {
		.port = p.peer->port, .tls = p.context, .tls_at_once = true};
	assert_int_equal(connect_with(r, o), FAULT_NONE);
	const struct tls_facts *f = stream_tls(r->stream);
	assert_int_equal(f->fault, FAULT_NONE);
	assert_true(f->shown);
	assert_true(f->leaf_expiry_s > now + 29 * 86400 && f->leaf_expiry_s <= now + 31 * 86400);
	assert_true(f->chain_expiry_s == f->leaf_expiry_s);
	assert_string_equal(f->version, "TLSv1.3");
	assert_int_equal(strlen(f->fingerprint), 64);
	assert_int_equal(f->names_n, 4);
	assert_string_equal(f->names[1], "*.example.org");
	assert_string_equal(f->names[2], "127.0.0.1");
	assert_string_equal(f->names[3], "::1");
	assert_true(*f->subject && *f->issuer && *f->cipher);
	assert_true(stream_phases(r->stream).tls_ns > 0);
	assert_false(stream_tls_asked(r->stream));
	stream_send(r->stream, "a\n", 2);
	assert_int_equal(wait_line(r), FAULT_NONE);
	assert_line(r, "hello\n");
	assert_int_equal(wait_line(r), FAULT_NONE);
	assert_line(r, "you said a\n");
	stream_finish(r->stream);
	assert_int_equal(wait_line(r), FAULT_CONNECTION_LOST);
	assert_true(stream_ended(r->stream));
	pair_stop(r, &p);
}

/* What is wrong with a certificate is told as it is, with the facts beside it. */
static void test_bad_certificates(void **state)
{
	static const struct {
		const char *names, *name, *detail;
		int from, to;
		bool stranger; /* of another authority than the one we know */
		enum fault fault;
	} t[] = {
		{"DNS:localhost", "localhost", "expired", -20, -2, false, FAULT_TLS_EXPIRED},
		{"DNS:localhost", "localhost", "not valid yet", 2, 20, false, FAULT_TLS_EXPIRED},
		{"DNS:other.example", "localhost", "not for localhost but for other.example", -1,
			20, false, FAULT_TLS_NAME},
		{"DNS:localhost", "127.0.0.1", "not for 127.0.0.1 but for localhost", -1, 20, false,
			FAULT_TLS_NAME},
		{"DNS:localhost", "localhost", "authority", -1, 20, true, FAULT_TLS_AUTHORITY},
		{"DNS:localhost", "localhost", "expired", -20, -2, true, FAULT_TLS_EXPIRED},
		{"DNS:*.example.org", "a.b.example.org", "not for", -1, 20, true, FAULT_TLS_NAME},
		{"DNS:*.example.org", "a.example.org.", "", -1, 20, false, FAULT_NONE},
	};
	struct room *r = *state;

	for (size_t i = 0; i < array_len(t); i++) {
		struct pair p;
		pair_start(&p, t[i].names, t[i].from, t[i].to);
		struct tls_context *system = context((struct tls_options){0});
		struct stream_options o = {.port = p.peer->port,
			.tls = t[i].stranger ? system : p.context,
			.tls_at_once = true,
			.tls_name = t[i].name};
		assert_int_equal(connect_with(r, o), t[i].fault);
		assert_said(r, t[i].detail);
		assert_true(stream_tls(r->stream)->shown);
		assert_int_equal(stream_tls(r->stream)->fault, t[i].fault);
		o.trusting = true;
		assert_int_equal(connect_with(r, o), FAULT_NONE);
		assert_int_equal(stream_tls(r->stream)->fault, t[i].fault);
		assert_int_equal(wait_line(r), FAULT_NONE);
		tls_context_unref(system);
		pair_stop(r, &p);
	}
}

static void test_no_tls(void **state)
{
	struct room *r = *state;
	struct tls_context *c = context((struct tls_options){0});
	struct peer *p = peer_start(echo, NULL, NULL);
	struct stream_options o = {
		.port = p->port, .tls = c, .tls_at_once = true, .deadline_ns = LONG};

	assert_int_equal(connect_with(r, o), FAULT_TLS);
	assert_said(r, "does not speak TLS");
	assert_false(stream_tls(r->stream)->shown);
	stop(r, p);
	p = peer_start(silent, NULL, NULL);
	o.port = p->port;
	o.deadline_ns = SHORT;
	assert_int_equal(connect_with(r, o), FAULT_TIMEOUT);
	assert_said(r, "handshake");
	assert_true(stream_phases(r->stream).tls_ns >= SHORT / 2);
	stop(r, p);
	p = peer_start(half, NULL, NULL);
	o.port = p->port;
	o.deadline_ns = LONG;
	assert_int_equal(connect_with(r, o), FAULT_TLS);
	stop(r, p);
	tls_context_unref(c);
}

static void test_versions(void **state)
{
	struct room *r = *state;
	struct pair p;
	struct tls_context *newest;

	pair_start(&p, "IP:127.0.0.1", -1, 30);
	SSL_CTX_set_max_proto_version(p.tls, TLS1_2_VERSION);
	newest = context((struct tls_options){.ca_file = p.ca, .minimum = "1.3"});
	struct stream_options o = {.port = p.peer->port, .tls = p.context, .tls_at_once = true};
	assert_int_equal(connect_with(r, o), FAULT_NONE);
	assert_string_equal(stream_tls(r->stream)->version, "TLSv1.2");
	o.tls = newest;
	assert_int_equal(connect_with(r, o), FAULT_TLS);
	assert_said(r, "protocol version");
	tls_context_unref(newest);
	pair_stop(r, &p);
}

/* By TLS 1.3 a server refuses what it asked for only after the handshake. */
static void test_client_certificate(void **state)
{
	struct room *r = *state;
	struct pair p;
	char path[64];

	pair_start(&p, "IP:127.0.0.1", -1, 30);
	X509_STORE_add_cert(SSL_CTX_get_cert_store(p.tls), p.authority.x509);
	SSL_CTX_set_verify(p.tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	struct stream_options o = {.port = p.peer->port, .tls = p.context, .tls_at_once = true};
	assert_int_equal(connect_with(r, o), FAULT_NONE);
	assert_true(stream_tls_asked(r->stream));
	assert_int_equal(wait_line(r), FAULT_TLS);
	assert_said(r, "certificate required");

	struct peer_certificate ours = peer_certify(&p.authority, "DNS:us.example", -1, 30);
	snprintf(path, sizeof(path), "%s.ours", p.ca);
	peer_save_certificate(&ours, path);
	char *key = mem_printf("%s.key", path);
	peer_save_key(&ours, key);
	struct tls_context *with =
		context((struct tls_options){.ca_file = p.ca, .cert_file = path, .key_file = key});
	o.tls = with;
	assert_int_equal(connect_with(r, o), FAULT_NONE);
	assert_int_equal(wait_line(r), FAULT_NONE);
	tls_context_unref(with);
	peer_certificate_fini(&ours);
	unlink(path);
	unlink(key);
	free(key);
	pair_stop(r, &p);
}

static void test_starttls(void **state)
{
	struct room *r = *state;
	struct pair p;

	pair_start(&p, "IP:127.0.0.1", -1, 30);
	struct peer *plain = peer_start(starttls, p.tls, NULL);
	assert_int_equal(
		connect_with(r, (struct stream_options){.port = plain->port, .tls = p.context}),
		FAULT_NONE);
	assert_int_equal(wait_line(r), FAULT_NONE);
	assert_line(r, "ready\n");
	stream_send(r->stream, "tls\n", 4);
	assert_int_equal(wait_line(r), FAULT_NONE);
	assert_line(r, "go\n");
	stream_start_tls(r->stream, on_done, r);
	assert_int_equal(ended(r), FAULT_NONE);
	assert_true(stream_tls(r->stream)->shown);
	assert_int_equal(wait_line(r), FAULT_NONE);
	assert_line(r, "hello\n");
	stop(r, plain);
	pair_stop(r, &p);
}

static void test_injected(void **state)
{
	struct room *r = *state;
	struct tls_context *c = context((struct tls_options){0});
	struct peer *p = peer_start(inject, NULL, NULL);

	assert_int_equal(
		connect_with(r, (struct stream_options){.port = p->port, .tls = c}), FAULT_NONE);
	assert_int_equal(wait_line(r), FAULT_NONE);
	assert_line(r, "go\n");
	stream_start_tls(r->stream, on_done, r);
	assert_int_equal(ended(r), FAULT_PROTOCOL);
	assert_said(r, "in plain text");
	stop(r, p);
	tls_context_unref(c);
}

/* --- contexts and closing ----------------------------------------------------------------------
 */

static void test_contexts(void **state)
{
	struct tls_context *a = context((struct tls_options){.minimum = "1.2"});
	struct tls_context *b = context((struct tls_options){.minimum = "1.2"});
	struct tls_context *c = context((struct tls_options){.minimum = "1.3"});
	struct error err = {0};

	assert_ptr_equal(a, b);
	assert_ptr_not_equal(a, c);
	tls_context_unref(a);
	tls_context_unref(b);
	tls_context_unref(c);
	assert_null(tls_context_new(&(struct tls_options){.ca_file = "/nowhere.pem"}, &err));
	assert_non_null(strstr(err.msg, "/nowhere.pem"));
	assert_null(tls_context_new(&(struct tls_options){.cert_file = "/etc/hostname"}, &err));
	assert_non_null(strstr(err.msg, "the certificate /etc/hostname"));
	assert_null(tls_context_new(&(struct tls_options){.minimum = "1.4"}, &err));
	assert_non_null(strstr(err.msg, "1.4"));
}

/* Each is told for what it is, and none makes us wait: a pipe, a key that wants a passphrase. */
static void test_files(void **state)
{
	static const struct {
		const char *text, *said;
	} broken[] = {{NULL, "No such file"}, {"", "there is no certificate in PEM"},
		{"-----BEGIN CERTIFICATE-----\nAAAA", "bad end line"}};
	char dir[] = "/tmp/glasshouse-files-XXXXXX", ca[64], pipe[64];
	struct error err = {0};
	enum tls_file which = TLS_FILE_CA;

	assert_non_null(mkdtemp(dir));
	snprintf(ca, sizeof(ca), "%s/ca", dir);
	snprintf(pipe, sizeof(pipe), "%s/pipe", dir);
	for (size_t i = 0; i < array_len(broken); i++) {
		FILE *f = broken[i].text ? fopen(ca, "we") : NULL;
		if (f) {
			fputs(broken[i].text, f);
			fclose(f);
		}
		assert_null(tls_context_new(&(struct tls_options){.ca_file = ca}, &err));
		assert_non_null(strstr(err.msg, broken[i].said));
		assert_non_null(strstr(err.msg, "are expected there"));
		assert_false(tls_pair_good(ca, NULL, &which, &err));
		assert_int_equal(which, TLS_FILE_CERT);
		assert_non_null(strstr(err.msg, broken[i].said));
	}
	assert_int_equal(mkfifo(pipe, 0600), 0);
	assert_null(tls_context_new(&(struct tls_options){.ca_file = pipe}, &err));
	assert_non_null(strstr(err.msg, "it is no file"));
	assert_null(tls_context_new(&(struct tls_options){.ca_file = dir}, &err));
	assert_non_null(strstr(err.msg, "it is no file"));
	assert_int_equal(truncate(ca, 9 << 20), 0);
	assert_null(tls_context_new(&(struct tls_options){.ca_file = ca}, &err));
	assert_non_null(strstr(err.msg, "larger than 8 MiB"));
	unlink(ca);
	unlink(pipe);
	rmdir(dir);
}

static void on_never(void *arg, enum fault fault)
{
	fail_msg("called back after it was closed");
}

static void on_close(void *arg, enum fault fault)
{
	struct room *r = arg;

	r->done = true;
	stream_close(r->stream);
	r->stream = NULL;
}

/* In each state; that nothing is lost is the sanitizer's and tear_down()'s to say. */
static void test_close(void **state)
{
	struct room *r = *state;
	struct tls_context *c = context((struct tls_options){0});
	struct peer *p = peer_start(silent, NULL, NULL);
	struct stream_options o = {.host = "localhost", .port = p->port, .deadline_ns = LONG};

	stream_close(stream_open(r->loop, r->resolver, &o, on_never, NULL));
	o.host = "127.0.0.1";
	stream_close(stream_open(r->loop, r->resolver, &o, on_never, NULL));
	assert_int_equal(connect_with(r, o), FAULT_NONE);
	stream_wait(r->stream, 100, never, on_never, NULL);
	stream_close(r->stream);
	r->stream = NULL;
	assert_int_equal(
		connect_with(r, (struct stream_options){.port = p->port, .tls = c}), FAULT_NONE);
	stream_start_tls(r->stream, on_never, NULL);
	stream_close(r->stream);
	r->done = false;
	r->stream = stream_open(r->loop, r->resolver, &o, on_close, r);
	assert_true(loop_run_until(r->loop, &r->done));
	assert_null(r->stream);
	loop_run(r->loop);
	tls_context_unref(c);
	stop(r, p);
}

int test_stream(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_plain, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_pieces, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_large, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_not_reached, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_families, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_waits_that_fail, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_tls, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_bad_certificates, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_no_tls, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_versions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_client_certificate, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_starttls, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_injected, set_up, tear_down),
		cmocka_unit_test(test_contexts),
		cmocka_unit_test(test_files),
		cmocka_unit_test_setup_teardown(test_close, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
