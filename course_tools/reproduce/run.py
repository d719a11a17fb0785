"""From data and checkpoints to a folder of tables, figures and one page."""

import json
import time

from course_lib import runtime
from course_tools.reproduce.bench import Bench, Job
from course_tools.reproduce.figures import FIGURES
from course_tools.reproduce.results import Table, page, write_text
from course_tools.reproduce.tables import TABLES
from course_tools.result_store import made_on

FINDINGS = "findings.md"
"""What a person wrote about published results, in the folder of ``--publish``; the page begins with it."""

SHOWN_ON = {
    "mini": "generated scenes",
    "camvid": "photographs, networks trained on CamVid",
    "photos": "photographs, a public Cityscapes network",
}
"""By profile, what the title of the published page says behind *The paper's tables on*."""


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
        print(what)
        try:
            if not bench.benchmarks and what not in ("figure 2", "figure 3", "figure 4"):
                raise ValueError("none of the benchmarks is here")
            results = make(bench)
        except ValueError as error:
            bench.miss(what, error)
            continue
        for one in results:
            one.write(job.folder)
        made += results
    about = _about(bench, command, time.monotonic() - started)
    write_text(job.folder / "reproduce.json", json.dumps(about, indent=2) + "\n")
    write_text(job.folder / "index.html", page("page.html.j2", made, about))
    if job.publish:
        public = [one for one in made if isinstance(one, Table) or one.may_be_published]
        for one in public:
            one.write(job.publish)
        words = job.publish / FINDINGS
        findings = words.read_text(encoding="utf-8").strip() if words.is_file() else ""
        name = job.profile.name
        about |= {"findings": findings, "title": SHOWN_ON.get(name, f"profile {name}")}
        write_text(job.publish / "README.md", page("page.md.j2", public, about))
    return bench.missing


def _about(bench: Bench, command: str, seconds: float) -> dict:
    """Return how the results came about."""
    job, networks = bench.job, []
    for checkpoint in bench.measured:
        metadata = checkpoint.loaded[1]
        known = {name: getattr(metadata, name) for name in ("training", "seed", "epochs")}
        known |= {"size": list(metadata.size), "sha256": checkpoint.sha256}
        networks.append({"file": checkpoint.path.name, "model": checkpoint.model} | known)
    return {
        "command": command,
        "made_on": made_on(job.device),
        "profile": job.profile.name,
        "protocol": job.protocol,
        "benchmarks": {i.name: [len(i), i.benchmark.official_images] for i in bench.benchmarks},
        "networks": networks,
        "bootstrap": {"resamples": job.resamples, "seed": job.seed},
        "not_done": bench.missing,
        "versions": runtime.package_versions(),
        "hardware": runtime.hardware(job.device),
        "seconds_of_this_call": round(seconds, 1),
        "seconds_measured": round(sum(bench.store.seconds.values()), 1),
        "peak_resident_gigabytes": round(runtime.peak_memory(), 2),
    }
