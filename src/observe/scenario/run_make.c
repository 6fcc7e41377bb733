/*
 * run_make.c - creating one object so that nothing is ever made unseen.
 *
 * Order: name and mark, journal row (durable), request, answer, journal, ready. An answer that does
 * not prove refusal leaves the create open: kinds the service does not double are sent again and
 * the conflict is adopted; the others are looked up by name and mark until max(30 s, 3 x the
 * slowest create of that kind so far), and only then tried a second time under a mark of its own,
 * while the first attempt stays unsure in the journal.
 */

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/units.h"
#include "observe/scenario/mark.h"
#include "observe/scenario/runner.h"

#define LOOK_FOR_NS     (30 * NS_PER_S)
#define LOOK_FIRST_NS   (250 * NS_PER_MS)
#define LOOK_EVERY_NS   (1 * NS_PER_S)
#define ATTEMPTS_MAX    2
#define POLL_REQUEST_NS (30 * NS_PER_S)
#define KEY_TYPE        "ed25519"

void made_fini(struct made *m)
{
	free(m->id);
	json_decref(m->path);
	memset(m, 0, sizeof(*m));
}

static const struct kind *kind_of(const struct task *t)
{
	return t->step->kind;
}

static int64_t request_ns(const struct task *t)
{
	if (t->step->request_ns)
		return t->step->request_ns;
	return kind_of(t)->request_ns ? kind_of(t)->request_ns : 60 * NS_PER_S;
}

static void result(struct task *t, enum fault fault, int status, const char *detail)
{
	const struct operation_result r = {
		.fault = fault, .status = status, .detail = detail, .measured = NULL};
	task_result(t, &r);
}

static void finish_lost(struct task *t)
{
	const enum fault fault = t->lost_fault;
	char *detail = t->lost_detail;
	t->lost_detail = NULL;
	t->in_flight = false;
	result(t, fault, t->lost_status, detail);
	free(detail);
}

/* --- learning from answers -------------------------------------------------------------------- */

/* Nova makes a volume of its own for a server that boots from an image into one: it has no name and
 * no mark, so it is journalled the moment a server's answer shows its id. */
static void note_extras(struct task *t)
{
	if (strcmp(kind_of(t)->name, "server") != 0)
		return;
	const struct kind *volume = kind_find(t->run->kinds, SLICE("volume"));
	json_t *attached =
		json_object_get(t->element->object, "os-extended-volumes:volumes_attached");
	json_t *body = value_json(&t->body);
	json_t *mapping = json_object_get(body, "block_device_mapping_v2"), *one;
	size_t i, inline_volumes = 0;
	json_array_foreach (mapping, i, one) {
		const char *to = json_str(one, "destination_type"),
			   *from = json_str(one, "source_type");
		inline_volumes +=
			to && from && !strcmp(to, "volume") && strcmp(from, "volume") != 0;
	}
	json_decref(body);
	if (!volume || !inline_volumes || t->extras.n || json_array_size(attached) < inline_volumes)
		return;
	json_array_foreach (attached, i, one) {
		const char *id = json_str(one, "id");
		if (!id)
			continue;
		struct made *m = vec_add(&t->extras);
		m->kind = volume;
		m->id = mem_strdup(id);
		m->path = json_pack("{s:s}", "id", id);
		struct journal_object o = {
			.run = t->run->label,
			.step = t->step->name,
			.kind = volume->name,
			.index = (unsigned)t->element->index,
			.attempt = 1,
			.cloud_id = id,
			.request_id = t->request_id,
			.path = m->path,
			.fate = OBJECT_CREATED,
			.note = "made by nova for its server",
		};
		journal_intend(t->run->journal_run, &o, &m->row, NULL, NULL);
	}
}

void make_learn(struct task *t, const json_t *object)
{
	struct element *e = t->element;
	if (!object)
		return;
	if (!e->object) {
		e->object = json_deep_copy(object);
	} else {
		/* A later answer may lack what the first one said (a key pair's fingerprint …). */
		json_t *copy = json_deep_copy(object);
		json_object_update(e->object, copy);
		json_decref(copy);
	}
	if (!e->id && kind_of(t)) {
		const char *id = kind_id(kind_of(t), e->object);
		e->id = mem_strdup(id);
	}
	if (t->has_made && e->id && t->step->verb == VERB_CREATE) {
		mem_replace(&t->made.id, e->id);
		json_object_set_new(t->made.path, "id", json_string(e->id));
		note_extras(t);
	}
}

