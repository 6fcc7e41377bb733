#include "sim/ip.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool ip_parse(const char *text, struct ip *ret)
{
	unsigned char b[16];
	int n = 0;

	*ret = (struct ip){0};
	if (!text)
		return false;
	if (inet_pton(AF_INET, text, b) == 1)
		n = 4;
	else if (inet_pton(AF_INET6, text, b) == 1)
		n = 16;
	if (!n)
		return false;
	for (int i = 0; i < n; i++)
		ret->n = ret->n << 8 | b[i];
	ret->version = n == 4 ? 4 : 6;
	return true;
}

const char *ip_text(struct ip a, char *text)
{
	unsigned char b[16];
	int n = a.version == 4 ? 4 : 16;

	for (int i = n - 1; i >= 0; i--) {
		b[i] = (unsigned char)(a.n & 0xff);
		a.n >>= 8;
	}
	inet_ntop(n == 4 ? AF_INET : AF_INET6, b, text, IP_TEXT);
	return text;
}

bool ip_equal(struct ip a, struct ip b)
{
	return a.version == b.version && a.n == b.n;
}

static unsigned width(int version)
{
	return version == 4 ? 32 : 128;
}

/* The host part's ones. */
static ip_number host_mask(int version, unsigned bits)
{
	unsigned host = width(version) - bits;

	return host == 128 ? ~(ip_number)0 : ((ip_number)1 << host) - 1;
}

bool prefix_parse(const char *text, struct prefix *ret, bool *ret_exact)
{
	char address[IP_TEXT];
	const char *slash = text ? strchr(text, '/') : NULL;
	size_t n = slash ? (size_t)(slash - text) : text ? strlen(text) : 0;
	char *end;
	long bits = -1;

	if (n == 0 || n >= sizeof(address))
		return false;
	memcpy(address, text, n);
	address[n] = 0;
	if (!ip_parse(address, &ret->base))
		return false;
	if (slash) {
		bits = strtol(slash + 1, &end, 10);
		if (!slash[1] || *end || bits < 0)
			return false;
	} else {
		bits = (long)width(ret->base.version);
	}
	if (bits > (long)width(ret->base.version))
		return false;
	ret->bits = (unsigned)bits;
	ip_number mask = host_mask(ret->base.version, ret->bits);
	if (ret_exact)
		*ret_exact = (ret->base.n & mask) == 0;
	ret->base.n &= ~mask;
	return true;
}

const char *prefix_text(struct prefix p, char *text)
{
	ip_text(p.base, text);
	size_t n = strlen(text);
	snprintf(text + n, IP_TEXT - n, "/%u", p.bits);
	return text;
}

bool prefix_has(struct prefix p, struct ip a)
{
	return a.version == p.base.version && (a.n & ~host_mask(a.version, p.bits)) == p.base.n;
}

struct ip prefix_last(struct prefix p)
{
	return (struct ip){p.base.version, p.base.n | host_mask(p.base.version, p.bits)};
}

bool prefix_overlaps(struct prefix a, struct prefix b)
{
	return a.bits <= b.bits ? prefix_has(a, b.base) : prefix_has(b, a.base);
}
