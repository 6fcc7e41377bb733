/* names.c - what a name server sends, and what is sent to the simulated one. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "net/dns_packet.h"
#include "sim/dns.h"
#include "sim/state.h"

static void read_as(const struct dns_asked *asked, const uint8_t *p, size_t n)
{
	struct dns_said said;
	size_t text = 0;

	dns_read(asked, p, n, &said);
	fuzz_hold(said.n <= DNS_ANSWERS_MAX);
	for (size_t i = 0; i < said.n; i++)
		text += strlen(said.answers[i]);
	fuzz_hold(text <= DNS_TEXT_MAX);
	fuzz_hold((said.n > 0) == (said.first != NULL));
	fuzz_hold(said.fault != FAULT_NONE || said.foreign || said.truncated || said.n > 0);
	fuzz_hold((said.fault == FAULT_NONE) == (said.detail[0] == '\0'));
	dns_said_fini(&said);
}

/* The bytes as an answer that is for us: only then are they looked at. */
static void read_answer(const uint8_t *p, size_t n)
{
	static const char *const types[] = {"A", "TXT", "ANY", "CNAME"};
	struct dns_asked asked;
	uint8_t *copy = malloc(n + 1);

	fuzz_hold(copy != NULL);
	memcpy(copy, p, n);
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
		fuzz_hold(dns_ask_with("www.example.org.", types[i], 0x1234,
			n % 2 ? DNS_SIGNATURES : 0, &asked, NULL));
		if (n > 3) {
			copy[0] = 0x12;
			copy[1] = 0x34;
			copy[2] = (uint8_t)((copy[2] | 0x80) & ~0x02);
		}
		read_as(&asked, copy, n);
	}
	free(copy);
}

static struct sim *make_cloud(void)
{
	static struct sim s;

	draw_init(&s.draw, 1, 1);
	struct object *zone = object_new(&s, KIND_DNS_ZONE, "zone", "p", "u");
	object_set_str(zone, "name", "example.org.");
	dns_served(zone)->sets = json_pack(
		"[{s:s, s:s, s:s, s:i, s:[s]}, {s:s, s:s, s:s, s:i, s:[s, s]}, {s:s, s:s, s:s, "
		"s:i, s:[s]}, {s:s, s:s, s:s, s:i, s:[s]}, {s:s, s:s, s:s, s:i, s:[s]}]",
		"id", "1", "name", "example.org.", "type", "SOA", "ttl", 60, "records",
		"ns.example.org. a.b. 1 2 3 4 5", "id", "2", "name", "www.example.org.", "type",
		"A", "ttl", 60, "records", "192.0.2.1", "192.0.2.2", "id", "3", "name",
		"*.w.example.org.", "type", "TXT", "ttl", 60, "records", "\"hello\"", "id", "4",
		"name", "loop.example.org.", "type", "CNAME", "ttl", 60, "records",
		"loop.example.org.", "id", "5", "name", "below.example.org.", "type", "NS", "ttl",
		60, "records", "ns.other.");
	fuzz_hold(dns_served(zone)->sets != NULL);
	return &s;
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static struct sim *cloud;
	struct buf out = BUF(UINT16_MAX);
	char *type = NULL, *name = NULL;
	struct error err = {0};
	struct dns_asked asked;
	char *text = slice_dup(slice_from((const char *)p, n < 300 ? n : 300));

	if (!cloud)
		cloud = make_cloud();
	read_answer(p, n);
	fuzz_hold(dns_ask(text, "A", 1, &asked, &err) || err.msg[0]);
	free(text);
	for (int udp = 0; udp < 2; udp++) {
		buf_clear(&out);
		name_answer(cloud, p, n, udp, &out);
		fuzz_hold(!out.over && (!udp || out.n <= 1232));
	}
	buf_clear(&out);
	name_failure(p, n, &out);
	if (name_question(p, n, &type, &name))
		fuzz_hold(out.n > 0);
	free(type);
	free(name);
	buf_fini(&out);
	return 0;
}
