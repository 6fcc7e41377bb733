/* test_tls.c - that what we leave out of OpenSSL is missed by no server: the first words of ours are
 * those of OpenSSL as it is, and certificates of all kinds are verified.
 */
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../check.h"
#include "base/mem.h"
#include "net/tls_inside.h"
#include "peer.h"

static struct tls_context *context(struct tls_options o)
{
	struct error err = {0};
	struct tls_context *c = tls_context_new(&o, &err);

	if (!c)
		fail_msg("%s", err.msg);
	return c;
}

static void connect_pair(int *fds)
{
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
}

/* --- the first words ---------------------------------------------------------------------------
 */

struct hello {
	unsigned char p[4096];
	size_t n;
};

static void hear(struct hello *h, int fd)
{
	const ssize_t n = read(fd, h->p, sizeof(h->p));

	assert_true(n > 100);
	h->n = (size_t)n;
}

static size_t number(const unsigned char *p)
{
	return (size_t)p[0] << 8 | p[1];
}

/* What is random in it, and so is another one each time: RFC 8446, 4.1.2 and 4.2.8. */
static void blank(struct hello *h)
{
	size_t at = 5 + 4 + 2;

	memset(h->p + at, 0, 32);
	at += 32;
	memset(h->p + at + 1, 0, h->p[at]); /* session */
	at += 1 + h->p[at];
	at += 2 + number(h->p + at); /* ciphers */
	at += 1 + h->p[at];
	for (at += 2; at + 4 <= h->n; at += 4 + number(h->p + at + 2))
		if (number(h->p + at) == TLSEXT_TYPE_key_share)
			memset(h->p + at + 10, 0, number(h->p + at + 8));
	assert_int_equal(at, h->n);
}

static void test_hello(void **state)
{
	struct tls_context *c = context((struct tls_options){0});
	SSL_CTX *plain = SSL_CTX_new(TLS_client_method());
	SSL *ssl = NULL;
	struct hello ours, theirs;
	int fds[2];

	connect_pair(fds);
	struct tls_session *s = tls_session_new(c, fds[0], "server.example");
	assert_int_equal(tls_handshake(s), TLS_WANTS_READ);
	hear(&ours, fds[1]);
	SSL_CTX_set_options(plain, SSL_CTX_get_options(c->ctx));
	ssl = SSL_new(plain);
	SSL_set_fd(ssl, fds[0]);
	SSL_set_tlsext_host_name(ssl, "server.example");
	assert_int_equal(SSL_get_error(ssl, SSL_connect(ssl)), SSL_ERROR_WANT_READ);
	hear(&theirs, fds[1]);
	blank(&ours);
	blank(&theirs);
	assert_int_equal(ours.n, theirs.n);
	assert_memory_equal(ours.p, theirs.p, ours.n);
	SSL_free(ssl);
	SSL_CTX_free(plain);
	tls_session_free(s);
	tls_context_unref(c);
	close(fds[0]);
	close(fds[1]);
}

/* --- certificates ------------------------------------------------------------------------------
 */

struct pair {
	struct tls_session *ours;
	SSL *theirs;
	int fds[2];
	unsigned char shown[32], used[32]; /* public keys of ours: first words, key exchange */
};

/* A turn of each side until ours has ended. */
static enum tls_step shake(struct pair *p)
{
	enum tls_step step;

	do {
		step = tls_handshake(p->ours);
		SSL_do_handshake(p->theirs);
	} while (step == TLS_WANTS_READ || step == TLS_WANTS_WRITE);
	return step;
}

static void open_pair(struct pair *p, struct tls_context *c, SSL_CTX *server)
{
	connect_pair(p->fds);
	p->theirs = SSL_new(server);
	SSL_set_fd(p->theirs, p->fds[1]);
	SSL_set_accept_state(p->theirs);
	p->ours = tls_session_new(c, p->fds[0], "localhost");
}

static void close_pair(struct pair *p)
{
	tls_session_free(p->ours);
	SSL_free(p->theirs);
	close(p->fds[0]);
	close(p->fds[1]);
}

static void assert_verified(struct tls_context *c, SSL_CTX *server, int version, const char *says)
{
	struct pair p;

	SSL_CTX_set_min_proto_version(server, version);
	SSL_CTX_set_max_proto_version(server, version);
	open_pair(&p, c, server);
	if (shake(&p) != TLS_OK)
		fail_msg("%s: %s", says, tls_trouble(p.ours));
	if (tls_session_facts(p.ours)->fault != FAULT_NONE)
		fail_msg("%s: %s", says, tls_session_facts(p.ours)->detail);
	close_pair(&p);
}

