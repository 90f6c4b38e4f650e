"""Mail that expired stays for some days and is sent again when its destination is back."""

import json

from world import wait_until

SHORT = "probe 300ms; schedule 300ms; jitter_percent 0; lifetime 1s; notice_lifetime 1s; delay_notice 0;"


def expired(world, count=3, **options):
    """Messages to a site that is down, each with a recipient who got it and one who did not."""
    fine = world.host("fine.test")
    down = world.host("down.test")
    down.stop()
    relay = world.relay(destination=SHORT, **options)
    for i in range(count):
        relay.send(f"s{i}@out.test", [f"u{i}@down.test", f"v{i}@fine.test"], f"Subject: number {i}\r\n\r\nhello {i}\r\n")
    relay.wait_event("expired", count)
    wait_until(lambda: relay.ask("vault")["count"] == count, "the vault to have them")
    return relay, fine, down


def test_list_survives_a_crash(world):
    relay, _, _ = expired(world)
    before = relay.ask("vault")
    first = before["messages"][0]
    assert [r["state"] for r in first["recipients"]] == ["expired", "delivered"]
    assert first["recipients"][0]["cause"] == "host_down" and "refused" in first["last_attempt"]["text"]
    relay.kill()
    relay.start()
    assert relay.ask("vault") == before
    assert relay.ask("status")["queue"]["messages"] == 0
    assert "host_down" in relay.run("vault", "--from", "s1@")
    assert relay.ask("vault", "--cause", "greylisted")["messages"] == []
    assert len(relay.ask("vault", "--since", "1h", "--destination", "down.test")["messages"]) == 3
    assert relay.ask("vault", "--until", "1h")["messages"] == []


def test_resend_when_it_is_back(world):
    relay, fine, down = expired(world)
    assert relay.ask("resend", "--destination", "down.test", "--dry-run")["matched"] == 3
    down.start()
    result = relay.ask("resend", "--destination", "down.test")
    assert (result["sent"], result["not_back"]) == (3, [])
    relay.wait_empty()
    assert sorted(m["recipients"] for m in down.messages) == [["u0@down.test"], ["u1@down.test"], ["u2@down.test"]]
    assert len(fine.messages) == 3  # nobody got it twice
    content = down.messages[0]["content"].decode()
    assert content.startswith("X-Outlast-Resent: id=") and "cause=host_down" in content.splitlines()[0]
    assert "\nhello " in content
    assert relay.ask("vault")["count"] == 0
    assert relay.events("operation", path="/v1/vault/resend")[0]["count"] == 3
    relay.kill()
    relay.start()
    assert relay.ask("vault")["count"] == 0 and relay.ask("status")["queue"]["messages"] == 0


def test_resend_is_refused_while_it_is_down(world):
    relay, _, down = expired(world)
    refused = relay.run("resend", "--destination", "down.test", check=False)
    assert refused.returncode == 1 and "down.test is not back" in refused.stderr
    relay.wait_event("expired", 4)  # the one that went ahead came back
    wait_until(lambda: relay.ask("vault")["count"] == 3, "all to be kept")
    forced = relay.ask("resend", "--from", "s2@", "--force")
    assert forced["sent"] == 1
    down.start()
    relay.wait_event("delivered", 4)
    assert down.messages[0]["sender"] == "s2@out.test"


def test_large_message(world):
    """Content that is kept in a file of its own."""
    relay, _, down = expired(world, count=1, receive="memory_message_size 64K;")
    body = "".join(f"line {i} of a large message\r\n" for i in range(10000))
    relay.send("big@out.test", ["you@down.test"], "Subject: big\r\n\r\n" + body)
    relay.wait_event("expired", 2)
    wait_until(lambda: relay.ask("vault")["count"] == 2, "the vault to have it")
    down.start()
    assert relay.ask("resend", "--from", "big@")["sent"] == 1
    relay.wait_event("delivered", sender="big@out.test")
    assert down.messages[-1]["content"].decode().endswith(body)


def test_cancelled_and_dropped(world):
    target = world.host("late.test", script={"rcpt": "451 4.3.0 not now"})
    relay = world.relay(destination="schedule 1h; lifetime 2h; delay_notice 0;")
    for i in range(3):
        relay.send(f"s{i}@out.test", [f"u{i}@late.test"])
    relay.wait_event("deferred", 3)
    relay.run("cancel", "--destination", "late.test")
    wait_until(lambda: relay.ask("vault")["count"] == 3, "the vault to have them")
    target.script.clear()
    assert relay.ask("resend", "--destination", "late.test")["sent"] == 0  # not without being told
    one = relay.ask("vault", "--from", "s1@")["messages"][0]["id"]
    assert relay.ask("resend", one)["sent"] == 1
    relay.wait_event("delivered")
    assert relay.ask("vault", "drop", "--from", "s0@")["dropped"] == 1
    assert relay.ask("resend", "--destination", "late.test", "--cancelled")["sent"] == 1
    relay.wait_event("delivered", 2)
    assert relay.ask("vault")["count"] == 0


def test_oldest_goes(world):
    relay, _, _ = expired(world, extra="vault { size 600; }", count=2)
    kept = relay.ask("vault")
    relay.send("last@out.test", ["you@down.test"], "Subject: x\r\n\r\n" + "y" * 300 + "\r\n")
    relay.wait_event("expired", 3)
    wait_until(lambda: any(m["sender"] == "last@out.test" for m in relay.ask("vault")["messages"]), "the last to be kept")
    after = relay.ask("vault")
    assert after["bytes"] <= 600
    assert json.dumps(kept["messages"][0]) not in json.dumps(after)
    relay.reload(relay.config_text.replace("size 600", "keep 0"))
    wait_until(lambda: relay.ask("vault")["count"] == 0, "the vault to be empty")


def test_it_gives_way_to_new_mail(world):
    """On a disk that is nearly full what is kept goes, oldest first, before new mail is refused for long."""
    relay, _, _ = expired(world)
    relay.stop()
    relay.config.write_text(relay.config_text.replace("reserve_size 1M", "reserve_size 1024G"))
    relay.start()
    assert relay.ask("vault")["count"] == 3  # not at once
    oldest = relay.ask("vault")["messages"][0]["id"]
    wait_until(lambda: relay.ask("vault")["count"] < 3, "the vault to give way")
    assert oldest not in [m["id"] for m in relay.ask("vault")["messages"]]


def test_bad_requests(world):
    relay, _, _ = expired(world, count=1)
    for arguments in (["vault", "--cause", "nonsense"], ["vault", "--since", "yesterday"], ["resend", "nonsense"],
                      ["extend", "--to", "u", "--by", "201d"], ["extend", "--to", "u", "--by", "99999999999999999999d"]):
        result = relay.run(*arguments, check=False)
        assert result.returncode == 1 and ":" in result.stderr, arguments
    assert relay.run("resend", "0123456789abc", check=False).returncode == 1
    assert relay.ask("vault")["count"] == 1
