/*
 * guest_disk.h - what a guest keeps over reboots: its host key, who may log in, and the files that
 * its user data wrote. Made at the first boot, and anew after a rebuild.
 *
 * Immutable once made and counted, so that the loop's thread and the guests' share one copy.
 * Thread: any.
 */
#ifndef SIM_GUEST_DISK_H
#define SIM_GUEST_DISK_H

#include <libssh/libssh.h>
#include <stdbool.h>

#include "base/slice.h"
#include "base/vec.h"

#define GUEST_KEY_SEED  32
#define GUEST_FILES_MAX 64 /* of one guest; together at most what user data can hold */

struct guest_file {
	char *path;
	char *text;
	size_t n;
};

struct guest_disk {
	int refs;
	bool told; /* the metadata service has said what to put on it */
	unsigned char key_seed[GUEST_KEY_SEED];
	char hostname[64];
	VEC(char *) keys; /* OpenSSH lines of those who may log in */
	VEC(struct guest_file) files;
};

/* Of cloud-init's formats #cloud-config is understood, and of that write_files (plain, or
 * `encoding: b64`), ssh_authorized_keys and hostname; a script is not run. `public_key` and
 * `user_data` (base64) may be NULL. Copies all; returns owned, with one reference. */
struct guest_disk *guest_disk_new(const unsigned char key_seed[GUEST_KEY_SEED],
	const char *hostname, const char *public_key, const char *user_data);
struct guest_disk *guest_disk_ref(struct guest_disk *d);
void guest_disk_unref(struct guest_disk *d); /* NULL is fine */

const struct guest_file *guest_disk_file(const struct guest_disk *d, const char *path);
/* Whether the key is one of those that may log in. */
bool guest_disk_admits(const struct guest_disk *d, ssh_key key);
/* The ed25519 host key; returns owned, NULL if libssh refuses. */
ssh_key guest_disk_host_key(const struct guest_disk *d);

#endif
