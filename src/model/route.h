/* model/route.h - where a destination's mail goes: the hosts in order of preference. Immutable once
 * made; counted references (atomic), because jobs of many threads point to it. Two routes with the
 * same text are the same site. */
#pragma once
#include "base/bytes.h"
#include "base/err.h"

#define ROUTE_HOSTS_MAX 32
#define ROUTE_TEXT_MAX  400

struct route_host {
	char name[256]; /* A-label, lower case, no final dot; or "[127.0.0.1]" */
	uint16_t preference;
};

struct route {
	char text[ROUTE_TEXT_MAX]; /* canonical: hosts in order, "10 mx1.test,20 mx2.test", with
	                            * ":port" if not 25; beyond the limit it ends in "+" and a hash
	                            * of the whole */
	char name[256]; /* short, for people: the first host, and "+2" when there are more */
	uint64_t hash;  /* of the whole canonical text */
	uint16_t port;
	bool is_static; /* from the configuration: a route or smarthost */
	uint16_t host_count;
	struct route_host hosts[];
};

/* route_create - copies, sorts by preference and name, and makes text, name and
 * hash. 1..ROUTE_HOSTS_MAX hosts (more are cut: the least preferred go). */
struct route *route_create(const struct route_host *hosts, size_t count, uint16_t port,
                           bool is_static);
struct route *route_acquire(const struct route *route);
void route_release(const struct route *route); /* takes NULL */

/* route_parse - a configured route: "mx.example.com", "mx.example.com:2525", "[192.0.2.1]:25",
 * "[mail.example.com]" or several of them separated by blanks (equal preference). ERR_INVALID names
 * what is wrong. */
int route_parse(struct bytes text, uint16_t default_port, struct route **route_out,
                struct err *err);
