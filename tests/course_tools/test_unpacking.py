"""Archives are unpacked whole, inside their folder, or not at all."""

import os
import signal
import stat
import subprocess
import sys
import time
import zipfile

import pytest
from full_disk import files_of_at_most

from course_tools.downloads.sources import RemoteFile
from course_tools.downloads.unpacking import placed, unpacked

REMOTE = RemoteFile("a.zip", ".")
FILES = {"data/one.png": b"1" * 5000, "data/two.png": b"2" * 5000, "README": b"r"}
ALONE = """
import pathlib, sys, time, zipfile
from course_tools.downloads import unpacking
from course_tools.downloads.sources import RemoteFile
extract = zipfile.ZipFile.extract
zipfile.ZipFile.extract = lambda *given: (extract(*given), time.sleep(600))
with unpacking.unpacked(pathlib.Path(sys.argv[1]), RemoteFile("a.zip", "."), pathlib.Path(sys.argv[2])):
    pass
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "mine.txt").write_text("mine")
    return tmp_path / "there"


def written(path, files):
    """Write an archive of contents by name or description."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def unpack(archive, remote, folder):
    """Unpack and move, as ``fetch`` does."""
    with unpacked(archive, remote, folder) as (new, names):
        return [placed(new / name, folder / name) for name in names]


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_wanted_members_are_unpacked_beside_what_is_there(folder, tmp_path):
    archive = written(tmp_path / "a.zip", {f"top-1.0/{name}": content for name, content in FILES.items()})
    remote = RemoteFile("a.zip", ".", keep=("data/*",), strip=1)
    assert unpack(archive, remote, folder) == [folder / "data/one.png", folder / "data/two.png"]
    assert names(folder) == ["data/one.png", "data/two.png", "mine.txt"]
    assert (folder / "data/one.png").read_bytes() == FILES["data/one.png"]


def link(target):
    """Return the description of a symbolic link."""
    member = zipfile.ZipInfo("data/link")
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    return {member: target}


def damaged(archive):
    """Flip one byte of what the archive holds."""
    content = bytearray(archive.read_bytes())
    content[100] ^= 255
    archive.write_bytes(content)


@pytest.mark.parametrize(
    ("files", "remote", "message"),
    [
        (FILES | link("/etc/passwd"), REMOTE, "is a link, which is not followed"),
        (FILES | {"/etc/evil": b""}, REMOTE, "'/etc/evil': its name leads out of the zip"),
        (
            FILES,
            RemoteFile("a.zip", ".", keep=("*.jpg",)),
            r"holds nothing like \*.jpg: has its layout changed",
        ),
        ({}, REMOTE, "holds nothing like"),
    ],
)
def test_what_does_not_belong_is_refused(folder, tmp_path, files, remote, message):
    with pytest.raises(ValueError, match=message):
        unpack(written(tmp_path / "a.zip", files), remote, folder)
    assert names(folder) == ["mine.txt"]


def test_a_flipped_byte_is_noticed(folder, tmp_path):
    damaged(written(tmp_path / "a.zip", FILES))
    with pytest.raises(ValueError, match=r"a.zip cannot be unpacked .*CRC.*: fetch it again"):
        unpack(tmp_path / "a.zip", REMOTE, folder)
    assert names(folder) == ["mine.txt"]


def test_a_cut_archive_is_not_taken_for_one_inside_of_it(folder, tmp_path):
    inside = written(tmp_path / "inside.npz", {"rgb.npy": b"x" * 500}).read_bytes()
    content = written(tmp_path / "a.zip", {"0000_rgb.npz": inside}).read_bytes()
    (tmp_path / "a.zip").write_bytes(content[:-30])
    with pytest.raises(ValueError, match="cut short"):
        unpack(tmp_path / "a.zip", REMOTE, folder)
    assert names(folder) == ["mine.txt"]


def test_a_disk_that_fills_up_leaves_nothing(folder, tmp_path):
    archive = written(tmp_path / "a.zip", FILES)
    message = r"the disk filled up while a.zip was unpacked; nothing of it was left"
    with files_of_at_most(1000), pytest.raises(OSError, match=message):
        unpack(archive, REMOTE, folder)
    assert names(folder) == ["mine.txt"]


def test_what_a_killed_run_left_is_cleared_away(folder, tmp_path):
    archive = written(tmp_path / "a.zip", FILES)
    process = subprocess.Popen(
        [sys.executable, "-c", ALONE, str(archive), str(folder)], stderr=subprocess.DEVNULL
    )
    while len(names(folder)) == 1:
        assert process.poll() is None
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert all(name == "mine.txt" or name.startswith(".unpacking-") for name in names(folder))
    unpack(archive, REMOTE, folder)
    assert names(folder) == ["README", "data/one.png", "data/two.png", "mine.txt"]


def test_what_another_run_unpacks_into_the_same_folder_is_left_alone(folder, tmp_path):
    (folder / ".unpacking-b.zip-1").mkdir()
    unpack(written(tmp_path / "a.zip", FILES), REMOTE, folder)
    assert (folder / ".unpacking-b.zip-1").is_dir()


def test_a_check_that_fails_before_they_are_moved_leaves_nothing(folder, tmp_path):
    archive = written(tmp_path / "a.zip", FILES)
    with pytest.raises(ValueError, match="not these"), unpacked(archive, REMOTE, folder) as (new, there):
        assert names(new) == sorted(there) == sorted(FILES)
        raise ValueError("not these")
    assert names(folder) == ["mine.txt"]
