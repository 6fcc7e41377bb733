/*
 * web_inside.h - shared by web.c (doors, answers) and web_child.c (starting the serving half).
 */
#ifndef WEB_WEB_INSIDE_H
#define WEB_WEB_INSIDE_H

#include <pthread.h>

#include "web/door.h"
#include "web/serve.h"

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

#endif
