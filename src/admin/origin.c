#include "admin/origin.h"
#include "base/bytes.h"
#include "base/macros.h"
#include <string.h>

static bool is_here(struct bytes host)
{
	static const char *const names[] = { "outlast", "localhost", "127.0.0.1", "[::1]" };

	for (size_t i = 0; i < COUNT(names); i++) {
		struct bytes rest = bytes_from(host, strlen(names[i]));

		if (bytes_starts_with_nocase(host, bytes_of(names[i])) &&
		    (rest.len == 0 || rest.at[0] == ':'))
			return true;
	}
	return false;
}

bool origin_is_ours(const char *host, const char *origin)
{
	static const char scheme[] = "http://";

	if (host && !is_here(bytes_of(host)))
		return false;
	if (!origin)
		return true;
	return host && bytes_starts_with_nocase(bytes_of(origin), bytes_of(scheme)) &&
	       bytes_equal_nocase(bytes_of(origin + strlen(scheme)), bytes_of(host));
}
