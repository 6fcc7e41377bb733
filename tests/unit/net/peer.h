/*
 * peer.h - small scripted peers on loopback, each connection in a thread of its own.
 */
#ifndef TESTS_NET_PEER_H
#define TESTS_NET_PEER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include <openssl/ssl.h>

struct peer;

struct peer_connection {
	struct peer *peer;
	int fd;
	SSL *tls;            /* or NULL */
	unsigned nth;        /* connection of this peer, from 0 */
	char request[65536]; /* the last one read: head and body */
	size_t request_n, head_n;
};

/* Serves one connection; it is closed when this returns. */
typedef void peer_serve(struct peer_connection *c);

struct peer {
	unsigned port;
	void *arg;
	atomic_uint connections, requests;
	atomic_bool stopping;
	/* inside */
	int listener;
	peer_serve *serve;
	SSL_CTX *tls;
	struct peer_thread *threads;
	unsigned long acceptor;
};

/* `tls` may be NULL; it stays the caller's. */
struct peer *peer_start(peer_serve *serve, void *arg, SSL_CTX *tls);
void peer_stop(struct peer *p); /* ends its connections and waits for its threads */

/* Reads one request with its body (Content-Length). False when the client closed. */
bool peer_read(struct peer_connection *c);
/* A line, without its end. False: the client closed. */
bool peer_hear(struct peer_connection *c, char *line, size_t n);
bool peer_write(struct peer_connection *c, const void *p, size_t n);
bool peer_say(struct peer_connection *c, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Waits, but not longer than the peer lives. */
void peer_sleep_ms(struct peer_connection *c, unsigned ms);
/* Makes the close a reset (RST). */
void peer_reset(struct peer_connection *c);

/* A port nobody listens on. */
unsigned peer_free_port(void);

/* A port that neither accepts nor refuses: the queue of its listener is full. */
struct peer_deaf {
	unsigned port;
	int listener, fillers[2];
};
void peer_deafen(struct peer_deaf *d);
void peer_deaf_fini(struct peer_deaf *d);

/* --- certificates ------------------------------------------------------------------------------
 */

struct peer_certificate {
	X509 *x509;
	EVP_PKEY *key;
};

/* Signed by `issuer`, or by itself. `names` as in subjectAltName: "DNS:localhost,IP:127.0.0.1".
 * Valid from `from_days` to `to_days` from now. */
struct peer_certificate peer_certify(
	const struct peer_certificate *issuer, const char *names, int from_days, int to_days);
/* With a key of any kind, which it takes. */
struct peer_certificate peer_certify_key(const struct peer_certificate *issuer, EVP_PKEY *key,
	const char *names, int from_days, int to_days);
void peer_certificate_fini(struct peer_certificate *c);
SSL_CTX *peer_tls(const struct peer_certificate *c);
void peer_save_certificate(const struct peer_certificate *c, const char *path);
void peer_save_key(const struct peer_certificate *c, const char *path);

#endif
