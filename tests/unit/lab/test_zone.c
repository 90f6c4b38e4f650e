#include "lab/zone.h"
#include "support/check.h"
#include <string.h>

/* Built by hand, so that the test does not believe what the zone believes. */
static struct bytes query(struct buffer *out, const char *name, int type, int edns_bytes)
{
	buffer_clear(out);
	buffer_append(out, (struct bytes){ "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00", 10 });
	buffer_append(out, (struct bytes){ edns_bytes ? "\x00\x01" : "\x00\x00", 2 });
	for (struct bytes rest = bytes_of(name); rest.len > 0;) {
		struct bytes label = bytes_split(&rest, '.');

		buffer_append_char(out, (char)label.len);
		buffer_append(out, label);
	}
	buffer_append_char(out, '\0');
	buffer_append_char(out, '\0');
	buffer_append_char(out, (char)type);
	buffer_append(out, (struct bytes){ "\x00\x01", 2 });
	if (edns_bytes) {
		buffer_append(out, (struct bytes){ "\x00\x00\x29", 3 });
		buffer_append_char(out, (char)(edns_bytes >> 8));
		buffer_append_char(out, (char)edns_bytes);
		buffer_append(out, (struct bytes){ "\x00\x00\x00\x00\x00\x00", 6 });
	}
	return buffer_bytes(out);
}

static struct world *make_world(void)
{
	struct buffer text = { 0 };
	struct world *world = NULL;
	struct err err = { 0 };

	buffer_append_text(&text, "domain a.test { mx 10 mx.a.test 20 mx2.a.test; }"
	                          "domain null.test { mx 0 .; }"
	                          "host mx.a.test { address 127.0.0.5 127.0.0.6 ::1; }"
	                          "domain alias.test { cname a.test; }"
	                          "domain loop.test { cname loop.test; }"
	                          "domain gone.test { nxdomain; } domain sad.test { servfail; }"
	                          "domain no.test { refused; } domain dead.test { timeout; }"
	                          "domain short.test { truncate; mx 10 mx.a.test; }"
	                          "domain deep.down.below.test { mx 10 mx.a.test; }"
	                          "domain big.test { mx");
	for (int i = 0; i < 100; i++)
		buffer_printf(&text, " %d mx%d.big.test", i, i);
	buffer_append_text(&text, "; }");
	CHECK_INT("world", world_parse("w", buffer_bytes(&text), &world, &err), 0);
	buffer_deinit(&text);
	return world;
}

enum { A = 1, CNAME = 5, MX = 15, AAAA = 28 };
enum { TC = 0x02, AA_RD_QR = 0x85 };

static const struct {
	const char *name;
	int type, edns_bytes;
	enum zone_transport transport;
	int rcode, answers, authority; /* rcode -1: no answer */
	bool is_truncated;
} rows[] = {
	{ "a.test", MX, 0, ZONE_UDP, 0, 2, 0, false },
	{ "A.TEST", MX, 1232, ZONE_UDP, 0, 2, 0, false },
	{ "a.test", A, 0, ZONE_UDP, 0, 0, 1, false },
	{ "null.test", MX, 0, ZONE_UDP, 0, 1, 0, false },
	{ "mx.a.test", A, 0, ZONE_UDP, 0, 2, 0, false },
	{ "mx.a.test", AAAA, 0, ZONE_UDP, 0, 1, 0, false },
	{ "alias.test", MX, 0, ZONE_UDP, 0, 3, 0, false },
	{ "alias.test", CNAME, 0, ZONE_UDP, 0, 1, 0, false },
	{ "loop.test", MX, 0, ZONE_UDP, 0, 8, 1, false },
	{ "gone.test", MX, 0, ZONE_UDP, 3, 0, 1, false },
	{ "never.test", MX, 0, ZONE_UDP, 3, 0, 1, false },
	{ "sad.test", MX, 0, ZONE_UDP, 2, 0, 0, false },
	{ "no.test", MX, 0, ZONE_UDP, 5, 0, 0, false },
	{ "dead.test", MX, 0, ZONE_UDP, -1, 0, 0, false },
	{ "test", MX, 0, ZONE_UDP, 0, 0, 1, false },
	{ "below.test", A, 0, ZONE_UDP, 0, 0, 1, false }, /* an empty node, RFC 8020 */
	{ "short.test", MX, 0, ZONE_UDP, 0, 0, 0, true },
	{ "short.test", MX, 0, ZONE_TCP, 0, 1, 0, false },
	{ "big.test", MX, 0, ZONE_UDP, 0, 0, 0, true },
	{ "big.test", MX, 1232, ZONE_UDP, 0, 0, 0, true },
	{ "big.test", MX, 0, ZONE_TCP, 0, 100, 0, false },
};

static void test_answers(void)
{
	struct world *world = make_world();
	struct buffer in = { 0 }, out = { 0 };

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct bytes asked = query(&in, rows[i].name, rows[i].type, rows[i].edns_bytes);

		buffer_clear(&out);
		CHECK_INT(rows[i].name, zone_answer(world, asked, rows[i].transport, &out),
		          rows[i].rcode >= 0);
		if (rows[i].rcode < 0)
			continue;
		CHECK_BYTES(rows[i].name, bytes_first(buffer_bytes(&out), 2),
		            BYTES_LITERAL("\x12\x34"));
		CHECK_INT(rows[i].name, (unsigned char)out.at[2] & ~TC, AA_RD_QR);
		CHECK_INT(rows[i].name, (out.at[2] & TC) != 0, rows[i].is_truncated);
		CHECK_INT(rows[i].name, out.at[3] & 15, rows[i].rcode);
		CHECK_INT(rows[i].name, out.at[7], rows[i].answers);
		CHECK_INT(rows[i].name, out.at[9], rows[i].authority);
		CHECK_INT(rows[i].name, out.at[11], rows[i].edns_bytes > 0);
	}
	buffer_deinit(&in);
	buffer_deinit(&out);
	world_destroy(world);
}

/* Every query that is cut short is dropped. */
static void test_cut_queries(void)
{
	struct world *world = make_world();
	struct buffer in = { 0 }, out = { 0 };
	struct bytes whole = query(&in, "a.test", MX, 0);

	for (size_t len = 0; len < whole.len; len++)
		CHECK_TRUE("cut", !zone_answer(world, bytes_first(whole, len), ZONE_UDP, &out));
	in.at[2] = (char)0x80;
	CHECK_TRUE("an answer is no query", !zone_answer(world, whole, ZONE_UDP, &out));
	CHECK_INT("nothing was written", out.len, 0);
	buffer_deinit(&in);
	buffer_deinit(&out);
	world_destroy(world);
}

TEST_MAIN(test_answers, test_cut_queries)
