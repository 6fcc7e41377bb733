/*
 * keymanager_payload.c - the payload of secrets: given once, with the secret or after it, and
 * handed out under the media type the client asks for.
 */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/json.h"
#include "sim/keymanager.h"
#include "sim/record.h"
#include "sim/state.h"
#include "sim/upload.h"

#define BINARY "application/octet-stream"

void keymanager_set_payload(struct object *o, const char *type, const void *p, size_t n)
{
	char *text = base64_encode(p, n);

	object_set_str(o, ".payload", text);
	object_set(o, "content_types",
		json_pack("{s:s}", "default",
			!strncmp(type, "text/plain", 10) ? "text/plain" : type));
	free(text);
}

/* --- PUT ---------------------------------------------------------------------------------------
 */

static bool type_good(struct call *c)
{
	const char *type = c->content_type;

	if (type && (!strncmp(type, "text/plain", 10) || !strcmp(type, BINARY)))
		return true;
	call_fail(c, 415, NULL,
		"Unexpected content type. Expected content types are: ['application/octet-stream', "
		"'text/plain']");
	return false;
}

/* The body, owned, or NULL when it is refused. */
static char *body_of(struct call *c, size_t *ret_n)
{
	struct upload_result r = {.fd = -1};
	char *p = mem_alloc(PAYLOAD_MAX + 1);
	ssize_t n = -1;

	if (!upload_failed(c->upload)) {
		upload_take(c->upload, &r);
		n = pread(r.fd, p, PAYLOAD_MAX + 1, 0);
		close(r.fd);
	}
	*ret_n = n > 0 ? (size_t)n : 0;
	if (n < 0 || n > PAYLOAD_MAX)
		call_fail(c, 413, NULL, "Provided information too large to process");
	else if (n == 0)
		call_fail(c, 400, NULL, "Secret update issue seen - No data supplied to process..");
	else
		return p;
	free(p);
	return NULL;
}

void keymanager_put_payload(struct call *c)
{
	struct object *o = type_good(c) ? keymanager_of(c) : NULL;
	const char *encoding = call_sent(c, "content-encoding");
	void *bytes = NULL;
	size_t n;

	if (!o)
		return;
	if (json_object_get(o->doc, ".payload")) {
		call_fail(c, 409, NULL, "Secret already has data, cannot modify it.");
		return;
	}
	char *p = body_of(c, &n);
	if (!p)
		return;
	rule_changed(c, o, false);
	if (encoding && !strcmp(encoding, "base64") && base64_decode(slice_from(p, n), &bytes, &n))
		keymanager_set_payload(o, c->content_type, bytes, n);
	else
		keymanager_set_payload(o, c->content_type, p, n);
	keymanager_touch(o);
	free(bytes);
	free(p);
	call_empty(c, 204);
}

/* --- GET ---------------------------------------------------------------------------------------
 */

bool keymanager_wants_payload(const struct call *c)
{
	return c->accept && *c->accept && !strstr(c->accept, "application/json") &&
	       !strstr(c->accept, "*/*");
}

void keymanager_answer_payload(struct call *c, const struct object *o)
{
	const char *text = json_str(o->doc, ".payload"), *type = c->accept;
	void *bytes = NULL;
	size_t n = 0;

	if (!type || !*type)
		type = BINARY;
	else if (!strncmp(type, "text/plain", 10))
		type = "text/plain; charset=UTF-8";
	else if (strcmp(type, BINARY) && strcmp(type, "application/pkcs8") && strcmp(type, "*/*")) {
		call_fail(c, 406, NULL,
			"Secret payload retrieval issue seen - Wrong payload content-type.");
		return;
	}
	if (!text || strcmp(object_str(o, "status"), "ACTIVE"))
		call_fail(c, 404, NULL, "Not Found. Sorry but your secret has no payload.");
	else if (base64_decode(slice_of(text), &bytes, &n))
		call_bytes(c, 200, type, bytes, n);
	else
		call_bytes(c, 200, type, "", 0);
	free(bytes);
}

void keymanager_get_payload(struct call *c)
{
	const struct object *o = keymanager_of(c);

	if (o)
		keymanager_answer_payload(c, o);
}