/* --- waiting for ready ------------------------------------------------------------------------ */

static enum expr_result holds(struct task *t, const struct expr *e, const json_t *object,
	int status, bool *ret, struct error *err)
{
	json_t *measured = json_object();
	json_object_set_new(measured, "STATUS", json_integer(status));
	json_object_set(measured, "BODY", (json_t *)object);
	struct world_scope scope;
	world_scope_init(&scope, t->run->world, t->element, measured);
	struct value v = VALUE_NOTHING;
	enum expr_result r = expr_eval(e, &scope.scope, &v, err);
	*ret = false;
	if (r == EXPR_OK && !value_condition(&v, ret)) {
		error_set(err, ERROR_INPUT, "the condition yields %s, not true or false",
			value_type_name(v.type));
		r = EXPR_ERROR;
	}
	value_drop(&v);
	json_decref(measured);
	return r;
}

/* What a person would want to know of an object that is not ready. */
static void describe(const json_t *object, char *text, size_t n)
{
	static const char *const fields[] = {"status", "provisioning_status", "port_state",
		"OS-EXT-STS:task_state", "OS-EXT-STS:vm_state"};
	text[0] = 0;
	size_t used = 0;
	for (size_t i = 0; i < array_len(fields) && used < n; i++) {
		const char *v = json_str(object, fields[i]);
		const char *colon = strrchr(fields[i], ':');
		if (v)
			used += (size_t)snprintf(text + used, n - used, "%s%s %s", used ? ", " : "",
				colon ? colon + 1 : fields[i], v);
	}
	const char *why = json_str(json_object_get(object, "fault"), "message");
	if (why && used < n)
		snprintf(text + used, n - used, "%s%s", used ? ": " : "", why);
}

static void ask_ready(struct timer *timer);

static void became_ready(struct task *t)
{
	if (t->lost_fault != FAULT_NONE) {
		char took[UNITS_TEXT];
		t->degraded = true;
		free(t->detail);
		t->detail = mem_printf("the answer to the create was lost (%s); found after %s",
			fault_text(t->lost_fault),
			units_time_text(loop_now_ns(t->run->tools.loop) - t->sent_ns, took));
	}
	if (t->step->until)
		change_until(t);
	else
		result(t, FAULT_NONE, 0, NULL);
}

static enum fault failed_fault(const json_t *object)
{
	const char *why = json_str(json_object_get(object, "fault"), "message");
	return why && strstr(why, "No valid host") ? FAULT_NO_CAPACITY : FAULT_ERROR_STATE;
}

/* Whether the object has reached an end; otherwise `text` says where it stands. */
static bool judge_object(struct task *t, const json_t *object, int status, char *text, size_t n)
{
	const struct kind *k = kind_of(t);
	const struct expr *ready = t->step->ready ? t->step->ready : k->ready_expr;
	struct error err = {0};
	bool yes = false;
	describe(object, text, n);
	if (k->failed_expr && holds(t, k->failed_expr, object, status, &yes, &err) == EXPR_OK &&
		yes) {
		result(t, failed_fault(object), status, *text ? text : "the object failed");
		return true;
	}
	if (!ready || t->step->ready_now) {
		became_ready(t);
		return true;
	}
	const enum expr_result r = holds(t, ready, object, status, &yes, &err);
	if (r == EXPR_ERROR) {
		result(t, FAULT_EVALUATION, status, err.msg);
		return true;
	}
	if (r == EXPR_OK && yes) {
		became_ready(t);
		return true;
	}
	return false;
}

/* A floating IP gets ACTIVE when a server takes its port, on some clouds: a server that failed is the
 * cause then, and waiting for the time-out would only blame the wrong one, later. */
static bool waits_in_vain(struct task *t)
{
	const char *key = kind_of(t)->awaits;
	json_t *body = key ? value_json(&t->body) : NULL;
	const char *id = body ? json_str(body, key) : NULL;
	const struct task *lost = id ? graph_lost_user(t, id) : NULL;
	char name[128];
	json_decref(body);
	if (!lost)
		return false;
	free(t->detail);
	t->detail = mem_printf("%s was to use its %s", task_name(lost, name, sizeof(name)), key);
	return true;
}

