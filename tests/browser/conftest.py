"""A real JupyterLab, seen through a headless Chromium."""

import contextlib
import importlib.util
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

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next((path for path in map(shutil.which, NAMES) if path), None)
UP_WITHIN = 90  # seconds; machines are busy
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
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    opened.close()
    assert (foreign, errors) == ([], [])


@pytest.fixture
def lab(tmp_path):
    """Start JupyterLab on a copy of the lessons, with settings of its own; yield its address."""
    shutil.copytree(ROOT / "notebooks", tmp_path / "course" / "notebooks")
    settings = tmp_path / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text(QUIET)
    log = (tmp_path / "log").open("w")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [
            *_command(port, tmp_path / "course"),
            *(["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
        ],
        env=os.environ | _own_folders(tmp_path),
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield _when_up(f"http://127.0.0.1:{port}", server, tmp_path / "log")
    finally:
        with contextlib.suppress(ProcessLookupError):  # it did not start
            os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)


def _command(port, root):
    """Return the command of ``start.py lab``, on another port and folder, open to us."""
    spec = importlib.util.spec_from_file_location("start", ROOT / "start.py")
    start = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(start)
    options = (f"--port={port}", "--ip=127.0.0.1", "--no-browser", "--ServerApp.port_retries=0")
    open_to_us = ("--IdentityProvider.token=", "--ServerApp.password=", f"--ServerApp.root_dir={root}")
    theirs = [option for option in start.LAB if "root_dir" not in option]
    return [sys.executable, *theirs, *options, *open_to_us]


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
            urllib.request.urlopen(f"{address}/api/status", timeout=1).read()
            return address
        except OSError:
            time.sleep(0.3)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()}")
