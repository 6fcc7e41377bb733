#include "sim/guest_disk.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/mem.h"
#include "text/yaml.h"

#define USER_DATA_MAX (128u << 10) /* nova takes 65,535 bytes of base64 */

/* --- user data ---------------------------------------------------------------------------------
 */

static void add_file(struct guest_disk *d, const char *path, struct slice text)
{
	if (d->files.n == GUEST_FILES_MAX)
		return;
	vec_push(&d->files, ((struct guest_file){mem_strdup(path), slice_dup(text), text.n}));
}

static struct slice scalar(const struct yaml *map, const char *key)
{
	const struct yaml *v = yaml_get(map, key);
	return v && v->kind == YAML_SCALAR ? v->text : slice_of(NULL);
}

static void write_file(struct guest_disk *d, const struct yaml *entry)
{
	const struct slice path = scalar(entry, "path"), content = scalar(entry, "content");
	const struct slice encoding = scalar(entry, "encoding");
	void *decoded;
	size_t n;
	if (!path.n)
		return;
	if (!slice_is(encoding, "b64") && !slice_is(encoding, "base64")) {
		add_file(d, path.p, content);
	} else if (base64_decode(content, &decoded, &n)) {
		add_file(d, path.p, slice_from(decoded, n));
		free(decoded);
	}
}

static void apply_cloud_config(struct guest_disk *d, const struct yaml *config)
{
	const struct yaml *files = yaml_get(config, "write_files");
	const struct yaml *keys = yaml_get(config, "ssh_authorized_keys");
	const struct slice hostname = scalar(config, "hostname");
	for (size_t i = 0; files && files->kind == YAML_LIST && i < files->n; i++)
		write_file(d, files->items[i]);
	for (size_t i = 0; keys && keys->kind == YAML_LIST && i < keys->n; i++)
		if (keys->items[i]->kind == YAML_SCALAR && d->keys.n < GUEST_FILES_MAX)
			vec_push(&d->keys, slice_dup(keys->items[i]->text));
	if (hostname.n)
		snprintf(d->hostname, sizeof(d->hostname), "%.*s", SLICE_ARG(hostname));
}

/* What cannot be read is ignored, as cloud-init does: the guest comes up all the same. */
static void apply_user_data(struct guest_disk *d, const char *encoded)
{
	struct error_list errors = {0};
	void *text;
	size_t n;
	if (!encoded || strlen(encoded) > USER_DATA_MAX ||
		!base64_decode(slice_of(encoded), &text, &n))
		return;
	const struct slice data = slice_from(text, n);
	struct yaml_file *f =
		slice_starts(data, "#cloud-config") ? yaml_parse(data, "user_data", &errors) : NULL;
	if (f && yaml_documents(f) > 0)
		apply_cloud_config(d, yaml_root(f, 0));
	yaml_free(f);
	error_list_fini(&errors);
	free(text);
}

/* --- the disk ----------------------------------------------------------------------------------
 */

struct guest_disk *guest_disk_new(const unsigned char key_seed[GUEST_KEY_SEED],
	const char *hostname, const char *public_key, const char *user_data)
{
	struct guest_disk *d = mem_new(struct guest_disk);
	d->refs = 1;
	memcpy(d->key_seed, key_seed, GUEST_KEY_SEED);
	snprintf(d->hostname, sizeof(d->hostname), "%s", hostname);
	if (public_key)
		vec_push(&d->keys, mem_strdup(public_key));
	apply_user_data(d, user_data);
	if (!guest_disk_file(d, "/etc/hostname")) {
		char *line = mem_printf("%s\n", d->hostname);
		add_file(d, "/etc/hostname", slice_of(line));
		free(line);
	}
	return d;
}

struct guest_disk *guest_disk_ref(struct guest_disk *d)
{
	__atomic_add_fetch(&d->refs, 1, __ATOMIC_RELAXED);
	return d;
}

