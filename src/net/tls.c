/*
 * tls.c - see tls.h. What speaks with OpenSSL about connections; tls_facts.c reads certificates,
 * tls_context.c keeps what many connections share.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "net/tls_inside.h"

/* --- what is wrong with a certificate ----------------------------------------------------------
 */

static enum fault fault_of_verify(int code)
{
	switch (code) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID: return FAULT_TLS_EXPIRED;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH: return FAULT_TLS_NAME;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_CERT_UNTRUSTED: return FAULT_TLS_AUTHORITY;
	default: return FAULT_TLS;
	}
}

/* Of several things wrong, the one that stays wrong whatever we are configured to trust. */
static int weight(enum fault fault)
{
	return fault == FAULT_TLS_EXPIRED ? 4
	       : fault == FAULT_TLS_NAME  ? 3
	       : fault == FAULT_TLS       ? 2
					  : fault == FAULT_TLS_AUTHORITY;
}

static int on_verify(int ok, X509_STORE_CTX *x)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(x, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls_session *s = SSL_get_app_data(ssl);
	const int code = X509_STORE_CTX_get_error(x);
	X509 *which = X509_STORE_CTX_get_current_cert(x);
	const enum fault fault = fault_of_verify(code);
	char subject[120] = "";

	if (ok || weight(fault) <= weight(s->facts.fault))
		return 1; /* the handshake goes on whatever is found */
	if (which && X509_STORE_CTX_get_error_depth(x) > 0)
		tls_write_name(X509_get_subject_name(which), subject, sizeof(subject));
	s->facts.fault = fault;
	snprintf(s->facts.detail, sizeof(s->facts.detail), "%s%s%s",
		code == X509_V_ERR_CERT_NOT_YET_VALID ? "the TLS certificate is not valid yet"
		: fault == FAULT_TLS                  ? X509_verify_cert_error_string(code)
						      : fault_text(fault),
		*subject ? ": " : "", subject);
	return 1;
}

/* The names it has instead say at once what is wrong. */
static void say_names(struct tls_session *s)
{
	struct tls_facts *f = &s->facts;
	size_t n;

	if (f->fault != FAULT_TLS_NAME)
		return;
	n = (size_t)snprintf(
		f->detail, sizeof(f->detail), "the TLS certificate is not for %.80s", s->name);
	for (size_t i = 0; i < f->names_n && n < sizeof(f->detail); i++)
		n += (size_t)snprintf(f->detail + n, sizeof(f->detail) - n, "%s%s",
			i ? ", " : " but for ", f->names[i]);
}

/* --- what OpenSSL says -------------------------------------------------------------------------
 */

static void say_trouble(struct tls_session *s, unsigned long code)
{
	const int reason = ERR_GET_REASON(code);
	const char *text = ERR_reason_error_string(code);
	const bool own = ERR_GET_LIB(code) == ERR_LIB_SSL;
	const bool alert = own && reason > SSL_AD_REASON_OFFSET;
	const char *which = alert && text ? strstr(text, "alert ") : NULL;

	if (which) /* of "tlsv13 alert certificate required" */
		snprintf(s->trouble, sizeof(s->trouble), "the server's alert: %s",
			which + strlen("alert "));
	else if (own && reason == SSL_R_WRONG_VERSION_NUMBER)
		snprintf(s->trouble, sizeof(s->trouble), "what answered does not speak TLS");
	else
		snprintf(s->trouble, sizeof(s->trouble), "%s", text ? text : "TLS failed");
}

static enum tls_step step_of(struct tls_session *s, int rc, int sys)
{
	const int code = SSL_get_error(s->ssl, rc);

	switch (code) {
	case SSL_ERROR_NONE: return TLS_OK;
	case SSL_ERROR_WANT_READ: return TLS_WANTS_READ;
	case SSL_ERROR_WANT_WRITE: return TLS_WANTS_WRITE;
	case SSL_ERROR_ZERO_RETURN: return TLS_ENDED;
	default: break;
	}
	if (code != SSL_ERROR_SYSCALL)
		say_trouble(s, ERR_peek_error());
	ERR_clear_error();
	errno = sys;
	return TLS_FAILED;
}

/* --- a session ---------------------------------------------------------------------------------
 */

static bool is_address(const char *name)
{
	struct in6_addr a;

	return inet_pton(AF_INET, name, &a) == 1 || inet_pton(AF_INET6, name, &a) == 1;
}

struct tls_session *tls_session_new(struct tls_context *c, int fd, const char *name)
{
	struct tls_session *s = mem_new(struct tls_session);
	X509_VERIFY_PARAM *param;

	s->ssl = SSL_new(c->ctx);
	s->context = tls_context_ref(c);
	s->name = mem_strdup(name);
	if (!s->ssl || SSL_set_fd(s->ssl, fd) != 1)
		mem_panic("no memory for TLS");
	SSL_set_app_data(s->ssl, s);
	SSL_set_verify(s->ssl, SSL_VERIFY_PEER, on_verify);
	param = SSL_get0_param(s->ssl);
	if (is_address(name)) {
		X509_VERIFY_PARAM_set1_ip_asc(param, name);
	} else {
		/* A final dot is DNS's, certificates and SNI have none. */
		const size_t n = strlen(name);
		char *host = mem_strndup(name, n && name[n - 1] == '.' ? n - 1 : n);
		SSL_set_tlsext_host_name(s->ssl, host);
		X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
		X509_VERIFY_PARAM_set1_host(param, host, 0);
		free(host);
	}
	SSL_set_connect_state(s->ssl);
	return s;
}

void tls_session_free(struct tls_session *s)
{
	if (!s)
		return;
	SSL_free(s->ssl);
	tls_keys_forget(s);
	tls_context_unref(s->context);
	tls_facts_fini(&s->facts);
	free(s->name);
	free(s);
}

enum tls_step tls_handshake(struct tls_session *s)
{
	ERR_clear_error();
	errno = 0;
	tls_keys_begin(s);
	const int rc = SSL_do_handshake(s->ssl);
	const int sys = errno;
	tls_keys_end();
	const enum tls_step step = step_of(s, rc, sys);

	if (step == TLS_WANTS_READ || step == TLS_WANTS_WRITE)
		return step;
	tls_keys_forget(s);
	tls_facts_read(&s->facts, s->ssl);
	say_names(s);
	if (step == TLS_OK)
		return TLS_OK;
	if (!*s->trouble)
		snprintf(s->trouble, sizeof(s->trouble), "%s",
			sys ? strerror(sys) : "the server closed the connection");
	return TLS_FAILED;
}

enum tls_step tls_read(struct tls_session *s, void *p, size_t n, size_t *ret_n)
{
	ERR_clear_error();
	errno = 0;
	const int rc = SSL_read_ex(s->ssl, p, n, ret_n);

	return step_of(s, rc, errno);
}

enum tls_step tls_write(struct tls_session *s, const void *p, size_t n, size_t *ret_n)
{
	ERR_clear_error();
	errno = 0;
	const int rc = SSL_write_ex(s->ssl, p, n, ret_n);

	return step_of(s, rc, errno);
}

const struct tls_facts *tls_session_facts(const struct tls_session *s)
{
	return &s->facts;
}

const char *tls_trouble(const struct tls_session *s)
{
	return s->trouble;
}

bool tls_was_asked(const struct tls_session *s)
{
	return s->asked;
}

void tls_goodbye(struct tls_session *s)
{
	ERR_clear_error();
	SSL_shutdown(s->ssl);
	ERR_clear_error();
}
