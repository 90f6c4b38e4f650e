/* mail/downgrade.h - content for servers without 8BITMIME (RFC 6152 3, RFC 2045 6): 8-bit parts
 * become quoted-printable or base64. Pure. */
#pragma once
#include "base/buffer.h"
#include "base/bytes.h"

#define DOWNGRADE_DEPTH_MAX 20

/* downgrade - appends the converted content to `out`. Only bodies that hold bytes above 127 or
 * lines over 998 are touched; multiparts and enclosed messages are gone through. Header sections
 * stay as they are, but for the fields that name the encoding. False when it cannot be done
 * (message/partial and other things that must not be encoded, nested too deep, over out's limit);
 * `out` then holds nothing of use. */
bool downgrade(struct bytes content, struct buffer *out);
