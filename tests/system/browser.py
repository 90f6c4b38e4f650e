"""A headless chromium for tests, steered over a pipe by its own protocol (DevTools): no driver and no library between."""

import json
import os
import select
import shutil
import subprocess
import time

from world import PATIENCE_S

CHROMIUM = shutil.which("chromium")
FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--remote-debugging-pipe"]


class Browser:
    """One browser with one page."""

    def __init__(self, folder):
        to_us, to_browser = os.pipe(), os.pipe()

        def descriptors():  # it reads from 3 and writes to 4
            reads, writes = os.dup(to_browser[0]), os.dup(to_us[1])
            os.dup2(reads, 3)
            os.dup2(writes, 4)

        self.process = subprocess.Popen([CHROMIUM, *FLAGS, f"--user-data-dir={folder}", "about:blank"], preexec_fn=descriptors,
                                        close_fds=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_browser[0])
        os.close(to_us[1])
        self.reads, self.writes = to_us[0], to_browser[1]
        self.number = 0
        self.rest = b""
        self.said = []  # what the page wrote to its console, threw, or was refused
        self.session = None
        target = next(t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page")
        self.session = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(domain + ".enable")

    def receive(self, end):
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.reads], [], [], max(0, end - time.monotonic()))
            assert ready, "the browser does not answer"
            part = os.read(self.reads, 1 << 20)
            assert part, "the browser ended"
            self.rest += part
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def call(self, method, **parameters):
        self.number += 1
        request = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            request["sessionId"] = self.session
        os.write(self.writes, json.dumps(request).encode() + b"\0")
        end = time.monotonic() + 2 * PATIENCE_S
        while (answer := self.receive(end)).get("id") != self.number:
            self.hear(answer)
        assert "error" not in answer, f"{method}: {answer['error']}"
        return answer["result"]

    def hear(self, event):
        parameters = event.get("params", {})
        if event.get("method") == "Runtime.exceptionThrown":
            self.said.append(parameters["exceptionDetails"].get("exception", {}).get("description", "an exception"))
        elif event.get("method") == "Runtime.consoleAPICalled":
            self.said.append(f"{parameters['type']}: {parameters['args']}")
        elif event.get("method") == "Log.entryAdded" and parameters["entry"]["source"] != "network" and parameters["entry"]["level"] != "verbose":
            self.said.append(parameters["entry"]["text"])
        elif event.get("method") == "Page.javascriptDialogOpening":
            self.said.append(f"dialog: {parameters['message']}")

    def open(self, url):
        self.call("Page.navigate", url=url)

    def run(self, expression):
        """The value of a JavaScript expression in the page."""
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, f"{expression}: {result['exceptionDetails']}"
        return result["result"].get("value")

    def wait(self, expression, what=None):
        """Until an expression is true; returns its value."""
        end = time.monotonic() + PATIENCE_S
        while not (value := self.run(expression)):
            assert time.monotonic() < end, f"waited in vain for {what or expression}; the page says:\n{self.text()}\n{self.said}"
            time.sleep(0.05)
        return value

    def text(self):
        return self.run("document.body?.innerText")

    def wait_text(self, text):
        self.wait(f"document.body?.innerText.includes({json.dumps(text)})", f'"{text}"')

    def click(self, name, within="body"):
        """The button or link of that name."""
        found = f"""[...document.querySelectorAll({json.dumps(within)} + ' button, ' + {json.dumps(within)} + ' a')]
            .find((e) => e.innerText.trim() === {json.dumps(name)} && !e.disabled)"""
        self.wait(f"!!{found}", f"a button {name}")
        self.run(f"{found}.click()")

    def fill(self, selector, text):
        """As if typed into a field."""
        field = f"document.querySelector({json.dumps(selector)})"
        self.wait(f"{field}?.checkVisibility()", selector)
        self.run(f"{field}.focus(); {field}.select()")
        self.call("Input.insertText", text=text)
        self.wait(f"{field}.value === {json.dumps(text)}")

    def close(self):
        try:
            self.call("Browser.close")
        except (AssertionError, OSError):
            self.process.kill()
        self.process.wait(PATIENCE_S)
        os.close(self.reads)
        os.close(self.writes)
