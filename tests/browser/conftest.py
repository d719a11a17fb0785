"""A real JupyterLab and Notebook 7, seen through a headless Chromium."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from playwright.sync_api import sync_playwright
from small_data import ROOT

from course_tools.__main__ import main

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((path for path in map(shutil.which, NAMES) if path), None)
UP_WITHIN = 90  # seconds; machines are busy
NOTEBOOK_7 = "(reading 'schema')"  # its own settings, with any notebook: not a matter of ours
QUIET = '{"fetchNews": "false", "checkForUpdates": false}'


@pytest.fixture(scope="session")
def browser():
    """Start Chromium; without one, CI fails and others skip."""
    if CHROMIUM is None:
        say = pytest.fail if os.environ.get("CI") else pytest.skip
        say("no Chromium on this machine; install it with your system's packages")
    with sync_playwright() as playwright:
        options = {"executable_path": CHROMIUM, "args": ["--no-sandbox", "--disable-gpu"]}
        chromium = playwright.chromium.launch(**options)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def with_camera(browser):
    """A Chromium with a camera that shows something that moves."""
    options = ["--no-sandbox", "--disable-gpu", "--use-fake-device-for-media-stream"]
    chromium = browser.browser_type.launch(executable_path=CHROMIUM, args=options)
    yield chromium
    chromium.close()


@pytest.fixture
def page(browser):
    """Open an empty page that can reach nothing but this machine; errors of scripts fail the test."""
    opened = browser.new_page(viewport={"width": 1400, "height": 900})
    foreign, errors = [], []

    def guard(route):
        if route.request.url.startswith(("http://127.0.0.1", "ws://127.0.0.1", "file:", "data:", "blob:")):
            route.continue_()
        else:
            foreign.append(route.request.url)
            route.abort()

    opened.route("**/*", guard)
    opened.on("pageerror", lambda error: None if NOTEBOOK_7 in str(error) else errors.append(str(error)))
    yield opened
    opened.close()
    assert (foreign, errors) == ([], [])


@pytest.fixture
def lab(tmp_path):
    """Start JupyterLab as ``start.py lab`` does, on a copy of the lessons; yield its address."""
    yield from _serving_lab(tmp_path)


@pytest.fixture(scope="module")
def lab_of_all(tmp_path_factory):
    """Start it once for all tests of a file; yield its address and the folder that holds ``course``."""
    home = tmp_path_factory.mktemp("lab")
    for address in _serving_lab(home):
        yield address, home


def _serving_lab(home):
    """Start what ``start.py lab`` starts."""
    with pytest.MonkeyPatch.context() as patch:
        started = []
        patch.setattr(subprocess, "call", lambda command, **_: started.append(command))
        main(["lab"])
    application = [option for option in started[0][1:] if "root_dir" not in option]
    yield from _serving(application, home)


@pytest.fixture
def notebook7(tmp_path):
    """Start Notebook 7, which nbgrader brings, likewise."""
    yield from _serving(["-m", "notebook"], tmp_path)


@pytest.fixture
def course(tmp_path):
    """Start JupyterLab in a course folder with nbgrader's settings; yield its address and the folder."""
    folder = tmp_path / "course"
    shutil.copytree(ROOT / "solutions", folder / "solutions")
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    for address in _serving(["-m", "jupyterlab"], tmp_path):
        yield address, folder


def _serving(application, home):
    """Start a server with settings of its own, open to us; yield its address and stop it afterwards."""
    shutil.copytree(ROOT / "notebooks", home / "course" / "notebooks", dirs_exist_ok=True)
    settings = home / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text(QUIET)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, *application, *_options(port, home / "course")],
        cwd=home / "course",
        env=os.environ | _own_folders(home),
        stdout=(home / "log").open("w"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield _when_up(f"http://127.0.0.1:{port}", server, home / "log")
    finally:
        with contextlib.suppress(ProcessLookupError):  # it did not start
            os.killpg(server.pid, signal.SIGTERM)
        server.wait(UP_WITHIN)


def _options(port, root):
    """Return the options of a server that nobody but us can reach, without a password."""
    options = [f"--port={port}", "--ip=127.0.0.1", "--no-browser", "--ServerApp.port_retries=0"]
    open_to_us = ["--IdentityProvider.token=", "--ServerApp.password=", f"--ServerApp.root_dir={root}"]
    as_root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    return options + open_to_us + as_root


def _own_folders(home):
    """Return variables that keep the user's settings out."""
    folders = {"CONFIG": "config", "DATA": "data", "RUNTIME": "runtime"}
    jupyter = {f"JUPYTER_{name}_DIR": str(home / folder) for name, folder in folders.items()}
    lab = {f"JUPYTERLAB_{name}_DIR": str(home / name.lower()) for name in ("SETTINGS", "WORKSPACES")}
    return jupyter | lab


def _when_up(address, server, log):
    """Wait until the server answers; return its address."""
    started = time.monotonic()
    while server.poll() is None and time.monotonic() - started < UP_WITHIN:
        try:
            urllib.request.urlopen(f"{address}/api/status", timeout=10).read()
            return address
        except OSError:
            time.sleep(0.3)
    raise RuntimeError(f"the server did not start:\n{log.read_text()}")
