/*
 * series_count.h - a store with the series "count", whose values count from 0, so that what is lost
 * or there twice is seen.
 */
#ifndef TESTS_UNIT_STORE_SERIES_COUNT_H
#define TESTS_UNIT_STORE_SERIES_COUNT_H

#include "series_house.h"

#define BEGIN 1798761000000 /* 2026-12-31T23:50:00Z */

char *path_of(const struct series_house *h, const char *name); /* owned */
/* Fails the test when one is not in its place; how many there are. */
size_t count_in_order(struct series_store *st, struct loop *l);
/* The same by roll-ups: their counts, and the sum of 0 .. n - 1. */
void assert_rolled(struct series_store *st, struct loop *l, size_t n);
/* A child must not inherit open databases: SQLite shares what it knows of a file in a process. */
void close_house(struct series_house *h);
void fill_an_hour(struct series_house *h);

#endif
