#include "base/units.h"
#include "receive/identity.h"
#include "support/certificate.h"
#include "support/check.h"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LATER_US (11 * US_PER_SECOND)

static struct certificate first, second;

/* As a program that renews certificates does: a new file under the old name. */
static void put(const char *from, const char *to)
{
	char data[4096], temporary[200];
	int in = open(from, O_RDONLY), out;
	ssize_t count = read(in, data, sizeof data);

	snprintf(temporary, sizeof temporary, "%s.new", to);
	out = open(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	CHECK_INT("write", write(out, data, (size_t)count), count);
	close(in);
	close(out);
	CHECK_INT("rename", rename(temporary, to), 0);
}

static void test_files_that_change(void)
{
	struct identity identity = { 0 };
	struct tls_context *old, *new;
	struct err err = { 0 };
	int64_t now_us = 1000 * US_PER_SECOND;

	first = certificate_make(&(struct certificate_wish){ .name = "mx.test" });
	second = certificate_make(&(struct certificate_wish){ .name = "mx.test" });
	CHECK_INT("read", identity_read(&identity, first.path, first.key_path, &err), 0);
	old = identity_context(&identity, now_us);
	CHECK_TRUE("unchanged", identity_context(&identity, now_us + LATER_US) == old);

	put(second.path, first.path);
	now_us += LATER_US;
	CHECK_TRUE("not looked at yet", identity_context(&identity, now_us) == old);
	now_us += LATER_US;
	CHECK_TRUE("not its key: stays", identity_context(&identity, now_us) == old);
	put(second.key_path, first.key_path);
	now_us += LATER_US;
	new = identity_context(&identity, now_us);
	CHECK_TRUE("both: new", new != old);

	unlink(first.path);
	now_us += LATER_US;
	CHECK_TRUE("gone: stays", identity_context(&identity, now_us) == new);
	CHECK_INT("reload says so", identity_read(&identity, first.path, first.key_path, &err),
	          ERR_INVALID);
	CHECK_TRUE(err.text, strstr(err.text, first.path) != NULL);
	CHECK_TRUE("stays", identity_context(&identity, now_us) == new);
	identity_deinit(&identity);
	certificate_free(&first);
	certificate_free(&second);
}

TEST_MAIN(test_files_that_change)
