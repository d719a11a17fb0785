"""Cityscapes comes from its owners' program; what it leaves is checked, unpacked and readable."""

import sys
from dataclasses import replace

import numpy as np
import pytest
from file_server import serving
from offers import Offer
from small_archives import contents, write_cityscapes
from torchvision import datasets

from course_lib.data import BenchmarkImages, Cityscapes
from course_lib.labels import IGNORE, LABEL_IDS

PROGRAM = """#!{python}
import pathlib, sys
log = pathlib.Path({log!r})
with log.open("a") as file:
    file.write(" ".join(sys.argv[1:]) + "\\n")
assert sys.argv[1:3] == ["--resume", "--destination_path"]
for name in sys.argv[4:]:
    content = (pathlib.Path({made!r}) / name).read_bytes()
    target = pathlib.Path(sys.argv[3]) / name
    there = target.stat().st_size if target.is_file() else 0
    with target.open("ab") as file:
        file.write(content[there:there + {most}])
    if there + {most} < len(content):
        sys.exit("connection lost")
"""


@pytest.fixture
def offered(tmp_path, monkeypatch):
    """The script, small archives, and a program in the place of the official one."""
    offer = Offer("cityscapes", "http://127.0.0.1:9", {}, tmp_path, monkeypatch)
    offer.source = replace(offer.source, files=tuple(replace(one, urls=()) for one in offer.source.files))
    offer.log, offer.beside = tmp_path / "log", tmp_path / "bin"
    offer.beside.mkdir()
    monkeypatch.setenv("PATH", str(offer.beside))
    monkeypatch.setattr("sys.executable", str(tmp_path / "nowhere" / "python"))
    return offer


def install(offer, most=1 << 30):
    """Put a downloader on the path that brings at most so many bytes a call."""
    program = offer.beside / "csDownload"
    program.write_text(
        PROGRAM.format(
            python=sys.base_prefix + "/bin/python3", log=str(offer.log), made=str(offer.made), most=most
        )
    )
    program.chmod(0o755)


def test_the_official_program_is_asked_once_for_everything(offered, capsys):
    install(offered)
    assert offered.run() == 0
    (call,) = offered.log.read_text().splitlines()
    assert call.endswith("gtFine_trainvaltest.zip leftImg8bit_trainvaltest.zip")
    assert len(Cityscapes("train", offered.root / "cityscapes")) == 2
    assert not (offered.root / "cityscapes" / "README").exists()
    assert "answer no unless the disk is yours alone" in capsys.readouterr().out
    assert offered.run() == 0 and len(offered.log.read_text().splitlines()) == 1


def test_it_goes_on_where_the_program_was_cut(offered, capsys):
    install(offered, most=20_000)
    runs = 0
    while offered.run() == 1:
        runs += 1
        assert "csDownload did not finish; what it fetched is kept" in capsys.readouterr().err
        assert offered.nothing_is_there() and runs < 20
    assert runs >= 2 and len(Cityscapes("val", offered.root / "cityscapes")) == 1


def test_archives_from_a_browser_are_taken(offered):
    (offered.root / "downloads").mkdir(parents=True)
    for remote in offered.source.files:
        (offered.root / "downloads" / remote.name).write_bytes((offered.made / remote.name).read_bytes())
    assert offered.run() == 0 and not offered.log.exists()
    assert all((offered.root / "downloads" / one.name).is_file() for one in offered.source.files), "kept"
    assert len(Cityscapes("train", offered.root / "cityscapes")) == 2


def test_one_that_was_whole_when_the_program_was_stopped_is_taken(offered):
    folder = offered.root / "downloads" / "csDownload"
    folder.mkdir(parents=True)
    remote = offered.source.files[0]
    (folder / remote.name).write_bytes((offered.made / remote.name).read_bytes())
    (folder / "notes.txt").write_text("mine")
    install(offered)
    assert offered.run() == 0 and (folder / "notes.txt").is_file()
    assert offered.log.read_text().split()[3:] == ["leftImg8bit_trainvaltest.zip"]


def test_without_the_program_both_ways_are_told(offered, capsys):
    assert offered.run() == 1 and offered.nothing_is_there()
    said = " ".join(capsys.readouterr().err.split())
    assert "csDownload is not installed: " in said and "-m pip install cityscapesscripts; or fetch" in said
    assert "gtFine_trainvaltest.zip and leftImg8bit_trainvaltest.zip from https://www.cityscapes" in said


def test_a_wrong_archive_is_refused(offered, capsys):
    install(offered)
    (offered.made / "gtFine_trainvaltest.zip").write_bytes(b"<html>please log in</html>")
    assert offered.run() == 1 and offered.nothing_is_there()
    said = capsys.readouterr().err
    assert "(gtFine_trainvaltest.zip) does not match the known hash" in said or "expected md5:" in said
    offered.run("--accept", "gtFine_trainvaltest.zip=any")
    assert "cannot be unpacked" in capsys.readouterr().err
    assert len(offered.log.read_text().splitlines()) == 1, "not downloaded again"


def test_full_size_is_read_as_torchvision_reads_it(tmp_path):
    write_cityscapes(tmp_path, size=(1024, 2048), images=(("val", 2),))
    ours = Cityscapes("val", tmp_path)
    theirs = datasets.Cityscapes(str(tmp_path), split="val", mode="fine", target_type="semantic")
    train_ids = np.full(256, IGNORE, dtype=np.uint8)
    train_ids[list(LABEL_IDS)] = range(len(LABEL_IDS))
    assert len(ours) == len(theirs) == 2
    in_order = sorted(range(2), key=theirs.images.__getitem__)
    for sample, (image, labels) in zip(ours, (theirs[i] for i in in_order), strict=True):
        assert sample.image.size == image.size == (2048, 1024)
        assert np.array_equal(np.asarray(sample.image), np.asarray(image.convert("RGB")))
        assert np.array_equal(sample.target.numpy(), train_ids[np.asarray(labels)])


def test_the_overlays_are_laid_over_it(tmp_path, monkeypatch, capsys):
    files = {}
    with serving(files) as address:
        overlays = Offer("fishyscapes_static", address, files, tmp_path, monkeypatch)
        assert overlays.run() == 0
        assert "1 of 1 images of Cityscapes val are not in" in capsys.readouterr().out
        contents("cityscapes", overlays.root / "cityscapes")
        assert overlays.run() == 0 and "fs_web_v3: 1 images" in capsys.readouterr().out
        assert overlays.run() == 0 and "fs_web_v3: there" in capsys.readouterr().out
    check_overlay(overlays.root)


def check_overlay(root):
    """The object is added to the photograph, its surroundings are not touched, void is void."""
    (sample,) = BenchmarkImages(str(root / "benchmarks" / "fs_web_v3"))
    below = np.asarray(Cityscapes("val", root / "cityscapes")[0].image).astype(int)
    image = np.asarray(sample.image).astype(int)
    inside = np.zeros(sample.target.shape, dtype=bool)
    inside[10:20, 30:50] = True
    assert np.array_equal(image[~inside], below[~inside])
    assert np.array_equal(image[inside], np.clip(below[inside] + (-40, 90, 300), 0, 255))
    assert (sample.target.numpy()[inside] == 1).all() and (sample.target[:4] == 255).all()
    assert (sample.target.numpy()[4:][~inside[4:]] == 0).all()
