"""What a script does with values that differ, and with what is there: nothing is taken blindly or lost."""

from dataclasses import replace

import pytest
from offers import DIGESTS


@pytest.mark.parametrize("offered", DIGESTS, indirect=True)
def test_another_size_is_said_before_it_is_fetched_and_can_be_accepted(offered, capsys):
    offered.source = replace(
        offered.source, files=tuple(replace(one, bytes=one.bytes + 7) for one in offered.source.files)
    )
    assert offered.run() == 1 and offered.nothing_is_there()
    said = " ".join(capsys.readouterr().err.split())
    name, size = offered.source.files[0].name, len(offered.served[0].content)
    assert f"{name} differs: expected {size + 7} bytes, got {size} bytes." in said
    assert "has never verified it" in said and said.endswith("--accept any")
    assert offered.run("--accept", "any") == 0


@pytest.mark.parametrize("offered", ["fishyscapes_lost_and_found"], indirect=True)
def test_several_digests_are_accepted_together(offered, capsys):
    wrong = "0" * 64
    files = tuple(replace(one, digest=f"sha256:{wrong}") for one in offered.source.files)
    offered.source, got = replace(offered.source, files=files), []
    for _ in files:
        assert offered.run(*(["--accept", *got] if got else [])) == 1
        got.append(capsys.readouterr().err.split("--accept ")[1].split()[0].partition(":")[2].upper())
    assert offered.run("--accept", *got) == 0
    assert [len(served.sent) for served in offered.served] == [1, 1]


@pytest.mark.parametrize("offered", ["camvid"], indirect=True)
def test_other_content_of_an_archive_made_on_demand_is_refused_and_can_be_accepted(offered, capsys):
    (remote,) = offered.source.files
    trees = {name: "0" * 64 for name in remote.trees}
    offered.source = replace(offered.source, files=(replace(remote, trees=trees),))
    assert offered.run() == 1 and offered.nothing_is_there()
    said = " ".join(capsys.readouterr().err.split())
    assert said.count("expected sha256:000") == 4 and "was seen on 2026-11-23" in said
    assert offered.run("--accept", *said.split("--accept ")[1].split()) == 0
    assert len(offered.served[0].sent) == 1


@pytest.mark.parametrize("offered", ["road_anomaly", "anomaly_track", "camvid"], indirect=True)
def test_another_layout_is_refused(offered, capsys):
    (remote,) = offered.source.files
    offered.source = replace(offered.source, files=(replace(remote, strip=remote.strip + 1, keep=("*",)),))
    assert offered.run() == 1 and offered.nothing_is_there()
    assert "Its layout was never seen by this course" in capsys.readouterr().err


@pytest.mark.parametrize("offered", ["road_anomaly", "enet_weights", "bisenetv2_weights"], indirect=True)
def test_what_somebody_else_put_there_is_neither_taken_nor_lost(offered, capsys):
    place = offered.root / offered.source.gives[0]
    mine = place if place.suffix else place / "frames" / "animals00_somewhere.jpg"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    assert offered.run() == 1 and mine.read_text() == "mine" and not offered.served[0].sent
    assert "not fetched by this script" in capsys.readouterr().err
    assert offered.run("--dry-run") == 0 and "unless --force" in capsys.readouterr().out
    assert offered.run("--force") == 0 and mine.read_bytes() != b"mine"
    assert mine.with_name(f"{mine.name}.old").read_text() == "mine"


@pytest.mark.parametrize("offered", ["enet_weights", "camvid"], indirect=True)
def test_what_can_be_verified_is_taken(offered, capsys):
    assert offered.run() == 0
    (offered.root / "downloads" / f"{offered.name}.json").unlink()
    assert offered.run() == 0 and "there already, and what was expected" in capsys.readouterr().out
    assert offered.run() == 0 and "there and whole" in capsys.readouterr().out
    assert len(offered.served[0].sent) == 1


@pytest.mark.parametrize("offered", ["enet_weights", "bisenetv2_weights"], indirect=True)
def test_changed_weights_of_the_same_size_are_noticed(offered):
    assert offered.run() == 0
    path = offered.root / offered.source.gives[0]
    path.write_bytes(bytes(path.stat().st_size))
    assert offered.run() == 0 and path.read_bytes() == offered.served[0].content


@pytest.mark.parametrize("offered", ["road_anomaly"], indirect=True)
def test_a_corrected_digest_is_fetched_anew(offered, capsys):
    assert offered.run() == 0
    (remote,) = offered.source.files
    offered.source = replace(offered.source, files=(replace(remote, digest="md5:" + "0" * 32),))
    assert offered.run() == 1 and "differs: expected md5:000" in capsys.readouterr().err


@pytest.mark.parametrize("offered", ["enet_weights"], indirect=True)
def test_a_root_that_is_a_file_is_said(offered, capsys):
    offered.root.write_text("")
    assert offered.run() == 1 and "is a file; --root is the folder" in capsys.readouterr().err
