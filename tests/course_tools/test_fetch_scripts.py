"""Every script of data_scripts against a local server that serves its files well and badly."""

import io
import zipfile
from collections import namedtuple
from dataclasses import replace

import pooch
import pytest
from filelock import FileLock
from full_disk import files_of_at_most
from offers import ARCHIVES, DIGESTS, PUBLIC, SCRIPTS, doubt

from course_tools import downloads
from course_tools.__main__ import main

Usage = namedtuple("Usage", "total used free")
every = pytest.mark.parametrize("offered", PUBLIC, indirect=True)
archives = pytest.mark.parametrize("offered", ARCHIVES, indirect=True)


def test_there_is_a_script_for_every_source_and_a_source_for_every_script():
    assert SCRIPTS.keys() == downloads.sources().keys()


@every
def test_it_is_fetched_once_with_licence_and_citation(offered, capsys):
    assert offered.run("--dry-run") == 0 and not offered.root.exists()
    assert offered.run() == 0
    printed = capsys.readouterr().out
    assert offered.source.licence in printed and offered.source.citation in printed
    assert all((offered.root / name).exists() for name in offered.source.gives)
    left = {path.name for path in (offered.root / "downloads").iterdir()} - {f".{offered.name}.lock"}
    assert left == {f"{offered.name}.json"}
    assert offered.run() == 0 and "there and whole, nothing to do" in capsys.readouterr().out
    assert [len(served.sent) for served in offered.served] == [1] * len(offered.served)


@every
def test_a_cut_connection_is_taken_up_without_sending_a_byte_twice(offered):
    for served in offered.served:
        served.cuts = [len(served.content) // 3] * 2
    assert offered.run() == 0
    assert [sum(served.sent) for served in offered.served] == [len(s.content) for s in offered.served]
    assert [len(served.sent) for served in offered.served] == [3] * len(offered.served)


@pytest.mark.parametrize("offered", DIGESTS, indirect=True)
def test_other_bytes_are_refused_by_name_and_can_be_accepted(offered, capsys):
    right, remote = offered.served[-1].content, offered.source.files[-1]
    other = with_comment(right) if remote.is_archive else right[::-1] + b"!"
    offered.served[-1].content = other
    offered.source = replace(
        offered.source, files=(*offered.source.files[:-1], replace(remote, bytes=len(other)))
    )
    assert offered.run() == 1 and offered.nothing_is_there()
    (offered.made / "other").write_bytes(other)
    algorithm = remote.digest.partition(":")[0]
    got = pooch.file_hash(offered.made / "other", algorithm)
    said = " ".join(capsys.readouterr().err.split())
    assert f"({remote.name}) does not match the known hash: expected {remote.digest} but got {got}." in said
    assert doubt(remote) in said and "please report both values" in said
    command = f"python3 start.py fetch {offered.name} --root {offered.root} --accept {remote.name}=DIGEST"
    assert command in said
    assert offered.run("--accept", f"{remote.name}={algorithm}:{got}") == 0


@every
def test_a_missing_file_is_said(offered, capsys):
    offered.served[-1].statuses = [404]
    assert offered.run() == 1 and offered.nothing_is_there()
    assert (
        f"{offered.source.files[-1].urls[0]} cannot be had: the server answers 404" in capsys.readouterr().err
    )


@archives
def test_a_truncated_archive_is_refused(offered, capsys):
    offered.offer([served.content[:-30] for served in offered.served])
    assert offered.run() == 1 and offered.nothing_is_there()
    assert "cannot be unpacked" in capsys.readouterr().err


@archives
@pytest.mark.parametrize(
    "name", ["../evil.png", "/tmp/evil.png", "a/../../evil.png", "..\\evil.png", "C:\\evil"]
)
def test_an_archive_that_leads_out_is_refused(offered, name, capsys):
    offered.offer([with_member(served.content, name) for served in offered.served])
    assert offered.run() == 1 and offered.nothing_is_there()
    assert "its name leads out of the zip; so it is not a copy" in capsys.readouterr().err
    assert not [path for path in offered.root.parent.rglob("evil*")]


@every
def test_a_full_disk_is_said_and_the_rest_follows(offered, capsys):
    space = len(offered.served[0].content) - 10
    with files_of_at_most(space):
        assert offered.run() == 1 and offered.nothing_is_there()
    assert "the disk is full; the first" in capsys.readouterr().err
    assert offered.run() == 0
    assert offered.served[0].begins == [0, space]


@pytest.mark.parametrize("offered", ["road_anomaly"], indirect=True)
def test_two_at_once_do_not_get_into_each_others_way(offered, capsys):
    (offered.root / "downloads").mkdir(parents=True)
    with FileLock(offered.root / "downloads" / ".road_anomaly.lock"):
        assert offered.run() == 1 and not offered.served[0].sent
    assert "is being fetched into" in capsys.readouterr().err
    assert offered.run() == 0


@every
def test_a_small_disk_is_noticed_before_anything_is_fetched(offered, capsys, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: Usage(10, 10, 0))
    assert offered.run() == 1 and not offered.root.exists() and not offered.served[0].sent
    assert f"{offered.name} needs 0.00 GB in" in capsys.readouterr().err


def with_comment(archive: bytes) -> bytes:
    """Return another archive of the same content."""
    changed = io.BytesIO(archive)
    with zipfile.ZipFile(changed, "a") as opened:
        opened.comment = b"another"
    return changed.getvalue()


def with_member(archive: bytes, name: str) -> bytes:
    """Return an archive with one member more."""
    changed = io.BytesIO(archive)
    with zipfile.ZipFile(changed, "a") as opened:
        member = zipfile.ZipInfo("harmless")
        member.filename = name
        opened.writestr(member, b"evil")
    return changed.getvalue()


@every
def test_the_help_names_sizes_and_licences_and_several_are_fetched_at_once(offered, capsys):
    with pytest.raises(SystemExit):
        main(["fetch", "--help"])
    printed = capsys.readouterr().out
    assert all(name in printed and one.licence in printed for name, one in downloads.sources().items())
    two = sorted(downloads.sources())[:2]
    assert main(["fetch", *two, "--root", str(offered.root), "--dry-run"]) == 0
    assert capsys.readouterr().out.count(offered.source.title) == 2, "the source stands for both here"
    assert main(["fetch", offered.name, "--root", str(offered.root)]) == 0


@pytest.mark.parametrize("arguments", ["", "camvit", "camvid --accept abc"])
def test_wrong_usage_of_fetch_is_one_line(arguments, capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["fetch", *arguments.split()])
    said = capsys.readouterr().err
    assert stopped.value.code == 2 and said.count("\n") == 1 and said.startswith("error: ")
