"""From data and checkpoints to a folder of tables, figures and one page."""

import json
import time
from collections.abc import Callable

from course_lib import runtime
from course_tools.reproduce.bench import Bench, Checkpoint, Job
from course_tools.reproduce.figures import FIGURES
from course_tools.reproduce.results import Figure, Table, markdown_page, page, write_text
from course_tools.reproduce.tables import TABLES

WITHOUT_BENCHMARKS = {"figure 2", "figure 3", "figure 4"}


def reproduce(job: Job, command: str = "") -> dict[str, str]:
    """Make everything that a job asks for, as far as this machine has what it takes.

    What takes long is kept in ``kept/`` of the folder: a job that was killed goes on where it stopped, and
    ends with the same files, but for times. Files of an earlier job are replaced one by one.

    Args:
        job: what to make.
        command: for the record.

    Returns:
        What could not be done, and why, a damaged file for example; empty if everything was.

    Raises:
        OSError: if the folder cannot be written.
    """
    started = time.monotonic()
    for folder in (job.folder, *([job.publish] if job.publish else [])):
        folder.mkdir(parents=True, exist_ok=True)
    bench, made = Bench(job), []
    makers = {f"table {n}": TABLES[n] for n in job.tables} | {f"figure {n}": FIGURES[n] for n in job.figures}
    for what, make in makers.items():
        made += _made(bench, what, make)
    about = _about(bench, command, time.monotonic() - started)
    write_text(job.folder / "reproduce.json", json.dumps(about, indent=2) + "\n")
    write_text(job.folder / "index.html", page(made, about))
    if job.publish:
        public = [one for one in made if one.may_be_published]
        for one in public:
            one.write(job.publish)
        write_text(job.publish / "README.md", markdown_page(public, about))
    return bench.missing


def _made(bench: Bench, what: str, make: Callable[[Bench], list]) -> list[Table | Figure]:
    """Make one table or figure and write its files; note why if it cannot be made."""
    print(what)
    try:
        if not bench.benchmarks and what not in WITHOUT_BENCHMARKS:
            raise ValueError("none of the benchmarks is here")
        made = make(bench)
    except ValueError as error:
        bench.miss(what, error)
        return []
    for one in made:
        one.write(bench.job.folder)
    return made


def _about(bench: Bench, command: str, seconds: float) -> dict:
    """Return how the results came about."""
    job = bench.job
    return {
        "command": command,
        "profile": job.profile.name,
        "protocol": job.protocol,
        "benchmarks": {i.name: [len(i), i.benchmark.official_images] for i in bench.benchmarks},
        "networks": [_facts(one) for one in bench.measured],
        "bootstrap": {"resamples": job.resamples, "seed": job.seed},
        "not_done": bench.missing,
        "versions": runtime.package_versions(),
        "hardware": runtime.hardware(job.device),
        "seconds_of_this_call": round(seconds, 1),
        "seconds_measured": round(sum(bench.store.seconds.values()), 1),
        "peak_resident_gigabytes": round(runtime.peak_memory(), 2),
    }


def _facts(checkpoint: Checkpoint) -> dict:
    """Return what identifies a network."""
    metadata = checkpoint.loaded[1]
    return {
        "file": checkpoint.path.name,
        "model": checkpoint.model,
        "training": metadata.training,
        "seed": metadata.seed,
        "epochs": metadata.epochs,
        "size": list(metadata.size),
        "sha256": checkpoint.sha256,
    }