static void poll_again(struct task *t, const char *state)
{
	if (t->abandoned) {
		result(t, t->run->stop_fault, 0, NULL);
		return;
	}
	if (waits_in_vain(t)) {
		task_end(t, ELEMENT_SKIPPED);
		return;
	}
	if (!task_left_ns(t)) {
		char why[400], took[UNITS_TEXT];
		snprintf(why, sizeof(why), "not ready after %s%s%s",
			units_time_text(loop_now_ns(t->run->tools.loop) - t->first_start_ns, took),
			*state ? ": " : "", state);
		result(t, FAULT_STUCK, 0, why);
		return;
	}
	run_emit(t->run, RUN_EVENT_WAIT, t, "%s", state);
	/* Quick at first, so that what is quick is measured well; slower for what takes minutes. */
	const int64_t spent = loop_now_ns(t->run->tools.loop) - t->first_start_ns;
	int64_t every = spent / 20;
	if (every < 200 * NS_PER_MS)
		every = 200 * NS_PER_MS;
	if (every > 2 * NS_PER_S)
		every = 2 * NS_PER_S;
	task_pause(t, every, ask_ready);
}

static void on_ready_answer(void *arg, const struct cloud_answer *a)
{
	struct task *t = arg;
	t->call = NULL;
	task_note_answer(t, a);
	if (a->fault != FAULT_NONE) {
		char why[600];
		snprintf(why, sizeof(why), "%s%s%s", fault_text(a->fault),
			a->error.message[0] ? ": " : "", a->error.message);
		if (a->status == 404)
			result(t, FAULT_VANISHED, 404, why);
		else
			poll_again(t, why); /* one bad look is not the object's end */
		return;
	}
	const json_t *object = kind_unwrap(kind_of(t), a->json);
	char state[400];
	make_learn(t, object);
	if (!judge_object(t, object, a->status, state, sizeof(state)))
		poll_again(t, state);
}

static void ask_ready(struct timer *timer)
{
	struct task *t = timer->arg;
	struct kind_request q = {0};
	struct error err = {0};
	if (!kind_of(t)->get) {
		became_ready(t);
		return;
	}
	if (!kind_object_request(kind_of(t), kind_of(t)->get, t->made.path, &q, &err)) {
		result(t, FAULT_EVALUATION, 0, err.msg);
		return;
	}
	const struct cloud_request request = {
		.service = kind_of(t)->service,
		.method = q.method,
		.path = q.path,
		.body = q.body,
		.microversion = kind_of(t)->version,
		.deadline_ns = POLL_REQUEST_NS,
	};
	t->call = cloud_call(t->run->tools.cloud, &request, on_ready_answer, t);
	kind_request_fini(&q);
}

void make_wait_ready(struct task *t)
{
	const struct kind *k = kind_of(t);
	char state[400];
	if (k->answer_partial || (!t->element->object && k->get)) {
		ask_ready(&t->timer);
		return;
	}
	if (!judge_object(t, t->element->object, 200, state, sizeof(state)))
		poll_again(t, state);
}

/* --- upload of generated data (images) -------------------------------------------------------- */

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
		result(t, a->fault, a->status,
			a->error.message[0] ? a->error.message : fault_text(a->fault));
		return;
	}
	ask_ready(&t->timer);
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

static void begin_upload(struct task *t)
{
	struct error err = {0};
	if (!upload_size(t, &err)) {
		result(t, FAULT_EVALUATION, 0, err.msg);
		return;
	}
	t->upload_at = 0;
	t->upload_seed = random_u64(t->run->tools.random);
	char *path = mem_printf("/images/%s/file", t->element->id);
	static const struct http_header type = {"Content-Type", "application/octet-stream"};
	const struct cloud_request request = {
		.service = kind_of(t)->service,
		.method = "PUT",
		.path = path,
		.headers = &type,
		.header_count = 1,
		.deadline_ns = task_left_ns(t) + NS_PER_S,
		.source = upload_piece,
		.source_n = t->upload_size,
		.stream_arg = t,
	};
	run_emit(t->run, RUN_EVENT_WAIT, t, "uploading");
	t->call = cloud_call(t->run->tools.cloud, &request, on_upload_answer, t);
	free(path);
}

/* --- the create itself ------------------------------------------------------------------------ */

