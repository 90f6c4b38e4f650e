/* smtp/xtext.h - xtext of RFC 3461 4. Pure. */
#pragma once
#include "base/buffer.h"

bool xtext_is_valid(
	struct bytes text); /* 33..126 without + and =, or "+" and two upper-case hex digits */
bool xtext_decode(struct bytes text, struct buffer *out);
void xtext_encode(struct bytes text, struct buffer *out);
