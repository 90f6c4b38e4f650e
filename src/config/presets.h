/* config/presets.h - the built-in presets: what senders are used to from other systems. */
#pragma once

/* presets_text - all of them in the block language, one a line; sources in docs/presets.md. */
const char *presets_text(void);
