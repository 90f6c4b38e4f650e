#include "base/err.h"
#include "support/check.h"
#include <errno.h>

static void test_set(void)
{
	struct err err = { .system_errno = 7 };

	CHECK_INT("returns the code", err_set(&err, ERR_FULL, "spool %s is full", "x"), ERR_FULL);
	CHECK_BYTES("text", bytes_of(err.text), bytes_of("spool x is full"));
	CHECK_INT("errno of an earlier failure is gone", err.system_errno, 0);
	CHECK_INT("nobody asks", err_set(NULL, ERR_BUSY, "x"), ERR_BUSY);
}

static void test_system(void)
{
	struct err err = { 0 };

	errno = ENOENT;
	CHECK_INT("code", err_system(&err, "open %s", "/x"), ERR_SYSTEM);
	CHECK_BYTES("text", bytes_of(err.text), bytes_of("open /x: No such file or directory"));
	CHECK_INT("errno", err.system_errno, ENOENT);
	CHECK_INT("nobody asks", err_system(NULL, "x"), ERR_SYSTEM);
}

static void test_long_text_is_cut(void)
{
	struct err err = { 0 };

	err_system(&err, "%0*d", 500, 1);
	CHECK_INT("cut", strlen(err.text), sizeof err.text - 1);
}

static void test_names(void)
{
	for (int code = 0; code >= ERR_BUSY; code--) {
		CHECK_TRUE("has a name", err_name(code) != NULL);
		CHECK_TRUE("of its own", strcmp(err_name(code), "unknown error") != 0);
	}
	CHECK_BYTES("timeout", bytes_of(err_name(ERR_TIMEOUT)), bytes_of("timeout"));
	CHECK_BYTES("too long", bytes_of(err_name(ERR_TOO_LONG)), bytes_of("too long"));
	CHECK_BYTES("positive", bytes_of(err_name(1)), bytes_of("unknown error"));
	CHECK_BYTES("beyond", bytes_of(err_name(ERR_BUSY - 1)), bytes_of("unknown error"));
}

TEST_MAIN(test_set, test_system, test_long_text_is_cut, test_names)
