/* deliver/secure.h - STARTTLS as a client (RFC 3207, 7435), and what a destination's policy makes
 * of what came of it (standards 14). */
#pragma once
#include "base/hash.h"
#include "config/config.h"
#include "deliver/client.h"

/* The least that a destination's mail is sent with; a higher one includes the lower. */
enum secure_policy {
	SECURE_NONE, /* plaintext, even where TLS is offered */
	SECURE_MAY,  /* whatever can be had */
	SECURE_MUST, /* encrypted, whoever the server is */
	SECURE_VERIFY,
};

enum secure_policy secure_policy_of(const struct config_destination *destination);

/* Addresses whose STARTTLS did not work: SECURE_MAY leaves it out there for an hour. */
struct secure_memory {
	struct hash addresses;
};

bool secure_is_broken(struct secure_memory *memory, const char *address, int64_t now_us);
void secure_set_broken(struct secure_memory *memory, const char *address, int64_t now_us);
void secure_memory_deinit(struct secure_memory *memory);

struct secure_wish {
	enum secure_policy policy;
	/* SECURE_VERIFY: its `tls_names`, or else the host's own, must be in the certificate. */
	const struct config_destination *destination;
	struct tls_context *context;
	struct secure_memory *memory;
};

enum secure_result {
	SECURE_GO_ON,       /* with TLS, or without, as the policy allows */
	SECURE_START_AGAIN, /* the connection is of no more use, but one without TLS may be */
	SECURE_FAILED,      /* the outcome says why */
};

/* secure_client - after the EHLO of a fresh connection; says EHLO again if it went to TLS. PARKS */
PARKS enum secure_result secure_client(struct client *client, const struct secure_wish *wish,
                                       struct outcome *outcome_out);

/* secure_suffices - may mail with this wish go over a connection that is there already? */
bool secure_suffices(const struct client *client, const struct secure_wish *wish);
