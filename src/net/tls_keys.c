/*
 * tls_keys.c - one pair of keys a handshake.
 *
 * With its first words a client of TLS 1.3 shows the public key of a pair it made. A server that
 * only speaks TLS 1.2 has no use for it, and OpenSSL throws it away and makes another: 40 us, a
 * fifteenth of all a handshake costs. So the pair is kept until then and taken. It has been seen by
 * this server alone, is used once as before, and no other handshake gets it.
 */

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>

#include "net/tls_inside.h"

#define FUNCTIONS_MAX 64

static OSSL_DISPATCH ours[FUNCTIONS_MAX];
static OSSL_FUNC_keymgmt_gen_init_fn *begin_pair;
static OSSL_FUNC_keymgmt_gen_fn *make_pair;
static OSSL_FUNC_keymgmt_dup_fn *copy_pair;
static OSSL_FUNC_keymgmt_free_fn *free_pair;
static _Thread_local struct tls_session *shaking;
static _Thread_local bool whole; /* what is being made, and not just a place for a server's key */

static void *on_begin(void *provider, int selection, const OSSL_PARAM *params)
{
	whole = (selection & OSSL_KEYMGMT_SELECT_KEYPAIR) == OSSL_KEYMGMT_SELECT_KEYPAIR;
	return begin_pair(provider, selection, params);
}

static void *on_make(void *arg, OSSL_CALLBACK *progress, void *progress_arg)
{
	const bool keeps = shaking && whole;
	void *pair = keeps ? shaking->pair : NULL;

	if (pair) {
		shaking->pair = NULL;
		return pair;
	}
	pair = make_pair(arg, progress, progress_arg);
	if (pair && keeps)
		shaking->pair = copy_pair(pair, OSSL_KEYMGMT_SELECT_ALL);
	return pair;
}

const OSSL_DISPATCH *tls_keys_kept(const OSSL_DISPATCH *plain)
{
	size_t n = 0;

	for (const OSSL_DISPATCH *f = plain; f->function_id; f++, n++) {
		if (n + 1 >= FUNCTIONS_MAX)
			return plain;
		ours[n] = *f;
		if (f->function_id == OSSL_FUNC_KEYMGMT_GEN_INIT) {
			begin_pair = OSSL_FUNC_keymgmt_gen_init(f);
			ours[n].function = (void (*)(void))on_begin;
		} else if (f->function_id == OSSL_FUNC_KEYMGMT_GEN) {
			make_pair = OSSL_FUNC_keymgmt_gen(f);
			ours[n].function = (void (*)(void))on_make;
		} else if (f->function_id == OSSL_FUNC_KEYMGMT_DUP) {
			copy_pair = OSSL_FUNC_keymgmt_dup(f);
		} else if (f->function_id == OSSL_FUNC_KEYMGMT_FREE) {
			free_pair = OSSL_FUNC_keymgmt_free(f);
		}
	}
	return begin_pair && make_pair && copy_pair && free_pair ? ours : plain;
}

void tls_keys_begin(struct tls_session *s)
{
	shaking = s;
}

void tls_keys_end(void)
{
	shaking = NULL;
}

void tls_keys_forget(struct tls_session *s)
{
	if (s->pair)
		free_pair(s->pair);
	s->pair = NULL;
}
