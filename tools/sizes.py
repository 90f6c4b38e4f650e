#!/usr/bin/python3
"""No file of the project is larger than 1 MiB."""

import os
import sys

from sources import tracked

bad = [path for path in tracked(".") if os.path.getsize(path) > 1 << 20]
print("\n".join(f"{path} is larger than 1 MiB" for path in bad))
sys.exit(bool(bad))
