/* report/digest.h - one message instead of many: the delay notices of one sender's messages to one
 * domain. A delivery status notification is about one message (RFC 3464 1.1), so this is a
 * multipart/mixed of a text for people and a message/delivery-status for each message that it
 * names. Pure. */
#pragma once
#include "report/report.h"

#define DIGEST_NAMED_MAX 50 /* messages; the others are counted */

struct digest;

/* digest_create - `sender` and `domain` are copied. */
struct digest *digest_create(const struct config *config, struct bytes sender, struct bytes domain,
                             int64_t now_us);

/* digest_add - a message that waits: a request as for report_make, of kind NOTICE_DELAY, whose
 * notice has only recipients of the domain. At most DIGEST_NAMED_MAX. */
void digest_add(struct digest *digest, const struct report_request *request);
int digest_count(const struct digest *digest); /* messages added */

/* digest_finish - the message to the sender; `count` are all that were delayed, those added among
 * them, `id` is its own. One reference for the caller. */
struct message *digest_finish(const struct digest *digest, uint64_t count, uint64_t id);
void digest_destroy(struct digest *digest); /* takes NULL */
