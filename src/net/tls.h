/*
 * tls.h - the client's side of TLS on a descriptor (OpenSSL), and what a server showed of itself.
 *
 * A handshake is always taken to its end, so that a certificate that is no good can be told as it
 * is; whether it is good is a fact among others (struct tls_facts), and a fault when asked for.
 * Thread: a context: any; a session: its owner's.
 */
#ifndef NET_TLS_H
#define NET_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/fault.h"

#define TLS_NAMES_MAX 200 /* of one certificate; more are left out */

/* Gives OpenSSL a memory that keeps what a handshake gave back for the next one, up to 16 KiB of each
 * size a thread. OpenSSL takes it only before it has asked for its first block, which a constructor
 * of a library may do: to be called from .preinit_array, which runs before them all. */
void tls_settle(void);

enum tls_memory {
	TLS_MEMORY_KEPT,  /* ours */
	TLS_MEMORY_LATE,  /* its own: it had begun before tls_settle(), or that was not called */
	TLS_MEMORY_PLAIN, /* its own, as is right in a build with a sanitizer */
};
/* Which one OpenSSL works with. All is well with any; with its own a handshake costs more. */
enum tls_memory tls_memory_in_use(void);
#define TLS_MEMORY_TOO_LATE                                                                        \
	"OpenSSL had begun before its memory was settled: each TLS connection takes more of the "  \
	"processor"

/* --- what we bring ---------------------------------------------------------------------------- */

/* Counted; equal options share one, also with the last few that nobody holds any more. */
struct tls_context;

struct tls_options {
	const char *ca_file;              /* PEM; NULL: the system's authorities */
	const char *cert_file, *key_file; /* PEM; our own certificate, or NULL */
	const char *minimum;              /* "1.0" to "1.3"; NULL: what the system allows */
	const char *alpn;                 /* protocols, the best first ("h2,http/1.1"), or NULL */
};

/* Reads the files: the error says which is wrong. Returns owned. */
struct tls_context *tls_context_new(const struct tls_options *o, struct error *err) must_check;
struct tls_context *tls_context_ref(struct tls_context *c);
void tls_context_unref(struct tls_context *c); /* NULL is fine */

enum tls_file { TLS_FILE_CA, TLS_FILE_CERT, TLS_FILE_KEY };
/* Whether a certificate of ours and its key (NULL: in the same file) can be read and belong together;
 * the error says what is wrong with *ret_which of them. Thread: any. */
bool tls_pair_good(const char *cert_file, const char *key_file, enum tls_file *ret_which,
	struct error *err) must_check;

/* --- what the server showed ------------------------------------------------------------------- */

struct tls_facts {
	bool shown; /* a certificate came */
	/* Unix time. Of the server's own; the earliest of the chain it was verified by, or of what
	 * came when it could not be. */
	int64_t leaf_expiry_s, chain_expiry_s;
	size_t chain_n;                 /* certificates that came */
	char version[16];               /* "TLSv1.3" */
	char cipher[64];                /* "TLS_AES_256_GCM_SHA384" */
	char fingerprint[65];           /* SHA-256 of the certificate, lower-case hex */
	char issuer[256], subject[256]; /* RFC 2253 */
	char **names; /* those it is for, DNS and addresses; owned by the session */
	size_t names_n;
	char alpn[16]; /* what was agreed, "" */
	/* NONE, or why it cannot be trusted: TLS_EXPIRED, TLS_NAME, TLS_AUTHORITY, TLS */
	enum fault fault;
	char detail[200];
};

/* --- one connection --------------------------------------------------------------------------- */

struct tls_session;

enum tls_step {
	TLS_OK,
	TLS_WANTS_READ, /* again when the descriptor is readable */
	TLS_WANTS_WRITE,
	TLS_ENDED,  /* the peer closed */
	TLS_FAILED, /* tls_trouble() says why; when that is "", errno does */
};

/* Borrows fd, which is not blocking. `name` (a host name or an address) is told to the server
 * unless it is an address, and must be one of the certificate's. Returns owned. */
struct tls_session *tls_session_new(struct tls_context *c, int fd, const char *name);
void tls_session_free(struct tls_session *s); /* says nothing to the peer; NULL is fine */
enum tls_step tls_handshake(struct tls_session *s);
/* *ret_n is set with TLS_OK only. */
enum tls_step tls_read(struct tls_session *s, void *p, size_t n, size_t *ret_n);
enum tls_step tls_write(struct tls_session *s, const void *p, size_t n, size_t *ret_n);
/* What was shown, also after a handshake that failed later on. Borrowed from the session. */
const struct tls_facts *tls_session_facts(const struct tls_session *s);
const char *tls_trouble(const struct tls_session *s); /* for people; "" */
/* The server asked for a certificate of ours; by TLS 1.3 it refuses it only after the handshake. */
bool tls_was_asked(const struct tls_session *s);
/* Tells the peer that we are done. */
void tls_goodbye(struct tls_session *s);

#endif
