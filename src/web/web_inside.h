/*
 * web_inside.h - shared by web.c (its lives), web_doors.c (what goes through the doors) and
 * web_child.c (starting the serving half).
 */
#ifndef WEB_WEB_INSIDE_H
#define WEB_WEB_INSIDE_H

#include <pthread.h>

#include "base/digest.h"
#include "store/worker.h"
#include "web/door.h"
#include "web/serve.h"
#include "web/web.h"

#define CHILD_NAME    "web-serve"
#define CHILD_DOOR    3 /* descriptors of the child: the door, then the listeners */
#define CHILD_SOCKETS 4

struct child {
	struct serve_options o; /* door: the serving half's end */
	bool running;
	int pid; /* 0: threads */
	pthread_t thread;
};

/* Starts it with its own end of a socket pair; returns the house's end, -1 on error. */
int child_start(struct child *c, const struct serve_options *o, struct error *err);
/* The house's end must be closed. Ends the process, or waits for the threads. */
void child_end(struct child *c);

enum { SITES = AUDIENCE_PUBLIC + 1 };

struct web_answer {
	struct web_answer *next, *prev;
	struct web *web; /* NULL: its house is closed */
	unsigned life;   /* of the serving half that asked */
	uint32_t id;
};

struct web {
	struct loop *loop;
	struct web_options o;
	struct web_house house;
	int public_fds[SERVE_THREADS_MAX], intake_fds[SERVE_THREADS_MAX];
	bool need_token, has_token;
	bool has_pages; /* page_init() was for us: the serving half is threads */
	uint8_t token[SHA256_BYTES];
	json_t *outposts; /* location -> hash of its token in hex; NULL: none */
	struct child child;
	struct door *door; /* NULL: between two lives */
	unsigned life;
	bool serving;
	json_t *isolation;
	int64_t started_ns, pause_ns;
	struct timer restart, late;
	int64_t heard_ns; /* when it was last listened to; see WORDS_NS */
	struct worker *worker;
	struct buf sites[SITES]; /* the newest of each audience; empty: none yet */
	struct web_answer *answers;
	unsigned answer_count;
};

/* web_doors.c: send nothing while there is no door. */
void web_send_setup(struct web *w);
void web_send_site(struct web *w, enum audience audience);
void web_take_frame(struct web *w, const struct door_frame *f);

#endif
