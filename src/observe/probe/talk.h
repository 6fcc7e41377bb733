/*
 * talk.h - what the kinds share that speak over one TCP connection: where to, in which TLS, and how
 * an attempt over a stream begins, ends and is measured.
 *
 * The structure of such a kind begins with struct talk_spec, what its attempt keeps with struct
 * talk. Thread: the loop's.
 */
#ifndef OBSERVE_PROBE_TALK_H
#define OBSERVE_PROBE_TALK_H

#include "net/stream.h"
#include "observe/probe/kind.h"

#define TALK_PATH_MAX 2048

struct talk_spec {
	/* keys */
	char *to, *name, *ca, *cert, *key, *minimum;
	bool verify; /* true by default */
	/* made of them */
	char *host;
	unsigned port;
	const char *alpn; /* borrowed */
	/* Made anew when its files have changed: certificates are renewed while we run. In a cell
	 * of its own, since an attempt has the specification as a constant. */
	struct tls_context **tls;
};

/* Rows of a table of keys; `structure` is the kind's. */
#define TALK_AT(structure, field) offsetof(structure, talk) + offsetof(struct talk_spec, field)
#define TALK_TO(structure)                                                                         \
	{                                                                                          \
		"to", KEY_TEXT, TALK_AT(structure, to), .required = true, .max = 300               \
	}
#define TALK_TLS(structure)                                                                        \
	{"name", KEY_TEXT, TALK_AT(structure, name), .max = 255},                                  \
		{"ca", KEY_TEXT, TALK_AT(structure, ca), .max = TALK_PATH_MAX},                    \
	{                                                                                          \
		"verify", KEY_BOOL, TALK_AT(structure, verify)                                     \
	}

/* Reads `to`; `port` is that of the protocol, 0: it must be written. The target for people is
 * appended to out. Says what is wrong. */
bool talk_read_target(struct talk_spec *s, const struct yaml *at, struct probe_reader *r,
	unsigned port, struct buf *out);
/* Takes the files in. `alpn` (a literal) may be NULL. Says what is wrong. */
bool talk_read_tls(
	struct talk_spec *s, const struct yaml *at, struct probe_reader *r, const char *alpn);
void talk_fini(struct talk_spec *s);
/* What stands at a key of the kind's map, or the item itself: where messages point. */
const struct yaml *talk_at(const struct yaml *at, const char *key);

struct talk {
	struct attempt *attempt;
	struct stream *stream; /* NULL: it was stopped */
};

/* Ends the attempt itself, on the next turn, when a file of its TLS has become unreadable. */
void talk_open(struct talk *t, struct attempt *a, const struct talk_spec *s, bool tls_at_once,
	stream_done *done, void *arg);
/* Ends the attempt; phases, address and whether it was connected are the stream's. `fmt` NULL: no
 * detail. The attempt is gone when it returns. */
void talk_end(struct talk *t, enum fault fault, const char *fmt, ...) like_printf(3, 4);
/* With the stream's own detail behind "what: ". */
void talk_end_broken(struct talk *t, enum fault fault, const char *what);
void talk_stop(struct talk *t);
void talk_cancel(struct attempt *a); /* of a kind that has nothing else to stop */
/* CERTIFICATE_EXPIRATION and, for tls and http, the rest of what a certificate says. `f` NULL: it
 * is not known. */
#define TALK_TLS_MEASUREMENTS                                                                      \
	"CERTIFICATE_EXPIRATION", "CHAIN_EXPIRATION", "TLS_VERSION", "CIPHER", "ISSUER",           \
		"SUBJECT", "NAMES", "FINGERPRINT"
bool talk_measure_tls(
	const struct attempt *a, const struct tls_facts *f, struct slice name, struct value *ret);
bool talk_measure(const struct talk *t, struct slice name, struct value *ret);

/* What a stranger sent, as a value: UTF-8, with a replacement for each byte that is none or NUL. */
struct value talk_text(struct slice s);
/* The same for a message: printable, quoted, cut; returns `text`. */
#define TALK_QUOTED 100
const char *talk_quoted(struct slice s, char text[TALK_QUOTED]);

#endif
