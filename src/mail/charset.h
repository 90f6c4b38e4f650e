/* mail/charset.h - text of any charset that mail uses, as UTF-8; and encoded words (RFC 2047).
 * Lenient: bytes that mean nothing become U+FFFD. No state between calls. */
#pragma once
#include "base/buffer.h"

/* charset_decode - appends `in`, which claims to be in `charset`, to `out` as UTF-8, at most four
 * times its bytes. Text with an unknown or no charset is taken as UTF-8 if it is well-formed, as
 * ISO-2022-JP if it has that one's escapes, else as Windows-1252. */
void charset_decode(struct bytes charset, struct bytes in, struct buffer *out);

/* charset_decode_words - a header field's value as UTF-8: folds become a blank, encoded words are
 * decoded, blanks between two of them vanish. */
void charset_decode_words(struct bytes value, struct buffer *out);
