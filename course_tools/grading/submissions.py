"""Find who handed in what, in a folder or a zip, without unpacking or running anything.

Whose a file is, the download alone says: by a folder or, as learning systems do, in the name of a file.
Nothing inside a learner's folder or zip can change that. Which lesson a notebook is, its exercises say, or
its name.
"""

import hashlib
import os
import re
import stat
import unicodedata
import zipfile
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath

from course_tools.zips import LINK, members, open_zip, read_member

UNSAFE = re.compile(r"[^\w.@-]+")  # in the name of a folder
MEGABYTE = 1 << 20
LARGEST = 32 * MEGABYTE  # of a notebook or a zip that is read at all
MOST_FILES, MOST_BYTES = 20_000, 512 * MEGABYTE  # in a learner's zip, unpacked
IGNORED = re.compile(r"\..+|__MACOSX|solutions")  # folders and files that are not the learner's work
PARTS = {"notebooks", "course"}  # folders of the course, which are no learners
NOT_OPENED = "only notebooks and zips are opened"
EMPTY = "is empty"

SYSTEMS = (
    # Moodle, a folder or a file: Anna Meyer_123_assignsubmission_file_07_small.ipynb
    re.compile(r"(?P<name>.+?)_(?P<id>\d{1,12})_assignsubmission_[a-z]+_?(?P<file>.*)", re.DOTALL),
    # Blackboard: Homework 1_ameyer_attempt_2025-01-31-23-59-59_07_small.ipynb
    re.compile(r"(?:.+?_)?(?P<name>[^_]+)_attempt_(?P<time>\d{4}(-\d\d){5})_?(?P<file>.*)(?P<id>)"),
    # Canvas: meyeranna_LATE_123_4567_07_small.ipynb
    re.compile(r"(?P<name>[^_]+)_(?:LATE_)?(?P<id>\d{1,12})_\d+_(?P<file>.+)"),
)
"""How learning systems name what they let instructors download."""


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
    time: tuple
    """When it was handed in, by the system's clock, then when it was written, by the learner's."""
    read: Callable[[], bytes]
    problem: str = ""
    """Why it is not read, empty if it may be."""


def grade_ids(content: bytes) -> set[str]:
    """Return the names of the graded cells in the text of a notebook, which is not interpreted."""
    return {name.decode() for name in re.findall(rb'"grade_id":\s*"([\w-]{1,100})"', content)}


def collect(source: Path, lessons: dict[str, Collection[str]]) -> tuple[list[Job], list[str]]:
    """Find the submissions in a folder or a zip.

    Args:
        source: holds ``<student>/<lesson>/<lesson>.ipynb``, clones of the course, or what Moodle, Canvas or
            Blackboard download; zips of ``python3 start.py submit`` may take the place of notebooks.
        lessons: that can be graded, with the names of their graded cells.

    Returns:
        The submissions; and a line for each learner who handed in nothing that can be graded, and each file
        of which nobody knows whose it is, or that is not safe to read.

    Raises:
        FileNotFoundError: if there is no such folder or file.
        ValueError: if the file is no zip.
    """
    if not source.exists():
        raise FileNotFoundError(f"no folder or zip of submissions at {source}")
    try:
        files = list(_of_folder(source) if source.is_dir() else _of_zip(open_zip(source)))
    except (zipfile.BadZipFile, OSError) as error:
        raise ValueError(f"{source} is no folder and no zip ({error}); download it again") from None
    # the system that names most of them comes first: a learner's file may be named as by another
    names = [file.path.parts for file in files]
    systems = sorted(SYSTEMS, key=lambda one: -sum(any(map(one.fullmatch, parts)) for parts in names))
    found: dict[tuple[str, str], list[File]] = defaultdict(list)
    further: dict[str, list[tuple[str, str]]] = defaultdict(list)  # of each learner, a name and a reason
    problems: list[str] = []
    level = _level([file.path for file in files if file.problem in ("", LINK)], lessons)
    for outer in files:
        student, outer = _owner(outer, level, lessons, systems)
        if not student:
            problems.append(f"{_shown(outer.path)}: {outer.problem or 'nobody knows whose this is'}")
            continue
        inside = list(_opened(outer))
        is_bare = len(outer.path.parts) == level + 1 and student == _name(outer.path.stem)
        if is_bare and any(_of_system(part) for file in inside for part in file.path.parts[level + 1 :][:2]):
            problems.append(f"{_shown(outer.path)}: holds what several handed in; grade it by itself")
            continue
        others = further[student]  # from now on the learner is known
        for file in inside:
            name, kind = file.path.name, file.path.suffix.lower()
            if file.problem and (kind != ".ipynb" or file.problem != LINK):
                others.append((name, file.problem))
            elif kind != ".ipynb":
                others.append((name, "call it .ipynb" if ".ipynb" in name.lower() else NOT_OPENED))
            elif lesson := _lesson(file, lessons):
                found[lesson, student].append(file)
            else:
                others.append((name, "no lesson, neither by its name nor by its exercises"))
    jobs = [_job(student, lesson, found[lesson, student], further) for lesson, student in sorted(found)]
    for student in sorted(further.keys() - {student for _, student in found}):
        told = _told(further[student]) or "no file is left"
        problems.append(f"{student}: handed in nothing that can be graded: {told}")
    return jobs, problems


