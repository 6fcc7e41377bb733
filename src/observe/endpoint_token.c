/*
 * endpoint_token.c - the session's token for probes that need one.
 *
 * A token is used until a service refuses it, also past the time it should have been renewed:
 * while keystone is down that is all there is. A log-in that failed is not tried again before the
 * time of one rate has passed or the token probe was given one, so that a wrong password does not
 * lock the account.
 */

#include "observe/endpoint_inside.h"

static void on_connected(void *arg, const struct error *err)
{
	struct endpoints *e = arg;
	e->connecting = false;
	e->again_ns = err ? loop_now_ns(e->loop) + e->every_ns : 0;
	if (!err)
		endpoints_look(e); /* may take runs away that wait */
	while (e->waiting.n)
		endpoint_run_token(vec_pop(&e->waiting));
}

bool endpoint_token_renew(struct endpoints *e)
{
	if (e->connecting)
		return true;
	if (loop_now_ns(e->loop) < e->again_ns)
		return false;
	e->connecting = true;
	cloud_connect(e->cloud, on_connected, e);
	return true;
}

void endpoint_token_hope(struct endpoints *e)
{
	unsigned generation;
	bool renew;
	e->again_ns = 0;
	cloud_token(e->cloud, &generation, &renew);
	if (renew)
		endpoint_token_renew(e);
}

void endpoint_token_cancel(struct endpoints *e)
{
	cloud_connect_cancel(e->cloud, e);
	vec_fini(&e->waiting);
}
