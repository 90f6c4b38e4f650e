#!/usr/bin/python3
"""A room may include only the rooms that it is told to know. base/ is for everybody."""

import pathlib
import re
import sys

MAY = {
    "base": "",
    "model": "",
    "config": "",
    "smtp": "",
    "mail": "",
    "runtime": "",
    "http": "runtime",
    "codes": "model smtp mail",
    "dns": "model config runtime",
    "receive": "model config smtp mail runtime",
    "drop": "model config smtp mail",
    "migrate": "model config drop",
    "spool": "model config runtime",
    "queue": "model config codes",
    "simulate": "queue model config codes",
    "deliver": "model config codes smtp mail http dns runtime",
    "report": "model config codes smtp mail http runtime",
    "admin": "model config http runtime",
    "check": "deliver dns http smtp mail codes model config runtime",
    "lab": "smtp dns runtime",
    "serve": "admin check lab simulate receive drop spool queue deliver report model config smtp mail http codes dns runtime",
    "cli": "serve admin check lab drop migrate simulate spool queue model config mail http codes runtime",
}

bad = []
for path in sorted(pathlib.Path("src").glob("*/**/*.[ch]")):
    here = path.parts[1]
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = re.match(r'#include "([a-z_]+)/', line)
        if match and match[1] not in (here, "base") and match[1] not in MAY.get(here, "").split():
            bad.append(f"{path}:{number}: {here}/ must not know {match[1]}/")
print("\n".join(bad))
sys.exit(bool(bad))
