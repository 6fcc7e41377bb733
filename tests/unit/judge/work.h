/*
 * work.h - how much is done, in steps that no machine and no other work beside it makes more: the
 * compiler has each basic block of some files of the judge (meson.build names them) count itself.
 */
#ifndef TESTS_UNIT_JUDGE_WORK_H
#define TESTS_UNIT_JUDGE_WORK_H

#include <stdint.h>

uint64_t work_done(void); /* by this thread, since it began */

#endif