def _job(student: str, lesson: str, files: list[File], further: Mapping[str, list]) -> Job:
    """Read the newest notebook of a student and lesson."""

    def age(file: File) -> tuple:
        # of one date, what is named like the lesson and lies outermost
        return file.time[:2], file.path.stem == lesson, -len(file.path.parts), file.time, file.path

    *older, newest = sorted(files, key=age)
    remarks = []
    if older:
        is_newer = newest.time[:2] > older[-1].time[:2]
        why = "is the newest and counts" if is_newer else "counts, of several with one date"
        remarks.append(f"handed in more than once: {_shown(newest.path)} {why}")
    others = [(name, why) for name, why in further[student] if why != EMPTY]
    if 0 < len(others) <= 20:  # a clone of the course holds hundreds
        remarks.append(f"further files: {_told(others)}")
    content, error = _read(newest)
    return Job(student, lesson, content, tuple(remarks), error)


def _read(file: File) -> tuple[bytes, str]:
    """Return the content of a file, and why there is none."""
    if file.size > LARGEST:
        return b"", f"it has {file.size / MEGABYTE:.0f} MB, more than {LARGEST // MEGABYTE} MB"
    try:
        return (b"", file.problem) if file.problem else (file.read(), "")
    except (OSError, ValueError) as problem:
        return b"", f"the file cannot be read ({str(problem)[:80]})"


def _lesson(file: File, lessons: dict[str, Collection[str]]) -> str:
    """Return the lesson that a notebook is: at least half its graded cells are there, or its name says it."""
    held, name = grade_ids(_read(file)[0]), re.sub(r"[\W_]+", "_", file.path.stem.casefold())
    shares = {lesson: len(held & set(ids)) / len(ids) for lesson, ids in lessons.items() if ids}
    named = next((lesson for lesson in reversed(lessons) if lesson in name), "")
    best = max(shares, key=lambda lesson: (shares[lesson], lesson == named), default="")
    return best if shares.get(best, 0) >= 0.5 else named


def _level(paths: list[PurePosixPath], lessons: Collection[str]) -> int:
    """Return how many folders lie around those of the learners."""
    level, inside = 0, [path.parts for path in paths]
    while True:
        tops = {parts[0] for parts in inside if len(parts) > 1}
        if len(tops) != 1 or any(_of_system(parts[0]) for parts in inside):
            return level
        below = [parts[1:] for parts in inside if len(parts) > 1]
        work = [parts for parts in below if parts[-1].lower().endswith((".ipynb", ".zip"))]
        folders = {parts[0] for parts in work if len(parts) > 1}
        is_one = len(folders) == 1 and all(len(parts) > 1 for parts in work)
        is_around = is_one or len(folders) > 1 or any(_of_system(parts[0]) for parts in below)
        if not folders.isdisjoint({*PARTS, *lessons}) or not is_around:
            return level
        level, inside = level + 1, below


def _of_system(name: str, systems: Sequence[re.Pattern] = SYSTEMS) -> re.Match | None:
    """Return what a learning system says in the name of a file or a folder; None if it made none of it."""
    return next((match for system in systems if (match := system.fullmatch(name))), None)


