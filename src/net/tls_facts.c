/*
 * tls_facts.c - what a certificate says of itself. Everything in it is a stranger's: texts are
 * printable before they leave here.
 */

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "net/tls_inside.h"

void tls_write_name(const X509_NAME *name, char *out, size_t n)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *p = NULL;
	long got = 0;

	*out = 0;
	if (!bio || !name)
		goto out;
	X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
	got = BIO_get_mem_data(bio, &p);
	for (long i = 0; i < got && (size_t)i + 1 < n; i++) {
		out[i] = p[i];
		out[i + 1] = 0;
	}
	if (!utf8_valid(slice_of(out))) /* cut within a character, or never was */
		for (char *c = out; *c; c++)
			*c = (char)((unsigned char)*c < 0x80 ? *c : '?');
out:
	BIO_free(bio);
}

static int64_t expiry_of(const X509 *x)
{
	struct tm tm;

	if (!ASN1_TIME_to_tm(X509_get0_notAfter(x), &tm))
		return 0;
	return timegm(&tm);
}

static void add_name(struct tls_facts *f, const char *text, size_t n)
{
	if (f->names_n >= TLS_NAMES_MAX)
		return;
	for (size_t i = 0; i < n; i++)
		if (text[i] <= ' ' || text[i] >= 0x7f)
			return; /* no name that anything could be reached by */
	f->names[f->names_n++] = mem_strndup(text, n);
}

static void read_names(struct tls_facts *f, const X509 *leaf)
{
	GENERAL_NAMES *all = X509_get_ext_d2i(leaf, NID_subject_alt_name, NULL, NULL);

	f->names = mem_new_array(TLS_NAMES_MAX, sizeof(*f->names));
	for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(all, i);
		char ip[INET6_ADDRSTRLEN];
		if (g->type == GEN_DNS)
			add_name(f, (const char *)ASN1_STRING_get0_data(g->d.dNSName),
				(size_t)ASN1_STRING_length(g->d.dNSName));
		if (g->type != GEN_IPADD)
			continue;
		const int n = ASN1_STRING_length(g->d.iPAddress);
		if ((n == 4 || n == 16) &&
			inet_ntop(n == 4 ? AF_INET : AF_INET6,
				ASN1_STRING_get0_data(g->d.iPAddress), ip, sizeof(ip)))
			add_name(f, ip, strlen(ip));
	}
	GENERAL_NAMES_free(all);
}

static void read_leaf(struct tls_facts *f, const X509 *leaf)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	f->shown = true;
	f->leaf_expiry_s = expiry_of(leaf);
	tls_write_name(X509_get_issuer_name(leaf), f->issuer, sizeof(f->issuer));
	tls_write_name(X509_get_subject_name(leaf), f->subject, sizeof(f->subject));
	if (X509_digest(leaf, EVP_sha256(), hash, &n))
		hex_write(hash, n, f->fingerprint);
	read_names(f, leaf);
}

void tls_facts_read(struct tls_facts *f, SSL *ssl)
{
	const X509 *leaf = SSL_get0_peer_certificate(ssl);
	STACK_OF(X509) *came = SSL_get_peer_cert_chain(ssl);
	STACK_OF(X509) *chain = f->fault ? NULL : SSL_get0_verified_chain(ssl);
	const unsigned char *alpn = NULL;
	unsigned alpn_n = 0;

	snprintf(f->version, sizeof(f->version), "%s", SSL_get_version(ssl));
	snprintf(f->cipher, sizeof(f->cipher), "%s",
		SSL_get_cipher_name(ssl) ? SSL_get_cipher_name(ssl) : "");
	SSL_get0_alpn_selected(ssl, &alpn, &alpn_n);
	snprintf(f->alpn, sizeof(f->alpn), "%.*s", (int)alpn_n, alpn_n ? (const char *)alpn : "");
	if (!leaf || f->shown)
		return;
	read_leaf(f, leaf);
	f->chain_n = came ? (size_t)sk_X509_num(came) : 0;
	if (!chain)
		chain = came;
	f->chain_expiry_s = f->leaf_expiry_s;
	for (int i = 0; i < sk_X509_num(chain); i++) {
		const int64_t expiry = expiry_of(sk_X509_value(chain, i));
		if (expiry < f->chain_expiry_s)
			f->chain_expiry_s = expiry;
	}
}

void tls_facts_fini(struct tls_facts *f)
{
	for (size_t i = 0; i < f->names_n; i++)
		free(f->names[i]);
	free(f->names);
}
