/*
 * http_listen.c - sockets to listen on; see http_server.h.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/units.h"
#include "net/http_server.h"

#define BACKLOG 4096

static bool split_address(
	const char *text, char *host, size_t host_n, char *port, size_t port_n, struct error *err)
{
	const char *colon = strrchr(text, ':');
	struct slice h = colon ? slice_from(text, (size_t)(colon - text)) : slice_of("");
	if (h.n > 1 && h.p[0] == '[' && h.p[h.n - 1] == ']')
		h = slice_sub(h, 1, h.n - 2);
	int64_t number; /* getaddrinfo() takes 65536 for 0 */
	if (!colon || !h.n || h.n >= host_n || strlen(colon + 1) >= port_n ||
		!units_parse_int(slice_of(colon + 1), &number) || number < 0 || number > 65535) {
		error_set(err, ERROR_INPUT,
			"\"%.100s\" is no address to listen on; write 127.0.0.1:8090", text);
		return false;
	}
	snprintf(host, host_n, "%.*s", SLICE_ARG(h));
	snprintf(port, port_n, "%s", colon + 1);
	return true;
}

unsigned http_listener_port(int fd)
{
	union { /* both have the port at the same place */
		struct sockaddr any;
		struct sockaddr_in6 v6;
	} own = {0};
	socklen_t n = sizeof(own);
	return getsockname(fd, &own.any, &n) == 0 ? ntohs(own.v6.sin6_port) : 0;
}

/* Owned; NULL with the error. */
static struct addrinfo *look_up(const char *address, int type, struct error *err)
{
	char host[128], port[16];
	struct addrinfo hints = {
		.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = type};
	struct addrinfo *a = NULL;
	if (!split_address(address, host, sizeof(host), port, sizeof(port), err))
		return NULL;
	const int rc = getaddrinfo(host, port, &hints, &a);
	if (!rc)
		return a;
	error_set(err, ERROR_INPUT, "cannot listen on %s: %s", address, gai_strerror(rc));
	return NULL;
}

int udp_listen(const char *address, struct error *err)
{
	struct addrinfo *a = look_up(address, SOCK_DGRAM, err);
	if (!a)
		return -1;
	const int fd = socket(a->ai_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	const bool good = fd >= 0 && bind(fd, a->ai_addr, a->ai_addrlen) == 0;
	freeaddrinfo(a);
	if (good)
		return fd;
	error_sys(err, errno, "cannot receive packets on %s", address);
	if (fd >= 0)
		close(fd);
	return -1;
}

int http_listen(const char *address, bool reuse_port, struct error *err)
{
	struct addrinfo *a = look_up(address, SOCK_STREAM, err);
	if (!a)
		return -1;
	const int one = 1;
	const int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool good = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0;
	if (good && reuse_port)
		good = setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) == 0;
	good = good && bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0;
	freeaddrinfo(a);
	if (good)
		return fd;
	error_sys(err, errno, "cannot listen on %s", address);
	if (fd >= 0)
		close(fd);
	return -1;
}

bool http_address_is_loopback(const char *address)
{
	char host[128], port[16];
	struct in_addr v4;
	struct in6_addr v6;
	if (!split_address(address, host, sizeof(host), port, sizeof(port), NULL))
		return false;
	if (inet_pton(AF_INET, host, &v4) == 1)
		return ntohl(v4.s_addr) >> 24 == 127;
	return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}
