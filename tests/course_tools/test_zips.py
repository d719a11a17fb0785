"""Zips: the same content gives the same bytes, and nothing in one is trusted."""

import io
import stat
import zipfile
import zlib

import pytest
from hostile_bank import escaping_zip

from course_tools.zips import members, read_member, write_zip


def test_the_same_content_gives_the_same_bytes_with_names_contents_and_modes(tmp_path):
    entries = {"a/start.py": (b"print()", 0o755), "a/notes.txt": (b"x" * 999, 0o644)}
    write_zip(tmp_path / "new" / "one.zip", entries)
    write_zip(tmp_path / "two.zip", entries)
    assert (tmp_path / "new" / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "two.zip") as archive:
        found = {path: read_member(archive, member, 999) for path, member, _ in members(archive)}
        modes = [stat.S_IMODE(member.external_attr >> 16) for member in archive.infolist()]
    assert {str(path): content for path, content in found.items()} == {
        name: content for name, (content, _) in entries.items()
    }
    assert modes == [0o755, 0o644]


def test_a_zip_that_cannot_be_written_leaves_the_old_one(tmp_path, monkeypatch):
    target = tmp_path / "course.zip"
    target.write_bytes(b"old")
    monkeypatch.setattr("os.fsync", lambda number: (_ for _ in ()).throw(OSError(28, "disk full")))
    with pytest.raises(OSError, match="disk full"):
        write_zip(target, {"a": (b"new", 0o644)})
    assert target.read_bytes() == b"old" and list(tmp_path.iterdir()) == [target]


def test_names_that_lead_out_and_links_have_a_problem():
    content = io.BytesIO(escaping_zip({"good.txt": b"good"}))
    with zipfile.ZipFile(content, "a") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("C:\\file", "windows")
        archive.writestr("folder/", "")
        problems = {str(path): problem for path, _, problem in members(archive)}
    assert problems.pop("good.txt") == "" and "is a link" in problems.pop("link")
    assert len(problems) == 5 and set(problems.values()) == {"its name leads out of the zip"}


def test_no_more_is_read_than_is_allowed_and_damage_is_said():
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb", bytes(3 << 20))
        (member,) = archive.infolist()
        with pytest.raises(ValueError, match="more than 2 MB"):
            read_member(archive, member, 2 << 20)
    damaged = content.getvalue().replace(b"bomb", b"bang", 1)  # the name in front of the content
    with zipfile.ZipFile(io.BytesIO(damaged)) as archive, pytest.raises(ValueError, match="damaged"):
        read_member(archive, archive.infolist()[0], 4 << 20)


def test_a_member_is_unpacked_no_further_than_it_says_and_only_by_deflate(monkeypatch):
    content, packed = io.BytesIO(), zlib.compress(bytes(3 << 20), wbits=-15)
    with zipfile.ZipFile(content, "w", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("bomb", bytes(3 << 20))  # what bzip2 makes of 4 kB has no limit
        with pytest.raises(ValueError, match="not Deflate"):
            read_member(archive, archive.infolist()[0], 4 << 20)
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("liar", packed)
        (member,) = archive.infolist()
        member.compress_type, member.file_size = zipfile.ZIP_DEFLATED, 10
        asked, unpacked = [], zipfile.ZipExtFile.read
        monkeypatch.setattr(zipfile.ZipExtFile, "read", lambda file, n: asked.append(n) or unpacked(file, n))
        with pytest.raises(ValueError, match="damaged"):
            read_member(archive, member, 32 << 20)
        assert asked == [11]
