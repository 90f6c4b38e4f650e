#include "base/assert.h"
#include "lab/world.h"
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A world is made whole or refused with a sentence; every name in it can be found again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world *world = NULL;
	struct err err = { 0 };

	if (world_parse("w", (struct bytes){ (const char *)data, size }, &world, &err) < 0) {
		ASSERT(err.code == ERR_INVALID && *err.text && !world);
		return 0;
	}
	for (const struct name *name = world->names; name; name = name->next)
		ASSERT(!*name->text || world_find(world, bytes_of(name->text)) == name);
	world_destroy(world);
	return 0;
}
