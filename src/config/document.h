/* config/document.h - the reference of all keys (docs/config.md), made from the schema table. */
#pragma once
#include "base/buffer.h"

void config_document(struct buffer *out);
