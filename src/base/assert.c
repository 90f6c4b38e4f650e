#include "base/assert.h"
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void (*_Atomic failure_hook)(void);

void assert_on_failure(void (*hook)(void))
{
	atomic_store(&failure_hook, hook);
}

void assert_fail(const char *file, int line, const char *format, ...)
{
	char text[512];
	void (*hook)(void) = atomic_exchange(&failure_hook, NULL); /* a hook that fails ends here */
	va_list args;
	int len;

	len = snprintf(text, sizeof text, "outlast: %s:%d: ", file, line);
	if (len > 0 && len < (int)sizeof text) {
		va_start(args, format);
		vsnprintf(text + len, sizeof text - (size_t)len, format, args);
		va_end(args);
	}
	dprintf(STDERR_FILENO, "%s\n", text);
	if (hook)
		hook();
	abort();
}
