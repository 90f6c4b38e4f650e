#!/usr/bin/python3
"""embed.py FILE NAME OUT.c: a text file as `const char NAME[]`, ended by a NUL."""

import pathlib
import sys


def literal(content):
    """The lines of C string literals that say `content`, byte for byte."""
    rows = []
    for line in content.splitlines(keepends=True):
        # Three octal digits for whatever is not plain, so that no digit behind it belongs to the escape.
        text = "".join(chr(c) if 32 <= c < 127 and c not in b'"\\?' else f"\\{c:03o}" for c in line)
        rows.append(f'\t"{text}"')
    return rows or ['\t""']


def main():
    source, name, out = sys.argv[1:]
    content = pathlib.Path(source).read_bytes()
    rows = [f"extern const char {name}[];", f"const char {name}[] ="] + literal(content)
    pathlib.Path(out).write_text("\n".join(rows) + ";\n", encoding="ascii")


if __name__ == "__main__":
    main()