static void is_there(struct task *t, const json_t *object)
{
	t->in_flight = false;
	t->answer_ns = run_now(t->run);
	make_learn(t, object);
	journal_update(
		t->run->journal, t->made.row, OBJECT_CREATED, t->made.id, t->made.path, NULL);
	if (t->abandoned) {
		task_fail(t, t->run->stop_fault, "%s", fault_text(t->run->stop_fault));
		return;
	}
	if (t->step->upload && kind_of(t)->uploads)
		begin_upload(t);
	else
		make_wait_ready(t);
}

static void never_was(struct task *t)
{
	journal_update(t->run->journal, t->made.row, OBJECT_REFUSED, NULL, NULL, NULL);
	made_fini(&t->made);
	t->has_made = false;
	t->in_flight = false;
	json_decref(t->element->object);
	t->element->object = NULL;
	mem_replace(&t->element->id, NULL);
}

static void send_create(struct task *t);
static void prepare(struct task *t);
static void look(struct timer *timer);

/* The first attempt was never found: it stays unsure, and a second one is made under its own mark.
 */
static void give_up_attempt(struct task *t)
{
	journal_update(t->run->journal, t->made.row, OBJECT_UNSURE, NULL, NULL,
		"the answer was lost and the object was never found");
	json_object_set_new(t->made.path, "_name", json_string(t->element->name));
	json_object_set_new(t->made.path, "_mark", json_string(t->element->mark));
	vec_push(&t->unsure, t->made);
	memset(&t->made, 0, sizeof(t->made));
	t->has_made = false;
	t->in_flight = false;
	if (t->abandoned || t->attempt >= ATTEMPTS_MAX || t->step->must_fail.n)
		finish_lost(t);
	else
		prepare(t);
}

static void several_found(struct task *t, size_t n)
{
	char why[200];
	snprintf(why, sizeof(why),
		"one was made but %zu of that name and mark exist: none is deleted, look at them",
		n);
	journal_update(t->run->journal, t->made.row, OBJECT_UNSURE, NULL, NULL, why);
	made_fini(&t->made);
	t->has_made = false;
	t->in_flight = false;
	result(t, FAULT_LOST_ANSWER, 0, why);
}

static void on_found_one(void *arg, const struct cloud_answer *a)
{
	struct task *t = arg;
	t->call = NULL;
	task_note_answer(t, a);
	const bool gone = remove_says_gone(t, kind_of(t), a);
	if (a->fault == FAULT_NONE && !gone)
		is_there(t, kind_unwrap(kind_of(t), a->json));
	else if (gone && !t->finding)
		give_up_attempt(t);
	else if (loop_now_ns(t->run->tools.loop) < t->lost_until_ns)
		task_pause(t, LOOK_EVERY_NS, look);
	else
		give_up_attempt(t);
}

static void on_look(void *arg, const struct cloud_answer *a, json_t *items)
{
	struct task *t = arg;
	t->call = NULL;
	task_note_answer(t, a);
	const json_t *mine = NULL;
	size_t n = 0, i;
	json_t *item;
	if (a->fault == FAULT_NONE)
		json_array_foreach (items, i, item) {
			if (kind_is(kind_of(t), item, t->element->name, t->element->mark)) {
				mine = item;
				n++;
			}
		}
	if (n == 1)
		is_there(t, kind_unwrap(kind_of(t), mine) ? kind_unwrap(kind_of(t), mine) : mine);
	else if (n > 1)
		several_found(t, n);
	else if (loop_now_ns(t->run->tools.loop) < t->lost_until_ns)
		task_pause(t, LOOK_EVERY_NS, look);
	else
		give_up_attempt(t);
}

/* Asks the cloud whether the create it did not answer has happened. */
static void look(struct timer *timer)
{
	struct task *t = timer->arg;
	const struct kind *k = kind_of(t);
	struct kind_request q = {0};
	struct error err = {0};
	json_t *body = value_json(&t->body);
	const bool by_list =
		!k->chosen_id && kind_find_request(k, body, t->element->name, t->element->mark, &q);
	json_decref(body);
	if (by_list) {
		t->call = cloud_list(t->run->tools.cloud, k->service, q.path, k->collection,
			k->version, POLL_REQUEST_NS, on_look, t);
		kind_request_fini(&q);
		return;
	}
	if (!k->get || !kind_object_request(k, k->get, t->made.path, &q, &err)) {
		give_up_attempt(t);
		return;
	}
	const struct cloud_request request = {
		.service = k->service,
		.method = q.method,
		.path = q.path,
		.body = q.body,
		.microversion = k->version,
		.deadline_ns = POLL_REQUEST_NS,
	};
	t->call = cloud_call(t->run->tools.cloud, &request, on_found_one, t);
	kind_request_fini(&q);
}

