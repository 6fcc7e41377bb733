/*
 * minder_line.c - the socket over which a program tells messages, a line each.
 *
 * Lines are handed on whole, so that those of several connections do not mix. One that is too long
 * ends its connection, and what is over the number of lines is dropped.
 */

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "observe/exec/helper_inside.h"

#define PIECE (16u << 10)

bool lines_open(struct lines *l, const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	if (strlen(path) >= sizeof(a.sun_path))
		return false;
	memcpy(a.sun_path, path, strlen(path) + 1);
	l->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return l->listener >= 0 && bind(l->listener, (struct sockaddr *)&a, sizeof(a)) == 0 &&
	       listen(l->listener, 2 * MINDER_LINES) == 0;
}

static struct line_peer *free_place(struct lines *l)
{
	for (size_t i = 0; i < MINDER_LINES; i++)
		if (l->peers[i].fd < 0)
			return &l->peers[i];
	return NULL;
}

void lines_accept(struct lines *l)
{
	struct line_peer *p;
	while ((p = free_place(l))) {
		const int fd = accept4(l->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			return;
		p->fd = fd;
		buf_init(&p->got, HELPER_LINE_MAX + PIECE);
	}
}

static void hand_on(struct lines *l, struct line_peer *p)
{
	struct slice rest = buf_slice(&p->got);
	size_t end;
	while ((end = slice_find(rest, '\n')) < rest.n) {
		if (end && l->taken++ < HELPER_LINES_MAX)
			l->line(l->arg, slice_sub(rest, 0, end));
		rest = slice_sub(rest, end + 1, rest.n);
	}
	memmove(p->got.p, rest.p, rest.n);
	buf_cut(&p->got, rest.n);
}

static void drop(struct line_peer *p)
{
	close(p->fd);
	p->fd = -1;
	buf_fini(&p->got);
}

void lines_read(struct lines *l, struct line_peer *p)
{
	char piece[PIECE];
	const ssize_t n = read(p->fd, piece, sizeof(piece));
	if (n > 0) {
		buf_add(&p->got, piece, (size_t)n);
		hand_on(l, p);
		if (p->got.n > HELPER_LINE_MAX)
			drop(p);
	} else if (n == 0) {
		buf_add_char(&p->got, '\n'); /* the last one may lack its end */
		hand_on(l, p);
		drop(p);
	} else if (errno != EAGAIN && errno != EINTR) {
		drop(p);
	}
}

void lines_close(struct lines *l)
{
	bool more = l->listener >= 0;
	while (more) {
		more = false;
		lines_accept(l);
		for (size_t i = 0; i < MINDER_LINES; i++) {
			struct line_peer *p = &l->peers[i];
			const size_t before = l->taken;
			if (p->fd < 0)
				continue;
			lines_read(l, p);
			more = more || p->fd < 0 || l->taken != before;
		}
	}
	for (size_t i = 0; i < MINDER_LINES; i++)
		if (l->peers[i].fd >= 0)
			drop(&l->peers[i]);
	if (l->listener >= 0)
		close(l->listener);
	l->listener = -1;
}
