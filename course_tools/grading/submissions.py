"""Find who handed in what, in a folder or a zip, without unpacking or running anything."""

import hashlib
import io
import re
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path, PurePosixPath

from course_tools.zips import members, read_member

UNSAFE = re.compile(r"[^\w.@-]+")  # in the name of a folder
MEGABYTE = 1 << 20
LARGEST = 32 * MEGABYTE  # of a notebook or a zip that is read at all
IGNORED = {"__MACOSX", ".ipynb_checkpoints", ".DS_Store"}  # systems leave them behind


@dataclass(frozen=True)
class Job:
    """A lesson that somebody handed in."""

    student: str
    lesson: str
    content: bytes
    """Of the notebook."""
    remarks: tuple[str, ...] = ()
    """What was noticed when it was collected, such as further files."""
    error: str = ""
    """Why there is no notebook to grade, if there is none."""


@dataclass(frozen=True)
class File:
    """A file that was handed in, not yet read."""

    path: PurePosixPath
    size: int
    time: float
    """When it was written, in any unit that grows."""
    read: Callable[[], bytes]
    problem: str = ""
    """Why it is not read, empty if it may be."""


def collect(source: Path, lessons: Sequence[str]) -> tuple[list[Job], list[str]]:
    """Find the submissions in a folder or a zip.

    Args:
        source: holds ``<student>/<lesson>/<lesson>.ipynb``, folders or flat files of a Moodle download, or
            such folders with a zip of ``python3 start.py submit`` inside.
        lessons: that can be graded.

    Returns:
        The submissions, and the files of which nobody knows whose they are, or that are not safe to read.

    Raises:
        FileNotFoundError: if there is no such folder or file.
        ValueError: if the file is no zip.
    """
    if not source.exists():
        raise FileNotFoundError(f"no folder or zip of submissions at {source}")
    found: dict[tuple[str, str], list[File]] = defaultdict(list)
    further: dict[str, list[str]] = defaultdict(list)
    problems: list[str] = []
    if source.is_dir():
        files = _of_folder(source)
    else:
        try:
            files = _of_zip(zipfile.ZipFile(source), PurePosixPath())
        except (zipfile.BadZipFile, OSError) as error:
            raise ValueError(f"{source} is no folder and no zip ({error}); download it again") from None
    for file in _opened(files):
        student, lesson = _owner(file.path, lessons)
        if student and lesson:
            found[student, lesson].append(file)
        elif file.problem or not student:
            problems.append(f"{file.path}: {file.problem or 'nobody knows whose this is'}")
        elif file.path.suffix == ".ipynb":
            problems.append(f"{file.path}: named like no lesson; call it {lessons[0]}.ipynb, for example")
        else:
            further[student].append(file.path.name)
    in_order = sorted(found.items(), key=lambda item: item[0][::-1])
    return [_job(owner, files, further) for owner, files in in_order], problems


def _job(owner: tuple[str, str], files: list[File], further: dict[str, list[str]]) -> Job:
    """Read the newest notebook of a student and lesson."""
    student, lesson = owner
    *older, newest = sorted(files, key=lambda file: file.time)
    remarks = [f"handed in more than once, the newest counts (not {file.path})" for file in older]
    if names := further.get(student):
        remarks.append(f"further files, not opened: {', '.join(sorted(set(names))[:5])}")
    error, content = newest.problem, b""
    if newest.size > LARGEST:
        error = f"the notebook has {newest.size / MEGABYTE:.0f} MB, more than {LARGEST // MEGABYTE} MB"
    if not error:
        try:
            content = newest.read()
        except (OSError, ValueError) as problem:
            error = f"the file cannot be read ({str(problem)[:80]})"
    return Job(student, lesson, content, tuple(remarks), error)


def _owner(path: PurePosixPath, lessons: Sequence[str]) -> tuple[str, str]:
    """Return student and lesson of a file, each empty if it cannot be told."""
    folders, name = list(path.parts[:-1]), path.name
    for part in path.parts:
        # Moodle: a folder for each learner, or all of it in the name of the file
        if match := re.fullmatch(r"(.+)_(\d+)_assignsubmission_\w+?_(.*)", part):
            student = UNSAFE.sub("-", f"{match[1]}-{match[2]}").strip("-.")
            if part == path.name:
                name = match[3] or name
            break
    else:
        while folders and folders[-1] in (*lessons, "notebooks"):
            folders.pop()
        folder = folders[-1] if folders else ""
        student = UNSAFE.sub("-", folder).strip("-.")
        if student != folder:  # made safe, it could be somebody else's name
            student += f"-{hashlib.sha256(folder.encode()).hexdigest()[:6]}"
    stem, kind = PurePosixPath(name).stem, PurePosixPath(name).suffix
    # browsers add numbers such as (1) to the name of a lesson
    fitting = [lesson for lesson in lessons if kind == ".ipynb" and stem.startswith(lesson)]
    return student, fitting[0] if fitting else ""


def _of_folder(folder: Path) -> Iterator[File]:
    """Yield the files below a folder; links lead elsewhere and are not followed."""
    for path in sorted(folder.rglob("*")):
        inside = PurePosixPath(path.relative_to(folder))
        if path.is_symlink():
            yield File(inside, 0, 0, bytes, "is a link, which is not followed")
        elif path.is_file() and IGNORED.isdisjoint(path.parts):
            state = path.stat()
            yield File(inside, state.st_size, state.st_mtime, path.read_bytes)


def _of_zip(archive: zipfile.ZipFile, inside: PurePosixPath) -> Iterator[File]:
    """Yield the files of an archive; those whose names lead out of it are refused one by one."""
    for path, member, problem in islice(members(archive), 20_000):
        if IGNORED.isdisjoint(path.parts):
            place = inside / (path.name if problem else path)
            when = float("".join(f"{part:02}" for part in member.date_time))
            read = partial(read_member, archive, member, LARGEST)
            yield File(place, member.file_size, when, read, problem)


def _opened(files: Iterator[File]) -> Iterator[File]:
    """Yield files, and in place of each zip what it holds; zips inside those stay closed."""
    for file in files:
        if file.path.suffix.lower() != ".zip" or file.problem or file.size > LARGEST:
            yield file
            continue
        try:
            yield from _of_zip(zipfile.ZipFile(io.BytesIO(file.read())), file.path.parent)
        except (zipfile.BadZipFile, OSError, ValueError) as error:
            yield File(file.path, 0, 0, bytes, f"cannot be opened ({error})")
