/* deliver/own.h - is an address ourselves? (RFC 5321 5.1: mail must not be sent to where it is.) */
#pragma once
#include "config/config.h"
#include "runtime/address.h"

struct own {
	struct address *addresses; /* of this machine's interfaces */
	int count;
	int64_t read_us;
};

/* own_is_interface - the address is one of this machine's. Reads the list anew when it is older
 * than a minute. */
bool own_is_interface(struct own *own, const struct address *address, int64_t now_us);
bool own_is_loopback(const struct address *address); /* also "any": 0.0.0.0, :: */

/* own_listens - one of our listeners has that port. */
bool own_listens(const struct config *config, uint16_t port);
void own_deinit(struct own *own);
