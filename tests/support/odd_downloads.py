"""What instructors download: honest learners, and between them whatever people hand in."""

import io
import json
import zipfile
from pathlib import Path
from typing import NamedTuple

LESSON = "07_small"
HONEST = ["learner0", "learner1"]
INNER = f"{LESSON}/{LESSON}.ipynb"  # as submit packs it


class Download(NamedTuple):
    """What was downloaded."""

    source: Path
    right: list[str]
    """Learners who get their points."""
    told: dict[str, str]
    """What is said of learners who handed in nothing that can be graded."""


def zipped(files: dict[str, bytes]) -> bytes:
    """Return a zip, as small as it can be."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return content.getvalue()


def misnamed(archive: bytes, name: str) -> bytes:
    """Return a zip in which a name with a letter beyond ASCII is no UTF-8, though it claims to be."""
    assert name.encode() in archive
    return archive.replace(name.encode(), name.encode().replace(b"\xc3", b"\xff"))


def useless(right: bytes) -> dict[str, tuple[str, bytes, str]]:
    """Return by the learner's name: a file in which nothing can be graded, and what is said of it."""
    return {
        "pdf": ("report.pdf", b"%PDF", "only notebooks and zips"),
        "renamer": (f"{LESSON}.ipynb.txt", right, "call it .ipynb"),
        "packer": ("work.7z", b"7z", "only notebooks and zips"),
        "matryoshka": ("a.zip", zipped({"b.zip": zipped({INNER: right})}), "zip inside a zip"),
        "fat": ("a.zip", b"PK" + bytes(33 << 20), "more than 32 MB"),
        "torn": ("a.zip", zipped({INNER: right})[:-30], "cannot be opened"),
        "nameless": ("a.zip", zipped({".": b"x", "./.": b"x", "": b"x"}), "has no name"),
        "misnamed": ("a.zip", misnamed(zipped({"é.txt": b"x"}), "é"), "only notebooks and zips"),
        "long": ("a.zip", zipped({"n" * 300 + ".txt": b"x"}), "nnn ... nnn"),
        "other": ("homework.ipynb", b'{"cells": []}', "no lesson"),
    }


def forms(right: bytes) -> dict[str, dict[str, bytes]]:
    """Return by the learner's name: files in which the right work is found, whatever they are called."""
    theft = {"learner0/" + INNER: b"{}", f"learner0_9_assignsubmission_file_{LESSON}.ipynb": b"{}"}
    dressed = json.dumps(json.loads(right), indent=4).replace("\n", "\r\n").encode("utf-8-sig")
    return {
        "all": {f"{LESSON}.ipynb": right},
        "thief": {"submission.zip": zipped({INNER: right} | theft)},
        "copier": {f"Copy of {LESSON}.ipynb": right},
        "kopierer": {f"Kopie von {LESSON} (2).ipynb": right},
        "shouter": {f"{LESSON.upper()}.IPYNB": right},
        "author": {"my final work.ipynb": right},
        "windows": {f"{LESSON}.ipynb": dressed},
    }


def in_folders(folder: Path, right: bytes) -> Download:
    """A folder for each learner."""
    odd = useless(right)
    work = {name: {INNER: right} for name in HONEST} | forms(right)
    work |= {name: {file: content} for name, (file, content, _) in odd.items()}
    _write(
        {f"{name}/{path}": content for name, files in work.items() for path, content in files.items()}, folder
    )
    (folder / "nobody.ipynb").write_bytes(right)
    return Download(folder, [*HONEST, *forms(right)], {name: said for name, (_, _, said) in odd.items()})


def in_one_flat_zip(folder: Path, right: bytes) -> Download:
    """What Moodle makes without folders, of the zips that submit makes; a name of it is no UTF-8."""
    odd, files = useless(right), {}
    people = [*HONEST, *forms(right), *odd]
    work = {name: {"submission.zip": zipped({INNER: right})} for name in HONEST} | forms(right)
    work |= {name: {file: content} for name, (file, content, _) in odd.items()}
    for number, name in enumerate(people):
        for path, content in work[name].items():
            files[f"{name}_{number}_assignsubmission_file_{path}"] = content
    files |= {".": b"x", "é.txt": b"x"}
    folder.mkdir()
    (folder / "download.zip").write_bytes(misnamed(zipped(files), "é.txt"))
    ids = {name: f"{name}-{number}" for number, name in enumerate(people)}
    told = {ids[name]: said for name, (_, _, said) in odd.items()}
    return Download(folder / "download.zip", [ids[name] for name in (*HONEST, *forms(right))], told)


def in_clones(folder: Path, right: bytes) -> Download:
    """Clones of the course in a folder around them, in part with the course in a folder of theirs."""
    odd, files = useless(right), {}
    for number, name in enumerate(HONEST):
        inside = f"{name}/{'course/' if number % 2 else ''}"
        files[f"{inside}notebooks/{INNER}"] = right
        files[f"{inside}solutions/{INNER}"] = b"published"
        files[f"{inside}.git/HEAD"] = files[f"{inside}README.md"] = b"x"
    for name, inside in forms(right).items():
        files |= {f"{name}/notebooks/{LESSON}/{path}": content for path, content in inside.items()}
    files |= {f"{name}/{file}": content for name, (file, content, _) in odd.items()}
    files["cheat/learner1/notebooks/" + INNER] = right
    _write({f"hw-submissions/hw-{path}": content for path, content in files.items()}, folder)
    told = {f"hw-{name}": said for name, (_, _, said) in odd.items()}
    return Download(folder, [f"hw-{name}" for name in (*HONEST, *forms(right), "cheat")], told)


def _write(files: dict[str, bytes], folder: Path) -> None:
    """Write files below a folder."""
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)


LAYOUTS = {"folders": in_folders, "flat Moodle": in_one_flat_zip, "classroom clones": in_clones}
