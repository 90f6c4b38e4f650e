#!/usr/bin/python3
"""clang-format is the law of layout."""

import subprocess
import sys

from sources import tracked

bad = [path for path in tracked("*.c", "*.h")
       if subprocess.run(["clang-format-14", "--dry-run", "-Werror", path], capture_output=True, check=False).returncode]
print("\n".join(f"{path}: not as .clang-format says; make format" for path in bad))
sys.exit(bool(bad))
