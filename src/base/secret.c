/*
 * secret.c - see secret.h. Known values stand in one list under a lock.
 */

#include "base/secret.h"

#include <pthread.h>
#include <sodium.h>
#include <string.h>
#include <strings.h>

struct secret {
	struct secret *next, *prev;
	size_t n;
	int refs;
	char *value; /* sodium_malloc, n + 1 bytes */
};

#define MASKED_FROM 6

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct secret *known;

struct secret *secret_new(struct slice value)
{
	if (sodium_init() < 0)
		mem_panic("libsodium cannot start");
	struct secret *s = mem_new(struct secret);
	s->value = sodium_malloc(value.n + 1);
	if (!s->value)
		mem_panic("out of locked memory");
	if (value.n)
		memcpy(s->value, value.p, value.n);
	s->value[value.n] = 0;
	s->n = value.n;
	s->refs = 1;
	pthread_mutex_lock(&lock);
	s->next = known;
	if (known)
		known->prev = s;
	known = s;
	pthread_mutex_unlock(&lock);
	return s;
}

struct secret *secret_ref(struct secret *s)
{
	if (s)
		__atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
	return s;
}

void secret_unref(struct secret *s)
{
	if (!s || __atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	pthread_mutex_lock(&lock);
	if (s->prev)
		s->prev->next = s->next;
	else
		known = s->next;
	if (s->next)
		s->next->prev = s->prev;
	pthread_mutex_unlock(&lock);
	sodium_free(s->value); /* wipes */
	free(s);
}

const char *secret_reveal(const struct secret *s)
{
	return s->value;
}

size_t secret_length(const struct secret *s)
{
	return s->n;
}

/* The longest known value that stands at the front of `rest`, 0 for none. */
static size_t match(struct slice rest)
{
	size_t longest = 0;
	for (const struct secret *s = known; s; s = s->next)
		if (s->n >= MASKED_FROM && s->n > longest && s->n <= rest.n &&
			s->value[0] == rest.p[0] && memcmp(s->value, rest.p, s->n) == 0)
			longest = s->n;
	return longest;
}

void secret_scrub(struct buf *out, struct slice text)
{
	size_t plain = 0;
	pthread_mutex_lock(&lock);
	for (size_t i = 0; i < text.n;) {
		const size_t n = match(slice_sub(text, i, text.n));
		if (!n) {
			i++;
			continue;
		}
		buf_add(out, text.p + plain, i - plain);
		buf_add_str(out, "***");
		i += n;
		plain = i;
	}
	pthread_mutex_unlock(&lock);
	buf_add(out, text.p + plain, text.n - plain);
}

char *secret_scrubbed(const char *text)
{
	struct buf clean = BUF(SIZE_MAX);
	if (!text)
		return NULL;
	secret_scrub(&clean, slice_of(text));
	return buf_take(&clean);
}

bool secret_name(struct slice name)
{
	static const char *const whole[] = {"authorization", "proxy-authorization", "x-auth-token",
		"x-subject-token", "x-service-token", "cookie", "set-cookie", "user_data",
		"adminpass", "token", "payload"};
	static const char *const parts[] = {"password", "passwd", "passphrase", "secret",
		"private_key", "api_key", "_token", "-token"};
	for (size_t i = 0; i < array_len(whole); i++)
		if (slice_is_nocase(name, whole[i]))
			return true;
	for (size_t i = 0; i < array_len(parts); i++) {
		const size_t n = strlen(parts[i]);
		for (size_t at = 0; at + n <= name.n; at++)
			if (!strncasecmp(name.p + at, parts[i], n))
				return true;
	}
	return false;
}
