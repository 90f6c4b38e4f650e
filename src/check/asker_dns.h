/* check/asker_dns.h - an asker that asks the real DNS, on the calling thread's loop: bounded in
 * time, in number, and in how many questions are open at once. */
#pragma once
#include "base/err.h"
#include "check/asker.h"
#include "config/config.h"

struct asker_dns;

/* asker_dns_open - a resolver by `config`, which is kept until asker_dns_close. Of at most
 * `questions_max` questions, `open_max` are open at a time; what is not answered by `deadline_us`,
 * or is asked beyond them, comes back as DNS_TIMEOUT. Fails with ERR_INVALID. Neither this nor
 * asker_dns_close is for fibers: libunbound's stack frames are too large. */
struct asker_dns_limits {
	int questions_max, open_max;
	int64_t deadline_us;
};
int asker_dns_open(const struct config *config, const struct asker_dns_limits *limits,
                   struct asker_dns **dns_out, struct err *err);
void asker_dns_close(struct asker_dns *dns); /* no question is open. Takes NULL */

/* asker_dns_watch - from now on answers are taken by this thread's loop, until
 * asker_dns_unwatch. */
void asker_dns_watch(struct asker_dns *dns);
void asker_dns_unwatch(struct asker_dns *dns);

struct asker asker_dns_asker(struct asker_dns *dns);
int asker_dns_question_count(const struct asker_dns *dns); /* asked so far */
bool asker_dns_is_exhausted(const struct asker_dns *dns);  /* questions_max was reached */
