"""A browser by WebDriver (W3C), with nothing but Python's own library: Debian's Chromium and chromedriver."""

import base64
import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

# What Chromium needs to run as root, alone, and without calling anybody.
ARGUMENTS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


class Failed(Exception):
    """Something was not as it should be; the message says what."""


class Browser:
    """One browser with a profile of its own."""

    def __init__(self, language="en", scripts=True, width=1280, height=900, dark=False):
        self.profile = tempfile.mkdtemp(prefix="havre-browser.")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.log = open(os.path.join(self.profile, "chromedriver.log"), "w")
        self.process = subprocess.Popen(
            ["chromedriver", f"--port={self.port}"], stdout=self.log, stderr=self.log
        )
        self.session = None
        self._await()
        preferences = {"intl.accept_languages": language}
        if not scripts:
            preferences["profile.managed_default_content_settings.javascript"] = 2
        arguments = ARGUMENTS + [
            f"--user-data-dir={self.profile}/profile",
            f"--window-size={width},{height}",
            f"--lang={language}",
        ]
        options = {"args": arguments, "prefs": preferences}
        wanted = {
            "alwaysMatch": {
                "browserName": "chrome",
                "goog:chromeOptions": options,
                "goog:loggingPrefs": {"browser": "ALL"},
                "timeouts": {"implicit": 0, "pageLoad": 20000, "script": 30000},
            }
        }
        self.session = self._call("POST", "/session", {"capabilities": wanted})["sessionId"]
        self.size(width, height)
        if dark:
            self.dark(True)

    def _await(self):
        for _ in range(200):
            with contextlib.suppress(OSError, urllib.error.URLError):
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/status", timeout=2) as answer:
                    if json.load(answer)["value"]["ready"]:
                        return
            time.sleep(0.05)
        raise Failed("chromedriver does not start; install it with interop/install apt")

    def _call(self, method, path, body=None):
        data = None if method in ("GET", "DELETE") else json.dumps(body or {}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}", data, {"Content-Type": "application/json"}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            value = json.load(error)["value"]
            raise Failed(f"{value['error']}: {value['message'].splitlines()[0]}") from None

    def call(self, method, path, body=None):
        return self._call(method, f"/session/{self.session}{path}", body)

    def command(self, name, parameters):
        """A command of the DevTools protocol."""
        return self.call("POST", "/goog/cdp/execute", {"cmd": name, "params": parameters})

    def size(self, width, height):
        """The size of what is seen, to the pixel."""
        parameters = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.command("Emulation.setDeviceMetricsOverride", parameters)

    def dark(self, on):
        features = [{"name": "prefers-color-scheme", "value": "dark" if on else "light"}]
        self.command("Emulation.setEmulatedMedia", {"features": features})

    def open(self, url):
        self.call("POST", "/url", {"url": url})

    @property
    def url(self):
        return self.call("GET", "/url")

    @property
    def title(self):
        return self.call("GET", "/title")

    def run(self, script, *arguments):
        return self.call("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def run_async(self, script, *arguments):
        return self.call("POST", "/execute/async", {"script": script, "args": list(arguments)})

    def find_all(self, selector):
        found = self.call("POST", "/elements", {"using": "css selector", "value": selector})
        return [Element(self, element[ELEMENT]) for element in found]

    def find(self, selector, seconds=5):
        """The first that is there, waited for."""
        end = time.monotonic() + seconds
        while True:
            found = self.find_all(selector)
            if found:
                return found[0]
            if time.monotonic() > end:
                raise Failed(f"{self.url} has no {selector}")
            time.sleep(0.05)

    def link(self, text):
        """The first link with exactly this text that is seen."""
        found = self.call("POST", "/elements", {"using": "link text", "value": text})
        if not found:
            raise Failed(f"{self.url} has no link {text!r}")
        return Element(self, found[0][ELEMENT])

    def until(self, condition, what, seconds=5):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise Failed(f"{self.url}: {what} did not come about")
            time.sleep(0.05)

    def text(self):
        return self.find("body").text

    def keys(self, text):
        """Types with the keyboard alone, wherever the focus is."""
        actions = []
        for key in text:
            actions += [{"type": "keyDown", "value": key}, {"type": "keyUp", "value": key}]
        self.call("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def screenshot(self, path, whole=True):
        if whole:
            box = self.command("Page.getLayoutMetrics", {})["cssContentSize"]
            clip = {"x": 0, "y": 0, "width": box["width"], "height": min(box["height"], 6000), "scale": 1}
            data = self.command("Page.captureScreenshot", {"clip": clip, "captureBeyondViewport": True})["data"]
        else:
            data = self.call("GET", "/screenshot")
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def errors(self):
        """What the browser complained about since it was asked last, such as what the policy of contents refused."""
        entries = self.call("POST", "/se/log", {"type": "browser"})
        return [entry["message"] for entry in entries if entry["level"] == "SEVERE"]

    def close(self):
        with contextlib.suppress(Exception):
            self.call("DELETE", "")
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        self.process.kill()
        self.log.close()
        shutil.rmtree(self.profile, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Element:
    """Something on a page."""

    def __init__(self, browser, identity):
        self.browser = browser
        self.path = f"/element/{identity}"

    def click(self):
        self.browser.call("POST", f"{self.path}/click")

    def clear(self):
        self.browser.call("POST", f"{self.path}/clear")

    def type(self, text):
        self.browser.call("POST", f"{self.path}/value", {"text": text})

    @property
    def text(self):
        return self.browser.call("GET", f"{self.path}/text")

    def attribute(self, name):
        return self.browser.call("GET", f"{self.path}/attribute/{name}")

    def property(self, name):
        return self.browser.call("GET", f"{self.path}/property/{name}")
