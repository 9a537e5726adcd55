# SPDX-License-Identifier: MIT
"""A headless Chromium that a test drives, with the network taken away.

It is spoken to in the DevTools protocol over a pipe: JSON objects, each ended by a zero byte. That needs
nothing beside Debian's chromium, no driver of the same version and no Python package; it lets a page stay
as it is, policy included, and it tells of every request and of every word on the console.
"""

import base64
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time

TIMEOUT_SECONDS = 60
# What the browser looks for on its own is not asked for either.
OPTIONS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
           "--disable-background-networking", "--disable-component-update", "--disable-sync",
           "--host-resolver-rules=MAP * ~NOTFOUND", "--force-color-profile=srgb", "--hide-scrollbars",
           "--window-size=1280,900", "--remote-debugging-pipe"]
# The pipe is at 3 and 4.
MOVE_PIPE = 'exec "$@" 3<&0 4>&1 </dev/null >/dev/null'


def find():
    return shutil.which("chromium")


def without_network():
    """What a command is started with so that there is no network at all, where that may be had."""
    command = ["unshare", "--net"]
    try:
        return command if subprocess.run(command + ["true"], stderr=subprocess.DEVNULL).returncode == 0 else []
    except FileNotFoundError:
        return []


class Browser:
    """One tab."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="memprof-chromium-")
        self.isolated = without_network()
        # What it keeps, and what its libraries do, is in a folder of ours.
        environment = {**os.environ, "HOME": self.folder.name, "TZ": "UTC"}
        environment.pop("LD_PRELOAD", None)
        self.errors = open(os.path.join(self.folder.name, "stderr"), "w+b")
        self.process = subprocess.Popen(
            [*self.isolated, "sh", "-c", MOVE_PIPE, "sh", find(), *OPTIONS,
             "--user-data-dir=" + os.path.join(self.folder.name, "profile"), "about:blank"],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, bufsize=0,
            start_new_session=True)
        self.received = b""
        self.number = 0
        self.session = None
        self.events = []
        try:
            self.attach()
        except BaseException:
            self.close()
            raise

    def attach(self):
        targets = self.ask("Target.getTargets")["targetInfos"]
        target = next(one["targetId"] for one in targets if one["type"] == "page")
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(domain + ".enable")

    def close(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.errors):
            stream.close()
        self.folder.cleanup()

    # ---- The protocol

    def receive(self, until):
        """The next message."""
        while b"\0" not in self.received:
            ready, _, _ = select.select([self.process.stdout], [], [], max(until - time.monotonic(), 0))
            piece = self.process.stdout.read(1 << 20) if ready else b""
            if not piece:
                self.errors.seek(0)
                raise RuntimeError("chromium %s:\n%s" % ("has ended" if ready else "does not answer",
                                                         self.errors.read().decode("utf-8", "replace")[-3000:]))
            self.received += piece
        text, self.received = self.received.split(b"\0", 1)
        return json.loads(text)

    def ask(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session is not None:
            message["sessionId"] = self.session
        self.process.stdin.write(json.dumps(message).encode() + b"\0")
        until = time.monotonic() + TIMEOUT_SECONDS
        while True:
            answer = self.receive(until)
            if answer.get("id") == self.number:
                break
            self.events.append(answer)
        if "error" in answer:
            raise RuntimeError("%s: %s" % (method, answer["error"]))
        return answer["result"]

    def told(self, method):
        return [event["params"] for event in self.events if event.get("method") == method]

    # ---- The page

    def open(self, path):
        """Opens a file; what was told before is forgotten."""
        self.events = []
        self.ask("Page.navigate", url="file://" + path)
        until = time.monotonic() + TIMEOUT_SECONDS
        while not self.told("Page.loadEventFired"):
            self.events.append(self.receive(until))
        self.settle()

    def settle(self):
        """Until what was asked for is on the screen."""
        self.run("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(0))))")

    def run(self, expression):
        """The value of a JavaScript expression in the page, whatever the page's policy is."""
        answer = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise RuntimeError("%s: %s" % (expression, answer["exceptionDetails"]))
        return answer["result"].get("value")

    def complaints(self):
        """What is on the console, exceptions and refusals of the policy included."""
        said = [" ".join(str(one.get("value", one.get("description"))) for one in event["args"])
                for event in self.told("Runtime.consoleAPICalled")]
        thrown = [event["exceptionDetails"]["text"] for event in self.told("Runtime.exceptionThrown")]
        return said + thrown + [event["entry"]["text"] for event in self.told("Log.entryAdded")]

    def requests(self):
        """What was asked for, but for what the page's policy has stopped."""
        stopped = {event["requestId"] for event in self.told("Network.loadingFailed") if event.get("blockedReason") == "csp"}
        return [event["request"]["url"] for event in self.told("Network.requestWillBeSent")
                if event["requestId"] not in stopped]

    def look(self, width, height, dark=False, phone=False):
        """The screen that the page is on."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height,
                 deviceScaleFactor=1, mobile=phone)
        self.ask("Emulation.setEmulatedMedia",
                 features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        self.settle()

    def screenshot(self, path):
        """The page from its top, as far as a picture may be tall."""
        width, height = self.run("[innerWidth, Math.min(document.documentElement.scrollHeight, 2500)]")
        answer = self.ask("Page.captureScreenshot", captureBeyondViewport=True,
                          clip={"x": 0, "y": 0, "width": width, "height": height, "scale": 1})
        with open(path, "wb") as file:
            file.write(base64.b64decode(answer["data"]))

    # ---- A user

    def click(self, selector):
        x, y = self.run("""(() => {
            const one = document.querySelector(%s);
            one.scrollIntoView({block: "center"});
            const box = one.getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2];
        })()""" % json.dumps(selector))
        for kind in "mousePressed", "mouseReleased":
            self.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
        self.settle()

    def type(self, text):
        self.ask("Input.insertText", text=text)
        self.settle()

    def press(self, key):
        codes = {"ArrowDown": 40, "ArrowUp": 38, "Home": 36, "End": 35, "Backspace": 8}
        for kind in "rawKeyDown", "keyUp":
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=codes[key])
        self.settle()
