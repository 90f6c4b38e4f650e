#include "base/err.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *err, enum err_code code, const char *format, ...)
{
	va_list args;

	if (!err)
		return code;
	err->code = code;
	err->system_errno = 0;
	va_start(args, format);
	vsnprintf(err->text, sizeof err->text, format, args);
	va_end(args);
	return code;
}

int err_system(struct err *err, const char *format, ...)
{
	int system_errno = errno; /* before anything here can change it */
	va_list args;
	size_t len;

	if (!err)
		return ERR_SYSTEM;
	err->code = ERR_SYSTEM;
	err->system_errno = system_errno;
	va_start(args, format);
	vsnprintf(err->text, sizeof err->text, format, args);
	va_end(args);
	len = strlen(err->text);
	/* strerror has been thread-safe in glibc since 2.32. */
	snprintf(err->text + len, sizeof err->text - len, ": %s", strerror(system_errno));
	return ERR_SYSTEM;
}

const char *err_name(int code)
{
	static const char *const names[] = {
		[0] = "no error",
		[-ERR_SYSTEM] = "system error",
		[-ERR_INVALID] = "invalid",
		[-ERR_PROTOCOL] = "protocol error",
		[-ERR_TOO_LONG] = "too long",
		[-ERR_TIMEOUT] = "timeout",
		[-ERR_CLOSED] = "closed",
		[-ERR_CANCELLED] = "cancelled",
		[-ERR_FULL] = "full",
		[-ERR_NOT_FOUND] = "not found",
		[-ERR_EXISTS] = "exists",
		[-ERR_CORRUPT] = "corrupt",
		[-ERR_POISONED] = "poisoned",
		[-ERR_BUSY] = "busy",
	};

	if (code > 0 || code <= -(int)COUNT(names))
		return "unknown error";
	return names[-code];
}
