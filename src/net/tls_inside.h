/*
 * tls_inside.h - what the files of tls.h share.
 */
#ifndef NET_TLS_INSIDE_H
#define NET_TLS_INSIDE_H

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "net/tls.h"

struct tls_context {
	SSL_CTX *ctx;
	char *key; /* of all options and of the files' state; equal ones share a context */
	unsigned refs;
	bool secret; /* has a key of ours, which stays in memory no longer than it is needed */
};

struct tls_session {
	struct tls_context *context;
	SSL *ssl;
	char *name;
	bool asked;
	void *pair; /* of keys, see tls_keys.c; or NULL */
	struct tls_facts facts;
	char trouble[160];
};

/* For contexts without a certificate of ours. NULL, OpenSSL's own, where another would be of no
 * use. Never freed. Thread: any. */
OSSL_LIB_CTX *tls_library(void);
/* The same kind of keys, but a pair that a handshake made first and did not need is what it gets when
 * it makes another. Borrows `plain`. Once, for one kind. */
const OSSL_DISPATCH *tls_keys_kept(const OSSL_DISPATCH *plain);
/* Around each step of a handshake, in its thread. */
void tls_keys_begin(struct tls_session *s);
void tls_keys_end(void);
void tls_keys_forget(struct tls_session *s); /* when it will make no more */
/* What tls_settle() gives OpenSSL, see CRYPTO_set_mem_functions(3). Thread: any. They need the first
 * one called once. */
void tls_memory_settle(void);
void *tls_memory_get(size_t n, const char *file, int line);
void tls_memory_put(void *p, const char *file, int line);
void *tls_memory_resize(void *p, size_t n, const char *file, int line);
/* Take the files in; the error says which is wrong, and what is expected there. `key` NULL: it stands
 * with the certificate. */
bool tls_files_trust(SSL_CTX *ctx, const char *path, struct error *err) must_check;
bool tls_files_bring(SSL_CTX *ctx, const char *cert, const char *key, enum tls_file *ret_which,
	struct error *err) must_check;
/* Fills everything but fault and detail, from what the server has shown so far. */
void tls_facts_read(struct tls_facts *f, SSL *ssl);
void tls_facts_fini(struct tls_facts *f);
/* RFC 2253, control characters escaped. */
void tls_write_name(const X509_NAME *name, char *out, size_t n);

#endif
