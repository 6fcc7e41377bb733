/*
 * digest.c - see digest.h.
 */

#include "base/digest.h"

#include <sodium.h>
#include <string.h>

#include "base/mem.h"

/* SHA-256 from another beginning, cut off (FIPS 180-4 5.3.2 and 6.3); libsodium has no name for it.
 */
void digest_sha224(const void *p, size_t n, uint8_t *ret_28)
{
	static const uint32_t beginning[] = {0xc1059ed8, 0x367cd507, 0x3070dd17, 0xf70e5939,
		0xffc00b31, 0x68581511, 0x64f98fa7, 0xbefa4fa4};
	crypto_hash_sha256_state st;
	uint8_t whole[SHA256_BYTES];
	crypto_hash_sha256_init(&st);
	_Static_assert(sizeof(st.state) == sizeof(beginning), "eight words");
	memcpy(st.state, beginning, sizeof(beginning));
	crypto_hash_sha256_update(&st, p, n);
	crypto_hash_sha256_final(&st, whole);
	memcpy(ret_28, whole, SHA224_BYTES);
}

void digest_sha256(const void *p, size_t n, uint8_t *ret_32)
{
	crypto_hash_sha256(ret_32, p, n);
}

void digest_hmac_sha256(struct slice key, struct slice text, uint8_t *ret_32)
{
	crypto_auth_hmacsha256_state st;
	crypto_auth_hmacsha256_init(&st, (const unsigned char *)key.p, key.n);
	crypto_auth_hmacsha256_update(&st, (const unsigned char *)text.p, text.n);
	crypto_auth_hmacsha256_final(&st, ret_32);
}

_Static_assert(sizeof(struct digest_sha512) >= sizeof(crypto_hash_sha512_state), "room for sha512");

static crypto_hash_sha512_state *state_of(struct digest_sha512 *d)
{
	return (crypto_hash_sha512_state *)d->opaque;
}

void digest_sha512_init(struct digest_sha512 *d)
{
	crypto_hash_sha512_init(state_of(d));
}

void digest_sha512_add(struct digest_sha512 *d, const void *p, size_t n)
{
	crypto_hash_sha512_update(state_of(d), p, n);
}

void digest_sha512_hex(struct digest_sha512 *d, char *ret_129)
{
	unsigned char h[SHA512_BYTES];
	crypto_hash_sha512_final(state_of(d), h);
	sodium_bin2hex(ret_129, 2 * SHA512_BYTES + 1, h, sizeof(h));
}

void hex_write(const void *p, size_t n, char *ret_text)
{
	sodium_bin2hex(ret_text, 2 * n + 1, p, n);
}

char *hex_encode(const void *p, size_t n)
{
	char *text = mem_alloc(2 * n + 1);
	hex_write(p, n, text);
	return text;
}

char *base32_encode(const void *p, size_t n)
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
	const unsigned char *in = p;
	char *text = mem_alloc(n * 8 / 5 + 2), *out = text;
	unsigned bits = 0, have = 0;
	for (size_t i = 0; i < n; i++) {
		bits = (bits << 8) | in[i];
		for (have += 8; have >= 5; have -= 5)
			*out++ = alphabet[(bits >> (have - 5)) & 31];
		bits &= 0xff;
	}
	if (have)
		*out++ = alphabet[(bits << (5 - have)) & 31];
	*out = 0;
	return text;
}

char *base64_encode(const void *p, size_t n)
{
	const size_t size = sodium_base64_encoded_len(n, sodium_base64_VARIANT_ORIGINAL);
	return sodium_bin2base64(mem_alloc(size), size, p, n, sodium_base64_VARIANT_ORIGINAL);
}

bool base64_decode(struct slice s, void **ret_p, size_t *ret_n)
{
	unsigned char *out = mem_alloc(s.n / 4 * 3 + 4);
	if (sodium_base642bin(out, s.n / 4 * 3 + 4, s.p, s.n, "\r\n", ret_n, NULL,
		    sodium_base64_VARIANT_ORIGINAL) != 0) {
		free(out);
		return false;
	}
	*ret_p = out;
	return true;
}
