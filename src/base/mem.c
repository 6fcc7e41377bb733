/*
 * mem.c - see mem.h. The one place that knows what happens when memory ends.
 */

#include "base/mem.h"

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define ARENAS      1
#define MAPPED_FROM (128 << 10)

void mem_panic(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	fputs("glasshouse: fatal: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	abort();
}

/* By itself glibc gives each thread an arena, which grows by a system call for every few kB, and
 * raises the size from which a block is mapped to that of the largest ever freed: then what one
 * page needed once, a compressor's tables, is kept by every thread that compressed. And it puts small
 * blocks that were freed together only when somebody asks for a large one: with those of a run of 500
 * servers that took 8 ms of the loop. */
void mem_settle(void)
{
	mallopt(M_ARENA_MAX, ARENAS);
	mallopt(M_MMAP_THRESHOLD, MAPPED_FROM);
	mallopt(M_TRIM_THRESHOLD, MAPPED_FROM);
	mallopt(M_MXFAST, 0);
}

void mem_trim(void)
{
	malloc_trim(MAPPED_FROM);
}

void *mem_alloc(size_t n)
{
	void *p = malloc(n ? n : 1);
	if (!p)
		mem_panic("out of memory (%zu bytes)", n);
	return p;
}

void *mem_new_array(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size ? size : 1);
	if (!p)
		mem_panic("out of memory (%zu x %zu bytes)", n, size);
	return p;
}

void *mem_resize(void *p, size_t n, size_t size)
{
	if (size && n > SIZE_MAX / size)
		mem_panic("out of memory (%zu x %zu bytes)", n, size);
	void *q = realloc(p, n && size ? n * size : 1);
	if (!q)
		mem_panic("out of memory (%zu x %zu bytes)", n, size);
	return q;
}

char *mem_strndup(const char *s, size_t n)
{
	if (!s)
		return NULL;
	char *p = mem_alloc(n + 1);
	memcpy(p, s, n);
	p[n] = 0;
	return p;
}

char *mem_strdup(const char *s)
{
	return s ? mem_strndup(s, strlen(s)) : NULL;
}

char *mem_vprintf(const char *fmt, va_list ap)
{
	char *p;
	if (vasprintf(&p, fmt, ap) < 0)
		mem_panic("out of memory (formatting)");
	return p;
}

char *mem_printf(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *p = mem_vprintf(fmt, ap);
	va_end(ap);
	return p;
}

void mem_replace(char **p, const char *s)
{
	char *old = *p;
	*p = mem_strdup(s);
	free(old);
}
