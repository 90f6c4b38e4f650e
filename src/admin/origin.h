/* admin/origin.h - whose page in a browser sends a request. The Unix socket asks for no token, and
 * people reach it from a browser by forwarding a port to it (ssh -L): then every page that they
 * have open could. Pure. */
#pragma once
#include <stdbool.h>

/* origin_is_ours - by the values of Host and Origin (NULL: the field did not come). Host has to be
 * "outlast" or a name of this machine, with or without a port: a stranger's name that points here
 * (DNS rebinding) is refused. Origin, which browsers send with whatever changes something, has to
 * be Host's own (RFC 6454, 7). */
bool origin_is_ours(const char *host, const char *origin);
