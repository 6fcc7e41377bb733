/*
 * image_data.c - the data of images: upload, download, ranges.
 *
 * An image is `saving` from the first byte of its upload on and `active` when the upload is
 * answered; an upload that breaks off leaves it `queued`.
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "sim/image.h"
#include "sim/range.h"
#include "sim/record.h"
#include "sim/state.h"
#include "sim/token.h"
#include "sim/upload.h"

struct image_data {
	int fd; /* unlinked */
	int64_t n;
};

static void free_data(struct object *o)
{
	struct image_data *d = o->more;

	close(d->fd);
	free(d);
}

static uint64_t big_endian(const unsigned char *p)
{
	uint64_t n = 0;

	for (int i = 0; i < 8; i++)
		n = n << 8 | p[i];
	return n;
}

/* What a raw image has is its size; a qcow2 image says so itself; of others glance knows nothing.
 */
static json_t *virtual_size(const struct object *o, int fd, int64_t size)
{
	unsigned char head[32];

	if (!strcmp(object_str(o, "disk_format"), "raw"))
		return json_integer(size);
	if (!strcmp(object_str(o, "disk_format"), "qcow2") &&
		pread(fd, head, sizeof(head), 0) == (ssize_t)sizeof(head) &&
		!memcmp(head, "QFI\xfb", 4))
		return json_integer((json_int_t)big_endian(head + 24));
	return json_null();
}

static void keep(struct object *o, struct upload *u)
{
	struct upload_result r;
	struct image_data *d = mem_new(struct image_data);

	upload_take(u, &r);
	d->fd = r.fd;
	d->n = r.size;
	if (o->free_more)
		o->free_more(o);
	o->more = d;
	o->free_more = free_data;
	object_set(o, "size", json_integer(r.size));
	object_set(o, "virtual_size", virtual_size(o, r.fd, r.size));
	object_set_str(o, "checksum", r.md5);
	object_set_str(o, "os_hash_algo", "sha512");
	object_set_str(o, "os_hash_value", r.sha512);
	object_set_str(o, "stores", "disk");
	object_set_str(o, "status", "active");
	image_touch(o);
}

void image_fill(struct object *o, const void *p, size_t n)
{
	struct upload *u = upload_new();

	upload_add(u, p, n);
	if (upload_failed(u)) /* no room for it: as a store without one */
		object_set_str(o, "status", "killed");
	else
		keep(o, u);
	upload_free(u);
}

/* --- upload ------------------------------------------------------------------------------------
 */

static bool by_this_call(const struct call *c, const struct object *o)
{
	return json_int(o->doc, ".upload", 0) == (int64_t)c->number &&
	       !strcmp(object_str(o, "status"), "saving");
}

void image_upload(struct call *c, bool begins)
{
	struct object *o = object_get(c->sim, KIND_IMAGE, c->params[0]);
	const struct token *t = token_check(c->sim, c->token_text);

	if (begins) {
		if (!o || !t || strcmp(t->project, o->project) ||
			strcmp(object_str(o, "status"), "queued"))
			return; /* the answer will say why */
		object_set(o, ".upload", json_integer((json_int_t)c->number));
		object_set_str(o, "status", "saving");
	} else if (o && by_this_call(c, o)) {
		object_set_str(o, "status", "queued");
	}
}

static bool type_good(struct call *c)
{
	if (c->content_type && !strcmp(c->content_type, "application/octet-stream"))
		return true;
	char *why = mem_printf("The request media type %s is not supported by this server.",
		c->content_type ? c->content_type : "None");
	call_fail_webob(c, 415, why, "");
	free(why);
	return false;
}

static struct object *find_target(struct call *c)
{
	struct object *o = image_find(c, c->params[0]);

	if (!o)
		return NULL;
	if (strcmp(o->project, c->project)) {
		call_fail(c, 403, NULL, "Not allowed to upload image data for image %s", o->id);
		return NULL;
	}
	if (by_this_call(c, o))
		return o;
	call_fail(c, 409, NULL, "Image status transition from %s to saving is not allowed",
		object_str(o, "status"));
	return NULL;
}

void image_put_data(struct call *c)
{
	struct object *o = type_good(c) ? find_target(c) : NULL;

	if (!o)
		return;
	if (upload_failed(c->upload)) {
		call_fail(c, 413, NULL,
			"The incoming image is too large: The provided image is "
			"too large.");
		return;
	}
	rule_changed(c, o, false);
	json_object_del(o->doc, ".upload");
	if (call_hit(c, MISHAP_STUCK))
		o->stuck = true;
	else if (call_hit(c, MISHAP_ERROR) || json_object_get(o->doc, ".error"))
		object_set_str(o, "status", "killed");
	else if (!o->stuck)
		keep(o, c->upload);
	call_empty(c, 204);
}

/* --- download ----------------------------------------------------------------------------------
 */

void image_get_data(struct call *c)
{
	const struct object *o = image_find(c, c->params[0]);
	const struct image_data *d = o ? o->more : NULL;

	if (!o)
		return;
	if (!d || strcmp(object_str(o, "status"), "active")) {
		call_empty(c, 204);
		return;
	}
	int64_t from = 0, n = d->n;
	if (!range_read(c->range, d->n, &from, &n)) {
		image_fail_detail(c, 416,
			"Invalid start position in Range header. Start position MUST be in the "
			"inclusive range [0, %lld].",
			(long long)d->n - 1);
		return;
	}
	const bool part = n != d->n;
	if (part)
		call_header(c, "Content-Range", "bytes %lld-%lld/%lld", (long long)from,
			(long long)(from + n - 1), (long long)d->n);
	call_header(c, "Content-MD5", "%s", object_str(o, "checksum"));
	call_file(c, part ? 206 : 200, d->fd, from, n);
}
