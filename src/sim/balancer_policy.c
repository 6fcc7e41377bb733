/*
 * balancer_policy.c - L7 policies of listeners, and their rules.
 */

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "sim/balancer.h"
#include "sim/state.h"

#define POST         BALANCER_POST
#define POST_PUT     (BALANCER_POST | BALANCER_PUT)
#define POSITION_MAX 2147483647
#define ACTIONS      "REDIRECT_TO_URL REDIRECT_TO_POOL REJECT REDIRECT_PREFIX"

static const struct balancer_attr policy_attrs[] = {
	{"name", BALANCER_TEXT, POST_PUT, "\"\""},
	{"description", BALANCER_TEXT, POST_PUT, "\"\""},
	{"admin_state_up", BALANCER_BOOL, POST_PUT, "true"},
	{"project_id", BALANCER_TEXT, POST | BALANCER_INNER, .max = 36},
	{"tenant_id", BALANCER_TEXT, POST | BALANCER_INNER, .max = 36},
	{"action", BALANCER_WORDS, POST_PUT | BALANCER_REQUIRED, .words = ACTIONS},
	{"redirect_pool_id", BALANCER_UUID, POST_PUT},
	{"redirect_url", BALANCER_URL, POST_PUT},
	{"redirect_prefix", BALANCER_URL, POST_PUT},
	{"position", BALANCER_INT, POST_PUT, "2147483647", .min = 1, .max = POSITION_MAX},
	{"listener_id", BALANCER_UUID, POST | BALANCER_REQUIRED},
	{"rules", BALANCER_LIST, POST | BALANCER_INNER, "[]"},
	{"tags", BALANCER_TAGS, POST_PUT, "[]"},
	{"redirect_http_code", BALANCER_REAL, POST_PUT, .words = "301 302 303 307 308"},
};

/* --- policies -----------------------------------------------------------------------------------
 */

static bool lacks(struct call *c, const char *what)
{
	call_fail(c, 400, NULL, "Invalid L7 Policy arguments: %s must not be None", what);
	return false;
}

/* What an action needs must be there, and what belongs to another one goes. */
static bool action_good(struct call *c, json_t *in)
{
	static const struct {
		const char *action, *needs, *said;
	} actions[] = {
		{"REDIRECT_TO_URL", "redirect_url", "redirect_url"},
		{"REDIRECT_TO_POOL", "redirect_pool_id", "redirect_pool_id or redirect_pool"},
		{"REDIRECT_PREFIX", "redirect_prefix", "redirect_prefix"},
	};
	const char *action = json_str(in, "action");
	const bool redirects =
		action && strncmp(action, "REDIRECT_TO_POOL", 16) && strcmp(action, "REJECT");

	for (size_t i = 0; action && i < array_len(actions); i++) {
		if (strcmp(actions[i].action, action))
			json_object_set_new(in, actions[i].needs, json_null());
		else if (!json_str(in, actions[i].needs))
			return lacks(c, actions[i].said);
	}
	if (action && !redirects)
		json_object_set_new(in, "redirect_http_code", json_null());
	else if (action && !json_is_integer(json_object_get(in, "redirect_http_code")))
		json_object_set_new(in, "redirect_http_code", json_integer(302));
	return true;
}

static bool pool_good(struct call *c, const struct object *listener, const json_t *in)
{
	const char *id = json_str(in, "redirect_pool_id");
	const struct object *pool = id ? balancer_find(c, &pool_resource, id) : NULL;

	return !id || (pool && balancer_protocols_fit(c, object_str(listener, "protocol"),
				       object_str(pool, "protocol")));
}

/* Positions count from 1 without gaps: one in the middle moves the others on. */
static void place(struct sim *s, const char *listener, struct object *self)
{
	int64_t wanted = json_int(self->doc, "position", POSITION_MAX), n = 1;

	OBJECT_EACH (s, KIND_L7POLICY, o)
		n += o != self && !strcmp(object_str(o, "listener_id"), listener);
	if (wanted > n)
		wanted = n;
	OBJECT_EACH (s, KIND_L7POLICY, o) {
		const int64_t own = json_int(o->doc, "position", 0);
		if (o != self && !strcmp(object_str(o, "listener_id"), listener) && own >= wanted)
			object_set(o, "position", json_integer(own + 1));
	}
	object_set(self, "position", json_integer(wanted));
}

