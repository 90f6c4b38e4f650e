#include "serve/errand.h"
#include "base/macros.h"
#include "serve/wait.h"

/* It goes to its home first, where the answer comes back to. */
struct errand {
	struct wait wait;
	struct spool *spool;
	struct spool_put put;
	struct spool_read read;
	struct spool_sync sync;
};

static struct errand *errand_of(struct mail *mail)
{
	return CONTAINER_OF(CONTAINER_OF(mail, struct wait, mail), struct errand, wait);
}

static void put_is_done(struct mail *mail)
{
	struct spool_put *put = CONTAINER_OF(mail, struct spool_put, done);

	wait_answer(&CONTAINER_OF(put, struct errand, put)->wait);
}

static void begin_put(struct mail *mail)
{
	struct errand *errand = errand_of(mail);

	spool_put(errand->spool, &errand->put);
}

int errand_put(struct spool *spool, struct mailbox *home, struct message *message, struct err *err)
{
	struct errand errand = { .spool = spool, .put = { .message = message, .home = home } };

	errand.put.done.deliver = put_is_done;
	wait_for(&errand.wait, home, begin_put);
	if (errand.put.result < 0)
		*err = errand.put.err;
	return errand.put.result;
}

static void read_is_done(struct mail *mail)
{
	struct spool_read *read = CONTAINER_OF(mail, struct spool_read, done);

	wait_answer(&CONTAINER_OF(read, struct errand, read)->wait);
}

static void begin_read(struct mail *mail)
{
	struct errand *errand = errand_of(mail);

	spool_read(errand->spool, &errand->read);
}

void errand_read(struct spool *spool, struct mailbox *home, struct spool_read *read)
{
	struct errand errand = { .spool = spool, .read = *read };

	errand.read.home = home;
	errand.read.done.deliver = read_is_done;
	wait_for(&errand.wait, home, begin_read);
	*read = errand.read;
}

static void sync_is_done(struct mail *mail)
{
	struct spool_sync *sync = CONTAINER_OF(mail, struct spool_sync, done);

	wait_answer(&CONTAINER_OF(sync, struct errand, sync)->wait);
}

static void begin_sync(struct mail *mail)
{
	struct errand *errand = errand_of(mail);

	spool_sync(errand->spool, &errand->sync);
}

int errand_sync(struct spool *spool, struct mailbox *home)
{
	struct errand errand = { .spool = spool, .sync = { .home = home } };

	errand.sync.done.deliver = sync_is_done;
	wait_for(&errand.wait, home, begin_sync);
	return errand.sync.result;
}
