#!/usr/bin/python3
"""embed.py FILE NAME OUT.c: a text file as `const char NAME[]`, ended by a NUL."""

import pathlib
import sys

source, name, out = sys.argv[1:]
lines = [f"extern const char {name}[];", f"const char {name}[] ="]
for line in pathlib.Path(source).read_bytes().splitlines():
    # Three octal digits for whatever is not plain, so that no digit behind it belongs to the escape.
    text = "".join(chr(c) if 32 <= c < 127 and c not in b'"\\?' else f"\\{c:03o}" for c in line)
    lines.append(f'\t"{text}\\n"')
pathlib.Path(out).write_text("\n".join(lines) + ";\n")
