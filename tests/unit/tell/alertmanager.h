/*
 * alertmanager.h - Prometheus' own Alertmanager on loopback, started for a test and ended by it.
 */
#ifndef TESTS_UNIT_TELL_ALERTMANAGER_H
#define TESTS_UNIT_TELL_ALERTMANAGER_H

#include <stdbool.h>
#include <sys/types.h>

struct alertmanager {
	char dir[64];
	char *url;
	unsigned port;
	pid_t pid;
};

bool alertmanager_exists(void);
struct alertmanager *alertmanager_start(void); /* it answers when this returns */
void alertmanager_stop(struct alertmanager *m);

#endif
