/* check/inspect_server.h - one conversation with a mail server, up to RCPT at most. */
#pragma once
#include "check/inspection.h"

/* inspect_server - fills in all but host, address and source, which are set. With a broken STARTTLS
 * it goes on over a second connection, without. PARKS */
PARKS void inspect_server(const struct inspection *inspection, struct tls_context *context,
                          struct arena *arena, struct inspection_server *server);
