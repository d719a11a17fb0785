"""One pass over a benchmark computes every requested score, its metrics and their intervals."""

from collections.abc import Callable, Sequence

from tqdm.auto import tqdm

from course_lib.data import BenchmarkImages
from course_lib.evaluation import protocols
from course_lib.evaluation.controls import Controls
from course_lib.evaluation.parts import Part, Workers
from course_lib.evaluation.reading import runs
from course_lib.evaluation.scoring import Scored, ready, score_benchmark
from course_lib.evaluation.settings import Settings
from course_lib.evaluation.table import row
from course_lib.evaluation.unfinished import SoFar, Unfinished
from course_lib.metrics import Resampled, StreamingMetrics, intervals_of
from course_lib.models import Network


def evaluate(
    network: Network,
    benchmarks: Sequence[BenchmarkImages],
    settings: Settings,
    controls: Controls | None = None,
    progress: bool = True,
    finished: Callable[[list[dict]], None] | None = None,
    unfinished: Unfinished | None = None,
) -> list[dict]:
    """Score every image of every benchmark once.

    Args:
        network: any network; its device and mode may change.
        benchmarks: opened before, so that a missing folder is noticed at once.
        settings: what to compute.
        controls: stand beside the network's scores.
        progress: whether to show a progress bar.
        finished: called with all rows so far after each benchmark, so that a later failure loses nothing.
        unfinished: where an interrupted evaluation is kept and taken up again.

    Returns:
        One row per benchmark and score, for ``table``; metrics in percent.

    Raises:
        ValueError: if a file is damaged, a score is NaN, or a benchmark holds no anomaly; it is named.
        ChildProcessError: if one of several processes died.
    """
    rows: list[dict] = []
    with Workers(network, settings, controls) as workers:
        for images in benchmarks:
            metrics = _measure(workers, images, progress, unfinished)
            rows += [row_of(images.name, key, settings, streamed)[0] for key, streamed in metrics.items()]
            if finished:
                finished(rows)
    return rows


def measure(
    network: Network,
    images: BenchmarkImages,
    settings: Settings,
    controls: Controls | None = None,
    progress: bool = True,
    unfinished: Unfinished | None = None,
) -> dict[tuple[str, float], StreamingMetrics]:
    """Return the streamed metrics of each (score, temperature) on one benchmark.

    Args and errors are those of ``evaluate``. Ask the results to ``compute`` or for their ``intervals``.
    """
    with Workers(network, settings, controls) as workers:
        return _measure(workers, images, progress, unfinished)


def _measure(
    workers: Workers, images: BenchmarkImages, progress: bool, unfinished: Unfinished | None = None
) -> Part:
    """Measure the runs of a benchmark that are not done yet, and add them to those that are."""
    every = runs(len(images), workers.settings)
    so_far = unfinished.read(images) if unfinished else SoFar()
    left = every[so_far.runs :]
    with tqdm(total=len(images), desc=images.name, unit="image", disable=not progress) as bar:
        bar.update(sum(map(len, every[: so_far.runs])))
        try:
            parts = workers.parts(images, left)
            for run in left:
                so_far.add(next(parts))
                bar.update(len(run))
                if unfinished:
                    unfinished.write(images, so_far)
        finally:
            if unfinished:
                unfinished.write(images, so_far, last=True)
    if not so_far.part:
        raise ValueError(
            f"{images.name}: no image holds an anomaly (1 in a mask; 255 is void); are these the right masks?"
        )
    return so_far.part


def examples(network: Network, images: BenchmarkImages, settings: Settings, count: int) -> list[Scored]:
    """Return the first images that hold an anomaly, with their score maps, for a figure.

    Args:
        network: any network; its device may change.
        images: the benchmark.
        settings: what to compute.
        count: how many images at the most.
    """
    found: list[Scored] = []
    with ready(network, settings):
        for one in score_benchmark(network, images, settings):
            if one is not None and (one.target == 1).any():
                found.append(one)
            if len(found) == count:
                break
    return found


def row_of(
    benchmark: str, key: tuple[str, float], settings: Settings, streamed: StreamingMetrics
) -> tuple[dict, Resampled | None]:
    """Return the row of one score and temperature on one benchmark, and what its intervals come from."""
    convention = protocols.find(settings.protocol).fpr_convention
    try:
        metrics = streamed.compute(convention)
    except ValueError as error:
        raise ValueError(f"{benchmark}: {error}; are these the right masks?") from None
    drawn = None
    if settings.resamples and metrics.images > 1:  # from one image there is nothing to draw
        drawn = streamed.resampled(settings.resamples, settings.seed, convention)
    return row(benchmark, *key, settings, metrics, intervals_of(drawn) if drawn else None), drawn
