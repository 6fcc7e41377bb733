/*
 * upload.h - a request's body on its way into an unlinked temporary file, with its digests: an
 * image of any size costs no memory. Thread: the loop's.
 */
#ifndef SIM_UPLOAD_H
#define SIM_UPLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UPLOAD_MAX (4ll << 30)

struct upload;

/* Returns owned. That no file can be made shows in upload_failed(). */
struct upload *upload_new(void);
void upload_free(struct upload *u); /* NULL is fine */
/* Over UPLOAD_MAX, or when the disk is full, the rest is dropped and the upload has failed. */
void upload_add(struct upload *u, const void *p, size_t n);
bool upload_failed(const struct upload *u);

struct upload_result {
	int fd; /* taken by the caller */
	int64_t size;
	char md5[33], sha512[129];
};
/* Once, when it has not failed. */
void upload_take(struct upload *u, struct upload_result *ret);

#endif
