#include "model/route.h"
#include "base/alloc.h"
#include "base/assert.h"
#include "base/buffer.h"
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The reference count stands before the route, so that the public struct holds facts only. */
struct counted {
	atomic_uint references;
	struct route route;
};

static struct counted *counted_of(const struct route *route)
{
	return (struct counted *)((char *)(uintptr_t)route - offsetof(struct counted, route));
}

static int compare_hosts(const void *a, const void *b)
{
	const struct route_host *left = a, *right = b;

	if (left->preference != right->preference)
		return left->preference < right->preference ? -1 : 1;
	return strcmp(left->name, right->name);
}

/* The text is the site's identity, the hash that of the whole text even when it is shown cut. */
static void set_names(struct route *route)
{
	struct buffer text = { 0 };

	for (uint16_t i = 0; i < route->host_count; i++)
		buffer_printf(&text, "%s%u %s", i ? "," : "", route->hosts[i].preference,
		              route->hosts[i].name);
	if (route->port != 25)
		buffer_printf(&text, ":%u", route->port);
	route->hash = bytes_hash(buffer_bytes(&text), 0);
	if (text.len < sizeof route->text)
		snprintf(route->text, sizeof route->text, "%.*s",
		         BYTES_FORMAT(buffer_bytes(&text)));
	else
		snprintf(route->text, sizeof route->text, "%.*s+%016llx",
		         (int)sizeof route->text - 20, text.at, (unsigned long long)route->hash);
	buffer_deinit(&text);
	if (route->host_count == 1)
		snprintf(route->name, sizeof route->name, "%s", route->hosts[0].name);
	else
		snprintf(route->name, sizeof route->name, "%.248s+%u", route->hosts[0].name,
		         route->host_count - 1);
}

struct route *route_create(const struct route_host *hosts, size_t count, uint16_t port,
                           bool is_static)
{
	struct route_host *sorted = alloc((count + 1) * sizeof *sorted);
	size_t kept = MIN(count, ROUTE_HOSTS_MAX);
	struct counted *counted = alloc_zeroed(sizeof *counted + kept * sizeof *hosts);
	struct route *route = &counted->route;

	ASSERT(count > 0);
	memcpy(sorted, hosts, count * sizeof *sorted);
	qsort(sorted, count, sizeof *sorted, compare_hosts);
	memcpy(route->hosts, sorted, kept * sizeof *sorted);
	alloc_free(sorted);
	atomic_init(&counted->references, 1);
	route->host_count = (uint16_t)kept;
	route->port = port;
	route->is_static = is_static;
	set_names(route);
	return route;
}

struct route *route_acquire(const struct route *route)
{
	struct counted *counted = counted_of(route);

	atomic_fetch_add_explicit(&counted->references, 1, memory_order_relaxed);
	return &counted->route;
}

void route_release(const struct route *route)
{
	struct counted *counted;
	unsigned before;

	if (!route)
		return;
	counted = counted_of(route);
	before = atomic_fetch_sub_explicit(&counted->references, 1, memory_order_acq_rel);
	ASSERT(before > 0);
	if (before == 1)
		alloc_free(counted);
}

/* Cuts ":port" off the end of `host`; an IPv6 address has to stand in brackets. */
static bool split_port(struct bytes *host, uint16_t *port)
{
	ptrdiff_t colon = bytes_find_last_char(*host, ':');
	ptrdiff_t bracket = bytes_find_last_char(*host, ']');
	uint64_t value;

	if (colon < 0 || colon < bracket)
		return true;
	if (!bytes_parse_u64(bytes_from(*host, (size_t)colon + 1), &value) || value == 0 ||
	    value > UINT16_MAX)
		return false;
	*port = (uint16_t)value;
	*host = bytes_first(*host, (size_t)colon);
	return true;
}

static bool is_address(struct bytes inside)
{
	for (size_t i = 0; i < inside.len; i++)
		if (!strchr("0123456789.", inside.at[i]))
			return bytes_find_char(inside, ':') >= 0;
	return inside.len > 0;
}

static int parse_host(struct bytes word, struct route_host *host, uint16_t *port, struct err *err)
{
	struct bytes name = word;

	if (!split_port(&name, port))
		return err_set(err, ERR_INVALID, "route \"%.*s\": the port is not 1..65535",
		               BYTES_FORMAT(word));
	if (name.len > 2 && name.at[0] == '[' && name.at[name.len - 1] == ']') {
		struct bytes inside = { name.at + 1, name.len - 2 };

		if (!is_address(inside))
			name = inside;
	}
	if (name.len == 0 || name.len >= sizeof host->name || bytes_find_char(name, '@') >= 0)
		return err_set(err, ERR_INVALID, "route \"%.*s\" is not a host",
		               BYTES_FORMAT(word));
	for (size_t i = 0; i < name.len; i++)
		host->name[i] = char_lower(name.at[i]);
	host->name[name.len] = '\0';
	host->preference = 0;
	return 0;
}

/* Reads the hosts of `text` into `hosts`, which has room for ROUTE_HOSTS_MAX. Returns their number.
 */
static int parse_hosts(struct bytes text, struct route_host *hosts, uint16_t *route_port,
                       struct err *err)
{
	uint16_t default_port = *route_port;
	int count = 0;

	for (struct bytes rest = text; rest.at;) {
		struct bytes word = bytes_trim(bytes_split(&rest, ' '));
		uint16_t port = default_port;

		if (word.len == 0)
			continue;
		if (count == ROUTE_HOSTS_MAX)
			return err_set(err, ERR_INVALID, "route \"%.*s\" has more than %d hosts",
			               BYTES_FORMAT(text), ROUTE_HOSTS_MAX);
		if (parse_host(word, &hosts[count], &port, err) < 0)
			return ERR_INVALID;
		if (count++ > 0 && port != *route_port)
			return err_set(err, ERR_INVALID,
			               "route \"%.*s\": all hosts need the same port",
			               BYTES_FORMAT(text));
		*route_port = port;
	}
	return count > 0 ? count : err_set(err, ERR_INVALID, "route is empty");
}

int route_parse(struct bytes text, uint16_t default_port, struct route **route_out, struct err *err)
{
	struct route_host *hosts = alloc(ROUTE_HOSTS_MAX * sizeof *hosts);
	uint16_t port = default_port;
	int count = parse_hosts(text, hosts, &port, err);

	if (count > 0)
		*route_out = route_create(hosts, (size_t)count, port, true);
	alloc_free(hosts);
	return count > 0 ? 0 : count;
}
