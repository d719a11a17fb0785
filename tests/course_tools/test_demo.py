"""The demo's sums in node, what is made once, a machine without npm, and the server of ``site --serve``."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import urllib.request

import pytest
from small_data import ROOT

from course_tools import demo, pages
from course_tools.commands import site

SOURCE = ROOT / "site" / "demo"


def test_the_sums_of_the_page_are_right():
    node = shutil.which("node")
    if node is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("no node on this machine")
    done = subprocess.run([node, "--test", "numbers.test.js"], cwd=SOURCE, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_without_npm_there_is_no_demo_and_one_line_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.delenv("CI", raising=False)
    assert demo.build(SOURCE, tmp_path / "demo") is False
    assert capsys.readouterr().out.startswith("The site is built without its demo page: there is no npm; ")
    assert not (tmp_path / "demo").exists()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Sphinx and its extensions, about each other
@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
def test_without_npm_the_site_has_neither_the_page_nor_links_to_it(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.delenv("CI", raising=False)
    source = tmp_path / "site"
    shutil.copytree(ROOT / "site" / "_static", source / "_static")
    for name in ("conf.py", "try_it.md"):
        shutil.copy(ROOT / "site" / name, source)
    (source / "other.md").write_text("# Other\n")
    (source / "index.md").write_text("# Home\n[Look](try_it.md)\n```{toctree}\n:glob:\n*\n```\n")
    assert pages.build_site(source, tmp_path / "built") == 0, "Sphinx warns of nothing"
    assert not (tmp_path / "built" / "try_it.html").exists()
    text = (tmp_path / "built" / "index.html").read_text(encoding="utf-8")
    assert "Look" in text and "try_it" not in text


def test_on_ci_a_missing_npm_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setenv("CI", "true")
    with pytest.raises(ValueError, match="the demo page cannot be built: there is no npm"):
        demo.build(SOURCE, tmp_path / "demo")


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """A folder for what is made, an npm that only notes its calls, and a count of exports."""
    monkeypatch.setattr(demo, "FOLDER", tmp_path / "kept")
    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.delenv("CI", raising=False)
    called = []

    def run(*command, folder):
        called.append(command[1])
        if command[1] == "ci":
            programs = folder / "node_modules" / "onnxruntime-web" / "dist"
            programs.mkdir(parents=True, exist_ok=True)
            (programs / f"{demo.PROGRAM}.mjs").touch()
            (programs / f"{demo.PROGRAM}.wasm").write_text("14 bytes long.")
        (folder / "built").mkdir(exist_ok=True)

    def make(folder):
        called.append("made")
        (folder / "about.json").write_text("{}")

    monkeypatch.setattr(demo, "_run", run)
    monkeypatch.setattr(demo, "_make", make)
    return called


def test_packages_and_networks_are_made_once(workplace, tmp_path, monkeypatch):
    assert demo.build(SOURCE, tmp_path / "demo")
    assert workplace == ["ci", "run", "made"]
    assert '"bytes": 14' in (tmp_path / "demo" / "about.json").read_text()
    assert demo.build(SOURCE, tmp_path / "demo")
    assert workplace[3:] == ["run"]
    monkeypatch.setattr(demo, "code_digest", lambda: "other code")
    assert demo.build(SOURCE, tmp_path / "demo")
    assert workplace[4:] == ["run", "made"]


def test_an_npm_that_fails_is_quoted(workplace, tmp_path, monkeypatch, capsys):
    def fail(*command, folder):
        raise subprocess.CalledProcessError(1, command, stderr="npm error network\nno route")

    monkeypatch.setattr(demo, "_run", fail)
    assert demo.build(SOURCE, tmp_path / "demo") is False
    assert "npm failed: npm error network no route" in capsys.readouterr().out


def test_the_lock_file_names_no_host():
    text = (SOURCE / "package-lock.json").read_text(encoding="utf-8")
    assert "://" not in text and '"integrity"' in text


def test_the_server_isolates_pages_and_lets_browsers_keep_files(tmp_path):
    (tmp_path / "a.mjs").write_text("1")
    with site.server(tmp_path, 0) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        answer = urllib.request.urlopen(f"http://127.0.0.1:{running.server_port}/a.mjs")
        running.shutdown()
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert (answer.headers["Content-Type"], answer.headers["Cache-Control"]) == (
        "text/javascript",
        "no-cache",
    )


def test_a_taken_port_is_left_alone(tmp_path):
    with site.server(tmp_path, 0) as first, site.server(tmp_path, first.server_port) as second:
        assert second.server_port != first.server_port


@pytest.mark.skipif(os.name == "nt", reason="there Ctrl-C is no signal to one process")
def test_ctrl_c_ends_the_server_cleanly(tmp_path):
    code = (
        "import sys, pathlib; from course_tools.commands import site; site.serve(pathlib.Path(sys.argv[1]))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, tmp_path],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline().startswith("The site is at http://127.0.0.1:")
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=60) == ("\n", "") and process.returncode == 0
