/*
 * ssh.c - kind ssh: the identification of an SSH server and its host key, by a key exchange. Nobody
 * logs in.
 */

#include <string.h>

#include "observe/probe/talk.h"
#include "text/regex.h"

struct ssh_spec {
	char *to, *banner, *host_key;
	int key_type; /* of the words; -1: any */
	/* made of them */
	char *host;
	unsigned port;
	struct regex *expect;
};

static const char *const type_words[] = {"ed25519", "ecdsa", "rsa", NULL};
static const char *const types[] = {
	"ssh-ed25519",
	"ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,ecdsa-sha2-nistp521",
	"rsa-sha2-512,rsa-sha2-256,ssh-rsa",
};

#define SSH(name, type, field) name, type, offsetof(struct ssh_spec, field)
static const struct key keys[] = {
	{SSH("to", KEY_TEXT, to), .required = true, .max = 300},
	{SSH("banner", KEY_TEXT, banner), .max = REGEX_PATTERN},
	{SSH("host_key", KEY_TEXT, host_key), .max = 63},
	{SSH("key_type", KEY_WORD, key_type), .words = type_words},
};
#undef SSH

static void defaults(void *into)
{
	struct ssh_spec *s = into;

	s->key_type = -1;
}

static bool finish(void *spec, const struct yaml *at, struct probe_reader *r, struct buf *out)
{
	struct ssh_spec *s = spec;
	struct error err = {0};
	bool good = probe_read_target(r, talk_at(at, "to"), s->to, 22, &s->host, &s->port);

	if (good)
		buf_printf(out, strchr(s->host, ':') ? "[%s]:%u" : "%s:%u", s->host, s->port);
	if (s->host_key && (!slice_starts(slice_of(s->host_key), "SHA256:") ||
				   strlen(s->host_key) != strlen("SHA256:") + 43)) {
		probe_wrong(r, talk_at(at, "host_key"),
			"host_key is SHA256: and 43 characters, as ssh-keygen -l prints it");
		good = false;
	}
	if (s->banner && !(s->expect = regex_new(slice_of(s->banner), &err))) {
		probe_wrong(r, talk_at(at, "banner"), "%s", err.msg);
		good = false;
	}
	return good;
}

static void fini(void *spec)
{
	struct ssh_spec *s = spec;

	free(s->host);
	regex_free(s->expect);
}

static bool can_run(const struct probe_tools *t, const void *spec, struct error *err)
{
	if (!t->ssh)
		error_set(err, ERROR_SYSTEM, "there is no thread for SSH here");
	return t->ssh;
}

/* --- asking ------------------------------------------------------------------------------------
 */

struct asking {
	struct attempt *attempt; /* NULL: nobody wants to know any more */
	struct ssh_call *call;   /* NULL: it has ended */
	char banner[128], host_key[64];
};

static void judge(struct asking *k)
{
	struct attempt *a = k->attempt;
	const struct ssh_spec *s = a->spec;
	char quoted[TALK_QUOTED];

	if (s->expect && regex_find(s->expect, slice_of(k->banner), NULL) != REGEX_FOUND)
		attempt_end(a, FAULT_EXPECTATION, "expected the banner %.60s, came %s", s->banner,
			talk_quoted(slice_of(k->banner), quoted));
	else if (s->host_key && strcmp(s->host_key, k->host_key) != 0)
		attempt_end(a, FAULT_SSH_HOST_KEY, "expected the host key %s, came %s", s->host_key,
			k->host_key);
	else
		attempt_end(a, FAULT_NONE, NULL);
}

static void on_done(void *arg, const struct ssh_result *r)
{
	struct asking *k = arg;
	struct attempt *a = k->attempt;

	k->call = NULL;
	if (!a) {
		free(k);
		return;
	}
	memcpy(k->banner, r->banner, sizeof(k->banner));
	memcpy(k->host_key, r->host_key, sizeof(k->host_key));
	memcpy(a->address, r->address, sizeof(a->address));
	a->phases = r->phases;
	a->connected = *r->banner || r->phases.tls_ns > 0;
	if (r->fault != FAULT_NONE)
		attempt_end(a, r->fault, "%s", r->detail);
	else
		judge(k);
}

static void start(struct attempt *a)
{
	const struct ssh_spec *s = a->spec;
	struct asking *k = mem_new(struct asking);
	const struct ssh_request q = {.target = {.host = s->host, .port = s->port},
		.family = a->family,
		.host_key_types = s->key_type >= 0 ? types[s->key_type] : NULL,
		.deadline_ns = a->deadline_ns};

	k->attempt = a;
	a->data = k;
	k->call = ssh_run(a->tools->ssh, &q, on_done, k);
}

static void cancel(struct attempt *a)
{
	struct asking *k = a->data;

	k->attempt = NULL;
	a->data = NULL;
	ssh_cancel(k->call); /* its callback frees it */
}

static void release(struct attempt *a)
{
	free(a->data);
}

/* --- what was measured -------------------------------------------------------------------------
 */

static const char *const measurements[] = {"BANNER", "HOST_KEY", NULL};

static bool measure(const struct attempt *a, struct slice name, struct value *ret)
{
	const struct asking *k = a->data;

	if (k && slice_is(name, "BANNER") && *k->banner)
		*ret = talk_text(slice_of(k->banner));
	else if (k && slice_is(name, "HOST_KEY") && *k->host_key)
		*ret = value_str(k->host_key);
	else
		return false;
	return true;
}

const struct probe_kind probe_kind_ssh = {
	.name = "ssh",
	.help = "an SSH server's identification and host key; nobody logs in",
	.keys = keys,
	.key_count = array_len(keys),
	.size = sizeof(struct ssh_spec),
	.shorthand = "to",
	.defaults = defaults,
	.finish = finish,
	.fini = fini,
	.measurements = measurements,
	.can_run = can_run,
	.start = start,
	.cancel = cancel,
	.measure = measure,
	.release = release,
};
