/*
 * run_upload.c - the data of images: generated, not stored.
 */

#include <stdio.h>

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
	struct random noise;
	random_init_seed(&noise, t->upload_seed + (uint64_t)t->upload_at);
	random_fill(&noise, p, n);
	t->upload_at += (int64_t)n;
	return n;
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
	t->upload_at = 0;
	t->upload_seed = random_u64(t->run->tools.random);
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
		.stream_arg = t,
	};
	run_emit(t->run, RUN_EVENT_WAIT, t, "uploading");
	t->call = cloud_call(t->run->tools.cloud, &request, on_upload_answer, t);
	free(path);
}