void guest_disk_unref(struct guest_disk *d)
{
	if (!d || __atomic_sub_fetch(&d->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	VEC_EACH (&d->keys, char *, key)
		free(*key);
	VEC_EACH (&d->files, struct guest_file, f) {
		free(f->path);
		free(f->text);
	}
	vec_fini(&d->keys);
	vec_fini(&d->files);
	free(d);
}

/* The last of that path: later entries of write_files overwrite earlier ones. */
const struct guest_file *guest_disk_file(const struct guest_disk *d, const char *path)
{
	for (size_t i = d->files.n; i-- > 0;)
		if (!strcmp(d->files.p[i].path, path))
			return &d->files.p[i];
	return NULL;
}

/* --- keys --------------------------------------------------------------------------------------
 */

/* "ssh-ed25519 AAAA… comment" */
static bool is_key(const char *line, ssh_key key)
{
	struct slice rest = slice_trim(slice_of(line)), type, data;
	ssh_key own = NULL;
	if (!slice_next(&rest, ' ', &type) || !slice_next(&rest, ' ', &data))
		return false;
	char *type_text = slice_dup(type), *data_text = slice_dup(data);
	const bool same = ssh_pki_import_pubkey_base64(
				  data_text, ssh_key_type_from_name(type_text), &own) == SSH_OK &&
			  ssh_key_cmp(own, key, SSH_KEY_CMP_PUBLIC) == 0;
	ssh_key_free(own);
	free(type_text);
	free(data_text);
	return same;
}

bool guest_disk_admits(const struct guest_disk *d, ssh_key key)
{
	for (size_t i = 0; i < d->keys.n; i++)
		if (is_key(d->keys.p[i], key))
			return true;
	return false;
}

static void add_number(struct buf *b, uint32_t n)
{
	const unsigned char be[4] = {(unsigned char)(n >> 24), (unsigned char)(n >> 16),
		(unsigned char)(n >> 8), (unsigned char)n};
	buf_add(b, be, sizeof(be));
}

static void add_string(struct buf *b, const void *p, size_t n)
{
	add_number(b, (uint32_t)n);
	buf_add(b, p, n);
}

/* libssh makes keys from the system's randomness only, but reads OpenSSH's private key format
 * (PROTOCOL.key of OpenSSH): a key of our own choice is written in that. */
ssh_key guest_disk_host_key(const struct guest_disk *d)
{
	static const char type[] = "ssh-ed25519";
	unsigned char public_key[crypto_sign_PUBLICKEYBYTES], secret[crypto_sign_SECRETKEYBYTES];
	struct buf pub = BUF(BUF_LINE), priv = BUF(BUF_LINE), all = BUF(BUF_LINE);
	ssh_key key = NULL;
	crypto_sign_seed_keypair(public_key, secret, d->key_seed);
	add_string(&pub, type, sizeof(type) - 1);
	add_string(&pub, public_key, sizeof(public_key));
	add_number(&priv, 0); /* two equal numbers show that it was decrypted rightly */
	add_number(&priv, 0);
	buf_add_slice(&priv, buf_slice(&pub));
	add_string(&priv, secret, sizeof(secret));
	add_string(&priv, "", 0);
	for (char pad = 1; priv.n % 8; pad++)
		buf_add_char(&priv, pad);
	buf_add(&all, "openssh-key-v1", sizeof("openssh-key-v1"));
	add_string(&all, "none", 4);
	add_string(&all, "none", 4);
	add_string(&all, "", 0);
	add_number(&all, 1);
	add_string(&all, pub.p, pub.n);
	add_string(&all, priv.p, priv.n);
	char *body = base64_encode(all.p, all.n);
	char *text = mem_printf(
		"-----BEGIN OPENSSH PRIVATE KEY-----\n%s\n"
		"-----END OPENSSH PRIVATE KEY-----\n",
		body);
	if (ssh_pki_import_privkey_base64(text, NULL, NULL, NULL, &key) != SSH_OK)
		key = NULL;
	free(text);
	free(body);
	buf_fini(&pub);
	buf_fini(&priv);
	buf_fini(&all);
	return key;
}
