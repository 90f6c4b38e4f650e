#!/usr/bin/python3
"""Every header compiles alone."""

import subprocess
import sys

from sources import tracked

bad = []
for path in tracked("src/*.h"):
    name = path.removeprefix("src/")
    result = subprocess.run(["gcc", "-std=gnu17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-Isrc", "-x", "c", "-"],
                            input=f'#include "{name}"\n', capture_output=True, text=True, check=False)
    if result.returncode:
        bad.append(f"{path} does not compile alone:\n{result.stderr}")
print("\n".join(bad))
sys.exit(bool(bad))
