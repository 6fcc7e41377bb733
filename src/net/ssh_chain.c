#include "net/ssh_chain.h"

#include <string.h>
#include <sys/socket.h>

#define KEEP_NS  (15 * NS_PER_S)
#define KEEP_MAX 256

void ssh_chain_free(struct ssh_chain *c)
{
	if (!c)
		return;
	timer_cancel(&c->idle);
	for (size_t i = c->n; i-- > 0;)
		ssh_hop_close(&c->hops[i]);
	free(c);
}

void ssh_chain_wakes(struct ssh_chain *c, void (*wake)(void *arg), void *arg)
{
	for (size_t i = 0; i < c->n; i++) {
		c->hops[i].wake = wake;
		c->hops[i].arg = arg;
	}
}

static void drop(struct ssh_chain *c)
{
	struct ssh_keep *k = c->keep;
	for (size_t i = 0; i < k->chains.n; i++)
		if (k->chains.p[i] == c) {
			vec_remove(&k->chains, i);
			break;
		}
	ssh_chain_free(c);
}

static void on_old(struct timer *t)
{
	drop(t->arg);
}

/* Whether the target has sent something, or has gone. */
static bool is_disturbed(struct ssh_chain *c)
{
	char byte;
	bool moved = true;
	for (int n = 0; moved && n < 16; n++) {
		moved = false;
		for (size_t i = 0; i + 1 < c->n; i++) {
			moved |= ssh_hop_pump(&c->hops[i]);
			if (c->hops[i].state == HOP_FAILED)
				return true;
		}
	}
	const int fd = ssh_get_fd(c->hops[c->n - 1].session);
	return moved || recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 ||
	       !ssh_is_connected(c->hops[c->n - 1].session);
}

static void on_ready(void *arg)
{
	struct ssh_chain *c = arg;
	if (is_disturbed(c))
		drop(c);
}

void ssh_keep_put(struct ssh_keep *k, struct ssh_chain *c)
{
	c->keep = k;
	if (is_disturbed(c)) {
		ssh_chain_free(c);
		return;
	}
	if (k->chains.n == KEEP_MAX)
		drop(k->chains.p[0]);
	ssh_chain_wakes(c, on_ready, c);
	vec_push(&k->chains, c);
	timer_start(k->loop, &c->idle, KEEP_NS, on_old, c);
}

static bool is_same(const struct ssh_chain *a, const struct ssh_chain *b)
{
	bool same = a->n == b->n;
	for (size_t i = 0; same && i < a->n; i++) {
		const struct ssh_hop *x = &a->hops[i], *y = &b->hops[i];
		same = x->port == y->port && x->key == y->key && !strcmp(x->host, y->host) &&
		       !strcmp(x->user, y->user);
	}
	return same;
}

struct ssh_chain *ssh_keep_take(struct ssh_keep *k, const struct ssh_chain *like)
{
	for (size_t i = k->chains.n; i-- > 0;) { /* the one used last is the likeliest to live */
		struct ssh_chain *c = k->chains.p[i];
		if (!is_same(c, like))
			continue;
		vec_remove(&k->chains, i);
		timer_cancel(&c->idle);
		c->keep = NULL;
		if (!is_disturbed(c))
			return c;
		ssh_chain_free(c);
	}
	return NULL;
}

void ssh_keep_fini(struct ssh_keep *k)
{
	while (k->chains.n)
		ssh_chain_free(vec_pop(&k->chains));
	vec_fini(&k->chains);
}
