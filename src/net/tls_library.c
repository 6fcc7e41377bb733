/*
 * tls_library.c - the part of OpenSSL that connections need in which we only look at a server.
 *
 * For each certificate that comes, OpenSSL 3.0 and 3.1 walk all that their provider has (115
 * decoders, 124 ciphers, 22 kinds of keys, of each its names) to find who reads its public key: a
 * fifth of what a handshake costs. So these connections have a library context of their own, whose
 * provider is the default one behind a filter: what neither TLS nor a certificate can ask for is not
 * shown. What a server sees is the same. OpenSSL 3.2 remembers what it found and needs none of this.
 */

#include <openssl/core_dispatch.h>
#include <openssl/crypto.h>
#include <openssl/provider.h>
#include <pthread.h>
#include <string.h>

#include "base/slice.h"
#include "net/tls_inside.h"

#define SHOWN_MAX 100

struct shown {
	OSSL_ALGORITHM algorithms[SHOWN_MAX + 1]; /* the last one is empty */
	size_t n;
};

static OSSL_LIB_CTX *library;
static OSSL_PROVIDER *whole; /* the default one, in a context of its own */
static struct shown decoders, keys, ciphers;

/* --- what is shown -----------------------------------------------------------------------------
 */

/* Their other names stand behind the first one: "AES-256-GCM:id-aes256-GCM:2.16.840…" */
static bool has_name_of(const OSSL_ALGORITHM *a, const char *const *names)
{
	struct slice all = slice_of(a->algorithm_names), first;

	slice_next(&all, ':', &first);
	while (*names && !slice_is(first, *names))
		names++;
	return *names;
}

/* Public keys of certificates; nobody signs with those of the list. */
static bool shows_decoder(const OSSL_ALGORITHM *a)
{
	static const char *const not [] = {"DER", "DH", "DHX", "SM2", "X25519", "X448", NULL};

	return strstr(a->property_definition, "structure=SubjectPublicKeyInfo") &&
	       !has_name_of(a, not );
}

static bool shows_key(const OSSL_ALGORITHM *a)
{
	static const char *const not [] = {
		"CMAC", "DHX", "HKDF", "POLY1305", "SCRYPT", "SIPHASH", "SM2", "TLS1-PRF", NULL};

	return !has_name_of(a, not );
}

static bool shows_cipher(const OSSL_ALGORITHM *a)
{
	static const char *const modes[] = {"CBC", "CCM", "GCM", "Poly1305", NULL};
	const char *const *m = modes;

	while (*m && !strstr(a->algorithm_names, *m))
		m++;
	return *m;
}

static void choose(struct shown *s, int operation, bool (*shows)(const OSSL_ALGORITHM *a))
{
	int no_store = 0;
	const OSSL_ALGORITHM *a = OSSL_PROVIDER_query_operation(whole, operation, &no_store);

	for (; a && a->algorithm_names && s->n < SHOWN_MAX; a++)
		if (shows(a))
			s->algorithms[s->n++] = *a;
}

/* What OpenSSL's clients offer first. */
static void keep_pairs_of_x25519(void)
{
	static const char *const kept[] = {"X25519", NULL};

	for (size_t i = 0; i < keys.n; i++)
		if (has_name_of(&keys.algorithms[i], kept))
			keys.algorithms[i].implementation =
				tls_keys_kept(keys.algorithms[i].implementation);
}

/* --- the filter, see provider(7) ---------------------------------------------------------------
 */

static const OSSL_ALGORITHM *on_query(void *arg, int operation, int *no_store)
{
	if (operation == OSSL_OP_DECODER)
		return decoders.algorithms;
	if (operation == OSSL_OP_KEYMGMT)
		return keys.algorithms;
	if (operation == OSSL_OP_CIPHER)
		return ciphers.algorithms;
	return OSSL_PROVIDER_query_operation(whole, operation, no_store);
}

static int on_capabilities(void *arg, const char *which, OSSL_CALLBACK *tell, void *tell_arg)
{
	return OSSL_PROVIDER_get_capabilities(whole, which, tell, tell_arg);
}

static int on_load(const OSSL_CORE_HANDLE *core, const OSSL_DISPATCH *offered,
	const OSSL_DISPATCH **ret_ours, void **ret_arg)
{
	static const OSSL_DISPATCH ours[] = {
		{OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))on_query},
		{OSSL_FUNC_PROVIDER_GET_CAPABILITIES, (void (*)(void))on_capabilities}, {0, NULL}};

	*ret_ours = ours;
	*ret_arg = OSSL_PROVIDER_get0_provider_ctx(whole); /* what is shown is given it */
	return 1;
}

/* --- life --------------------------------------------------------------------------------------
 */

static int on_provider(OSSL_PROVIDER *p, void *arg)
{
	bool *only_default = arg;

	*only_default = *only_default && strcmp(OSSL_PROVIDER_get0_name(p), "default") == 0;
	return 1;
}

/* Where openssl.cnf names others (FIPS), they are what is wanted. */
static bool is_plain_and_slow(void)
{
	bool only_default = true;

	OSSL_PROVIDER_do_all(NULL, on_provider, &only_default);
	return only_default && OPENSSL_version_major() == 3 && OPENSSL_version_minor() < 2;
}

static void make(void)
{
	OSSL_LIB_CTX *inner, *outer;

	if (!is_plain_and_slow())
		return;
	inner = OSSL_LIB_CTX_new();
	outer = OSSL_LIB_CTX_new();
	whole = inner ? OSSL_PROVIDER_load(inner, "default") : NULL;
	if (whole) {
		choose(&decoders, OSSL_OP_DECODER, shows_decoder);
		choose(&keys, OSSL_OP_KEYMGMT, shows_key);
		choose(&ciphers, OSSL_OP_CIPHER, shows_cipher);
		keep_pairs_of_x25519();
	}
	if (whole && outer && OSSL_PROVIDER_add_builtin(outer, "looking", on_load) &&
		OSSL_PROVIDER_load(outer, "looking")) {
		library = outer;
		return;
	}
	OSSL_LIB_CTX_free(outer);
	OSSL_LIB_CTX_free(inner);
}

OSSL_LIB_CTX *tls_library(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, make);
	return library;
}
