/*
 * kinds.c - the kinds there are, in the order of docs/probes.md.
 */

#include "observe/probe/kind.h"

static const struct probe_kind *const kinds[] = {
	&probe_kind_http,
	&probe_kind_tcp,
	&probe_kind_tls,
	&probe_kind_dns,
	&probe_kind_icmp,
	&probe_kind_ssh,
	&probe_kind_smtp,
	&probe_kind_imap,
	&probe_kind_udp,
	&probe_kind_websocket,
	&probe_kind_grpc,
	&probe_kind_push,
	&probe_kind_exec,
};

const struct probe_kind *const *probe_kinds(size_t *ret_n)
{
	*ret_n = array_len(kinds);
	return kinds;
}

const struct probe_kind *probe_kind_find(struct slice name)
{
	for (size_t i = 0; i < array_len(kinds); i++)
		if (slice_is(name, kinds[i]->name))
			return kinds[i];
	return NULL;
}
