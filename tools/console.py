#!/usr/bin/python3
"""console.py WEB WORK OUT.c OUT.d: builds the web console of WEB with npm and esbuild in WORK, and writes its files as C. Where that
cannot be done (no Node, no network for the first `npm ci`) the table is empty and one line says so: the relay needs no console."""

import fcntl
import pathlib
import shutil
import subprocess
import sys

from embed import literal

TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
         ".svg": "image/svg+xml"}
NPM_S = 120  # a first `npm ci` takes 3 s


class Left(Exception):
    """Why the console is left out."""


def run(what, arguments, folder):
    try:
        result = subprocess.run(arguments, cwd=folder, capture_output=True, text=True, timeout=NPM_S, check=False)
    except subprocess.TimeoutExpired:
        raise Left(f"{what} took more than {NPM_S} s") from None
    if result.returncode != 0:
        said = (result.stderr or result.stdout).strip().splitlines() or ["it failed"]
        raise Left(f"{what}: {next((line for line in said if 'error' in line.lower()), said[0])[:200]}")


def install(web):
    """node_modules as package-lock.json says; a stamp tells whether they are."""
    lock = (web / "package-lock.json").read_bytes()
    stamp = web / "node_modules" / ".outlast-lock"
    if stamp.exists() and stamp.read_bytes() == lock:
        return
    run("npm ci", ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-timeout=20000"], web)
    stamp.write_bytes(lock)


def build(web, work):
    for program in ("node", "npm"):
        if not shutil.which(program):
            raise Left(f"there is no {program}")
    with open(web / ".lock", "w", encoding="utf-8") as lock:  # two builds at once share node_modules
        fcntl.flock(lock, fcntl.LOCK_EX)
        install(web)
    shutil.rmtree(work, ignore_errors=True)
    run("esbuild", ["node", "build.mjs", str(work.resolve())], web)
    return sorted(path for path in work.iterdir() if path.suffix in TYPES)


def main():
    web, work, out, depends = map(pathlib.Path, sys.argv[1:])
    try:
        files = build(web, work)
    except Left as why:
        print(f"the web console is left out: {why}")
        files = []
    rows = ["#include \"serve/console.h\"", "", "const struct admin_page console_pages[] = {"]
    for path in files:
        content = path.read_bytes()
        name = "/" if path.name == "index.html" else "/" + path.name
        rows.append(f'{{ "{name}", "{TYPES[path.suffix]}", {{')
        rows += literal(content)
        rows.append(f", {len(content)} }} }},")
    rows.append("{ 0 } };")
    out.write_text("\n".join(rows) + "\n", encoding="ascii")
    sources = [path for path in sorted((web / "src").rglob("*")) if path.is_file()]
    depends.write_text(f"{out}: " + " ".join(str(path) for path in sources) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