static void resend(struct timer *timer)
{
	send_create(timer->arg);
}

static int64_t slowest_create(const struct run *r, const struct kind *k)
{
	int64_t slowest = 0;
	for (size_t i = 0; i < r->tasks.n; i++) {
		const struct task *t = r->tasks.p[i];
		if (t->step->kind == k && t->answer_ns > t->start_ns && t->start_ns >= 0 &&
			t->answer_ns - t->start_ns > slowest)
			slowest = t->answer_ns - t->start_ns;
	}
	return slowest;
}

static void answer_lost(struct task *t, const struct cloud_answer *a)
{
	const struct kind *k = kind_of(t);
	const int64_t now = loop_now_ns(t->run->tools.loop);
	if (t->lost_fault == FAULT_NONE) {
		t->lost_fault = a->status ? a->fault : FAULT_LOST_ANSWER;
		t->lost_status = a->status;
		mem_replace(&t->lost_detail,
			a->error.message[0] ? a->error.message : fault_text(a->fault));
	}
	if (!t->lost_until_ns) {
		int64_t allowed = 3 * slowest_create(t->run, k);
		if (allowed < LOOK_FOR_NS)
			allowed = LOOK_FOR_NS;
		t->lost_until_ns = now + allowed;
	}
	run_emit(t->run, RUN_EVENT_WAIT, t, "answer lost (%s): looking for it",
		fault_text(a->fault));
	if (k->unique == UNIQUE_ADOPT && now < t->lost_until_ns)
		task_pause(t, LOOK_EVERY_NS, resend);
	else
		task_pause(t, LOOK_FIRST_NS, look);
}

/* Whether an answer proves that nothing was made. */
static bool is_refusal(const struct cloud_answer *a)
{
	return !a->sent || (a->status >= 400 && a->status < 500 && a->status != 408);
}

static void on_create_answer(void *arg, const struct cloud_answer *a)
{
	struct task *t = arg;
	const struct kind *k = kind_of(t);
	t->call = NULL;
	task_note_answer(t, a);
	const json_t *object = a->fault == FAULT_NONE ? kind_unwrap(k, a->json) : NULL;
	if (a->fault == FAULT_NONE && (object || !k->wrapper)) {
		is_there(t, object ? object : a->json);
		return;
	}
	if (t->lost_fault != FAULT_NONE && k->unique == UNIQUE_ADOPT &&
		a->status == k->unique_status) {
		t->finding = true;
		look(&t->timer); /* the conflict proves it: find it and adopt it */
		return;
	}
	if (a->fault != FAULT_NONE && is_refusal(a)) {
		char why[700];
		snprintf(why, sizeof(why), "%s%s%s", fault_text(a->fault),
			a->error.message[0] ? ": " : "", a->error.message);
		t->answer_ns = run_now(t->run);
		never_was(t);
		if (t->lost_fault != FAULT_NONE)
			finish_lost(t);
		else
			result(t, a->fault, a->status, why);
		return;
	}
	answer_lost(t, a);
}

static void send_create(struct task *t)
{
	const struct kind *k = kind_of(t);
	struct kind_request q = {0};
	struct error err = {0};
	json_t *body = value_json(&t->body);
	if (k->chosen_id)
		json_object_set_new(body, "id", json_string(t->made.id));
	if (t->element->private_key && !json_object_get(body, "public_key"))
		json_object_set(body, "public_key", json_object_get(t->made.path, "public_key"));
	const bool good =
		kind_create_request(k, body, t->element->name, t->element->mark, &q, &err);
	json_decref(body);
	if (!good) {
		never_was(t);
		result(t, FAULT_EVALUATION, 0, err.msg);
		return;
	}
	struct cloud_request request = {
		.service = k->service,
		.method = q.method,
		.path = q.path,
		.body = q.body,
		.microversion = k->version,
		.deadline_ns = request_ns(t),
	};
	snprintf(request.request_id, sizeof(request.request_id), "%s", t->request_id);
	t->sent_ns = loop_now_ns(t->run->tools.loop);
	t->in_flight = true;
	t->call = cloud_call(t->run->tools.cloud, &request, on_create_answer, t);
	kind_request_fini(&q);
}