def _owner(
    file: File, level: int, lessons: Collection[str], systems: Sequence[re.Pattern]
) -> tuple[str, File]:
    """Return whose a file is, empty if nobody knows, and the file with what the system says of it."""
    parts = list(file.path.parts[level:])
    while len(parts) > 1 and parts[0] in lessons:  # some collect by lesson
        parts.pop(0)
    if not parts or (file.problem and len(parts) == 1) or ".." in file.path.parts or file.path.is_absolute():
        return "", file
    said, is_file = _of_system(parts[0], systems), len(parts) == 1
    when = said.groupdict().get("time", "") if said else ""
    file = replace(file, time=(when, *file.time))
    if said and is_file:
        file = replace(file, path=file.path.with_name(said["file"].strip("_.") or "a file without a name"))
    if said and (is_file or "assignsubmission" in parts[0]):
        return _name(said["name"], said["id"]), file
    if not is_file:
        return _name(parts[0]), file
    stem, kind = file.path.stem, file.path.suffix.lower()
    return _name(stem) if kind == ".zip" and not stem.lower().startswith("submission") else "", file


def _name(name: str, number: str = "") -> str:
    """Return a learner's name that can be a folder's and is nobody else's."""
    name = unicodedata.normalize("NFC", name)
    safe = UNSAFE.sub("-", name).strip("-.@")[:50]
    if not number and safe != name:  # made safe, it could be somebody else's
        number = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:6]
    return f"{safe}-{number}".strip("-") if number else safe


def _of_folder(folder: Path) -> Iterator[File]:
    """Yield the files below a folder; links lead elsewhere and are not followed."""
    for place, folders, names in os.walk(folder):
        inside = PurePosixPath(Path(place).relative_to(folder))
        folders[:] = sorted(name for name in folders if not IGNORED.fullmatch(name))
        kept = [*folders, *sorted(name for name in names if not IGNORED.fullmatch(name))]
        if inside.parts and not kept:
            yield File(inside / "the folder", 0, (0.0,), bytes, EMPTY)
        for path in [Path(place, name) for name in kept]:
            try:
                state = path.lstat()
            except OSError as error:  # of a path that is too long, of one that has just gone
                yield File(inside / path.name, 0, (0.0,), bytes, f"cannot be read ({error.strerror})")
                continue
            if stat.S_ISREG(state.st_mode):
                yield File(inside / path.name, state.st_size, (state.st_mtime,), path.read_bytes)
            elif not stat.S_ISDIR(state.st_mode):  # a pipe would be waited for
                problem = LINK if stat.S_ISLNK(state.st_mode) else "is no file"
                yield File(inside / path.name, 0, (0.0,), bytes, problem)


def _of_zip(archive: zipfile.ZipFile) -> Iterator[File]:
    """Yield the files of an archive, with those whose names lead out of it."""
    for path, member, problem in members(archive):
        if not any(IGNORED.fullmatch(part) for part in path.parts if part != ".."):
            read = partial(read_member, archive, member, LARGEST)
            yield File(path, member.file_size, (member.date_time,), read, problem)


def _opened(outer: File) -> Iterator[File]:
    """Yield a file, or what it holds if it is a zip; zips inside that stay closed."""
    if outer.path.suffix.lower() != ".zip" or outer.problem:
        yield outer
        return
    (content, why), inside = _read(outer), []
    too_much = f"holds more than {MOST_FILES} files or {MOST_BYTES // MEGABYTE} MB"
    if content.count(b"PK\1\2") > MOST_FILES:  # entries of its table of contents, before that is read
        why = too_much
    if not why:
        try:
            inside = list(_of_zip(open_zip(content)))
        except Exception as error:  # of zipfile, for which a damaged zip has many names
            why = f"cannot be opened ({str(error)[:80]})"
        if sum(file.size for file in inside) > MOST_BYTES:
            why = too_much
    if why:
        yield replace(outer, problem=why)
    for file in inside if not why else ():
        is_zip = file.path.suffix.lower() == ".zip"
        problem = "is a zip inside a zip" if is_zip else file.problem
        yield replace(file, path=outer.path / file.path, time=(*outer.time, *file.time), problem=problem)


def _told(others: Iterable[tuple[str, str]]) -> str:
    """Return files with the reasons why they are not graded, alike ones together."""
    reasons: dict[str, list[str]] = defaultdict(list)
    for name, why in sorted(set(others)):
        reasons[why].append(name)
    return "; ".join(f"{_shown(', '.join(names[:5]))} ({why})" for why, names in reasons.items())


def _shown(path: object) -> str:
    """Return a path as it can be printed: one line, of limited length."""
    text = "".join(sign if sign.isprintable() else "?" for sign in str(path)) or "a file without a name"
    return text if len(text) <= 120 else f"{text[:60]} ... {text[-50:]}"
