"""``site``: build the course's site."""

import argparse
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import ClassVar

from tqdm import tqdm

from course_lib import data
from course_lib.lesson import notebooks
from course_lib.runtime import PROJECT_ROOT
from course_tools import pages, release
from course_tools.commands import parser_of

DESCRIPTION = """\
Build the course's site in results/site: the lessons as they are released, whatever you have solved in yours,
results, guides, and the reference of the library. It needs no network to be read, nor to be built, but for
the page "Try it": npm fetches its packages once; without npm the page is left out. A lesson that `run`
executed before anything was solved in it is not executed again, nor one that an earlier `site` kept in
results/released, unless it or COURSE_PROFILE has changed. Unlike `run`, it takes every warning of Sphinx for
an error.
"""

PORT = 8000
"""Of --serve; another one if it is taken."""

EPILOG = """\
Exit status: 0 the site is built, 1 a lesson stopped or Sphinx gave a warning (the lines above say where),
2 wrong usage, 130 stopped.
"""


def parser() -> argparse.ArgumentParser:
    """Describe the options."""
    described = parser_of("site", DESCRIPTION, EPILOG)
    folder = PROJECT_ROOT / "results"
    described.add_argument("--output", type=Path, default=folder, metavar="DIR", help="(default: results)")
    described.add_argument("--serve", action="store_true", help="then show it on this machine, until Ctrl-C")
    return described


def main(options: argparse.Namespace) -> int:
    """Execute what has to be executed, then build."""
    if obstacle := pages.obstacle():
        raise ValueError(obstacle)
    profile, shown = data.current_profile().name, {}
    of_run, own = options.output / "lessons", options.output / "released"
    with TemporaryDirectory() as folder:
        for path in tqdm(write_released(Path(folder)), unit="lesson"):
            ran = pages.kept(path, profile, of_run) or pages.kept(path, profile, own)
            if ran is None:
                lesson = pages.execute(path)
                pages.keep(lesson, path, profile, own)
                if lesson.error:
                    print(f"\n{lesson.name}: {lesson.summary}", file=sys.stderr)
                    return 1
                ran = pages.kept(path, profile, own)
            shown[path.stem] = ran
    pages.write_lesson_sources(shown, profile, pages.SOURCE / "lessons", released=True)
    if pages.build_site(pages.SOURCE, options.output / "site"):
        return 1
    if options.serve:
        serve(options.output / "site")
    else:
        print(f"Open {options.output / 'site' / 'index.html'}")
    return 0


def write_released(folder: Path) -> list[Path]:
    """Write each lesson as it is released into a folder of its own; return the files, in their order.

    Where there is no ``solutions/`` to build one from, as in the learners' zip, it is that of ``notebooks/``.
    """
    written = []
    for mine in notebooks.lesson_files():
        source = mine.parents[2] / "solutions" / mine.parent.name / mine.name
        text = release.student_version(source) if source.is_file() else mine.read_text(encoding="utf-8")
        written.append(folder / mine.parent.name / mine.name)
        written[-1].parent.mkdir()
        written[-1].write_bytes(text.encode())
    return written


def serve(folder: Path) -> None:
    """Serve a folder on this machine until Ctrl-C."""
    with server(folder) as running:
        try:
            print(f"The site is at http://127.0.0.1:{running.server_port}/ (Ctrl-C ends it)", flush=True)
            running.serve_forever()
        except KeyboardInterrupt:
            print()


def server(folder: Path, port: int = PORT) -> ThreadingHTTPServer:
    """Return a server of a folder, at a port or, if that is taken, at another."""
    handler = partial(_Isolated, directory=folder)
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError:
        return ThreadingHTTPServer(("127.0.0.1", 0), handler)


class _Isolated(SimpleHTTPRequestHandler):
    """Sends the headers without which browsers give a page no threads; says nothing of each request."""

    extensions_map: ClassVar[dict[str, str]] = SimpleHTTPRequestHandler.extensions_map | {
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
    }  # what Windows says of them may be wrong

    def end_headers(self) -> None:
        """Isolate the page, and let the browser ask whether what it keeps is still right."""
        self.send_header("Cross-Origin-Opener-Policy", "same-origin")
        self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
        self.send_header("Cache-Control", "no-cache")
        super().end_headers()

    def log_message(self, *arguments: object) -> None:
        """Keep the terminal clean."""
