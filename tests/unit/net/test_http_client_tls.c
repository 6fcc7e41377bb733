/*
 * test_http_client_tls.c - the client in TLS, and on a real HTTP/2 server.
 */
#include <ftw.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calling.h"

extern char **environ;

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
	open_peer(r, calling_serve, auth.tls);
	ask_for(r, &a, "/echo", (struct http_request){.ca_file = trusted ? auth.ca : NULL});
	assert_fault(&a, expected, "");
	assert_int_equal(a.a.sent, expected == FAULT_NONE);
	assert_true(a.a.phases.tls_ns > 0);
	ask_forget(&a);
	ask_for(r, &a, "/echo", (struct http_request){.insecure = true});
	assert_fault(&a, FAULT_NONE, "");
	ask_forget(&a);
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
	open_peer(r, calling_serve, auth.tls);
	ask_for(r, &a, "/much", (struct http_request){.ca_file = auth.ca});
	assert_fault(&a, FAULT_NONE, "");
	assert_int_equal(p->resolve_ns, 0);
	assert_true(p->connect_ns > 0 && p->tls_ns > 0 && p->wait_ns > 0 && p->body_ns > 0);
	assert_true(p->connect_ns + p->tls_ns + p->wait_ns + p->body_ns <= p->total_ns);
	ask_forget(&a);
	ask_for(r, &a, "/echo", (struct http_request){.ca_file = auth.ca});
	ask_forget(&a);
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

		ask_for(r, &a, "/ca.pem", (struct http_request){.ca_file = auth->ca});
		f = a.a.fault;
		ask_forget(&a);
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
		ask_send(r, &asks[i], i % 2 ? "/ca.pem" : "/no-such-file",
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
		ask_forget(&asks[i]);
	}
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
	close_authority(&auth);
}

int test_http_client_tls(void)
{
#define t(f) cmocka_unit_test_setup_teardown(f, calling_up, calling_down)
	const struct CMUnitTest tests[] = {
		t(certificates_are_looked_at),
		t(the_phases_add_up),
		t(http2_shares_one_connection),
	};
#undef t

	return cmocka_run_group_tests_name("http_client_tls", tests, NULL, NULL);
}
