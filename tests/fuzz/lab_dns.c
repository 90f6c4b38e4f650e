#include "base/assert.h"
#include "lab/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char text[] = "domain a.test { mx 10 mx.a.test; } host mx.a.test { }"
			   "domain alias.test { cname a.test; } domain gone.test { nxdomain; }"
			   "domain short.test { truncate; } domain dead.test { timeout; }";

/* An answer has the query's id and question, is a response, and fits into a datagram. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world *world;
	struct bytes query = { (const char *)data, size };
	struct buffer out = { 0 };
	struct err err;

	if (!world)
		ASSERT(world_parse("w", bytes_of(text), &world, &err) == 0);
	if (zone_answer(world, query, ZONE_UDP, &out)) {
		ASSERT(out.len >= 12 &&
		       bytes_equal(bytes_first(buffer_bytes(&out), 2), bytes_first(query, 2)));
		ASSERT((out.at[2] & 0x80) && out.len <= 65535);
		/* What is no sound query is answered with the header alone. */
		ASSERT(out.len == 12 ||
		       bytes_equal(bytes_first(bytes_from(buffer_bytes(&out), 12), 5),
		                   bytes_first(bytes_from(query, 12), 5)));
	}
	buffer_deinit(&out);
	return 0;
}
