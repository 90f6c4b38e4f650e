#!/usr/bin/python3
"""No function over 80 lines and no file over 1,000, unless tools/longest.txt gives a reason; no public header over 150 lines."""

import json
import pathlib
import subprocess
import sys

from sources import tracked

FUNCTION_MAX, FILE_MAX, HEADER_MAX = 80, 1000, 150

listed = {line.split()[0] for line in pathlib.Path("tools/longest.txt").read_text().splitlines()
          if line.strip() and not line.startswith("#")}
bad = []
files = tracked("src/*.c", "src/*.h", "tests/*.c", "bench/*.c")
tags = subprocess.run(["ctags", "--output-format=json", "--fields=+ne", "--c-kinds=f", "-f", "-", *files],
                      capture_output=True, text=True, check=True)
for line in tags.stdout.splitlines():
    tag = json.loads(line)
    length = tag.get("end", tag["line"]) - tag["line"] + 1
    if length > FUNCTION_MAX and f"{tag['path']}:{tag['name']}" not in listed:
        bad.append(f"{tag['path']}:{tag['line']}: {tag['name']} has {length} lines")
for path in files:
    length = len(pathlib.Path(path).read_text().splitlines())
    if length > (HEADER_MAX if path.endswith(".h") and path.startswith("src/") else FILE_MAX) and path not in listed:
        bad.append(f"{path}: {length} lines")
print("\n".join(bad))
sys.exit(bool(bad))
