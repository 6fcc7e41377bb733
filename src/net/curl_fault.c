/*
 * curl_fault.c - see curl_fault.h.
 */
#include "net/curl_fault.h"

#include <errno.h>
#include <openssl/x509_vfy.h>

enum fault curl_fault_of_connect(long sys)
{
	switch (sys) {
	case ECONNREFUSED: return FAULT_REFUSED;
	case ETIMEDOUT: return FAULT_TIMEOUT;
	case EMFILE:
	case ENFILE: return FAULT_NO_DESCRIPTORS;
	case EADDRNOTAVAIL:
	case EACCES:
	case EPERM:
	case ENOBUFS:
	case ENOMEM: return FAULT_LOCAL;
	case ECONNRESET:
	case ECONNABORTED: return FAULT_CONNECTION_LOST;
	default: return FAULT_UNREACHABLE;
	}
}

static enum fault fault_of_certificate(CURL *easy)
{
	long verify = X509_V_OK;

	curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &verify);
	switch (verify) {
	case X509_V_OK:
	case X509_V_ERR_UNSPECIFIED: /* curl's own first value: it compares the name before the rest
				      */
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH: return FAULT_TLS_NAME;
	case X509_V_ERR_CERT_HAS_EXPIRED: return FAULT_TLS_EXPIRED;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_CERT_UNTRUSTED:
	case X509_V_ERR_INVALID_CA: return FAULT_TLS_AUTHORITY;
	default: return FAULT_TLS;
	}
}

enum fault curl_fault_of_code(CURL *easy, CURLcode code)
{
	/* curl has over a hundred codes; those that are not named here say something about us. */
	switch ((int)code) {
	case CURLE_OK: return FAULT_NONE;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY: return FAULT_RESOLVE;
	case CURLE_OPERATION_TIMEDOUT: return FAULT_TIMEOUT;
	case CURLE_PEER_FAILED_VERIFICATION: return fault_of_certificate(easy);
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_SSL_ISSUER_ERROR:
	case CURLE_SSL_INVALIDCERTSTATUS:
	case CURLE_SSL_CLIENTCERT: return FAULT_TLS;
	case CURLE_SSL_CACERT_BADFILE: return FAULT_TLS_AUTHORITY;
	case CURLE_PROXY:
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_HTTP2_STREAM: return FAULT_CONNECTION_LOST;
	case CURLE_UNSUPPORTED_PROTOCOL: /* HTTP/0.9, or no HTTP at all */
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_BAD_CONTENT_ENCODING:
	case CURLE_HTTP2: return FAULT_PROTOCOL;
	default: return FAULT_LOCAL;
	}
}
