"""What senders hear of late mail (issue 3, part 10)."""

import email
import json
import re
import subprocess

import pytest

from world import OUTLAST, Dns, Loop, Relay, Sink, free_address, wait_until

KEYS = "lifetime 1h; schedule 1s; probe 1s; jitter_percent 0; delay_notice 1s;"


@pytest.fixture
def world(tmp_path):
    loop = Loop()
    dns = Dns(loop)
    dns.mail("far.test", free_address(1))  # nobody listens there
    dns.mail("away.test", free_address(1))
    sink = Sink(loop, free_address(2))
    dns.mail("home.test", sink.address)
    relays = []

    def start(keys, **options):
        relays.append(Relay(tmp_path, dns, sink.port, destination=KEYS + keys, **options))
        return relays[0]

    start.sink, start.dns, start.folder = sink, dns, tmp_path
    yield start
    for relay in relays:
        relay.stop()
    sink.stop()
    loop.stop()


def notices(world, subject, to="me@home.test"):
    found = [email.message_from_bytes(message["content"]) for message in world.sink.messages if message["recipients"] == [to]]
    return [message for message in found if subject in message["Subject"]]


def send(relay, number, sender="me@home.test", to="you@far.test", headers="", **options):
    relay.send(sender, [to], f"Subject: letter {number}\r\nMessage-ID: <{number}@home.test>\r\n{headers}\r\nhello\r\n", **options)


def all_notified(relay, count):
    """All that wait had a delay notice, or are in a collection."""
    told = [recipient["notified"] for message in relay.ask("queue") for recipient in relay.ask("explain", message["id"])["recipients"]]
    return len(told) == count and all(told)


def statuses(message):
    """Each message/delivery-status: its per-message fields, then those of the recipients."""
    return [part.get_payload() for part in message.walk() if part.get_content_type() == "message/delivery-status"]


def read(message):
    result = subprocess.run([OUTLAST, "bounce", "--json", "-"], input=message.as_bytes(), capture_output=True, check=True)
    return json.loads(result.stdout)


def test_hundreds_become_one(world):
    relay = world("delay_digest 4s;")
    send(relay, 0)
    first, = wait_until(lambda: notices(world, "Delayed: your message"), "the first notice")
    assert first.get_content_type() == "multipart/report"
    for number in range(1, 121):
        send(relay, number)
    send(relay, 500, to="you@away.test")  # another domain is another matter
    wait_until(lambda: len(notices(world, "Delayed: your message")) == 2, "the notice about the other domain")
    digest, = wait_until(lambda: notices(world, "120 of your messages to far.test"), "the digest")
    text = digest.get_payload()[0].get_payload()
    assert digest.get_content_type() == "multipart/mixed" and digest["Auto-Submitted"] == "auto-generated"
    assert "<you@far.test>: letter " in text and "... and 70 more that are late" in text and "Where the time went" in text
    assert all(len(line) <= 78 for line in text.splitlines())
    parts = statuses(digest)
    assert len(parts) == 50
    fields, recipient = parts[0]
    assert re.fullmatch(r"<\d+@home\.test>", fields["X-Outlast-Original-Message-ID"]) and fields["Reporting-MTA"] == "dns; relay.test"
    assert len({fields["X-Outlast-Original-Message-ID"] for fields, _ in parts}) == 50
    assert recipient["Action"] == "delayed" and recipient["Final-Recipient"] == "rfc822; you@far.test" and recipient["Will-Retry-Until"]
    assert "host_down=" in recipient["X-Outlast-Causes"]
    known = read(digest)
    assert known["kind"] == "delay" and known["recipients"][0]["still_trying"]
    assert len(notices(world, "Delayed")) == 3


def test_a_crash_loses_no_digest(world):
    relay = world("delay_digest 5s;")
    send(relay, 0)
    wait_until(lambda: notices(world, "Delayed: your message"), "the first notice")
    for number in range(1, 4):
        send(relay, number)
    wait_until(lambda: all_notified(relay, 4), "all to be collected")
    relay.kill()
    relay.start()
    digest, = wait_until(lambda: notices(world, "3 of your messages to far.test"), "the digest")
    assert {fields["X-Outlast-Original-Message-ID"] for fields, _ in statuses(digest)} == {f"<{n}@home.test>" for n in (1, 2, 3)}


def test_what_was_delivered_meanwhile_is_not_in_it(world):
    relay = world("delay_digest 3s; delivered_notice yes;")
    send(relay, 0)
    wait_until(lambda: notices(world, "Delayed: your message"), "the first notice")
    send(relay, 1)
    world.dns.mail("far.test", world.sink.address)
    relay.wait_event("delivered", 2, destination="far.test")
    after, = wait_until(lambda: notices(world, "Delivered after all"), "good news")
    _, recipient = statuses(after)[0]
    assert recipient["Action"] == "relayed" and recipient["Status"] == "2.0.0"
    assert "We told you that your message is late" in after.get_payload()[0].get_payload()
    relay.wait_empty()
    assert not notices(world, "of your messages")


def test_who_asked_is_told_of_each(world):
    relay = world("delay_digest 1h;")
    for number in range(3):
        send(relay, number, rcpt_options=["NOTIFY=DELAY,FAILURE"])
    wait_until(lambda: len(notices(world, "Delayed: your message")) == 3, "a notice for each")


def test_never_digested(world):
    relay = world("delay_digest 0;")
    for number in range(3):
        send(relay, number)
    wait_until(lambda: len(notices(world, "Delayed: your message")) == 3, "a notice for each")


@pytest.mark.parametrize("headers", ["Auto-Submitted: auto-replied\r\n", "Precedence: bulk\r\n", "List-Id: <a.home.test>\r\n"])
def test_automatic_mail_gets_none(world, headers):
    relay = world("delay_digest 0;")
    send(relay, 0, headers=headers)
    send(relay, 1)
    wait_until(lambda: notices(world, "Delayed: your message"), "the notice of the other")
    assert len(notices(world, "Delayed")) == 1
    send(relay, 2)
    wait_until(lambda: len(notices(world, "Delayed")) == 2, "time to pass")
    assert "<0@home.test>" not in "".join(str(notice) for notice in notices(world, "Delayed"))
