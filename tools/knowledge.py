#!/usr/bin/python3
"""Compiles the knowledge base (src/codes/knowledge/*.txt) into a C table, or says what is wrong: file:line: key: problem.

usage: knowledge.py OUT.c IN.txt ...
The format is described in src/codes/knowledge/README.md."""

import json
import pathlib
import re
import sys

CATEGORIES = set("""InvalidRecipient InactiveMailbox QuotaIssues BadDomain BadReputation RateLimited Greylisted SpamContent
ContentRejected MessageTooLarge AuthFailure InvalidSender PolicyRelated RelayDenied TlsFailure RoutingErrors BadConnection
Expired SystemError ProtocolErrors Delivered Unknown""".split())
BOUNCES = {"none": "KNOWLEDGE_NO_BOUNCE", "soft": "KNOWLEDGE_SOFT", "hard": "KNOWLEDGE_HARD"}
SEVERITIES = {"none": "KNOWLEDGE_NOTHING_WRONG", "low": "KNOWLEDGE_LOW", "medium": "KNOWLEDGE_MEDIUM",
              "high": "KNOWLEDGE_HIGH", "critical": "KNOWLEDGE_CRITICAL"}
SINGLE = "title name bounce severity category standard provider".split()
PROSE = "meaning says cause sender operator recipient seen outlast".split()  # one item per field
WORDS = {"also": ",", "replies": None, "related": None}  # several items in one field
PAIRS = "ask answer".split()
FIXES = "sender operator recipient".split()
FIELDS = SINGLE + PROSE + list(WORDS) + PAIRS
REPLY = re.compile(r"[2-5][0-9]{2}")
STATUS = re.compile(r"([245X])\.(0|[1-9][0-9]{0,2})\.(0|[1-9][0-9]{0,2})")
NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]{1,31}")

problems = []


class Block:
    """One '= KEY' and the fields below it; `fields` maps a name to (line, value) pairs."""

    def __init__(self, path, line, key):
        self.path, self.line, self.key, self.fields = path, line, key, {}

    def complain(self, problem, line=None):
        problems.append(f"{self.path}:{line or self.line}: {self.key}: {problem}")

    def add(self, line, name, value):
        plain = name[2:] if re.match(r"[245]\.", name) else name
        if plain not in FIELDS:
            self.complain(f'there is no field "{name}"', line)
        elif name != plain and not self.key.startswith(("X.", "@")):
            self.complain(f'"{name}": only an X.y.z or a category has fields of a class', line)
        elif plain in SINGLE and name in self.fields:
            self.complain(f'a second "{name}"', line)
        elif not value:
            self.complain(f'"{name}" is empty', line)
        else:
            self.fields.setdefault(name, []).append((line, value))

    def items(self, name, cls=None):
        """The values of a field, those of the class first, lists taken apart."""
        pairs = (self.fields.get(f"{cls}.{name}", []) if cls else []) + self.fields.get(name, [])
        values = [value for _, value in pairs]
        if name in WORDS:
            values = [item.strip() for value in values for item in value.split(WORDS[name]) if item.strip()]
        return values

    def one(self, name, cls=None):
        values = self.items(name, cls)
        return values[0] if values else ""


def read(path):
    """The blocks of one file."""
    blocks, last = [], None
    for number, text in enumerate(pathlib.Path(path).read_text(encoding="utf-8").splitlines(), 1):
        if re.search(r"[\x00-\x08\x0b-\x1f\x7f]|\s$", text):
            problems.append(f"{path}:{number}: a control character or a blank at the end of the line")
        if not text.strip() or text.startswith("#"):
            continue
        field = re.match(r"([245]\.[a-z]+|[a-z]+): *(.*)$", text)
        if text.startswith("= "):
            blocks.append(Block(path, number, text[2:].strip()))
            last = None
        elif text[0] in " \t" and last:
            last[1] += " " + text.strip()
        elif field and blocks:
            last = [number, field[2]]
            blocks[-1].fields.setdefault("", []).append((field[1], last))
        else:
            problems.append(f"{path}:{number}: neither '= KEY' nor 'field: text'")
    for block in blocks:
        for name, (number, value) in block.fields.pop("", []):
            block.add(number, name, value)
    return blocks


