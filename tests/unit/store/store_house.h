/*
 * store_house.h - a directory with open facts and a loop, new for each test.
 */
#ifndef TESTS_UNIT_STORE_HOUSE_H
#define TESTS_UNIT_STORE_HOUSE_H

#include <pthread.h>

#include "remove_tree.h"
#include "store/facts.h"

struct house {
	char root[64]; /* removed afterwards */
	char *dir;     /* below it, made by facts_open() */
	struct loop *loop;
	struct facts *facts; /* with a table note(id, text) */
	pthread_t thread;    /* the loop's */
	struct error err;
};

int house_setup(void **state);
int house_teardown(void **state);
void house_reopen(struct house *h);
#define house_test(f) cmocka_unit_test_setup_teardown(f, house_setup, house_teardown)

/* Fails the test with h->err. */
void must(bool good, const struct house *h);
/* A job: one row in `note`. */
bool add_note(struct facts_tx *tx, void *arg, struct error *err);

#endif
