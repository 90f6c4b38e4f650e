/* lab/nameserver.h - the lab's DNS server: one UDP and one TCP socket with the same port. */
#pragma once
#include "base/err.h"
#include "lab/world.h"

struct nameserver;

/* nameserver_open - on 127.0.0.1; port 0: chosen. ERR_SYSTEM names the address. */
int nameserver_open(const struct world *world, uint16_t port, struct nameserver **nameserver_out,
                    struct err *err);
void nameserver_shut(struct nameserver *nameserver);    /* takes NULL */
void nameserver_destroy(struct nameserver *nameserver); /* when the loop has ended; takes NULL */
uint16_t nameserver_port(const struct nameserver *nameserver);
uint64_t nameserver_queries(const struct nameserver *nameserver);
