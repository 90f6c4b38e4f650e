#include "deliver/own.h"
#include "base/alloc.h"
#include "base/macros.h"
#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>

#define REFRESH_US    60000000
#define ADDRESSES_MAX 4096 /* of this machine; the rest is not looked at */

static socklen_t size_of_family(int family)
{
	if (family == AF_INET)
		return sizeof(struct sockaddr_in);
	return family == AF_INET6 ? sizeof(struct sockaddr_in6) : 0;
}

static void read_interfaces(struct own *own)
{
	struct ifaddrs *all = NULL;

	own_deinit(own);
	if (getifaddrs(&all) < 0)
		return;
	own->addresses = alloc_zeroed(ADDRESSES_MAX * sizeof *own->addresses);
	for (struct ifaddrs *at = all; at && own->count < ADDRESSES_MAX; at = at->ifa_next) {
		socklen_t size = at->ifa_addr ? size_of_family(at->ifa_addr->sa_family) : 0;
		struct address *address = &own->addresses[own->count];

		if (size == 0)
			continue;
		memcpy(&address->storage, at->ifa_addr, size);
		address->len = size;
		own->count++;
	}
	freeifaddrs(all);
	own->addresses = alloc_resize(own->addresses, (size_t)MAX(own->count, 1),
	                              sizeof *own->addresses);
}

static bool is_same_host(const struct address *a, const struct address *b)
{
	const struct sockaddr_in *a4 = (const void *)&a->storage, *b4 = (const void *)&b->storage;
	const struct sockaddr_in6 *a6 = (const void *)&a->storage, *b6 = (const void *)&b->storage;

	if (a->storage.ss_family != b->storage.ss_family)
		return false;
	if (a->storage.ss_family == AF_INET)
		return a4->sin_addr.s_addr == b4->sin_addr.s_addr;
	return a->storage.ss_family == AF_INET6 &&
	       memcmp(&a6->sin6_addr, &b6->sin6_addr, sizeof a6->sin6_addr) == 0;
}

bool own_is_interface(struct own *own, const struct address *address, int64_t now_us)
{
	if (!own->addresses || now_us - own->read_us > REFRESH_US) {
		read_interfaces(own);
		own->read_us = now_us;
	}
	for (int i = 0; i < own->count; i++)
		if (is_same_host(&own->addresses[i], address))
			return true;
	return false;
}

bool own_is_loopback(const struct address *address)
{
	static const char *const names[] = { "127.0.0.0/8", "0.0.0.0/8", "::1/128", "::/128" };
	struct network network;

	for (size_t i = 0; i < COUNT(names); i++)
		if (network_parse(bytes_of(names[i]), &network) &&
		    network_contains(&network, address))
			return true;
	return false;
}

bool own_listens(const struct config *config, uint16_t port)
{
	for (int i = 0; i < config->receive.listener_count; i++) {
		struct address address;
		struct bytes text = bytes_of(config->receive.listeners[i].address);

		if (address_parse(text, 0, &address) && address_port(&address) == port)
			return true;
	}
	return false;
}

void own_deinit(struct own *own)
{
	alloc_free(own->addresses);
	*own = (struct own){ 0 };
}
