/*
 * peer.c - scripted peers: threads with blocking sockets, so that a script reads from top to
 * bottom.
 */
#include "peer.h"

#include <assert.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

struct peer_thread {
	struct peer_thread *next;
	pthread_t id;
	struct peer_connection c;
};

/* --- talking -----------------------------------------------------------------------------------
 */

/* Waits for the socket in short pieces, so that peer_stop() is noticed. */
static bool wait_for(struct peer_connection *c, short events)
{
	struct pollfd p = {.fd = c->fd, .events = events};

	while (!atomic_load(&c->peer->stopping))
		if (poll(&p, 1, 20) != 0)
			return true;
	return false;
}

static long receive(struct peer_connection *c, char *p, size_t n)
{
	if (c->tls) {
		if (SSL_pending(c->tls) == 0 && !wait_for(c, POLLIN))
			return 0;
		return SSL_read(c->tls, p, (int)n);
	}
	return wait_for(c, POLLIN) ? recv(c->fd, p, n, 0) : 0;
}

static size_t content_length(const char *head)
{
	const char *p = strcasestr(head, "\r\nContent-Length:");

	return p ? strtoul(p + 17, NULL, 10) : 0;
}

bool peer_read(struct peer_connection *c)
{
	size_t want = 0;

	c->request_n = c->head_n = 0;
	for (;;) {
		long n;
		char *end;

		c->request[c->request_n] = '\0';
		end = c->head_n ? NULL : strstr(c->request, "\r\n\r\n");
		if (end) {
			c->head_n = (size_t)(end - c->request) + 4;
			want = content_length(c->request);
		}
		if (c->head_n && c->request_n >= c->head_n + want)
			break;
		assert(c->request_n + 1 < sizeof(c->request));
		n = receive(c, c->request + c->request_n, sizeof(c->request) - 1 - c->request_n);
		if (n <= 0)
			return false;
		c->request_n += (size_t)n;
	}
	atomic_fetch_add(&c->peer->requests, 1);
	return true;
}

bool peer_hear(struct peer_connection *c, char *line, size_t n)
{
	size_t i = 0;
	char byte;

	while (i + 1 < n) {
		const long got = c->tls ? SSL_read(c->tls, &byte, 1) : recv(c->fd, &byte, 1, 0);
		if (got != 1)
			return false;
		if (byte == '\n')
			break;
		line[i++] = byte;
	}
	line[i] = 0;
	return true;
}

bool peer_write(struct peer_connection *c, const void *p, size_t n)
{
	const char *at = p;

	while (n > 0) {
		long r;

		if (!wait_for(c, POLLOUT))
			return false;
		r = c->tls ? SSL_write(c->tls, at, (int)n)
			   : send(c->fd, at, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (r <= 0)
			return false;
		at += r;
		n -= (size_t)r;
	}
	return true;
}

bool peer_say(struct peer_connection *c, const char *fmt, ...)
{
	va_list ap;
	char *text;
	bool good;

	va_start(ap, fmt);
	text = mem_vprintf(fmt, ap);
	va_end(ap);
	good = peer_write(c, text, strlen(text));
	free(text);
	return good;
}

void peer_sleep_ms(struct peer_connection *c, unsigned ms)
{
	for (; ms > 0 && !atomic_load(&c->peer->stopping); ms -= ms > 5 ? 5 : ms)
		usleep((ms > 5 ? 5 : ms) * 1000);
}

void peer_reset(struct peer_connection *c)
{
	struct linger now = {1, 0};

	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

/* --- threads -----------------------------------------------------------------------------------
 */

static void *serve_connection(void *arg)
{
	struct peer_thread *t = arg;

	if (t->c.tls) {
		SSL_set_fd(t->c.tls, t->c.fd);
		if (SSL_accept(t->c.tls) == 1)
			t->c.peer->serve(&t->c);
		SSL_shutdown(t->c.tls);
		SSL_free(t->c.tls);
	} else {
		t->c.peer->serve(&t->c);
	}
	close(t->c.fd);
	return NULL;
}

static void *accept_connections(void *arg)
{
	struct peer *p = arg;

	for (;;) {
		struct peer_thread *t;
		int fd = accept(p->listener, NULL, NULL);

		if (fd < 0)
			return NULL;
		t = mem_new(struct peer_thread);
		t->c.peer = p;
		t->c.fd = fd;
		t->c.tls = p->tls ? SSL_new(p->tls) : NULL;
		t->c.nth = atomic_fetch_add(&p->connections, 1);
		t->next = p->threads;
		p->threads = t;
		if (pthread_create(&t->id, NULL, serve_connection, t) != 0)
			mem_panic("no thread");
	}
}

static int listen_with_queue(unsigned *ret_port, int queue)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&a, n) < 0 || listen(fd, queue) < 0 ||
		getsockname(fd, (struct sockaddr *)&a, &n) < 0)
		mem_panic("cannot listen on loopback");
	*ret_port = ntohs(a.sin_port);
	return fd;
}

