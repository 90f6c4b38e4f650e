#include "base/assert.h"
#include "dns/wire.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A host that comes out of MX data is a name that can be asked for, and is safe to print. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { (const char *)data, size };
	struct address address;
	struct wire_mx mx;

	wire_mx_decode(in, &mx);
	ASSERT((mx.kind == WIRE_MX_HOST) == (mx.host[0] != '\0'));
	if (mx.kind == WIRE_MX_HOST)
		ASSERT(wire_name_is_valid(bytes_of(mx.host)) && strlen(mx.host) + 4 == size);
	ASSERT(wire_address_decode(in, &address) == (size == 4 || size == 16));
	wire_name_is_valid(in);
	return 0;
}
