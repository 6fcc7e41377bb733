/*
 * tls_context.c - what many connections share: authorities, our certificate, what is allowed. One
 * is a megabyte and 20 ms with the system's authorities, and ten thousand probes mostly want the
 * same. The last few that nobody holds are kept: an import reads and drops probe after probe.
 */

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/map.h"
#include "net/tls_inside.h"

#define IDLE_MAX 4 /* what one file of probes may ask for by turns */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct map contexts;                /* by key, those nobody holds too */
static struct tls_context *idle[IDLE_MAX]; /* nobody holds; the longest first, then NULL */

/* --- the key -----------------------------------------------------------------------------------
 */

static void add_text(struct buf *b, const char *text)
{
	buf_printf(b, "%zu:%s,", text ? strlen(text) : 0, text ? text : "-");
}

/* With its state: a file that was replaced makes another context. */
static void add_file(struct buf *b, const char *path)
{
	struct stat st = {0};

	add_text(b, path);
	if (path && stat(path, &st) == 0)
		buf_printf(b, "%ju %ju %jd.%09ld %jd,", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino,
			(intmax_t)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, (intmax_t)st.st_size);
}

static char *key_of(const struct tls_options *o)
{
	struct buf b = BUF(BUF_LINE);

	add_file(&b, o->ca_file);
	add_file(&b, o->cert_file);
	add_file(&b, o->key_file);
	add_text(&b, o->minimum);
	add_text(&b, o->alpn);
	return buf_take(&b);
}

/* --- making one --------------------------------------------------------------------------------
 */

static bool set_minimum(SSL_CTX *ctx, const char *minimum, struct error *err)
{
	static const struct {
		const char *name;
		int version;
	} known[] = {{"1.0", TLS1_VERSION}, {"1.1", TLS1_1_VERSION}, {"1.2", TLS1_2_VERSION},
		{"1.3", TLS1_3_VERSION}};

	for (size_t i = 0; minimum && i < array_len(known); i++) {
		if (strcmp(minimum, known[i].name) != 0)
			continue;
		SSL_CTX_set_min_proto_version(ctx, known[i].version);
		/* Nothing signs TLS 1.0 and 1.1 strongly enough for the usual level. */
		if (i < 2)
			SSL_CTX_set_cipher_list(ctx, "DEFAULT:@SECLEVEL=0");
		return true;
	}
	if (minimum)
		error_set(err, ERROR_INPUT, "\"%.20s\" is no version of TLS: 1.0, 1.1, 1.2 or 1.3",
			minimum);
	return !minimum;
}

static void set_alpn(SSL_CTX *ctx, const char *alpn)
{
	struct buf wire = BUF(255);
	struct slice rest = slice_of(alpn), one;

	while (alpn && slice_next(&rest, ',', &one)) {
		buf_add_char(&wire, (char)one.n);
		buf_add_slice(&wire, one);
	}
	assert(!wire.over);
	if (wire.n)
		SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)wire.p, (unsigned)wire.n);
	buf_fini(&wire);
}

static bool set_files(SSL_CTX *ctx, const struct tls_options *o, struct error *err)
{
	enum tls_file which;

	if (o->ca_file && !tls_files_trust(ctx, o->ca_file, err))
		return false;
	if (!o->ca_file)
		SSL_CTX_set_default_verify_paths(ctx);
	return !o->cert_file || tls_files_bring(ctx, o->cert_file, o->key_file, &which, err);
}

static int on_asked(SSL *ssl, void *arg)
{
	struct tls_session *s = SSL_get_app_data(ssl);

	s->asked = true;
	return 1; /* with what the context has, which may be nothing */
}

static SSL_CTX *make(const struct tls_options *o, struct error *err)
{
	/* Keys of ours are read from files of any form, which is more than tls_library() can. */
	OSSL_LIB_CTX *library = o->cert_file ? NULL : tls_library();
	SSL_CTX *ctx = SSL_CTX_new_ex(library, NULL, TLS_client_method());

	if (!ctx)
		mem_panic("OpenSSL cannot start");
	/* How a peer ends is told by the protocol above, which knows whether all has come. */
	SSL_CTX_set_options(ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
	/* Each connection is a fresh one. */
	SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
				      SSL_MODE_RELEASE_BUFFERS);
	/* What came is taken in one read, and not the head of each record by itself. */
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_cert_cb(ctx, on_asked, NULL);
	set_alpn(ctx, o->alpn);
	if (set_minimum(ctx, o->minimum, err) && set_files(ctx, o, err))
		return ctx;
	SSL_CTX_free(ctx);
	return NULL;
}

/* --- life --------------------------------------------------------------------------------------
 */

/* Not idle any more. */
static void wake(const struct tls_context *c)
{
	size_t n = 0;

	for (size_t i = 0; i < IDLE_MAX; i++)
		if (idle[i] && idle[i] != c)
			idle[n++] = idle[i];
	while (n < IDLE_MAX)
		idle[n++] = NULL;
}

/* Nobody holds it. Returns the one that has to go, if any. */
static struct tls_context *rest(struct tls_context *c)
{
	struct tls_context *out = c->secret ? c : idle[IDLE_MAX - 1] ? idle[0] : NULL;
	size_t n = 0;

	if (out) {
		map_remove(&contexts, out->key);
		wake(out);
	}
	if (c->secret)
		return c;
	while (idle[n]) /* there is a place: if there was none, the longest went */
		n++;
	idle[n] = c;
	return out;
}

struct tls_context *tls_context_new(const struct tls_options *o, struct error *err)
{
	char *key = key_of(o);

	pthread_mutex_lock(&lock);
	struct tls_context *c = map_get(&contexts, key);
	SSL_CTX *ctx = c ? NULL : make(o, err);
	if (ctx) {
		c = mem_new(struct tls_context);
		*c = (struct tls_context){.ctx = ctx, .key = key, .secret = o->cert_file};
		map_put(&contexts, key, c);
		key = NULL;
	}
	if (c && c->refs++ == 0)
		wake(c);
	pthread_mutex_unlock(&lock);
	free(key);
	return c;
}

struct tls_context *tls_context_ref(struct tls_context *c)
{
	pthread_mutex_lock(&lock);
	c->refs++;
	pthread_mutex_unlock(&lock);
	return c;
}

void tls_context_unref(struct tls_context *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&lock);
	struct tls_context *out = --c->refs == 0 ? rest(c) : NULL;
	pthread_mutex_unlock(&lock);
	if (!out)
		return;
	SSL_CTX_free(out->ctx);
	free(out->key);
	free(out);
}
