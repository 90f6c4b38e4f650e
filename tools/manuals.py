#!/usr/bin/python3
"""Man pages lint, and every command has its place in outlast(1)."""

import pathlib
import re
import subprocess
import sys

pages = sorted(str(path) for path in pathlib.Path("docs/man").glob("*.[1-9]"))
result = subprocess.run(["mandoc", "-Tlint", "-Wwarning", *pages], capture_output=True, text=True, check=False)
bad = [result.stdout + result.stderr] if result.returncode else []
manual = pathlib.Path("docs/man/outlast.1").read_text()
for name in re.findall(r'^\t\{ "([a-z]+)",', pathlib.Path("src/cli/cli.c").read_text(), re.M):
    if not re.search(rf"^\.It Cm {name}\b", manual, re.M):
        bad.append(f"docs/man/outlast.1 says nothing of {name}")
print("\n".join(bad))
sys.exit(bool(bad))
