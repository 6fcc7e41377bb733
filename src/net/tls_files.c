/*
 * tls_files.c - authorities, our certificate and its key, from files that may be anything.
 *
 * Nothing here waits: a pipe is no file, and who has an encrypted key is told so where OpenSSL would
 * ask the terminal.
 */

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <string.h>
#include <sys/stat.h>

#include "net/tls_inside.h"

#define FILE_MAX (8 << 20)

static const struct {
	const char *what, *wanted;
} files[] = {
	[TLS_FILE_CA] = {"the file of authorities",
		"certificates in PEM are expected there; without a file those of the system count"},
	[TLS_FILE_CERT] = {"the certificate",
		"ours is expected there in PEM, before those that lead to its authority"},
	[TLS_FILE_KEY] = {"the key",
		"that of our certificate is expected there in PEM; one in a file of its own has "
		"to be named"},
};

static void fail(struct error *err, enum tls_file which, const char *path, const char *why)
{
	error_set(err, ERROR_CONFIG, "%s %.300s: %s; %s", files[which].what, path, why,
		files[which].wanted);
	ERR_clear_error();
}

static bool is_file(const char *path, enum tls_file which, struct error *err)
{
	struct stat st;
	const char *why = NULL;

	if (stat(path, &st) != 0)
		why = strerror(errno);
	else if (!S_ISREG(st.st_mode))
		why = "it is no file";
	else if (st.st_size > FILE_MAX)
		why = "it is larger than 8 MiB";
	if (why)
		fail(err, which, path, why);
	return !why;
}

/* Of the first error, which the others followed from. */
static const char *why_not(enum tls_file which)
{
	const unsigned long e = ERR_peek_error();
	const char *text = ERR_SYSTEM_ERROR(e) ? NULL : ERR_reason_error_string(e);

	if (ERR_SYSTEM_ERROR(e))
		return strerror(ERR_GET_REASON(e));
	if ((ERR_GET_LIB(e) == ERR_LIB_PEM && ERR_GET_REASON(e) == PEM_R_NO_START_LINE) ||
		(ERR_GET_LIB(e) == ERR_LIB_X509 &&
			ERR_GET_REASON(e) == X509_R_NO_CERTIFICATE_OR_CRL_FOUND) ||
		ERR_GET_LIB(e) == ERR_LIB_OSSL_DECODER)
		return which == TLS_FILE_KEY ? "there is no key in PEM in it"
					     : "there is no certificate in PEM in it";
	return text ? text : "it cannot be used";
}

bool tls_files_trust(SSL_CTX *ctx, const char *path, struct error *err)
{
	ERR_clear_error();
	if (!is_file(path, TLS_FILE_CA, err))
		return false;
	if (SSL_CTX_load_verify_file(ctx, path) == 1)
		return true;
	fail(err, TLS_FILE_CA, path, why_not(TLS_FILE_CA));
	return false;
}

/* --- ours --------------------------------------------------------------------------------------
 */

/* Nobody is there to say it. */
static int on_passphrase(char *text, int size, int writing, void *arg)
{
	if (arg)
		*(bool *)arg = true;
	return -1;
}

static bool is_other_key(void)
{
	const unsigned long e = ERR_peek_last_error();

	return ERR_GET_LIB(e) == ERR_LIB_X509 &&
	       (ERR_GET_REASON(e) == X509_R_KEY_VALUES_MISMATCH ||
		       ERR_GET_REASON(e) == X509_R_KEY_TYPE_MISMATCH);
}

static bool take_key(SSL_CTX *ctx, const char *cert, const char *key, struct error *err)
{
	bool locked = false;
	char *why = NULL;

	if (!is_file(key, TLS_FILE_KEY, err))
		return false;
	SSL_CTX_set_default_passwd_cb(ctx, on_passphrase);
	SSL_CTX_set_default_passwd_cb_userdata(ctx, &locked);
	const bool taken = SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) == 1;
	SSL_CTX_set_default_passwd_cb_userdata(ctx, NULL);
	if (taken && SSL_CTX_check_private_key(ctx) == 1)
		return true;
	if (locked)
		why = mem_printf(
			"it is encrypted, and nobody is there to say its passphrase "
			"(openssl pkey -in FILE -out OTHER writes it without)");
	else if (taken || is_other_key()) /* one of another kind is taken beside the certificate */
		why = mem_printf("it is not the key of the certificate %.300s", cert);
	fail(err, TLS_FILE_KEY, key, why ? why : why_not(TLS_FILE_KEY));
	free(why);
	return false;
}

bool tls_files_bring(SSL_CTX *ctx, const char *cert, const char *key, enum tls_file *ret_which,
	struct error *err)
{
	*ret_which = TLS_FILE_CERT;
	ERR_clear_error();
	if (!is_file(cert, TLS_FILE_CERT, err))
		return false;
	if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1) {
		fail(err, TLS_FILE_CERT, cert, why_not(TLS_FILE_CERT));
		return false;
	}
	*ret_which = TLS_FILE_KEY;
	return take_key(ctx, cert, key ? key : cert, err);
}

bool tls_pair_good(
	const char *cert_file, const char *key_file, enum tls_file *ret_which, struct error *err)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (!ctx)
		mem_panic("OpenSSL cannot start");
	const bool good = tls_files_bring(ctx, cert_file, key_file, ret_which, err);
	SSL_CTX_free(ctx);
	return good;
}
