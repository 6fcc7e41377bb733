/*
 * run_upload.c - the data of images and objects: generated, not stored, or a text of the scenario.
 *
 * An image's follows its create; an object's is its create, and the answer's ETag must be its MD5.
 */

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/units.h"
#include "observe/scenario/maker.h"

/* Repeatable noise: cheap to make, and no storage can compress it away. */
static size_t upload_piece(void *arg, void *p, size_t n)
{
	struct task *t = arg;
	const int64_t left = t->upload_size - t->upload_at;
	if (left <= 0)
		return 0;
	if ((int64_t)n > left)
		n = (size_t)left;
	if (t->upload_text) {
		memcpy(p, t->upload_text + t->upload_at, n);
	} else {
		struct random noise;
		random_init_seed(&noise, t->upload_seed + (uint64_t)t->upload_at);
		random_fill(&noise, p, n);
	}
	digest_md5_add(&t->upload_sum, p, n);
	t->upload_at += (int64_t)n;
	return n;
}

static void rewind_upload(void *arg)
{
	struct task *t = arg;
	t->upload_at = 0;
	digest_md5_init(&t->upload_sum);
}

static void start(struct task *t)
{
	t->upload_seed = random_u64(t->run->tools.random);
	rewind_upload(t);
}

static void on_upload_answer(void *arg, const struct cloud_answer *a)
{
	struct task *t = arg;
	t->call = NULL;
	task_note_answer(t, a);
	if (a->fault != FAULT_NONE) {
		make_end(t, a->fault, a->status,
			a->error.message[0] ? a->error.message : fault_text(a->fault));
		return;
	}
	make_ask_ready(&t->timer);
}

static bool upload_size(struct task *t, struct error *err)
{
	struct value v = VALUE_NOTHING;
	const enum expr_result r = world_body(t->run->world, t->element, t->step->upload, &v, err);
	bool good = false;
	if (r == EXPR_OK && v.type == VALUE_SIZE) {
		t->upload_size = v.integer;
		good = true;
	} else if (r == EXPR_OK && v.type == VALUE_TEXT) {
		good = units_parse_size(value_slice(&v), &t->upload_size);
	}
	if (!good && r != EXPR_ERROR)
		error_set(err, ERROR_INPUT, "upload is a size with a unit, such as 24MiB");
	value_drop(&v);
	return good;
}

void upload_begin(struct task *t)
{
	struct error err = {0};
	if (!upload_size(t, &err)) {
		make_end(t, FAULT_EVALUATION, 0, err.msg);
		return;
	}
	start(t);
	char *path = mem_printf("/images/%s/file", t->element->id);
	static const struct http_header type = {"Content-Type", "application/octet-stream"};
	const struct cloud_request request = {
		.service = t->step->kind->service,
		.method = "PUT",
		.path = path,
		.headers = &type,
		.header_count = 1,
		.deadline_ns = task_left_ns(t) + NS_PER_S,
		.purpose = &t->purpose,
		.source = upload_piece,
		.source_n = t->upload_size,
		.rewind = rewind_upload,
		.stream_arg = t,
	};
	run_emit(t->run, RUN_EVENT_WAIT, t, "uploading");
	t->call = cloud_call(t->run->tools.cloud, &request, on_upload_answer, t);
	free(path);
}

/* --- objects ---------------------------------------------------------------------------------- */

bool upload_within(struct task *t, const json_t *body, struct cloud_request *r, struct error *err)
{
	const char *content = json_str(body, "content"), *size = json_str(body, "size");
	static const struct http_header type = {"Content-Type", "application/octet-stream"};
	if (strcmp(t->step->kind->name, "object") != 0)
		return true;
	if (!content == !size || (size && !units_parse_size(slice_of(size), &t->upload_size))) {
		error_set(err, ERROR_INPUT,
			"an object has either `content`, a text, or `size`, such as 24MiB");
		return false;
	}
	mem_replace(&t->upload_text, content);
	if (content)
		t->upload_size = (int64_t)strlen(content);
	start(t);
	r->source = upload_piece;
	r->source_n = t->upload_size;
	r->rewind = rewind_upload;
	r->stream_arg = t;
	if (!r->header_count) {
		r->headers = &type;
		r->header_count = 1;
	}
	return true;
}

bool upload_arrived(struct task *t, const json_t *object, char *why, size_t n)
{
	char sum[2 * MD5_BYTES + 1];
	const char *etag = json_str(object, "etag");
	if (strcmp(t->step->kind->name, "object") != 0)
		return true;
	digest_md5_hex(&t->upload_sum, sum);
	struct slice got = slice_of(etag);
	if (got.n > 1 && got.p[0] == '"')
		got = slice_sub(got, 1, got.n - 2);
	if (slice_is_nocase(got, sum))
		return true;
	snprintf(why, n, "the ETag is %.64s, but the MD5 of what was sent is %s",
		etag ? etag : "none", sum);
	return false;
}