static EVP_PKEY *key_of(const char *kind, const char *curve)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, kind, NULL);
	EVP_PKEY *key = NULL;

	assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
	if (curve)
		assert_int_equal(EVP_PKEY_CTX_set_group_name(ctx, curve), 1);
	assert_int_equal(EVP_PKEY_generate(ctx, &key), 1);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

static void test_kinds_of_keys(void **state)
{
	static const struct {
		const char *kind, *curve;
		bool only_authority; /* no client asks servers for these curves */
	} t[] = {
		{"RSA", NULL, false},
		{"RSA-PSS", NULL, false},
		{"EC", "P-256", false},
		{"EC", "P-384", false},
		{"EC", "P-521", false},
		{"EC", "brainpoolP256r1", true},
		{"EC", "secp256k1", true},
		{"ED25519", NULL, false},
		{"ED448", NULL, false},
	};
	char ca[64];

	snprintf(ca, sizeof(ca), "/tmp/test_tls.%d.pem", (int)getpid());
	for (size_t i = 0; i < 2 * array_len(t); i++) {
		const size_t k = i / 2;
		EVP_PKEY *key = key_of(t[k].kind, t[k].only_authority ? "P-256" : t[k].curve);
		struct peer_certificate authority = peer_certify_key(
			NULL, key_of(t[k].kind, t[k].curve), "DNS:authority.example", -10, 1000);
		struct peer_certificate server =
			peer_certify_key(&authority, key, "DNS:localhost", -1, 30);
		SSL_CTX *tls = peer_tls(&server);
		peer_save_certificate(&authority, ca);
		struct tls_context *c = context((struct tls_options){.ca_file = ca});
		assert_verified(c, tls, i % 2 ? TLS1_3_VERSION : TLS1_2_VERSION,
			t[k].curve ? t[k].curve : t[k].kind);
		tls_context_unref(c);
		SSL_CTX_free(tls);
		peer_certificate_fini(&server);
		peer_certificate_fini(&authority);
		unlink(ca);
	}
}

/* What was left out would be missing in a cipher that a server insists on. */
static void test_ciphers(void **state)
{
	struct peer_certificate rsa =
		peer_certify_key(NULL, EVP_RSA_gen(2048), "DNS:localhost", -1, 30);
	struct peer_certificate ec = peer_certify(NULL, "DNS:localhost", -1, 30);
	char ca[64];
	SSL_CTX *plain = SSL_CTX_new(TLS_client_method());
	STACK_OF(SSL_CIPHER) *all = SSL_CTX_get_ciphers(plain);
	unsigned tried = 0;

	snprintf(ca, sizeof(ca), "/tmp/test_tls.%d.pem", (int)getpid());
	for (int i = 0; i < sk_SSL_CIPHER_num(all); i++) {
		const SSL_CIPHER *cipher = sk_SSL_CIPHER_value(all, i);
		const char *name = SSL_CIPHER_get_name(cipher);
		const int auth = SSL_CIPHER_get_auth_nid(cipher);
		const bool is_13 = auth == NID_auth_any;
		if (!is_13 && (strstr(name, "PSK") || strstr(name, "SRP"))) /* no certificate */
			continue;
		const struct peer_certificate *server = auth == NID_auth_ecdsa ? &ec : &rsa;
		SSL_CTX *tls = peer_tls(server);
		SSL_CTX_set_dh_auto(tls, 1);
		assert_int_equal(is_13 ? SSL_CTX_set_ciphersuites(tls, name)
				       : SSL_CTX_set_cipher_list(tls, name),
			1);
		peer_save_certificate(server, ca);
		struct tls_context *c = context((struct tls_options){.ca_file = ca});
		assert_verified(c, tls, is_13 ? TLS1_3_VERSION : TLS1_2_VERSION, name);
		tls_context_unref(c);
		SSL_CTX_free(tls);
		unlink(ca);
		tried++;
	}
	assert_true(tried > 10);
	SSL_CTX_free(plain);
	peer_certificate_fini(&rsa);
	peer_certificate_fini(&ec);
}

/* --- pairs of keys -----------------------------------------------------------------------------
 */

/* What the server hears, see SSL_set_msg_callback(3). */
static void on_message(
	int sent, int version, int type, const void *bytes, size_t n, SSL *ssl, void *arg)
{
	const unsigned char *p = bytes;
	struct pair *pair = arg;

	if (sent || type != SSL3_RT_HANDSHAKE)
		return;
	if (p[0] == SSL3_MT_CLIENT_KEY_EXCHANGE && n == 4 + 1 + sizeof(pair->used))
		memcpy(pair->used, p + 5, sizeof(pair->used));
	if (p[0] != SSL3_MT_CLIENT_HELLO)
		return;
	/* its key_share: 0033, lengths 0026 and 0024, X25519 001d, length 0020 */
	const unsigned char *at = memmem(p, n, "\x00\x33\x00\x26\x00\x24\x00\x1d\x00\x20", 10);
	if (at && at + 10 + sizeof(pair->shown) <= p + n)
		memcpy(pair->shown, at + 10, sizeof(pair->shown));
}

