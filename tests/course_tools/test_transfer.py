"""Downloads arrive whole or not at all, and go on where they were cut."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from file_server import Served, serving
from full_disk import files_of_at_most

from course_lib.runtime import write_atomically
from course_tools.downloads.transfer import DiskFull, RetryPolicy, parts, transfer

SIZE = 300_000
CONTENT = np.random.default_rng(0).bytes(SIZE)
ALONE = """
import pathlib, sys
from course_tools.downloads.transfer import transfer
transfer(sys.argv[1], pathlib.Path(sys.argv[2]))
"""
QUICK = RetryPolicy(tries=3, wait=0.01)


@pytest.fixture
def served():
    return Served(CONTENT)


@pytest.fixture
def url(served):
    with serving({"/a.zip": served}) as address:
        yield f"{address}/a.zip"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.zip"


def test_a_file_arrives_whole(url, path):
    transfer(url, path, SIZE)
    assert path.read_bytes() == CONTENT and list(path.parent.iterdir()) == [path]


def test_a_cut_download_goes_on_and_no_byte_is_sent_twice(url, path, served):
    served.cuts = [100_000, 50_000, 1]
    transfer(url, path, SIZE, QUICK)
    assert path.read_bytes() == CONTENT
    assert served.begins == [0, 100_000, 150_000, 150_001] and sum(served.sent) == SIZE


def test_progress_makes_the_client_patient_again(url, path, served):
    served.cuts = [10_000] * 20
    transfer(url, path, SIZE, QUICK)
    assert sum(served.sent) == SIZE


def test_a_killed_download_goes_on_in_a_new_process(url, path, served):
    served.hold = 100_000
    process = subprocess.Popen([sys.executable, "-c", ALONE, url, str(path)], stderr=subprocess.DEVNULL)
    while not (there := [part for part in parts(path) if part.stat().st_size > 50_000]):
        assert process.poll() is None
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    kept = there[0].stat().st_size
    served.gate.set()
    transfer(url, path, SIZE, QUICK)
    assert path.read_bytes() == CONTENT
    assert served.begins[-1] == kept and served.sent[-1] == SIZE - kept
    assert not parts(path)


def test_what_was_whole_when_it_was_killed_is_not_fetched_again(url, path, served):
    served.cuts = [SIZE - 1]
    with pytest.raises(OSError):
        transfer(url, path, SIZE, RetryPolicy(tries=1))
    (part,) = [part for part in parts(path) if part.suffix == ".part"]
    part.write_bytes(CONTENT)
    transfer(url, path, SIZE, QUICK)
    assert path.read_bytes() == CONTENT and sum(served.sent) == SIZE - 1


def test_a_file_that_changed_is_fetched_from_its_beginning(url, path, served):
    served.cuts = [100_000]
    with pytest.raises(OSError, match="100000 bytes are kept"):
        transfer(url, path, None, RetryPolicy(tries=1))
    served.content, served.tag = CONTENT[::-1], '"2"'
    transfer(url, path, SIZE, QUICK)
    assert path.read_bytes() == CONTENT[::-1] and served.begins == [0, 0]


@pytest.mark.parametrize("settings", [{"ranges": False}, {"tag": 'W/"1"'}])
def test_a_server_that_cannot_go_on_sends_everything_again(url, path, served, settings):
    vars(served).update(settings)
    served.cuts = [100_000]
    transfer(url, path, SIZE, QUICK)
    assert path.read_bytes() == CONTENT and served.begins == [0, 0]


def test_one_that_always_breaks_at_the_same_place_is_given_up(url, path, served):
    served.ranges, served.cuts = False, [100_000] * 9
    with pytest.raises(
        OSError, match=r"could not be fetched \(the connection ended after 100000 of 300000 bytes\)"
    ):
        transfer(url, path, SIZE, QUICK)
    assert not path.exists() and len(served.sent) == QUICK.tries


def test_without_a_length_a_cut_is_noticed_too(url, path, served):
    served.chunked, served.cuts = True, [100_000]
    transfer(url, path, None, QUICK)
    assert path.read_bytes() == CONTENT and served.begins == [0, 100_000]


def test_a_busy_server_is_asked_again(url, path, served, capsys):
    served.statuses = [503, 500]
    transfer(url, path, SIZE, QUICK)
    assert "503 Service Unavailable; trying again in 0.01 s" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"statuses": [404]}, "cannot be had: the server answers 404 Not Found"),
        ({"statuses": [403]}, "cannot be had: the server answers 403 Forbidden"),
        ({"kind": "text/html; charset=utf-8"}, "is a web page instead of a file"),
        ({"content": CONTENT[:-1]}, "has 299999 bytes, expected 300000"),
        ({"content": CONTENT + b"x"}, "has 300001 bytes, expected 300000"),
    ],
)
def test_what_cannot_be_had_is_said_at_once_and_nothing_is_left(url, path, served, settings, message):
    vars(served).update({"hold": 0} | settings)  # what is said is said before the first byte
    with pytest.raises(ValueError, match=message):
        transfer(url, path, SIZE, QUICK)
    assert not list(path.parent.iterdir()) and sum(served.sent) == 0


def test_a_server_that_is_silent_is_given_up(url, path, served):
    served.hold = 0
    with pytest.raises(OSError, match=r"nothing came for 0.4 s\); nothing came"):
        transfer(url, path, SIZE, RetryPolicy(tries=1, silence=0.4))
    assert not path.exists()


def test_nobody_there_is_said_in_one_line(path):
    with pytest.raises(
        OSError, match=r"http://127.0.0.1:9/a.zip could not be fetched \(no connection\); nothing came"
    ):
        transfer("http://127.0.0.1:9/a.zip", path, SIZE, QUICK)
    assert not list(path.parent.iterdir())


def test_on_a_full_disk_what_came_is_kept_and_the_rest_follows(url, path, served):
    message = r"the disk is full; the first 0.1 MB of a.zip .* free 0.2 MB and"
    with files_of_at_most(100_000), pytest.raises(DiskFull, match=message):
        transfer(url, path, SIZE, QUICK)
    assert not path.exists()
    transfer(url, path, SIZE, QUICK)
    assert path.read_bytes() == CONTENT and served.begins == [0, 100_000]


@pytest.mark.skipif(sys.platform == "win32", reason="where a handle for reading alone cannot be synced")
def test_only_what_was_opened_for_writing_is_brought_to_the_disk(url, path, served, monkeypatch):
    import fcntl

    modes = []
    monkeypatch.setattr(
        os, "fsync", lambda handle: modes.append(fcntl.fcntl(handle, fcntl.F_GETFL) & os.O_ACCMODE)
    )
    served.cuts = [100_000]
    transfer(url, path, SIZE, QUICK)
    write_atomically(path, b"small")
    assert len(modes) >= 2 and os.O_RDONLY not in modes
