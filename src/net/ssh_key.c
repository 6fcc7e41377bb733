/*
 * ssh_key.c - new key pairs, in memory only; see ssh.h.
 */

#include <libssh/libssh.h>
#include <string.h>

#include "net/ssh.h"

bool ssh_keypair_new(const char *type, const char *comment, struct secret **ret_private,
	char **ret_public, struct error *err)
{
	const bool rsa = !strcmp(type, "rsa");
	ssh_key key = NULL;
	char *private_text = NULL, *public_text = NULL;
	if (!rsa && strcmp(type, "ed25519") != 0) {
		error_set(err, ERROR_INPUT, "no SSH key type \"%.40s\"; ed25519 and rsa are known",
			type);
		return false;
	}
	const bool good =
		ssh_pki_generate(rsa ? SSH_KEYTYPE_RSA : SSH_KEYTYPE_ED25519, rsa ? 3072 : 0,
			&key) == SSH_OK &&
		ssh_pki_export_privkey_base64(key, NULL, NULL, NULL, &private_text) == SSH_OK &&
		ssh_pki_export_pubkey_base64(key, &public_text) == SSH_OK;
	if (good) {
		*ret_private = secret_new(slice_of(private_text));
		*ret_public = mem_printf("%s %s %s", rsa ? "ssh-rsa" : "ssh-ed25519", public_text,
			comment ? comment : "");
	} else {
		error_set(err, ERROR_SYSTEM, "an SSH key cannot be made");
	}
	if (private_text) {
		explicit_bzero(private_text, strlen(private_text));
		ssh_string_free_char(private_text);
	}
	ssh_string_free_char(public_text);
	ssh_key_free(key);
	return good;
}
