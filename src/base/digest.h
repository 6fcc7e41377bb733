/*
 * digest.h - hashes and text forms of bytes (libsodium behind it). Thread: any.
 */
#ifndef BASE_DIGEST_H
#define BASE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

#define SHA224_BYTES 28
#define SHA256_BYTES 32
#define SHA512_BYTES 64

void digest_sha224(const void *p, size_t n, uint8_t *ret_28);
void digest_sha256(const void *p, size_t n, uint8_t *ret_32);
void digest_hmac_sha256(struct slice key, struct slice text, uint8_t *ret_32); /* RFC 2104 */

struct digest_sha512 { /* incremental, for downloads that are never held whole */
	uint64_t opaque[32];
};
void digest_sha512_init(struct digest_sha512 *d);
void digest_sha512_add(struct digest_sha512 *d, const void *p, size_t n);
void digest_sha512_hex(struct digest_sha512 *d, char *ret_129);

#define MD5_BYTES 16

struct digest_md5 { /* incremental; proves what arrived (ETags), nothing against an attacker */
	uint32_t state[4];
	uint64_t length;
	uint8_t block[64];
};
void digest_md5_init(struct digest_md5 *d);
void digest_md5_add(struct digest_md5 *d, const void *p, size_t n);
void digest_md5_hex(struct digest_md5 *d, char *ret_33); /* ends it */

/* Lower case; `ret_text` has room for 2 n + 1 bytes. */
void hex_write(const void *p, size_t n, char *ret_text);
char *hex_encode(const void *p, size_t n);    /* the same, returns owned */
char *base32_encode(const void *p, size_t n); /* returns owned, RFC 4648, lower case, no '=' */
char *base64_encode(const void *p, size_t n); /* returns owned, RFC 4648 with '=' */
bool base64_decode(struct slice s, void **ret_p, size_t *ret_n); /* returns owned */

#endif
