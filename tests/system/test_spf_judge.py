"""A second opinion on the cases of tests/unit/check/spf_cases.txt: pyspf (Debian's python3-spf). Where it says something
else, the case says what, and why we keep to the RFC's text; so a difference nobody has thought about fails here."""

import pathlib
import re

import pytest

spf = pytest.importorskip("spf")

CASES = pathlib.Path(__file__).resolve().parents[1] / "unit/check/spf_cases.txt"


def unescape(text):
    return re.sub(rb"\\x([0-9a-f]{2})", lambda match: bytes.fromhex(match[1].decode()), text.encode())


def data_of(kind, text):
    if kind == "TXT":
        return (unescape(text),)
    if kind == "MX":
        preference, host = text.split(" ")
        return int(preference), host
    if kind == "AAAA":
        return spf.ipaddress.IPv6Address(text).packed
    return text


def read_cases():
    one = None
    for line in CASES.read_text().split("\n"):
        if line.startswith("case "):
            one = {"name": line[5:], "ip": "192.0.2.1", "from": "user@example.com", "helo": "mail.example.com", "dns": [], "judge": ""}
            yield one
        elif line.startswith(" ") and one:
            word, _, rest = line[1:].partition(" ")
            if word == "dns":
                one["dns"].append(rest.split(" ", 2))
            else:
                one[word] = rest


def answer_from(records):
    def lookup(name, kind, tcpfallback=True, timeout=30):
        found = []
        for owner, its_kind, text in records:
            if owner.lower() != str(name).rstrip(".").lower() or its_kind != kind:
                continue
            if text.startswith("!"):
                raise spf.TempError("DNS " + text)
            found.append(((name, kind), data_of(kind, text)))
        return found

    return lookup


@pytest.mark.parametrize("one", [pytest.param(case, id=case["name"]) for case in read_cases()])
def test_case(one, monkeypatch):
    monkeypatch.setattr(spf, "DNSLookup", answer_from(one["dns"]))
    result, _, _ = spf.query(i=one["ip"], s=one["from"], h=one["helo"], strict=True, timeout=60).check()
    assert result == (one["judge"].split(" ")[0] or one["want"])
