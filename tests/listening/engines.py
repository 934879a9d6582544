"""Three engines under one small driver, with a virtual sound card and a virtual screen.

Chromium by Playwright; Firefox by WebDriver BiDi over its own port; WebKitGTK by Debian's
WebKitWebDriver with selenium.
Presses go through the browser's own input, at places on the screen, as a hand's would.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

START_SECONDS = 180
# A busy machine may take long, and a page that waits for ever is found all the same.
PATIENCE_SECONDS = 180.0
KEYS = {
    "ArrowUp": "\ue013", "ArrowDown": "\ue015", "Home": "\ue011", "End": "\ue010",
    "Enter": "\ue007", "Tab": "\ue004",
}  # fmt: skip

Point = tuple[float, float]


class Engine:
    """A page that can be asked and pressed."""

    name = ""

    def goto(self, url: str) -> None:
        raise NotImplementedError

    def evaluate(self, script: str) -> Any:
        """The value of an expression."""
        raise NotImplementedError

    def pointer(self, *points: Point, touch: bool = False) -> None:
        """Press at the first point, drag over the others, let go."""
        raise NotImplementedError

    def press(self, *keys: str) -> None:
        raise NotImplementedError

    def press_focused(self) -> None:
        """Press the control that has the focus, by keys."""
        self.press("Enter" if self.evaluate("document.activeElement.type") != "radio" else " ")

    def screenshot(self) -> bytes:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError

    def wait(self, condition: str, seconds: float = PATIENCE_SECONDS) -> Any:
        """Until an expression is true."""
        deadline = time.monotonic() + seconds
        while True:
            value = self.evaluate(condition)
            if value:
                return value
            if time.monotonic() > deadline:
                text = self.evaluate("document.body.innerText")
                raise AssertionError(f"never: {condition}; the page shows: {text}")
            time.sleep(0.1)

    def box(self, selector: str, index: int = 0) -> tuple[float, float, float, float]:
        """Left, top, width, height of an element, scrolled into view."""
        quoted = json.dumps(selector)
        self.wait(f"document.querySelectorAll({quoted}).length > {index}")
        left, top, width, height = self.evaluate(
            f"(() => {{ const e = document.querySelectorAll({quoted})[{index}];"
            "e.scrollIntoView({block: 'center'}); const b = e.getBoundingClientRect();"
            "return [b.left, b.top, b.width, b.height]; })()"
        )
        return float(left), float(top), float(width), float(height)

    def click(self, selector: str, index: int = 0, *, touch: bool = False) -> None:
        left, top, width, height = self.box(selector, index)
        self.pointer((left + width / 2, top + height / 2), touch=touch)


class Chromium(Engine):
    """By Playwright; touch as of a phone's finger, by the engine's own input."""

    name = "chromium"

    def __init__(self, width: int, height: int, environment: dict[str, str], language: str) -> None:
        from playwright.sync_api import sync_playwright

        self.playwright = sync_playwright().start()
        program = shutil.which("chromium") or shutil.which("google-chrome")
        self.browser = self.playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox"], env={**environment}
        )
        context = self.browser.new_context(
            viewport={"width": width, "height": height}, has_touch=True, locale=language
        )
        self.page = context.new_page()
        self.input = context.new_cdp_session(self.page)

    def goto(self, url: str) -> None:
        self.page.goto(url)

    def evaluate(self, script: str) -> Any:
        return json.loads(self.page.evaluate(f"JSON.stringify({script}) ?? 'null'"))

    def pointer(self, *points: Point, touch: bool = False) -> None:
        if touch and len(points) == 1:
            self._tap(*points[0])
            return
        if touch:
            for number, (x, y) in enumerate(points):
                kind = "touchMove" if number else "touchStart"
                self._touch(kind, [{"x": x, "y": y}])
            self._touch("touchEnd", [])
            return
        self.page.mouse.move(*points[0])
        self.page.mouse.down()
        for point in points[1:]:
            self.page.mouse.move(*point)
        self.page.mouse.up()

    def _tap(self, x: float, y: float) -> None:
        """Until it is a click: a machine that is too busy makes a long press of a tap."""
        listen = "document.addEventListener('click', () => { presses++; }, true)"
        count = f"(window.presses ??= ({listen}, 0))"
        for _ in range(5):
            before = self.evaluate(count)
            self.page.touchscreen.tap(x, y)
            deadline = time.monotonic() + 3
            while time.monotonic() < deadline:
                if self.evaluate(count) > before:
                    return
                time.sleep(0.05)

    def _touch(self, kind: str, points: list[dict[str, float]]) -> None:
        self.input.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press("Space" if key == " " else key)

    def screenshot(self) -> bytes:
        return self.page.screenshot()

    def close(self) -> None:
        self.browser.close()
        self.playwright.stop()


class Firefox(Engine):
    """WebDriver BiDi, without any driver program between."""

    name = "firefox"

    def __init__(self, width: int, height: int, environment: dict[str, str], language: str) -> None:
        import websocket

        program = shutil.which("firefox-esr") or shutil.which("firefox")
        assert program is not None
        self.profile = Path(tempfile.mkdtemp(prefix="synbench-firefox-"))
        (self.profile / "user.js").write_text(
            'user_pref("media.autoplay.default", 0);\n'
            'user_pref("datareporting.policy.dataSubmissionEnabled", false);\n'
            'user_pref("browser.shell.checkDefaultBrowser", false);\n'
            f'user_pref("intl.accept_languages", "{language}");\n'
        )
        port = _free_port()
        self.process = subprocess.Popen(
            [
                program, "--headless", "--no-remote", "--profile", str(self.profile),
                f"--width={width}", f"--height={height}",
                f"--remote-debugging-port={port}", "about:blank",
            ],
            env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.numbers = itertools.count(1)
        self.socket = _until_it_answers(
            lambda: websocket.create_connection(
                f"ws://127.0.0.1:{port}/session", timeout=60, suppress_origin=True
            )
        )
        self.ask("session.new", {"capabilities": {}})
        contexts = self.ask("browsingContext.getTree", {})["contexts"]
        self.context = contexts[0]["context"]
        viewport = {"width": width, "height": height}
        self.ask("browsingContext.setViewport", {"context": self.context, "viewport": viewport})

    def ask(self, method: str, parameters: dict[str, Any]) -> Any:
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            reply = json.loads(self.socket.recv())
            if reply.get("id") == number:
                if reply.get("type") == "error":
                    raise AssertionError(f"{method}: {reply}")
                return reply["result"]

    def goto(self, url: str) -> None:
        target = {"context": self.context, "url": url, "wait": "complete"}
        self.ask("browsingContext.navigate", target)

    def evaluate(self, script: str) -> Any:
        result = self.ask(
            "script.evaluate",
            {
                "expression": f"JSON.stringify({script}) ?? 'null'",
                "target": {"context": self.context},
                "awaitPromise": False,
            },
        )
        if result["type"] != "success":
            raise AssertionError(result["exceptionDetails"]["text"])
        return json.loads(result["result"]["value"])

    def pointer(self, *points: Point, touch: bool = False) -> None:
        actions: list[dict[str, Any]] = []
        for index, (x, y) in enumerate(points):
            actions.append({"type": "pointerMove", "x": round(x), "y": round(y), "duration": 30})
            if index == 0:
                actions.append({"type": "pointerDown", "button": 0})
        actions.append({"type": "pointerUp", "button": 0})
        kind = {"pointerType": "touch" if touch else "mouse"}
        source = {"type": "pointer", "id": f"hand{touch}", "parameters": kind, "actions": actions}
        self.ask("input.performActions", {"context": self.context, "actions": [source]})

    def press_focused(self) -> None:
        # The window of a remote Firefox never has the focus of its system: Tab, arrows and letters
        # arrive, but Enter and the space bar press nothing. The page itself presses instead.
        self.evaluate("(document.activeElement.click(), 1)")

    def press(self, *keys: str) -> None:
        actions = [
            {"type": kind, "value": KEYS.get(key, key)}
            for key in keys
            for kind in ("keyDown", "keyUp")
        ]
        source = {"type": "key", "id": "board", "actions": actions}
        self.ask("input.performActions", {"context": self.context, "actions": [source]})

    def screenshot(self) -> bytes:
        import base64

        shot = self.ask("browsingContext.captureScreenshot", {"context": self.context})
        return base64.b64decode(shot["data"])

    def close(self) -> None:
        self.socket.close()
        self.process.terminate()
        self.process.wait(30)
        shutil.rmtree(self.profile, ignore_errors=True)


class WebKit(Engine):
    """WebKitGTK's small browser, on a screen of its own."""

    name = "webkit"

    def __init__(self, width: int, height: int, environment: dict[str, str], language: str) -> None:
        from selenium import webdriver
        from selenium.webdriver.webkitgtk.options import Options
        from selenium.webdriver.webkitgtk.service import Service

        options = Options()
        options.binary_location = str(_mini_browser())
        options.add_argument("--automation")
        options.add_argument(f"--geometry={width}x{height + 40}")
        service = Service(executable_path=shutil.which("WebKitWebDriver"), env=environment)
        with warnings.catch_warnings():
            # Selenium warns of its own way of reaching a driver.
            warnings.simplefilter("ignore", DeprecationWarning)
            self.driver = webdriver.WebKitGTK(options=options, service=service)
        with contextlib.suppress(Exception):
            self.driver.set_window_size(width, height)

    def goto(self, url: str) -> None:
        self.driver.get(url)

    def evaluate(self, script: str) -> Any:
        return json.loads(self.driver.execute_script(f"return JSON.stringify({script}) ?? 'null'"))

    def pointer(self, *points: Point, touch: bool = False) -> None:
        from selenium.webdriver.common.actions.action_builder import ActionBuilder
        from selenium.webdriver.common.actions.pointer_input import PointerInput

        hand = PointerInput("touch" if touch else "mouse", "hand")
        actions = ActionBuilder(self.driver, mouse=hand)
        for index, (x, y) in enumerate(points):
            actions.pointer_action.move_to_location(round(x), round(y))
            if index == 0:
                actions.pointer_action.pointer_down()
        actions.pointer_action.pointer_up()
        actions.perform()

    def press(self, *keys: str) -> None:
        from selenium.webdriver.common.action_chains import ActionChains

        for key in keys:
            ActionChains(self.driver).send_keys(KEYS.get(key, key)).perform()

    def screenshot(self) -> bytes:
        return bytes(self.driver.get_screenshot_as_png())

    def close(self) -> None:
        self.driver.quit()


