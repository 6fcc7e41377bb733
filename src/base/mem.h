/*
 * mem.h - memory that is there or the program ends.
 *
 * Running out of memory aborts with a message, so no caller has an untested branch for it. In
 * return every size that input can reach has a named limit before it gets here.
 * Thread: any.
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#define must_check        __attribute__((warn_unused_result))
#define like_printf(f, a) __attribute__((format(printf, f, a)))
#define array_len(a)      (sizeof(a) / sizeof((a)[0]))

/* Each returns owned memory, to be given to free(). mem_new is zeroed; n * size is checked. */
void *mem_alloc(size_t n) __attribute__((malloc, returns_nonnull));
void *mem_new_array(size_t n, size_t size) __attribute__((malloc, returns_nonnull));
void *mem_resize(void *p, size_t n, size_t size) __attribute__((returns_nonnull));
#define mem_new(type) ((type *)mem_new_array(1, sizeof(type)))

/* NULL stays NULL. Return owned text. */
char *mem_strdup(const char *s);
char *mem_strndup(const char *s, size_t n);
char *mem_printf(const char *fmt, ...) like_printf(1, 2) __attribute__((returns_nonnull));
char *mem_vprintf(const char *fmt, va_list ap) like_printf(1, 0) __attribute__((returns_nonnull));

/* Frees *p and sets it to a copy of s (which may be NULL and may lie inside *p). */
void mem_replace(char **p, const char *s);

/* Sets the allocator for a program that runs for months: few arenas, and what is large goes back to
 * the system when it is freed. Thread: main, before others are started. */
void mem_settle(void);

/* Gives back what is free, after something large that will not come again soon. 0.1 ms. Thread:
 * any. */
void mem_trim(void);

/* Ends the program with a message; for broken invariants that assert() cannot word. */
void mem_panic(const char *fmt, ...) like_printf(1, 2) __attribute__((noreturn));

#endif
