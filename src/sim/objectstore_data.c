/*
 * objectstore_data.c - the bytes of objects: small ones in memory, since there may be many, others
 * in the unlinked file they came in.
 */

#include <unistd.h>

#include "base/mem.h"
#include "sim/objectstore.h"

#define SMALL (64 << 10)

struct blob {
	unsigned refs;
	int64_t n;
	char *p; /* NULL: in the file */
	int fd;  /* or -1 */
};

struct blob *blob_new(const struct upload_result *r)
{
	struct blob *b = mem_new(struct blob);

	b->refs = 1;
	b->n = r->size;
	b->fd = r->fd;
	if (r->size > SMALL)
		return b;
	b->p = mem_alloc(SMALL);
	if (pread(r->fd, b->p, SMALL, 0) == r->size) {
		b->p = mem_resize(b->p, r->size > 0 ? (size_t)r->size : 1, 1);
		close(b->fd);
		b->fd = -1;
	} else { /* stays where it is */
		free(b->p);
		b->p = NULL;
	}
	return b;
}

struct blob *blob_ref(struct blob *b)
{
	b->refs++;
	return b;
}

void blob_unref(struct blob *b)
{
	if (!b || --b->refs > 0)
		return;
	if (b->fd >= 0)
		close(b->fd);
	free(b->p);
	free(b);
}

int64_t blob_size(const struct blob *b)
{
	return b->n;
}

void blob_answer(
	struct call *c, int status, const char *type, struct blob *b, int64_t from, int64_t n)
{
	if (b->p) {
		call_bytes(c, status, type, b->p + from, (size_t)n);
		return;
	}
	call_file(c, status, b->fd, from, n);
	if (c->file >= 0)
		c->type = type;
}
