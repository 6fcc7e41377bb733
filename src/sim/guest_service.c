#include "sim/guest_service.h"

#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "base/vec.h"
#include "sim/object.h"

struct served {
	char guest[ID_TEXT];
	unsigned boots, port;
	char *text;
};

struct guest_services {
	pthread_mutex_t lock;
	VEC(struct served) list;
	void (*changed)(void *arg);
	void *arg;
};

struct guest_services *guest_services_new(void)
{
	struct guest_services *s = mem_new(struct guest_services);
	pthread_mutex_init(&s->lock, NULL);
	return s;
}

void guest_services_free(struct guest_services *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->list.n; i++)
		free(s->list.p[i].text);
	vec_fini(&s->list);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static bool of(const struct served *v, const char *guest, unsigned boots)
{
	return v->boots == boots && strcmp(v->guest, guest) == 0;
}

/* Locked. */
static struct served *find(
	struct guest_services *s, const char *guest, unsigned boots, unsigned port)
{
	for (size_t i = 0; i < s->list.n; i++)
		if (s->list.p[i].port == port && of(&s->list.p[i], guest, boots))
			return &s->list.p[i];
	return NULL;
}

/* Locked. Those of earlier boots are gone with their boot, whoever looks next. */
static void forget_before(struct guest_services *s, const char *guest, unsigned boots)
{
	for (size_t i = s->list.n; i-- > 0;) {
		struct served *v = &s->list.p[i];
		if (strcmp(v->guest, guest) != 0 || v->boots >= boots)
			continue;
		free(v->text);
		*v = s->list.p[--s->list.n];
	}
}

static void tell(struct guest_services *s)
{
	if (s->changed)
		s->changed(s->arg);
}

bool guest_service_start(struct guest_services *s, const char *guest, unsigned boots, unsigned port,
	const char *text)
{
	unsigned n = 0;
	pthread_mutex_lock(&s->lock);
	forget_before(s, guest, boots);
	for (size_t i = 0; i < s->list.n; i++)
		n += of(&s->list.p[i], guest, boots);
	const bool free_port = n < GUEST_SERVICES_MAX && !find(s, guest, boots, port);
	if (free_port) {
		struct served v = {.boots = boots, .port = port, .text = mem_strdup(text)};
		strncpy(v.guest, guest, sizeof(v.guest) - 1);
		vec_push(&s->list, v);
	}
	pthread_mutex_unlock(&s->lock);
	if (free_port)
		tell(s);
	return free_port;
}

bool guest_service_stop(struct guest_services *s, const char *guest, unsigned boots, unsigned port)
{
	pthread_mutex_lock(&s->lock);
	struct served *v = find(s, guest, boots, port);
	const bool was = v != NULL;
	if (v) {
		free(v->text);
		*v = s->list.p[--s->list.n];
	}
	pthread_mutex_unlock(&s->lock);
	if (was)
		tell(s);
	return was;
}

char *guest_service_text(struct guest_services *s, const char *guest, unsigned boots, unsigned port)
{
	pthread_mutex_lock(&s->lock);
	const struct served *v = find(s, guest, boots, port);
	char *text = v ? mem_strdup(v->text) : NULL;
	pthread_mutex_unlock(&s->lock);
	return text;
}

unsigned guest_service_ports(
	struct guest_services *s, const char *guest, unsigned boots, unsigned *ports, unsigned n)
{
	unsigned found = 0;
	pthread_mutex_lock(&s->lock);
	for (size_t i = 0; i < s->list.n; i++)
		if (of(&s->list.p[i], guest, boots)) {
			if (found < n)
				ports[found] = s->list.p[i].port;
			found++;
		}
	pthread_mutex_unlock(&s->lock);
	return found;
}

void guest_services_watch(struct guest_services *s, void (*changed)(void *arg), void *arg)
{
	s->changed = changed;
	s->arg = arg;
}
