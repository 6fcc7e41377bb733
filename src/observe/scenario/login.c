/*
 * login.c - from `login: {user, host, port, key, via}` at a server to hosts that ssh.h can reach.
 *
 * Evaluated in the server's own scope (its `i` and `it`), on behalf of the step that logs in.
 */

#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "observe/scenario/check.h"

#define LOGIN_HOPS_MAX     4
#define LOGIN_DEFAULT_USER "debian"

struct login {
	struct ssh_host hosts[LOGIN_HOPS_MAX + 1]; /* jump servers first, the target last */
	struct secret *keys[LOGIN_HOPS_MAX + 1];
	size_t n;
};

void login_free(struct login *l)
{
	if (!l)
		return;
	for (size_t i = 0; i < l->n; i++) {
		free((char *)l->hosts[i].host);
		free((char *)l->hosts[i].user);
		secret_unref(l->keys[i]);
	}
	free(l);
}

const struct ssh_host *login_target(const struct login *l)
{
	return &l->hosts[l->n - 1];
}

const struct ssh_host *login_via(const struct login *l, size_t *ret_n)
{
	*ret_n = l->n - 1;
	return l->hosts;
}

/* The element that carries `login`: a group's own, else the server it stands for. */
static struct element *with_login(struct world *w, struct value_ref ref, const struct interp **ret)
{
	struct step_world *sw = &w->steps[ref.object];
	const int32_t at = ref.element < 0 ? 0 : ref.element;
	if (sw->step->login && (size_t)at < sw->count) {
		*ret = sw->step->login;
		return &sw->elements[at];
	}
	struct element *e = world_element(w, ref);
	*ret = e ? w->steps[e->step].step->login : NULL;
	return *ret ? e : NULL;
}

/* Evaluates `login` of `e`; what it meets is noted for `who` and not for `e`, or a server would
 * seem to need the floating IP that needs the server. */
static enum expr_result evaluate(struct world *w, struct element *e, struct element *who,
	const struct interp *login, struct value *ret, struct error *err)
{
	const size_t before = e->uses.n;
	const enum expr_result r = world_body(w, e, login, ret, err);
	for (size_t i = before; who && who != e && i < e->uses.n; i++)
		vec_push(&who->uses, e->uses.p[i]);
	if (who != e)
		e->uses.n = before;
	return r;
}

static enum expr_result take_key(
	struct world *w, const struct value *key, struct secret **ret, struct error *err)
{
	if (key && key->type == VALUE_REF) {
		const struct element *e = world_element(w, key->ref);
		if (!e || e->state == ELEMENT_WAITING || e->state == ELEMENT_STARTED)
			return EXPR_BLOCKED;
		if (e->state != ELEMENT_READY)
			return EXPR_SKIPPED;
		if (e->private_key) {
			*ret = secret_ref(e->private_key);
			return EXPR_OK;
		}
	} else if (key && key->type == VALUE_TEXT && value_count(key)) {
		*ret = secret_new(value_slice(key));
		return EXPR_OK;
	}
	error_set(err, ERROR_INPUT,
		"login needs `key`: a keypair made here, or the text of a private key");
	return EXPR_ERROR;
}

static bool read_port(const struct value *v, unsigned *ret, struct error *err)
{
	int64_t n = 22;
	bool good = !v || v->type == VALUE_NULL || v->type == VALUE_INT;
	if (v && v->type == VALUE_INT)
		n = v->integer;
	else if (v && v->type == VALUE_TEXT)
		good = units_parse_int(value_slice(v), &n);
	if (!good || n < 1 || n > 65535) {
		error_set(err, ERROR_INPUT, "the `port` of a login is a number from 1 to 65535");
		return false;
	}
	*ret = (unsigned)n;
	return true;
}

static enum expr_result add_hop(struct world *w, struct value_ref ref, struct element *who,
	const struct reach *reach, struct login *l, unsigned depth, struct error *err);

/* The server a group's element stands for. */
static struct element *server_of(struct world *w, struct element *e)
{
	return w->steps[e->step].step->verb == VERB_GROUP ? world_element(w, e->target) : e;
}

/* Nobody gets through a jump server that never came up, whatever address it has. */
static enum expr_result jump_is_up(struct world *w, struct value_ref via)
{
	struct element *e = world_element(w, via);
	const struct element *server = e ? server_of(w, e) : NULL;
	if (!server || server->state == ELEMENT_READY)
		return EXPR_OK; /* add_hop() says what is wrong with none */
	return server->state == ELEMENT_WAITING || server->state == ELEMENT_STARTED ? EXPR_BLOCKED
										    : EXPR_SKIPPED;
}