static void on_intended(void *arg, const struct error *err)
{
	struct task *t = arg;
	t->in_flight = false;
	if (err) { /* without a durable row nothing is sent */
		made_fini(&t->made);
		t->has_made = false;
		result(t, FAULT_LOCAL, 0, err->msg);
		return;
	}
	if (t->abandoned) {
		never_was(t);
		task_fail(t, t->run->stop_fault, "%s", fault_text(t->run->stop_fault));
		return;
	}
	send_create(t);
}

/* --- before it -------------------------------------------------------------------------------- */

static bool make_key(struct task *t, const json_t *body, struct error *err)
{
	if (strcmp(kind_of(t)->name, "keypair") != 0 || json_object_get(body, "public_key") ||
		t->element->private_key)
		return true;
	char *public_key = NULL;
	if (!ssh_keypair_new(
		    KEY_TYPE, t->element->name, &t->element->private_key, &public_key, err))
		return false;
	json_object_set_new(t->made.path, "public_key", json_string(public_key));
	free(public_key);
	return true;
}

static bool make_name(struct task *t, const json_t *body, struct error *err)
{
	const struct run *r = t->run;
	const struct kind *k = kind_of(t);
	const bool many = t->step->count || t->step->each;
	const char *own = k->name_field ? json_str(body, k->name_field) : NULL;
	if (own && !strstr(own, r->label)) {
		error_at(err, t->step->file, t->step->line, t->step->col,
			"the name of %s is \"%s\" but must contain ${run}, so that its owner can be told",
			t->step->name, own);
		return false;
	}
	free(t->element->name);
	free(t->element->mark);
	t->element->name =
		own ? mem_strdup(own)
		    : mark_name(r->instance, cloud_project_id(r->tools.cloud), k->name, r->label,
			      t->step->name, many, (unsigned)t->element->index, t->attempt);
	t->element->mark = mark_text(
		r->instance, r->label, t->step->name, (unsigned)t->element->index, t->attempt);
	return true;
}

/* The keys the kind's paths need later: everything scalar of the body, which is little. */
static json_t *path_keys(const json_t *body)
{
	json_t *path = json_object();
	const char *key;
	json_t *value;
	json_object_foreach ((json_t *)body, key, value) {
		if (json_is_string(value) && json_string_length(value) <= 64 &&
			!secret_name(slice_of(key)))
			json_object_set(path, key, value);
	}
	return path;
}

static void prepare(struct task *t)
{
	struct run *r = t->run;
	struct error err = {0};
	t->attempt++;
	json_t *body = value_json(&t->body);
	t->made.kind = kind_of(t);
	t->made.path = path_keys(body);
	t->has_made = true;
	const bool good =
		json_is_object(body) && make_name(t, body, &err) && make_key(t, body, &err);
	json_decref(body);
	if (!good) {
		made_fini(&t->made);
		t->has_made = false;
		result(t, FAULT_EVALUATION, 0, err.msg[0] ? err.msg : "the body is not a map");
		return;
	}
	char uuid[UUID_TEXT];
	snprintf(
		t->request_id, sizeof(t->request_id), "req-%s", random_uuid(r->tools.random, uuid));
	if (kind_of(t)->chosen_id) {
		t->made.id = mem_strdup(random_uuid(r->tools.random, uuid));
		json_object_set_new(t->made.path, "id", json_string(t->made.id));
	}
	const struct journal_object o = {
		.run = r->label,
		.step = t->step->name,
		.kind = kind_of(t)->name,
		.index = (unsigned)t->element->index,
		.attempt = t->attempt,
		.name = t->element->name,
		.mark = t->element->mark,
		.cloud_id = t->made.id,
		.request_id = t->request_id,
		.path = t->made.path,
		.fate = OBJECT_INTENT,
	};
	t->in_flight = true;
	journal_intend(r->journal_run, &o, &t->made.row, on_intended, t);
}

void make_new(struct task *t)
{
	t->lost_fault = FAULT_NONE;
	t->lost_until_ns = 0;
	t->finding = false;
	prepare(t);
}

void make_begin(struct task *t)
{
	if (t->has_made || !keep_reuses(t))
		make_new(t);
}

void make_abandon(struct task *t)
{
	if (t->state != TASK_DONE && t->in_flight && timer_running(&t->timer)) {
		/* Between two looks: the row stays open for the next sweep. */
		timer_cancel(&t->timer);
		t->abandoned = true;
		t->lost_until_ns = 0;
		give_up_attempt(t);
	}
}
