/*
 * picker.h - the inside of pick.h, shared by pick.c (lists, one after the other) and pick_choose.c
 * (which of a list) and nobody else.
 */
#ifndef OBSERVE_SCENARIO_PICKER_H
#define OBSERVE_SCENARIO_PICKER_H

#include "base/vec.h"
#include "observe/scenario/pick.h"

enum picker {
	PICK_IMAGE,
	PICK_FLAVOR,
	PICK_EXTERNAL,
	PICK_VOLUME_TYPE,
	PICK_DNS,
	PICK_SERVERS,
	PICK_COUNT
};

struct wanted {
	const struct param *param;
	enum picker picker;
	char *given; /* a name or id; NULL: auto */
};

struct pick {
	struct cloud *cloud;
	const struct scenario *scenario;
	void (*done)(void *arg, const json_t *picked, const struct error *err,
		const struct cloud_failure *f);
	void *arg;
	VEC(struct wanted) wanted;
	json_t *picked;
	enum picker at;
	struct cloud_call *call;
	bool cancelled;
};

/* pick.c: on with the next picker, or the end of it all. */
void pick_next(struct pick *p);
void pick_finish(struct pick *p, const struct error *err, const struct cloud_failure *f);
/* The end, because reading the list at hand failed so. */
void pick_failed(struct pick *p, const struct cloud_answer *a);
/* pick_servers.c: the cloud's name servers, then pick_next(). */
void pick_servers(struct pick *p);
/* "auto found no WHAT; give one". */
bool pick_none(const struct wanted *w, struct error *err, const char *what);

/* Chooses for every wanted param of the picker at hand; false with the error. */
bool pick_choose(struct pick *p, const json_t *items, struct error *err);
void pick_put(struct pick *p, const struct wanted *w, json_t *value, const json_t *item,
	const char *fmt, ...) like_printf(5, 6);

#endif