/* `host`, else the server's own address; owned, NULL if there is neither. */
static char *host_of(struct world *w, const struct element *server, const struct value *fields)
{
	const struct value *host = value_field(fields, SLICE("host"));
	if (host && host->type == VALUE_TEXT)
		return slice_dup(value_slice(host));
	const struct kind *k = server ? w->steps[server->step].step->kind : NULL;
	json_t *address =
		k && server->object ? kind_field(k, server->object, SLICE("address")) : NULL;
	char *name = mem_strdup(json_string_value(address));
	json_decref(address);
	return name;
}

static enum expr_result fill_hop(struct world *w, struct element *e, struct element *who,
	const struct reach *reach, const struct value *fields, struct login *l, unsigned depth,
	struct error *err)
{
	const struct value *via = value_field(fields, SLICE("via"));
	enum expr_result r = EXPR_OK;
	unsigned port;
	if (!read_port(value_field(fields, SLICE("port")), &port, err))
		return EXPR_ERROR;
	if (via && via->type == VALUE_REF)
		r = jump_is_up(w, via->ref);
	if (r == EXPR_OK && via && via->type == VALUE_REF)
		r = add_hop(w, via->ref, who, reach, l, depth + 1, err);
	struct secret *key = NULL;
	if (r == EXPR_OK)
		r = take_key(w, value_field(fields, SLICE("key")), &key, err);
	if (r != EXPR_OK)
		return r;
	const struct value *user = value_field(fields, SLICE("user"));
	struct element *server = server_of(w, e);
	char *name = host_of(w, server, fields);
	if (!name) {
		secret_unref(key);
		error_set(err, ERROR_INPUT, "login has no `host` and the server has no address");
		return EXPR_ERROR;
	}
	struct ssh_host *h = &l->hosts[l->n];
	h->port = port;
	const bool named = user && user->type == VALUE_TEXT && !slice_is(value_slice(user), "auto");
	const char *known = server ? world_login_user(w, server) : NULL;
	h->user = named ? slice_dup(value_slice(user))
			: mem_strdup(known ? known : LOGIN_DEFAULT_USER);
	/* Behind a jump server the address is one of the cloud's own network. */
	h->host = l->n ? mem_strdup(name) : reach_address(reach, name, &h->port, false);
	free(name);
	h->private_key = key;
	l->keys[l->n++] = key;
	return EXPR_OK;
}

static enum expr_result add_hop(struct world *w, struct value_ref ref, struct element *who,
	const struct reach *reach, struct login *l, unsigned depth, struct error *err)
{
	const struct interp *login;
	struct element *e = with_login(w, ref, &login);
	if (!e || depth > LOGIN_HOPS_MAX) {
		error_set(err, ERROR_INPUT, "%s",
			e ? "too many jump servers" : "this step has no `login:` to log in with");
		return EXPR_ERROR;
	}
	struct value fields = VALUE_NOTHING;
	enum expr_result r = evaluate(w, e, who, login, &fields, err);
	if (r == EXPR_OK)
		r = fill_hop(w, e, who, reach, &fields, l, depth, err);
	value_drop(&fields);
	return r;
}

enum expr_result login_resolve(struct world *w, struct value_ref ref, struct element *who,
	const struct reach *reach, struct login **ret, struct error *err)
{
	struct login *l = mem_new(struct login);
	const enum expr_result r = add_hop(w, ref, who, reach, l, 0, err);
	if (r == EXPR_OK)
		*ret = l;
	else
		login_free(l);
	return r;
}

enum expr_result login_host(struct world *w, struct value_ref ref, struct element *who,
	char **ret_host, unsigned *ret_port, struct error *err)
{
	const struct interp *login;
	struct element *e = with_login(w, ref, &login);
	struct value fields = VALUE_NOTHING;
	enum expr_result r = EXPR_OK;
	*ret_port = 22;
	if (e)
		r = evaluate(w, e, who, login, &fields, err);
	else
		e = world_element(w, ref);
	if (r == EXPR_OK && !read_port(value_field(&fields, SLICE("port")), ret_port, err))
		r = EXPR_ERROR;
	if (r == EXPR_OK) {
		*ret_host = e ? host_of(w, server_of(w, e), &fields) : NULL;
		if (!*ret_host) {
			error_set(err, ERROR_INPUT, "this step has no address to reach it at");
			r = EXPR_ERROR;
		}
	}
	value_drop(&fields);
	return r;
}