static bool policy_check(struct call *c, json_t *in)
{
	const struct object *listener =
		balancer_find(c, &listener_resource, json_str(in, "listener_id"));
	struct object *lb = listener ? balancer_of(listener) : NULL;

	if (!listener || !pool_good(c, listener, in) || !action_good(c, in) ||
		balancer_ovn_refuses(c, lb, "layer 7 policies") || !balancer_mutable(c, lb, NULL))
		return false;
	json_object_set_new(in, ".loadbalancer", json_string(lb->id));
	return true;
}

static void policy_created(struct call *c, struct object *o, json_t *in)
{
	place(c->sim, object_str(o, "listener_id"), o);
}

static bool policy_change(struct call *c, struct object *o, json_t *in)
{
	return pool_good(c, object_get(c->sim, KIND_LISTENER, object_str(o, "listener_id")), in) &&
	       action_good(c, in);
}

static void policy_show(const struct object *o, json_t *view)
{
	json_object_set_new(view, "rules", balancer_ids(o->sim, KIND_L7RULE, ".policy", o->id));
}

const struct balancer_resource policy_resource = {
	.kind = KIND_L7POLICY,
	.name = "l7policy",
	.collection = "l7policies",
	.title = "L7 Policy",
	.argument = "l7policy_",
	.attrs = policy_attrs,
	.n = array_len(policy_attrs),
	.filters = "",
	.quota = offsetof(struct quota, l7policy),
	.check = policy_check,
	.created = policy_created,
	.change = policy_change,
	.show = policy_show,
};

/* --- rules --------------------------------------------------------------------------------------
 */

#define RULE_TYPES                                                                                 \
	"SSL_DN_FIELD FILE_TYPE SSL_CONN_HAS_CERT HEADER HOST_NAME SSL_VERIFY_RESULT COOKIE PATH"

static const struct balancer_attr rule_attrs[] = {
	{"type", BALANCER_WORDS, POST_PUT | BALANCER_REQUIRED, .words = RULE_TYPES},
	{"compare_type", BALANCER_WORDS, POST_PUT | BALANCER_REQUIRED,
		.words = "REGEX STARTS_WITH ENDS_WITH CONTAINS EQUAL_TO"},
	{"key", BALANCER_TEXT, POST_PUT},
	{"value", BALANCER_TEXT, POST_PUT | BALANCER_REQUIRED},
	{"invert", BALANCER_BOOL, POST_PUT, "false"},
	{"admin_state_up", BALANCER_BOOL, POST_PUT, "true"},
	{"project_id", BALANCER_TEXT, POST | BALANCER_INNER, .max = 36},
	{"tenant_id", BALANCER_TEXT, POST | BALANCER_INNER, .max = 36},
	{"tags", BALANCER_TAGS, POST_PUT, "[]"},
};

static bool key_good(struct call *c, const char *type, const char *key)
{
	if ((strcmp(type, "HEADER") && strcmp(type, "COOKIE")) || (key && *key))
		return true;
	call_fail(c, 400, NULL, "Invalid L7 Rule: L7 rule type requires a key");
	return false;
}

static bool rule_check(struct call *c, json_t *in)
{
	const struct object *policy = object_get(c->sim, KIND_L7POLICY, json_str(in, ".policy"));
	struct object *lb = balancer_of(policy);

	if (!key_good(c, json_str(in, "type"), json_str(in, "key")) ||
		!balancer_mutable(c, lb, NULL))
		return false;
	json_object_set_new(in, ".loadbalancer", json_string(lb->id));
	return true;
}

static bool rule_change(struct call *c, struct object *o, json_t *in)
{
	const char *type = json_str(in, "type"), *key = json_str(in, "key");

	return key_good(c, type ? type : object_str(o, "type"), key ? key : object_str(o, "key"));
}

const struct balancer_resource rule7_resource = {
	.kind = KIND_L7RULE,
	.name = "rule",
	.collection = "rules",
	.title = "L7 Rule",
	.argument = "l7rule_",
	.attrs = rule_attrs,
	.n = array_len(rule_attrs),
	.filters = "",
	.quota = offsetof(struct quota, l7rule),
	.check = rule_check,
	.change = rule_change,
};
