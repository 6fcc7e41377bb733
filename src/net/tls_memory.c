/*
 * tls_memory.c - blocks that OpenSSL gave back, kept for what it asks for next.
 *
 * A handshake asks for some nine hundred small blocks and gives them back at its end; the next one
 * wants the same. glibc keeps seven of a size, joins the others into larger ones and splits those
 * again: a tenth of what an https probe cost. So each thread keeps more of them here. They stay
 * glibc's own blocks, which whoever gets one may also free().
 */

#include <malloc.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/mem.h"
#include "net/tls_inside.h"

/* Blocks of glibc hold 24 bytes, 40, 56, ... */
#define FIRST      24u
#define STEP       16u
#define SIZES      64u    /* up to 1032 bytes */
#define KEPT_BYTES 16384u /* at most, of a size */

struct block {
	struct block *next;
};

static _Thread_local struct {
	struct block *top[SIZES];
	unsigned n[SIZES];
	bool used;
} kept;

static pthread_key_t leaving;

static size_t bytes_of(size_t size)
{
	return FIRST + size * STEP;
}

static void on_leave(void *arg)
{
	for (size_t size = 0; size < SIZES; size++) {
		while (kept.top[size]) {
			struct block *b = kept.top[size];
			kept.top[size] = b->next;
			free(b);
		}
		kept.n[size] = 0;
	}
	kept.used = false; /* what comes after us is kept again, and we are called again */
}

void *tls_memory_get(size_t n, const char *file, int line)
{
	const size_t size = n <= FIRST ? 0 : (n - FIRST + STEP - 1) / STEP;
	struct block *b = size < SIZES ? kept.top[size] : NULL;

	if (!b)
		return malloc(n);
	kept.top[size] = b->next;
	kept.n[size]--;
	return b;
}

void tls_memory_put(void *p, const char *file, int line)
{
	const size_t n = p ? malloc_usable_size(p) : 0;
	const size_t size = n < FIRST ? SIZES : (n - FIRST) / STEP;
	struct block *b = p;

	if (size >= SIZES || (kept.n[size] + 1) * bytes_of(size) > KEPT_BYTES) {
		free(p);
		return;
	}
	if (!kept.used)
		kept.used = pthread_setspecific(leaving, &kept) == 0;
	b->next = kept.top[size];
	kept.top[size] = b;
	kept.n[size]++;
}

void *tls_memory_resize(void *p, size_t n, const char *file, int line)
{
	if (p && n)
		return realloc(p, n);
	tls_memory_put(p, file, line);
	return n ? tls_memory_get(n, file, line) : NULL;
}

void tls_memory_settle(void)
{
	if (pthread_key_create(&leaving, on_leave) != 0)
		mem_panic("no key for the memory of threads");
}

/* A sanitizer sees what is wrong with a block only where it is really freed. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define PLAIN true
#else
#define PLAIN false
#endif

void tls_settle(void)
{
	if (PLAIN)
		return;
	tls_memory_settle();
	/* What it says is that of tls_memory_in_use(): here is nobody who could hear it. */
	CRYPTO_set_mem_functions(tls_memory_get, tls_memory_resize, tls_memory_put);
}

enum tls_memory tls_memory_in_use(void)
{
	CRYPTO_malloc_fn get;
	CRYPTO_realloc_fn resize;
	CRYPTO_free_fn put;

	CRYPTO_get_mem_functions(&get, &resize, &put);
	if (get == tls_memory_get && resize == tls_memory_resize && put == tls_memory_put)
		return TLS_MEMORY_KEPT;
	return PLAIN ? TLS_MEMORY_PLAIN : TLS_MEMORY_LATE;
}
