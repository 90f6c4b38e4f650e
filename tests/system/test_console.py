"""The web console in a real browser against a running relay: what it shows, what its buttons do, what it lets in."""

import http.client
import json
import shutil
import socket
import subprocess
import threading

import pytest

from browser import CHROMIUM, Browser
from world import ROOT, wait_until

SLOW = "probe 300ms; schedule 300ms; jitter_percent 0; lifetime 1h; notice_lifetime 1h; delay_notice 0;"


class Unix(http.client.HTTPConnection):
    """HTTP on the relay's socket."""

    def __init__(self, path):
        super().__init__("outlast")
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(str(self.path))


class Door:
    """A TCP port in front of the relay's Unix socket, byte for byte: browsers do not know Unix sockets."""

    def __init__(self, path, token=None):
        self.path = str(path)
        self.token = token  # what the API is asked for with; None: nothing
        self.server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.server.getsockname()[1]}/"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                outside, _ = self.server.accept()
            except OSError:
                return
            inside = socket.socket(socket.AF_UNIX)
            if inside.connect_ex(self.path) != 0:  # the relay has ended
                outside.close()
                continue
            if self.token and self.is_refused(outside):
                outside.close()
                continue
            for pair in ((outside, inside), (inside, outside)):
                threading.Thread(target=self.pump, args=pair, daemon=True).start()

    def is_refused(self, outside):
        """Looks at the first request of a connection without taking it."""
        head = outside.recv(65536, socket.MSG_PEEK)
        if b"GET /v1/" not in head or f"Bearer {self.token}".encode() in head:
            return False
        outside.recv(len(head))
        body = b'{"status": 401, "title": "Unauthorized"}'
        outside.sendall(b"HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        return True

    def pump(self, source, sink):
        try:
            while part := source.recv(65536):
                sink.sendall(part)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            source.close()
            sink.close()

    def close(self):
        self.server.close()


def get(relay, path, method="GET", body=None, **headers):
    connection = Unix(relay.socket)
    connection.request(method, path, body, headers)
    return connection.getresponse()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if not CHROMIUM:
        pytest.skip("there is no chromium")
    if not shutil.which("npm"):
        pytest.skip("there is no npm: the relay was built without its console")
    browser = Browser(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.close()


@pytest.fixture
def console(world, browser):
    """A relay behind whose back one site is down and another takes mail; and the console, open."""
    world.fine = world.host("fine.test")
    world.down = world.host("down.test")
    world.down.stop()
    world.relay_ = world.relay(destination=SLOW)
    if get(world.relay_, "/").status == 404:
        pytest.skip("the relay was built without its console")
    door = Door(world.relay_.socket)
    browser.said.clear()
    browser.url = door.url
    browser.open(door.url)
    browser.wait_text("In the queue")
    yield browser
    assert browser.said == []
    browser.open("about:blank")
    door.close()


def go(browser, address):
    browser.run(f"location.hash = {json.dumps(address)}")


def destination(relay, domain):
    return next((d for d in relay.ask("queue", "--summary") if d["destination"] == domain), None)


def test_headers(console, world):
    for path in ("/", "/console.js", "/console.css", "/v1/status"):
        answer = get(world.relay_, path)
        policy = answer.getheader("Content-Security-Policy")
        assert answer.status == 200 and "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy and "http" not in policy and answer.getheader("X-Content-Type-Options") == "nosniff"
    assert get(world.relay_, "/nothing").status == 404
    assert console.run("[...document.querySelectorAll('script, link')].every((e) => (e.src || e.href).startsWith(location.origin))")


def test_other_pages_are_refused(world):
    relay = world.relay()
    forged = '{"reason": "forged"}'
    for origin in ("http://evil.test", "null"):
        answer = get(relay, "/v1/destinations/fine.test/suspend", "POST", forged, Host="localhost:8025", Origin=origin)
        assert answer.status == 403 and json.load(answer)["title"] == "Forbidden"
    assert get(relay, "/v1/status", Host="evil.test:8025").status == 403  # DNS rebinding
    assert relay.ask("queue", "--summary") == []
    answer = get(relay, "/v1/destinations/fine.test/suspend", "POST", forged, Host="localhost:8025", Origin="http://localhost:8025")
    assert answer.status == 200


def test_trend(world):
    world.host("fine.test")
    relay = world.relay()
    relay.send("a@out.test", ["u@fine.test", "v@fine.test"])
    relay.wait_empty()
    for span, step in (("", 10), ("?span=1h", 10), ("?span=24h", 120)):
        trend = json.load(get(relay, "/v1/trend" + span))
        assert trend["step_seconds"] == step and trend["at"] == sorted(trend["at"])
        assert (trend["accepted"][-1], trend["delivered"][-1], trend["failed"][-1], trend["expired"][-1]) == (1, 2, 0, 0)
        assert all(len(values) == len(trend["at"]) for values in [trend["accepted"], *trend["causes"].values()])
    assert get(relay, "/v1/trend?span=7d").status == 400


def test_types():
    """The compiler's opinion of the sources; esbuild only strips the types."""
    if not (ROOT / "web/node_modules/typescript").exists():
        pytest.skip("web/ was not built here")
    result = subprocess.run(["node", "node_modules/typescript/bin/tsc", "--noEmit"], cwd=ROOT / "web", capture_output=True, text=True,
                            check=False)
    assert result.returncode == 0, result.stdout


def test_left_out_without_node(tmp_path):
    """The build goes on, and says in one line what is missing."""
    (tmp_path / "bin").mkdir()
    result = subprocess.run(["/usr/bin/python3", ROOT / "tools/console.py", ROOT / "web", tmp_path / "work", tmp_path / "pages.c",
                             tmp_path / "pages.d"], env={"PATH": str(tmp_path / "bin")}, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (0, "the web console is left out: there is no node\n")
    assert "{ 0 }" in (tmp_path / "pages.c").read_text()


def test_login(console, world):
    """Where a token is asked for, it is kept in this tab and sent in a header."""
    door = Door(world.relay_.socket, token="secret")
    console.open(door.url)
    console.fill("input[type=password]", "wrong")
    console.click("Log in")
    console.wait_text("does not know that token")
    console.fill("input[type=password]", "secret")
    console.click("Log in")
    console.wait_text("In the queue")
    assert console.run("sessionStorage.length === 1 && localStorage.length === 0 && document.cookie === ''")
    console.click("Log out")
    console.wait("!!document.querySelector('input[type=password]')")
    assert console.run("sessionStorage.length === 0")
    door.close()


def test_now_follows_the_relay(console, world):
    relay = world.relay_
    for i in range(3):
        relay.send("a@out.test", [f"u{i}@down.test"])
    console.wait_text("3 messages")  # without a reload
    console.wait_text("host down")
    console.wait("!!document.querySelector('canvas')")
    assert "mx.down.test" in console.text()  # an incident
    world.down.start()
    relay.wait_empty()
    console.wait_text("0 messages")


def test_suspend_and_resume(console, world):
    relay = world.relay_
    relay.send("a@out.test", ["u@fine.test"])
    relay.wait_event("delivered")
    go(console, "#/destinations")
    console.wait_text("fine.test")
    console.click("Suspend")
    console.fill("dialog input", "they asked <b>us</b>")
    console.click("Suspend", "dialog")
    wait_until(lambda: destination(relay, "fine.test")["suspended"], "the destination to be suspended")
    console.click("fine.test", "table")
    console.wait_text("they asked <b>us</b>")
    relay.send("a@out.test", ["v@fine.test"])
    assert len(world.fine.messages) == 1
    console.click("Resume")
    relay.wait_event("delivered", 2)
    assert not destination(relay, "fine.test")["suspended"]


def test_extend_says_first_what_it_will_do(console, world):
    relay = world.relay_
    for i in range(2):
        relay.send("a@out.test", [f"u{i}@down.test", f"v{i}@down.test"])
    before = relay.ask("queue")[0]["recipients"][0]["deadline"]
    go(console, "#/destinations/down.test")
    console.click("Extend")
    console.fill("dialog input", "never")
    console.wait_text("a duration such as 12h is needed")
    console.fill("dialog input", "2d")
    console.wait_text("2 messages, 4 recipients")
    assert relay.ask("queue")[0]["recipients"][0]["deadline"] == before  # so far it was only a preview
    console.click("Extend", "dialog")
    console.wait_text("Extend: 2 messages")
    assert relay.ask("queue")[0]["recipients"][0]["deadline"] > before
    assert relay.ask("undo", "--list")[0]["recipients"] == 4
    go(console, "#/messages")
    console.wait_text("extend by 2d")
    console.click("Undo")
    console.click("Undo", "dialog")
    console.wait("!document.body.innerText.includes('extend by 2d')")
    assert relay.ask("queue")[0]["recipients"][0]["deadline"] == before


def test_bulk_action_after_a_count(console, world):
    relay = world.relay_
    for i in range(3):
        relay.send("a@out.test", [f"u{i}@down.test"])
    relay.send("b@out.test", ["w@down.test"])
    go(console, "#/messages")
    console.fill("input[name=from]", "a@out")
    console.click("Find")
    console.wait("location.hash.includes('from=') && document.querySelectorAll('tbody tr').length === 3")
    console.click("Cancel all")
    console.wait_text("3 messages")
    assert relay.ask("status")["queue"]["messages"] == 4
    console.click("Cancel", "dialog")  # the dialog's way out bears that name too
    console.wait("!document.querySelector('dialog')")
    assert relay.ask("status")["queue"]["messages"] == 4
    console.click("Cancel all")
    console.wait("!!document.querySelector('dialog .danger:not(:disabled)')")
    console.run("document.querySelector('dialog .danger').click()")
    console.wait_text("No message in the queue fits.")
    assert [m["sender"] for m in relay.ask("queue")] == ["b@out.test"]
    assert relay.ask("vault")["count"] == 3


def test_one_message_says_where_the_time_went(console, world):
    relay = world.relay_
    world.fine.script["rcpt"] = "450 4.2.2 The mailbox is over its quota"
    relay.send("a@out.test", ["u@fine.test"], "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\nhello\r\n")
    relay.wait_event("deferred")
    go(console, "#/messages/" + relay.ask("queue")[0]["id"])
    for text in ("Grüße", "u@fine.test", "450 4.2.2 The mailbox is over its quota", "mailbox full", "accepted"):
        console.wait_text(text)
    console.click("Show")
    notice = json.load(get(relay, f"/v1/messages/{relay.ask('queue')[0]['id']}/notice"))
    assert notice["wanted"] and notice["to"] == "a@out.test" and "over its quota" in notice["text"]
    console.wait("document.querySelector('.letter pre')?.innerText.includes('over its quota')")
    console.click("4.2.2")
    console.wait("location.hash === '#/codes/4.2.2'")
    console.wait_text("What the sender can do")
    console.run("history.back()")
    console.click("Hold")
    console.click("Hold", "dialog")
    console.wait_text("held")
    assert relay.ask("queue")[0]["recipients"][0]["state"] == "held"
    console.click("Release")
    console.click("Release", "dialog")
    del world.fine.script["rcpt"]
    relay.wait_empty()
    console.wait_text("not in the queue any more")


def test_resend(console, world):
    relay = world.relay_
    relay.send("a@out.test", ["u@down.test"])
    relay.run("expire", "--destination", "down.test")
    relay.wait_event("expired")
    world.down.start()
    go(console, "#/vault")
    console.wait_text("u@down.test")
    console.click("Resend")
    console.wait_text("1 message")
    console.click("Resend", "dialog")
    console.wait_text("The vault is empty")
    assert [m["recipients"] for m in world.down.messages] == [["u@down.test"]]


def test_codes_and_config(console, world):
    go(console, "#/codes")
    console.fill("input[type=search]", "over quota")
    console.wait_text("4.2.2")
    go(console, "#/codes/4.4.7")
    console.wait_text("Delivery time expired")
    go(console, "#/config")
    console.wait_text("outlast.conf:")
    console.wait("document.querySelectorAll('svg .attempt').length > 10")
    config = world.relay_.config
    config.write_text(config.read_text().replace("lifetime 1h;", "lifetime 2h;", 1))
    console.click("Compare")
    console.wait_text("defaults.lifetime")
    console.click("Reload")
    console.click("Reload", "dialog")
    console.wait("[...document.querySelectorAll('td')].some((e) => e.innerText === '2h')")


def test_check(console, world):
    world.fine.script["connect"] = "220 sink <b>ESMTP</b>"
    go(console, "#/check")
    console.fill("input[type=search]", "fine.test")
    console.click("Does it take mail?")
    console.wait_text("Does fine.test take mail?")
    console.wait("[...document.querySelectorAll('.badge')].some((e) => e.innerText === 'yes')")
    console.fill("input[type=search]", "nobody@down.test")
    console.click("Does it take mail?")
    console.wait_text("Does nobody@down.test take mail?")
    console.wait("[...document.querySelectorAll('.badge')].some((e) => e.innerText === 'no')")
    console.fill("input[type=search]", "fine.test")
    console.click("Is it trusted as a sender?")
    console.wait_text("Is fine.test trusted as a sender?")
    console.wait_text("of 100")
    console.fill("input[type=search]", "no domain")
    console.click("Does it take mail?")
    console.wait_text("neither a domain nor an address")
    assert get(world.relay_, "/v1/check", "POST", "{}").status == 400
    assert world.fine.messages == []


# What a stranger may put where an operator reads it.
HOSTILE = ["<script>said()</script>", "<img src=x onerror=said()>", "\"><svg onload=said()>", "javascript:said()", "</title><script>said()</script>",
           "{{constructor.constructor('said()')()}}", "' onmouseover='said()", "<a href=javascript:said()>x</a>", "\u202eevil"]


def test_hostile_text_is_text(console, world):
    relay = world.relay_
    console.run("window.said = () => { window.wasSaid = true; }; 1")
    for i, text in enumerate(HOSTILE):
        local = text.replace("\\", "").replace('"', '\\"').encode("ascii", "replace").decode()
        world.fine.script["rcpt"] = lambda argument, session, text=text: f"450 4.2.1 {text}"
        relay.send(f'"{local}"@out.test', [f'"{local}"@fine.test'], f"Subject: {text}\r\n\r\nhello\r\n".encode())
        wait_until(lambda: len({entry["id"] for entry in relay.events("deferred")}) == i + 1, "a reply to it")
    relay.run("suspend", "fine.test", "--reason", HOSTILE[1])
    ids = [message["id"] for message in relay.ask("queue")]
    for address in ["#/now", "#/destinations", "#/destinations/fine.test", "#/messages", *(f"#/messages/{id}" for id in ids),
                    "#/messages?cause=" + HOSTILE[0], "#/destinations/" + HOSTILE[0], "#/codes/" + HOSTILE[1], "#/" + HOSTILE[2]]:
        go(console, address)
        console.wait("!!document.querySelector('h1, .empty')")
        console.wait(f"document.querySelector('main').innerText.length > 20 || {json.dumps(address)}.includes('<')")
        assert console.run("document.querySelectorAll('#console script, #console [onerror], #console [onload], #console a[href^=javascript]').length") == 0
    relay.run("expire", "--destination", "fine.test")
    go(console, "#/vault")
    console.wait_text(HOSTILE[0])
    assert console.run("document.querySelectorAll('main script, main img, main table svg').length") == 0
    assert not console.run("window.wasSaid")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1440])
def test_pages_fit_and_can_be_read(console, world, width, scheme):
    world.relay_.send("a@out.test", ["u@down.test"])
    world.relay_.wait_event("deferred")
    console.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 500)
    console.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    for page in console.run("[...document.querySelectorAll('.top nav a')].map((a) => a.getAttribute('href'))"):
        go(console, page)
        console.wait("document.querySelector('h1') && document.querySelector('.top a[aria-current]').hash === location.hash")
        console.wait("document.querySelector('.panel table, .panel .empty, .panel .facts') !== null")
        assert console.run("document.documentElement.scrollWidth <= innerWidth"), f"{page} is wider than the screen"
        assert console.run(POOR_CONTRAST) == [], page


# Every text against what is behind it: WCAG 2.1, 1.4.3 (4.5:1).
POOR_CONTRAST = """(() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgb = (colour) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = (c) => { const [r, g, b] = c.map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = (e) => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c[3] === 255) return c; }
    return [255, 255, 255]; };
  const poor = [];
  for (const e of document.querySelectorAll('#console *')) {
    if (![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()) || !e.checkVisibility({ opacityProperty: true })) continue;
    if (e.closest(':disabled, .toast, .skip')) continue;
    const [a, b] = [light(rgb(getComputedStyle(e).color)), light(behind(e))].sort((x, y) => y - x);
    if ((a + 0.05) / (b + 0.05) < 4.5) poor.push(`${e.innerText.slice(0, 40)}: ${((a + 0.05) / (b + 0.05)).toFixed(2)}`);
  }
  return poor;
})()"""
