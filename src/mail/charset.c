#include "mail/charset.h"
#include "mail/header.h"
#include "mail/transfer.h"
#include <errno.h>
#include <iconv.h>

/* The only names that reach iconv: a stranger does not choose which of its modules we load, several
 * of which had bugs (CVE-2020-27618, CVE-2021-3326, CVE-2024-2961). The right side is what the
 * label means in mail as it is, not in the standard. */
static const struct {
	const char *label, *name;
} charsets[] = {
	{ "iso-8859-1", "CP1252" },
	{ "latin1", "CP1252" },
	{ "windows-1252", "CP1252" },
	{ "cp1252", "CP1252" },
	{ "iso-8859-15", "ISO-8859-15" },
	{ "iso-8859-2", "ISO-8859-2" },
	{ "windows-1250", "CP1250" },
	{ "iso-8859-5", "ISO-8859-5" },
	{ "windows-1251", "CP1251" },
	{ "cp1251", "CP1251" },
	{ "koi8-r", "KOI8-R" },
	{ "koi8-u", "KOI8-U" },
	{ "iso-8859-7", "ISO-8859-7" },
	{ "windows-1253", "CP1253" },
	{ "iso-8859-9", "CP1254" },
	{ "windows-1254", "CP1254" },
	{ "iso-8859-8", "CP1255" },
	{ "iso-8859-8-i", "CP1255" },
	{ "windows-1255", "CP1255" },
	{ "iso-8859-6", "ISO-8859-6" },
	{ "windows-1256", "CP1256" },
	{ "windows-1257", "CP1257" },
	{ "windows-1258", "CP1258" },
	{ "windows-874", "CP874" },
	{ "tis-620", "CP874" },
	{ "iso-2022-jp", "ISO-2022-JP" },
	{ "shift_jis", "CP932" },
	{ "shift-jis", "CP932" },
	{ "x-sjis", "CP932" },
	{ "windows-31j", "CP932" },
	{ "cp932", "CP932" },
	{ "euc-jp", "EUC-JP" },
	{ "gb2312", "GB18030" },
	{ "gbk", "GB18030" },
	{ "gb18030", "GB18030" },
	{ "gb_2312-80", "GB18030" },
	{ "cp936", "GB18030" },
	{ "x-gbk", "GB18030" },
	{ "big5", "BIG5-HKSCS" },
	{ "euc-kr", "CP949" },
	{ "ks_c_5601-1987", "CP949" },
	{ "cp949", "CP949" },
	{ "utf-16", "UTF-16" },
	{ "utf-7", "UTF-7" },
};

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

static const char *find_name(struct bytes charset, struct bytes in)
{
	for (size_t i = 0; i < COUNT(charsets); i++)
		if (bytes_equal_nocase(charset, bytes_of(charsets[i].label)))
			return charsets[i].name;
	if (bytes_find(in, BYTES_LITERAL("\033$B")) >= 0 ||
	    bytes_find(in, BYTES_LITERAL("\033$@")) >= 0)
		return "ISO-2022-JP";
	return "CP1252";
}

static void convert(iconv_t converter, struct bytes in, struct buffer *out)
{
	char *from = (char *)(uintptr_t)in.at; /* iconv(3) does not write to it */
	size_t left = in.len;
	char chunk[1024];

	while (left > 0) {
		char *to = chunk;
		size_t room = sizeof chunk, result;

		result = iconv(converter, &from, &left, &to, &room);
		buffer_append(out, (struct bytes){ chunk, sizeof chunk - room });
		if (result != (size_t)-1 || errno == EINVAL)
			return; /* all of it, or the text ends within a character */
		if (errno == E2BIG)
			continue;
		buffer_append_text(out, replacement);
		from++;
		left--;
	}
}

void charset_decode(struct bytes charset, struct bytes in, struct buffer *out)
{
	struct bytes label = bytes_trim(charset);
	bool is_escaped = bytes_find_char(in, '\033') >= 0;
	iconv_t converter;

	if (in.len == 0)
		return;
	if (!is_escaped && !bytes_starts_with_nocase(label, BYTES_LITERAL("utf-16")) &&
	    !bytes_equal_nocase(label, BYTES_LITERAL("utf-7")) && bytes_is_utf8(in)) {
		buffer_append(out,
		              in); /* also where the label says otherwise: it is never chance */
		return;
	}
	converter = iconv_open("UTF-8", find_name(label, in));
	if (converter == (iconv_t)-1) { /* a system without the module */
		buffer_append(out, in);
		return;
	}
	convert(converter, in, out);
	iconv_close(converter);
}

/* "=?charset?B?text?=" at the front: its length, 0 if there is none. */
static size_t decode_word(struct bytes in, struct buffer *out)
{
	struct bytes rest = bytes_from(in, 2), charset, encoding, text;
	struct buffer raw = { 0 };
	ptrdiff_t end;

	if (!bytes_starts_with(in, BYTES_LITERAL("=?")))
		return 0;
	charset = bytes_split(&rest, '?');
	encoding = bytes_split(&rest, '?');
	end = bytes_find(rest, BYTES_LITERAL("?="));
	if (charset.len > 60 || encoding.len != 1 || end < 0 || end > 1000)
		return 0;
	text = bytes_first(rest, (size_t)end);
	charset = bytes_split(&charset, '*'); /* RFC 2231: a language may follow */
	if (char_lower(encoding.at[0]) == 'q') {
		transfer_decode(TRANSFER_QUOTED, text, &raw);
		for (size_t i = 0; i < raw.len; i++)
			if (raw.at[i] == '_')
				raw.at[i] = ' ';
	} else {
		transfer_decode(TRANSFER_BASE64, text, &raw);
	}
	charset_decode(charset, buffer_bytes(&raw), out);
	buffer_deinit(&raw);
	return (size_t)(text.at - in.at) + text.len + 2;
}

static size_t count_blanks(struct bytes in)
{
	size_t count = 0;

	while (count < in.len && (in.at[count] == ' ' || in.at[count] == '\t'))
		count++;
	return count;
}

void charset_decode_words(struct bytes value, struct buffer *out)
{
	struct buffer line = { 0 }, words = { 0 };
	struct bytes rest;

	header_unfold(value, &line);
	rest = buffer_bytes(&line);
	while (rest.len > 0) {
		size_t used = decode_word(rest, &words), blanks;

		if (used == 0) {
			buffer_append_char(&words, rest.at[0]);
			rest = bytes_from(rest, 1);
			continue;
		}
		rest = bytes_from(rest, used);
		blanks = count_blanks(rest);
		if (bytes_starts_with(bytes_from(rest, blanks), BYTES_LITERAL("=?")))
			rest = bytes_from(rest, blanks);
	}
	/* Raw 8-bit text stands in fields, too. */
	charset_decode((struct bytes){ 0 }, buffer_bytes(&words), out);
	buffer_deinit(&line);
	buffer_deinit(&words);
}