def make_entry(block, defaults, cls, key):
    """The entry of a block, for one class if it is an X.y.z."""
    entry = {"key": key, "block": block, "class": cls}
    for name in SINGLE:
        entry[name] = block.one(name, cls)
    for name in PROSE + list(WORDS):
        entry[name] = block.items(name, cls)
    entry["related"] = [key.replace("X", cls, 1) if cls and key.startswith("X.") else key for key in entry["related"]]
    asked, answers = block.items("ask", cls), block.items("answer", cls)
    if len(asked) != len(answers):
        block.complain(f"{len(asked)} questions but {len(answers)} answers")
    entry["questions"] = list(zip(asked, answers))
    if cls == "2":  # what shared fields say is about failures
        for name in "says cause sender operator recipient seen meaning".split():
            entry[name] = [value for _, value in block.fields.get(f"2.{name}", [])]
        entry["category"], entry["questions"] = "Delivered", []
    entry["bounce"] = entry["bounce"] or {"2": "none", "4": "soft", "5": "hard", "3": "none"}.get(cls or key[0], "")
    if entry["bounce"] == "none":
        entry["severity"] = entry["severity"] or "none"
        entry["category"] = entry["category"] or "Delivered"
    default = defaults.get(entry["category"])
    if default:
        for name in FIXES + ["outlast"]:
            entry[name] = entry[name] or default.items(name, {"soft": "4", "hard": "5"}.get(entry["bounce"]))
    return entry


def check_key(block):
    """What is wrong with the key."""
    key, status = block.key, STATUS.fullmatch(block.key)
    if not (REPLY.fullmatch(key) or status or NAME.fullmatch(key)):
        block.complain("a key is 450, X.4.7, 5.7.705 or a name")
    if status and status[1] == "X" and not block.one("name"):
        block.complain('X.y.z needs a "name"')
    if status and status[1] != "X" and not block.one("provider"):
        block.complain('a code of one class needs a "provider"; what IANA has registered begins with X')
    if not status and not REPLY.fullmatch(key) and not block.one("provider"):
        block.complain('a name needs a "provider"')


def check_entry(entry):
    """What is wrong with an entry."""
    def complain(problem):
        entry["block"].complain((f'class {entry["class"]}: ' if entry["class"] else "") + problem)

    for name in ["title", "bounce", "severity", "category"]:
        if not entry[name]:
            complain(f'no "{name}"')
    for name, known in [("bounce", BOUNCES), ("severity", SEVERITIES), ("category", CATEGORIES)]:
        if entry[name] and entry[name] not in known:
            complain(f'{name} "{entry[name]}" is none of {" ".join(sorted(known))}')
    fails = entry["bounce"] != "none"
    for name in ["meaning", "outlast", "related"] + (["cause"] + FIXES if fails else []):
        if not entry[name]:
            complain(f'no "{name}"')
    if fails != (entry["category"] not in ("Delivered", "")) or fails != (entry["severity"] != "none"):
        complain("bounce, severity and category contradict each other")
    if not entry["provider"] and not entry["standard"]:
        complain('neither "standard" nor "provider" (standard: none, where there is none)')
    if len(entry["title"]) > 72:
        complain("the title has more than 72 letters")


def check_links(entries):
    """Keys and aliases are unique, links lead somewhere."""
    names = {}
    for entry in entries:
        for name in [entry["key"]] + entry["also"]:
            if name.lower() in names:
                entry["block"].complain(f'"{name}" also belongs to {names[name.lower()]}')
            names[name.lower()] = entry["key"]
    keys = {entry["key"] for entry in entries}
    for entry in entries:
        for key in entry["related"]:
            if key not in keys:
                entry["block"].complain(f"related {key} does not exist")
            if key == entry["key"]:
                entry["block"].complain("is related to itself")
        if len(set(entry["related"])) != len(entry["related"]):
            entry["block"].complain("a related code twice")


