"""The knowledge base: its pages are well-formed, linked and self-contained; the compiler refuses bad entries by file, line and key."""

import html.parser
import json
import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUTLAST = os.environ.get("OUTLAST", str(ROOT / "build/outlast"))
VOID = {"meta", "link", "input", "br", "hr", "img"}


def run(*arguments):
    return subprocess.run([OUTLAST, "code", *arguments], capture_output=True, text=True, timeout=30, check=False)


class Page(html.parser.HTMLParser):
    """Checks nesting; keeps links, ids and text."""

    def __init__(self, text):
        super().__init__()
        self.open, self.links, self.ids, self.sources, self.words = [], [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        assert len(attributes) == len(attrs), f"an attribute twice: {attrs}"
        if "id" in attributes:
            assert attributes["id"] not in self.ids, f"id {attributes['id']} twice"
            self.ids.append(attributes["id"])
        if "href" in attributes:
            self.links.append(attributes["href"])
        if "src" in attributes:
            self.sources.append(attributes["src"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-1:]}"
        self.open.pop()

    def handle_data(self, data):
        if self.open and self.open[-1] not in ("script", "style"):
            self.words.append(data)


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    directory = tmp_path_factory.mktemp("pages") / "new"
    result = run("--html", str(directory))
    assert result.returncode == 0, result.stderr
    return {path.name: path.read_text() for path in directory.iterdir()}


def test_every_page_is_well_formed_and_every_link_leads_somewhere(pages):
    parsed = {name: Page(text) for name, text in pages.items() if name.endswith(".html")}
    keys = {entry["key"] for entry in json.loads(run("--all", "--json").stdout)}
    assert set(parsed) == {f"{key}.html" for key in keys} | {"index.html"}
    for name, page in parsed.items():
        assert not page.sources, name
        for link in page.links:
            file, _, anchor = link.partition("#")
            assert not file or file in pages, f"{name}: {link}"
            assert not anchor or anchor in parsed[file or name].ids, f"{name}: {link}"
        assert "viewport" in pages[name] and pages[name].startswith("<!DOCTYPE html>")
    assert {f"{key}.html" for key in keys} <= set(parsed["index.html"].links)


def test_pages_fetch_nothing_and_know_dark(pages):
    assert "prefers-color-scheme: dark" in pages["style.css"]
    for name, text in pages.items():
        for word in ("src=", "@import", "url(", "<iframe", "href=\"http"):
            assert word not in text, f"{name}: {word}"


def test_all_that_is_known_is_on_the_page(pages):
    for key in ("4.4.7", "5.4.7", "TSS04", "att", "450"):
        entry = json.loads(run(key, "--json").stdout)
        words = "".join(Page(pages[f"{key}.html"]).words)
        for name in ("meaning", "says", "causes", "sender", "operator", "recipient", "seen", "outlast"):
            for line in entry[name]:
                assert line in words, f"{key}: {line}"
        for pair in entry["questions"]:
            assert pair["question"] in words and pair["answer"] in words


def test_unknown_codes_name_the_nearest_and_fail():
    result = run("447")
    assert result.returncode == 1 and result.stdout == "" and "4.4.7" in result.stderr
    assert run("4.4.77").returncode == 0
    assert run("--search", "xyzzyx").returncode == 1
    assert run().returncode == 2


def test_several_codes_at_once():
    entries = json.loads(run("550", "#5.1.1", "--json").stdout)
    assert [entry["key"] for entry in entries] == ["550", "5.1.1"]


def test_an_x_stands_for_every_class():
    entries = json.loads(run("X.6.4", "--json").stdout)
    assert [entry["key"] for entry in entries] == ["2.6.4", "4.6.4", "5.6.4"]
    assert run("X.99.1").returncode == 1


def test_an_alias_says_so(pages):
    result = run("S3150")
    assert result.stdout.startswith("S3140 ") and "S3150" in result.stdout
    assert "S3150" in "".join(Page(pages["S3140.html"]).words)


def test_search_ranks():
    found = json.loads(run("--search", "try again later", "--json").stdout)
    assert len(found) > 5 and found[0]["key"] == "421"


def test_a_directory_that_cannot_be_made_is_named():
    result = run("--html", "/proc/nowhere/pages")
    assert result.returncode == 1 and "/proc/nowhere/pages" in result.stderr


GOOD = """= 450
title: Mailbox not available
severity: medium
category: Greylisted
standard: RFC 5321
meaning: Come back.
cause: A cause.
sender: Wait.
operator: Retry.
recipient: Look.
outlast: Tries again.
related: 451

= 451
title: Local error
severity: medium
category: SystemError
standard: RFC 5321
meaning: Come back.
cause: A cause.
sender: Wait.
operator: Retry.
recipient: Look.
outlast: Tries again.
related: 450
"""


@pytest.mark.parametrize("old, new, complaint", [
    ("category: Greylisted", "category: Greylist", ':1: 450: category "Greylist" is none of'),
    ("related: 451", "related: 452", ":1: 450: related 452 does not exist"),
    ("related: 451", "relatde: 451", ':12: 450: there is no field "relatde"'),
    ("= 451", "= 450", ':14: 450: "450" also belongs to 450'),
    ("meaning: Come back.\ncause", "cause", ':1: 450: no "meaning"'),
    ("recipient: Look.\noutlast", "outlast", ':1: 450: no "recipient"'),
    ("severity: medium", "severity: grave", ':1: 450: severity "grave" is none of'),
    ("severity: medium", "bounce: none\nseverity: medium", ":1: 450: bounce, severity and category contradict each other"),
    ("title: Local error", "title: Local error\ntitle: Twice", ':16: 451: a second "title"'),
    ("cause: A cause.", "cause:", ':7: 450: "cause" is empty'),
    ("= 451", "= 4.5.1", 'a code of one class needs a "provider"'),
    ("outlast: Tries", "ask: Why?\noutlast: Tries", ":1: 450: 1 questions but 0 answers"),
    ("title: Mailbox", "no field here", "neither '= KEY' nor 'field: text'"),
])
def test_a_bad_entry_stops_the_build(tmp_path, old, new, complaint):
    source, out = tmp_path / "reply.txt", tmp_path / "out.c"
    command = [sys.executable, str(ROOT / "tools/knowledge.py"), str(out), str(source)]
    source.write_text(GOOD)
    assert subprocess.run(command, timeout=30, check=False).returncode == 0
    out.unlink()
    assert old in GOOD
    source.write_text(GOOD.replace(old, new, 1))
    result = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert result.returncode == 1 and not out.exists()
    assert complaint in result.stderr and str(source) in result.stderr