def absent(name: str) -> str:
    """What this machine lacks for an engine, or nothing."""
    import importlib.util

    if name == "chromium":
        if not (shutil.which("chromium") or shutil.which("google-chrome")):
            return "no Chromium: apt-get install chromium"
        return "" if importlib.util.find_spec("playwright") else "no playwright"
    if name == "firefox":
        if not (shutil.which("firefox-esr") or shutil.which("firefox")):
            return "no Firefox: apt-get install firefox-esr"
        return "" if importlib.util.find_spec("websocket") else "no selenium (websocket-client)"
    if not shutil.which("WebKitWebDriver") or _mini_browser() is None:
        return "no WebKit: apt-get install webkit2gtk-driver"
    if not shutil.which("Xvfb"):
        return "no Xvfb"
    return "" if importlib.util.find_spec("selenium") else "no selenium"


@contextlib.contextmanager
def launched(name: str, width: int, height: int, language: str = "en") -> Iterator[Engine]:
    """An engine with a screen and a sound card that exist in memory alone."""
    with contextlib.ExitStack() as stack:
        environment = dict(os.environ)
        stack.enter_context(_sound_card(environment))
        if name == "webkit":
            stack.enter_context(_screen(environment))
        kinds = {"chromium": Chromium, "firefox": Firefox, "webkit": WebKit}
        made = kinds[name](width, height, environment, language)
        try:
            yield made
        finally:
            made.close()