def make_entries(blocks):
    """All entries, checked and in order."""
    defaults = {block.key[1:]: block for block in blocks if block.key.startswith("@")}
    for name in sorted(set(defaults) - CATEGORIES):
        defaults[name].complain("is no category")
    entries = []
    for block in blocks:
        if block.key.startswith("@"):
            continue
        check_key(block)
        classes = "245" if block.key.startswith("X.") else ""
        made = [make_entry(block, defaults, cls, cls + block.key[1:]) for cls in classes if f"{cls}.title" in block.fields]
        if not classes:
            made = [make_entry(block, defaults, None, block.key)]
        elif not {"4.title", "5.title"} <= set(block.fields):
            block.complain('"4.title" and "5.title" are needed')
        entries += made
    # A link to X.y.z from a class that has no such entry goes to the one there is.
    keys = {entry["key"] for entry in entries}
    for entry in entries:
        entry["related"] = [key if key in keys or not entry["class"] else
                            next((other + key[1:] for other in "452" if other + key[1:] in keys), key) for key in entry["related"]]
        entry["related"] += [cls + entry["key"][1:] for cls in "452" if entry["class"] and cls + entry["key"][1:] in keys
                             and cls != entry["class"] and cls + entry["key"][1:] not in entry["related"]]
        check_entry(entry)
    check_links(entries)
    return sorted(entries, key=place)


def place(entry):
    """Where it stands in the table."""
    status = STATUS.fullmatch(entry["key"])
    numbers = [int(status[2]), int(status[3]), int(status[1])] if status else []
    if entry["provider"]:
        return (2, [], entry["provider"].lower(), not status, numbers, entry["key"].lower())
    return (1 if status else 0, numbers, "", False, [], entry["key"])


def c_string(text):
    """A C string; UTF-8 stays as it is."""
    return json.dumps(text, ensure_ascii=False)


def write(entries, blocks, out):
    """The table as C."""
    lists, text = {(): "none"}, []

    def c_list(items):
        items = tuple(items)
        if items not in lists:
            lists[items] = f"list_{len(lists)}"
            text.append(f"static const char *const {lists[items]}[] = {{ {', '.join(map(c_string, items))}, NULL }};")
        return lists[items]

    rows = []
    for number, entry in enumerate(entries):
        status = STATUS.fullmatch(entry["key"])
        code = entry["key"] if REPLY.fullmatch(entry["key"]) else 0
        kind = "VENDOR" if entry["provider"] else "STATUS" if status else "REPLY"
        pairs = "".join(f"{{ {c_string(ask)}, {c_string(answer)} }}, " for ask, answer in entry["questions"])
        text.append(f"static const struct knowledge_question questions_{number}[] = {{ {pairs}{{ NULL, NULL }} }};")
        strings = [entry["key"], entry["title"], entry["category"],
                   "" if entry["standard"] == "none" else entry["standard"], entry["provider"]]
        order = "meaning also replies says cause sender operator recipient seen outlast related".split()
        rows.append("\t{ " + ", ".join(
            [c_string(string) for string in strings]
            + [f"KNOWLEDGE_{kind}", BOUNCES[entry["bounce"]], SEVERITIES[entry["severity"]], str(code)]
            + ([status[1], status[2], status[3]] if status else ["0", "0", "0"])
            + [c_list(entry[name]) for name in order] + [f"questions_{number}"]) + " },")
    names = [f"\t{{ {m[2]}, {m[3]}, {c_string(block.one('name'))} }}," for block in blocks
             if (m := STATUS.fullmatch(block.key)) and m[1] == "X" and not block.one("provider")]
    pathlib.Path(out).write_text("\n".join(
        ["/* Made by tools/knowledge.py. */", '#include "codes/knowledge_own.h"', "static const char *const none[] = { NULL };"]
        + text + ["const struct knowledge_entry knowledge_table[] = {"] + rows
        + ["};", f"const size_t knowledge_table_count = {len(rows)};", "const struct knowledge_name knowledge_names[] = {"]
        + names + ["\t{ -1, -1, NULL },", "};", ""]), encoding="utf-8")


def main():
    """Reads all, then writes all or nothing."""
    blocks = [block for path in sys.argv[2:] for block in read(path)]
    entries = make_entries(blocks)
    if problems:
        print("\n".join(problems), file=sys.stderr)
        return 1
    write(entries, blocks, sys.argv[1])
    return 0


if __name__ == "__main__":
    sys.exit(main())