static int listen_on_loopback(unsigned *ret_port)
{
	return listen_with_queue(ret_port, 128);
}

struct peer *peer_start(peer_serve *serve, void *arg, SSL_CTX *tls)
{
	struct peer *p = mem_new(struct peer);
	pthread_t id;

	p->serve = serve;
	p->arg = arg;
	p->tls = tls;
	p->listener = listen_on_loopback(&p->port);
	if (pthread_create(&id, NULL, accept_connections, p) != 0)
		mem_panic("no thread");
	p->acceptor = id;
	return p;
}

void peer_stop(struct peer *p)
{
	struct peer_thread *t, *next;

	atomic_store(&p->stopping, true);
	shutdown(p->listener, SHUT_RDWR);
	pthread_join(p->acceptor, NULL);
	for (t = p->threads; t; t = next) {
		next = t->next;
		pthread_join(t->id, NULL);
		free(t);
	}
	close(p->listener);
	free(p);
}

unsigned peer_free_port(void)
{
	unsigned port;

	close(listen_on_loopback(&port));
	return port;
}

void peer_deafen(struct peer_deaf *d)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	d->listener = listen_with_queue(&d->port, 0);
	a.sin_port = htons((uint16_t)d->port);
	for (int i = 0; i < 2; i++) {
		d->fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)!connect(d->fillers[i], (struct sockaddr *)&a, sizeof(a));
		usleep(2000);
	}
}

void peer_deaf_fini(struct peer_deaf *d)
{
	for (int i = 0; i < 2; i++)
		close(d->fillers[i]);
	close(d->listener);
}

/* --- certificates ------------------------------------------------------------------------------
 */

static void add_extension(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *e;
	X509V3_CTX ctx;

	X509V3_set_ctx_nodb(&ctx);
	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert(e);
	X509_add_ext(x, e, -1);
	X509_EXTENSION_free(e);
}

/* Some keys have their digest in them. */
static const EVP_MD *digest_for(const EVP_PKEY *key)
{
	return EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448") ? NULL : EVP_sha256();
}

struct peer_certificate peer_certify(
	const struct peer_certificate *issuer, const char *names, int from_days, int to_days)
{
	return peer_certify_key(issuer, EVP_EC_gen("P-256"), names, from_days, to_days);
}

struct peer_certificate peer_certify_key(const struct peer_certificate *issuer, EVP_PKEY *key,
	const char *names, int from_days, int to_days)
{
	static long serial = 1;
	struct peer_certificate c = {X509_new(), key};
	const EVP_PKEY *signs = issuer ? issuer->key : key;
	X509_NAME *name = X509_get_subject_name(c.x509);
	char title[32];

	snprintf(title, sizeof(title), "test %ld", serial);
	X509_set_version(c.x509, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(c.x509), serial++);
	X509_gmtime_adj(X509_getm_notBefore(c.x509), from_days * 86400L);
	X509_gmtime_adj(X509_getm_notAfter(c.x509), to_days * 86400L);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (unsigned char *)title, -1, -1, 0);
	X509_set_issuer_name(c.x509, issuer ? X509_get_subject_name(issuer->x509) : name);
	X509_set_pubkey(c.x509, c.key);
	if (names)
		add_extension(c.x509, issuer ? issuer->x509 : c.x509, NID_subject_alt_name, names);
	if (!issuer)
		add_extension(c.x509, c.x509, NID_basic_constraints, "critical,CA:TRUE");
	if (X509_sign(c.x509, (EVP_PKEY *)signs, digest_for(signs)) == 0)
		mem_panic("cannot sign");
	return c;
}

void peer_certificate_fini(struct peer_certificate *c)
{
	X509_free(c->x509);
	EVP_PKEY_free(c->key);
}

SSL_CTX *peer_tls(const struct peer_certificate *c)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (!ctx || SSL_CTX_use_certificate(ctx, c->x509) != 1 ||
		SSL_CTX_use_PrivateKey(ctx, c->key) != 1)
		mem_panic("cannot serve TLS");
	return ctx;
}

static FILE *open_for_writing(const char *path)
{
	FILE *f = fopen(path, "w");

	if (!f)
		mem_panic("cannot write %s", path);
	return f;
}

void peer_save_certificate(const struct peer_certificate *c, const char *path)
{
	FILE *f = open_for_writing(path);

	PEM_write_X509(f, c->x509);
	fclose(f);
}

void peer_save_key(const struct peer_certificate *c, const char *path)
{
	FILE *f = open_for_writing(path);

	PEM_write_PrivateKey(f, c->key, NULL, NULL, 0, NULL, NULL);
	fclose(f);
}
