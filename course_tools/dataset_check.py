"""What of each profile's data is on this disk, whole or not, and the command that mends it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from tqdm.auto import tqdm

from course_lib.data import OFFICIAL, BenchmarkImages, CamVid, Cityscapes, Profile, find_benchmark, mini
from course_lib.data.files import ImagePairs
from course_lib.labels import IGNORE
from course_lib.runtime import COMMAND, data_root
from course_tools import downloads

WHOLE, INCOMPLETE, CORRUPT, MISSING, UNKNOWN = "whole", "incomplete", "corrupt", "missing", "unknown"

SPLITS = {"camvid": {"train": 367, "val": 101}, "cityscapes": {"train": 2975, "val": 500}}
"""How many images of each split the course uses."""


@dataclass(frozen=True)
class Item:
    """One thing that a profile needs."""

    title: str
    folder: Path
    expected: int
    """Images; 0 if unknown."""
    open: Callable[[], ImagePairs]
    record: downloads.Record | None = None
    """Of the source that was or will be fetched there; None for anything else."""
    again: str = ""
    """What makes it anew then."""


@dataclass(frozen=True)
class Finding:
    """What there is of one item."""

    item: Item
    state: str
    """One of ``whole``, ``incomplete``, ``corrupt``, ``missing``."""
    found: int = 0
    problems: tuple[str, ...] = ()

    @property
    def cure(self) -> str:
        """What to do, empty if there is nothing to do."""
        item, record = self.item, self.item.record
        if self.state == WHOLE:
            return ""
        if record is None:  # drawn here, the bundle's layout, or nowhere public
            is_ours = self.state == MISSING or item.folder == mini.FOLDER
            return item.again if is_ours else f"move {item.folder} away, then {item.again}"
        if record.in_the_way():
            return f"{record.command} --force"
        return f"delete what is damaged, then {record.command}" if record.is_whole() else record.command


def items_of(profile: Profile) -> list[Item]:
    """Return what a profile needs."""
    if profile.name == "mini":
        make = f"delete {mini.FOLDER}, if it is there; lessons and commands draw it on their next use"
        parts = []
        for split, towns in mini.TOWNS.items():
            opened = partial(Cityscapes, split, mini.FOLDER / "cityscapes")
            parts.append(Item(f"scenes {split}", mini.FOLDER, sum(towns.values()), opened, again=make))
        for name in profile.benchmarks:
            opened = partial(BenchmarkImages, name, mini.FOLDER / "benchmarks")
            parts.append(Item(name, mini.FOLDER, find_benchmark(name).official_images, opened, again=make))
        return parts
    reader = {"camvid": CamVid, "cityscapes": Cityscapes}[profile.scenes]
    folder = data_root().resolve() / {"camvid": "CamVid"}.get(profile.scenes, profile.scenes)
    record = downloads.Record(downloads.find_source(profile.scenes), data_root())
    items = [
        Item(f"{reader.__name__} {split}", folder, expected, partial(reader, split), record)
        for split, expected in SPLITS[profile.scenes].items()
    ]
    for name in profile.benchmarks:
        benchmark, opened = find_benchmark(name), partial(BenchmarkImages, name)
        source = benchmark.script.removeprefix("fetch_").removesuffix(".py")
        official, at = OFFICIAL.get(name), data_root().resolve() / "benchmarks" / name
        if official is not None and not at.is_dir():
            record = downloads.Record(downloads.find_source(source), data_root())
            folder = at.parent / official.folder
            items.append(Item(name, folder, benchmark.official_images, opened, record))
        else:
            again = f"{COMMAND} fetch {source}" + ("" if official else " --dry-run")
            items.append(Item(name, at, benchmark.official_images, opened, again=again))
    return items


def look_over(item: Item, thorough: bool = False) -> Finding:
    """Look at the files of one item.

    Args:
        item: of ``items_of``.
        thorough: decode every image and mask, and look at the labels, instead of both ends of each file.
    """
    try:
        images = item.open()
    except (OSError, ValueError) as error:
        if not item.folder.is_dir():
            return Finding(item, MISSING)
        return Finding(item, INCOMPLETE, problems=(str(error),))
    problems, state = [], WHOLE
    if thorough:
        counts = torch.zeros(IGNORE + 1, dtype=torch.int64)
        for index in tqdm(range(len(images)), desc=item.title, unit="image"):
            try:
                counts += images[index].target.flatten().bincount(minlength=IGNORE + 1)
            except (ValueError, OSError) as error:
                problems.append(str(error))
        # of train ids, read as label ids, the commonest classes are void, and there is nothing behind pole
        if (
            isinstance(images, Cityscapes)
            and counts[IGNORE] > counts.sum() / 2
            and not counts[6:IGNORE].any()
        ):
            problems.append(
                f"the masks in {images.masks[0].parents[1]} look like train ids: expected the label ids of "
                "Cityscapes (road 7, car 26)"
            )
    else:
        damaged = [path for path in (*images.images, *images.masks) if not _has_both_ends(path)]
        problems += [f"{path} is cut short, no image, or cannot be read" for path in damaged]
    gone = item.record.missing() if item.record else []
    if problems:
        state = CORRUPT
    elif gone or len(images) < item.expected:
        state = INCOMPLETE
    if gone:
        problems.append(f"{len(gone)} fetched file(s) gone or changed, such as {gone[0]}")
    return Finding(item, state, len(images), tuple(problems))


def _has_both_ends(path: Path) -> bool:
    """Tell whether a file begins and ends like an image, whatever kind its name tells."""
    try:
        with path.open("rb") as file:
            head = file.read(12)
            size = file.seek(0, 2)
            file.seek(max(size - 64, 0))  # some programs write a little behind the end
            tail = file.read()
    except OSError:
        return False
    if head.startswith(b"RIFF"):  # webp says its length
        return int.from_bytes(head[4:8], "little") + 8 <= size
    is_png, is_jpg = head.startswith(b"\x89PNG"), head.startswith(b"\xff\xd8")
    return (is_png and b"IEND" in tail) or (is_jpg and b"\xff\xd9" in tail)


def weights() -> Iterator[tuple[str, str, str]]:
    """Yield what can be fetched of public weights: file, state, and the command where it is not whole."""
    for name, source in downloads.sources().items():
        if name.endswith("_weights"):
            record = downloads.Record(source, data_root())
            state = WHOLE if record.is_whole() else MISSING
            if state == MISSING and record.in_the_way():
                state = WHOLE if downloads.is_expected(record) else UNKNOWN
            command = record.command + (" --force" if state == UNKNOWN else "")
            yield source.gives[0], state, "" if state == WHOLE else command
