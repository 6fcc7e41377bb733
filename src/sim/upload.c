#include "sim/upload.h"

#include <assert.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/mem.h"

struct upload {
	int fd; /* -1: no file could be made, or it was taken */
	int64_t n;
	bool failed;
	struct digest_sha512 sha512;
	EVP_MD_CTX *md5; /* glance's `checksum` */
};

static int temporary_file(void)
{
	const char *dir = getenv("TMPDIR");
	char *path = mem_printf("%s/glasshouse-image-XXXXXX", dir && *dir ? dir : "/tmp");
	int fd = mkostemp(path, O_CLOEXEC);

	if (fd >= 0)
		unlink(path);
	free(path);
	return fd;
}

struct upload *upload_new(void)
{
	struct upload *u = mem_new(struct upload);

	u->fd = temporary_file();
	u->failed = u->fd < 0;
	digest_sha512_init(&u->sha512);
	u->md5 = EVP_MD_CTX_new();
	if (!u->md5 || EVP_DigestInit_ex(u->md5, EVP_md5(), NULL) != 1)
		u->failed = true;
	return u;
}

void upload_free(struct upload *u)
{
	if (!u)
		return;
	if (u->fd >= 0)
		close(u->fd);
	EVP_MD_CTX_free(u->md5);
	free(u);
}

static bool write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, p, n);
		if (done <= 0)
			return false;
		p += done;
		n -= (size_t)done;
	}
	return true;
}

void upload_add(struct upload *u, const void *p, size_t n)
{
	if (u->failed)
		return;
	u->n += (int64_t)n;
	if (u->n > UPLOAD_MAX || !write_all(u->fd, p, n) || EVP_DigestUpdate(u->md5, p, n) != 1) {
		u->failed = true;
		return;
	}
	digest_sha512_add(&u->sha512, p, n);
}

bool upload_failed(const struct upload *u)
{
	return u->failed;
}

void upload_take(struct upload *u, struct upload_result *ret)
{
	unsigned char md5[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	assert(!u->failed && u->fd >= 0);
	ret->fd = u->fd;
	ret->size = u->n;
	u->fd = -1;
	EVP_DigestFinal_ex(u->md5, md5, &n);
	hex_write(md5, n, ret->md5);
	digest_sha512_hex(&u->sha512, ret->sha512);
}
