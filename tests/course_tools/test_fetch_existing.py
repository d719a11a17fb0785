"""What a script does with values that differ, and with what is there: nothing is taken blindly or lost."""

from dataclasses import replace

import pytest
from offers import DIGESTS, doubt


@pytest.mark.parametrize("offered", DIGESTS, indirect=True)
def test_another_size_is_said_before_it_is_fetched_and_can_be_accepted(offered, capsys):
    offered.source = replace(
        offered.source, files=tuple(replace(one, bytes=one.bytes + 7) for one in offered.source.files)
    )
    assert offered.run() == 1 and offered.nothing_is_there()
    said = " ".join(capsys.readouterr().err.split())
    name, size = offered.source.files[0].name, len(offered.served[0].content)
    assert f"{name} has {size} bytes, expected {size + 7}" in said
    assert doubt(offered.source.files[0]) in said and said.endswith(f"--accept {name}=DIGEST")
    accepted = [f"{one.name}=any" for one in offered.source.files]
    assert offered.run("--accept", *accepted) == 0


@pytest.mark.parametrize("offered", ["fishyscapes_lost_and_found"], indirect=True)
def test_several_digests_are_accepted_together(offered, capsys):
    wrong = "0" * 64
    files = tuple(replace(one, digest=f"sha256:{wrong}") for one in offered.source.files)
    offered.source, got = replace(offered.source, files=files), []
    for _ in files:
        assert offered.run(*(["--accept", *got] if got else [])) == 1
        said = capsys.readouterr().err
        name, digest = said.split("--accept ")[1].split("=")[0], said.split("but got ")[1].split(".")[0]
        got.append(f"{name}={digest.upper()}")
    assert offered.run("--accept", *got) == 0
    assert [len(served.sent) for served in offered.served] == [2, 2], "what differs is not kept"


@pytest.mark.parametrize("offered", ["camvid"], indirect=True)
def test_other_content_of_an_archive_made_on_demand_is_refused_and_can_be_accepted(offered, capsys):
    (remote,) = offered.source.files
    trees = {name: "0" * 64 for name in remote.trees}
    offered.source = replace(offered.source, files=(replace(remote, trees=trees),))
    assert offered.run() == 1 and offered.nothing_is_there()
    said = " ".join(capsys.readouterr().err.split())
    assert "CamVid/train differs: expected 000" in said and "was seen on 2026-11-23" in said
    accepted = [f"{name}=any" for name in list(trees)[1:]]
    digest = said.split("got ")[1].split(".")[0]
    assert offered.run("--accept", f"CamVid/train=sha256:{digest}", *accepted) == 0
    assert len(offered.served[0].sent) == 1, "the archive itself was kept"


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
    assert "not fetched by this course" in capsys.readouterr().err
    assert offered.run("--dry-run") == 0 and "unless --force" in capsys.readouterr().out
    assert offered.run("--force") == 0 and mine.read_bytes() != b"mine"
    assert mine.with_name(f"{mine.name}.old").read_text() == "mine"


@pytest.mark.parametrize("offered", ["erfnet_weights", "camvid"], indirect=True)
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
    assert offered.run() == 1 and "known hash: expected md5:000" in capsys.readouterr().err


@pytest.mark.parametrize("offered", ["enet_weights"], indirect=True)
def test_a_root_that_is_a_file_is_said(offered, capsys):
    offered.root.write_text("")
    assert offered.run() == 1 and "is a file; --root is the folder" in capsys.readouterr().err


@pytest.mark.parametrize("offered", ["enet_weights", "bisenetv2_weights"], indirect=True)
def test_what_cannot_be_verified_is_called_so_with_its_digest(offered, capsys):
    assert offered.run() == 0
    name = offered.source.files[0].name
    assert f"{name}: unverified, since nobody published a digest; it has sha256:" in capsys.readouterr().out
    assert offered.run("--dry-run", "--root", str(offered.root / "elsewhere")) == 0
    assert "unverified, nobody published a digest" in capsys.readouterr().out


@pytest.mark.parametrize("offered", ["road_anomaly"], indirect=True)
def test_another_file_of_a_browser_is_refused_and_kept(offered, capsys):
    mine = offered.root / "downloads" / offered.source.files[0].name
    mine.parent.mkdir(parents=True)
    mine.write_bytes(b"a page that says please log in")
    assert offered.run() == 1 and offered.nothing_is_there() and not offered.served[0].sent
    assert "does not match the known hash" in (said := capsys.readouterr().err) and f"{mine} is kept" in said
    assert mine.is_file()
