/* lab/host.h - one mail server of the lab: its listening sockets, what it has counted, and what it
 * remembers of its clients. */
#pragma once
#include "base/hash.h"
#include "base/list.h"
#include "lab/record.h"
#include "lab/world.h"
#include "runtime/stream.h"

#define HOST_TRIPLETS_MAX 1000000 /* greylisting: further ones pass at once */

struct host_counts {
	uint64_t connections, messages, recipients, refusals, drops, bytes;
	uint64_t open; /* connections, now */
};

struct host;

/* What all hosts share. */
struct host_options {
	uint16_t port;
	struct record *record;      /* may be NULL */
	const char *keep_directory; /* "": content is not kept */
};

/* host_create - a host that does not listen yet. Keeps the pointers. */
struct host *host_create(struct name *name, const struct host_options *options);
void host_destroy(struct host *host); /* after its sessions have ended; takes NULL */

/* host_listen - makes the sockets what the name's manners say now; connections are cut when the
 * host goes down. ERR_SYSTEM names the address. */
int host_listen(struct host *host, struct err *err);
void host_shut(struct host *host); /* closes the sockets */

const struct name *host_name(const struct host *host);
struct host_counts *host_counts(struct host *host);
const struct host_options *host_options(const struct host *host);

/* host_is_early - greylisting: whether this triplet came for the first time less than the delay
 * ago. */
bool host_is_early(struct host *host, struct bytes triplet, int64_t now_us);

/* host_is_over_rate - counts one message; true when the period's allowance is used up. */
bool host_is_over_rate(struct host *host, int64_t now_us);
