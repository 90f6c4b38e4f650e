/* lab/sink.h - the conversation of a lab's mail server with one client (RFC 5321, server side),
 * with the scripted manners in its place. Takes mail and forgets it, unless it is to be kept. */
#pragma once
#include "base/macros.h"
#include "lab/host.h"

/* sink_serve - talks until the client leaves or the script ends it. The caller closes. PARKS */
PARKS void sink_serve(struct host *host, struct stream *stream);