@contextlib.contextmanager
def _sound_card(environment: dict[str, str]) -> Iterator[None]:
    program = shutil.which("pulseaudio")
    if program is None:
        yield
        return
    folder = Path(tempfile.mkdtemp(prefix="synbench-sound-"))
    folder.chmod(0o700)
    environment |= {
        "XDG_RUNTIME_DIR": str(folder),
        "PULSE_SERVER": f"unix:{folder}/native",
        "PULSE_RUNTIME_PATH": str(folder),
        "HOME": str(folder),
    }
    process = subprocess.Popen(
        [
            program, "-n", "--daemonize=no", "--use-pid-file=no", "--exit-idle-time=-1",
            "--disallow-exit", "-L", "module-null-sink sink_name=virtual rate=48000",
            "-L", f"module-native-protocol-unix socket={folder}/native auth-anonymous=1",
        ],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _until_it_answers((folder / "native").stat)
        yield
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _screen(environment: dict[str, str]) -> Iterator[None]:
    reading, writing = os.pipe()
    process = subprocess.Popen(
        ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1600x1200x24", "-nolisten", "tcp"],
        pass_fds=[writing], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(writing)
    try:
        with os.fdopen(reading) as file:
            environment["DISPLAY"] = f":{file.readline().strip()}"
        # WebKit's own sandbox and compositing want what a container does not have.
        environment |= {
            "WEBKIT_DISABLE_COMPOSITING_MODE": "1",
            "WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS": "1",
            "NO_AT_BRIDGE": "1",
        }
        yield
    finally:
        process.terminate()
        process.wait(20)


def _mini_browser() -> Path | None:
    return next(iter(sorted(Path("/usr/lib").glob("*/webkit2gtk-4*/MiniBrowser"))), None)


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _until_it_answers(ask: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return ask()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