static const unsigned char none[32];

/* A server of TLS 1.2 is given the pair that was made for TLS 1.3, and nobody else is. */
static void test_pairs(void **state)
{
	struct peer_certificate server = peer_certify(NULL, "DNS:localhost", -1, 30);
	SSL_CTX *tls = peer_tls(&server);
	struct tls_context *c = context((struct tls_options){0});
	struct pair p[3];
	enum tls_step last = TLS_WANTS_READ;

	SSL_CTX_set_max_proto_version(tls, TLS1_2_VERSION);
	for (size_t i = 0; i < array_len(p); i++) {
		memset(&p[i], 0, sizeof(p[i]));
		open_pair(&p[i], c, tls);
		SSL_set_msg_callback(p[i].theirs, on_message);
		SSL_set_msg_callback_arg(p[i].theirs, &p[i]);
	}
	while (last == TLS_WANTS_READ) /* a step of each by turns */
		for (size_t i = 0; i < array_len(p); i++) {
			last = tls_handshake(p[i].ours);
			SSL_do_handshake(p[i].theirs);
		}
	assert_int_equal(last, TLS_OK);
	for (size_t i = 0; i < array_len(p); i++) {
		assert_memory_not_equal(p[i].shown, none, sizeof(none));
		assert_memory_not_equal(p[i].used, none, sizeof(none));
		assert_int_equal(
			memcmp(p[i].shown, p[i].used, sizeof(none)) == 0, tls_library() != NULL);
		assert_memory_not_equal(p[i].used, p[(i + 1) % 3].used, sizeof(none));
		assert_memory_not_equal(p[i].used, p[(i + 1) % 3].shown, sizeof(none));
		assert_null(p[i].ours->pair);
		close_pair(&p[i]);
	}
	tls_context_unref(c);
	SSL_CTX_free(tls);
	peer_certificate_fini(&server);
}

/* A server of TLS 1.3 that wants another group (RFC 8446, 4.1.4), one that says nothing more, and
 * one that asks for another handshake: the first pair is never seen again. */
static void test_pairs_are_not_used_again(void **state)
{
	struct peer_certificate server = peer_certify(NULL, "DNS:localhost", -1, 30);
	SSL_CTX *tls = peer_tls(&server);
	struct tls_context *c = context((struct tls_options){0});
	struct pair p = {0};
	unsigned char first[32];
	char byte;
	size_t n;

	assert_int_equal(SSL_CTX_set1_groups_list(tls, "P-384"), 1);
	open_pair(&p, c, tls);
	assert_int_equal(shake(&p), TLS_OK);
	close_pair(&p);
	open_pair(&p, c, tls);
	assert_int_equal(tls_handshake(p.ours), TLS_WANTS_READ);
	close_pair(&p);
	assert_int_equal(SSL_CTX_set1_groups_list(tls, "X25519"), 1);
	SSL_CTX_set_max_proto_version(tls, TLS1_2_VERSION);
	SSL_CTX_set_options(tls, SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION);
	open_pair(&p, c, tls);
	SSL_set_msg_callback(p.theirs, on_message);
	SSL_set_msg_callback_arg(p.theirs, &p);
	assert_int_equal(shake(&p), TLS_OK);
	memcpy(first, p.used, sizeof(first));
	memset(p.used, 0, sizeof(p.used));
	assert_int_equal(SSL_renegotiate(p.theirs), 1);
	assert_int_equal(SSL_do_handshake(p.theirs), 1); /* its request is out */
	for (int i = 0; i < 8; i++) {
		tls_read(p.ours, &byte, 1, &n);
		SSL_read(p.theirs, &byte, 1);
	}
	assert_memory_not_equal(p.used, none, sizeof(none));
	assert_memory_not_equal(p.used, first, sizeof(first));
	assert_null(p.ours->pair);
	close_pair(&p);
	tls_context_unref(c);
	SSL_CTX_free(tls);
	peer_certificate_fini(&server);
}

int test_tls(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hello),
		cmocka_unit_test(test_kinds_of_keys),
		cmocka_unit_test(test_ciphers),
		cmocka_unit_test(test_pairs),
		cmocka_unit_test(test_pairs_are_not_used_again),
	};

	return cmocka_run_group_tests_name("tls", tests, NULL, NULL);
}
