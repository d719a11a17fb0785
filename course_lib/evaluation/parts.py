"""The runs of a benchmark, measured one after the other, here or by several processes."""

import contextlib
import copy
import io
import multiprocessing
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace

import torch

from course_lib import inference
from course_lib.data import BenchmarkImages
from course_lib.evaluation.controls import Controls
from course_lib.evaluation.memory import reuse_memory
from course_lib.evaluation.scoring import Scored, ready, score_runs
from course_lib.evaluation.settings import Settings
from course_lib.metrics import StreamingMetrics, packed, unpacked
from course_lib.models import Network

Part = dict[tuple[str, float], StreamingMetrics]
"""The metrics of some images, by score and temperature."""


class Workers:
    """Measures runs of images; with several processes each has the network and takes the next run.

    The parts and their order do not depend on how many processes there are.
    """

    def __init__(self, network: Network, settings: Settings, controls: Controls | None = None) -> None:
        """Prepare; a context manager, since processes have to end.

        Args:
            network: any network; with one process its device may change.
            settings: what to compute, and ``processes``.
            controls: stand beside the network's scores.
        """
        self.network, self.settings, self.controls = network, settings, controls
        self.pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> "Workers":
        """Start the processes, or make the network ready here."""
        reuse_memory()
        if self.settings.processes == 1:
            self.fast = inference.accelerate(self.network.to(self.settings.device), self.settings.speed)
            return self
        self.fast = None
        context, file = multiprocessing.get_context("spawn"), io.BytesIO()
        torch.save((copy.deepcopy(self.network).cpu(), self.settings, self.controls), file)
        threads = torch.get_num_threads()  # the same as here: their number shows in the last bits
        self.pool = ProcessPoolExecutor(
            self.settings.processes,
            mp_context=context,
            initializer=_start,
            initargs=(file.getvalue(), threads, context.Value("i", 0)),
        )
        return self

    def __exit__(self, *exception: object) -> None:
        """End the processes."""
        if self.pool:
            self.pool.shutdown(cancel_futures=True)

    def parts(self, images: BenchmarkImages, wanted: Sequence[range]) -> Iterator[Part]:
        """Yield the metrics of each run, in order.

        Raises:
            ValueError: if a file is damaged or a score is NaN; the message names the image.
            ChildProcessError: if a process died.
        """
        if self.pool is None:
            yield from _parts(self.fast, images, wanted, self.settings, self.controls)
            return
        try:
            for content in self.pool.map(_work, [images] * len(wanted), wanted):
                yield from_bytes(content)
        except BrokenProcessPool:
            raise ChildProcessError(
                f"one of {self.settings.processes} processes died, for want of memory say; try fewer"
            ) from None


def _parts(
    network: Network,
    images: BenchmarkImages,
    wanted: Sequence[range],
    settings: Settings,
    controls: Controls | None,
) -> Iterator[Part]:
    """Measure runs in this process."""
    scored = score_runs(network, images, wanted, settings, controls)

    def next_part() -> Part:
        with ready(network, settings):  # only here: what is counted outside can be added to later
            run = next(scored)
        return _measured(run, images.name, settings)

    with contextlib.closing(scored):
        for _ in wanted:  # a run is given up before the next one is read
            yield next_part()


def _measured(run: Sequence[Scored | None], benchmark: str, settings: Settings) -> Part:
    part: Part = {}
    for one in run:
        for key, scores in one.maps.items() if one else ():
            streamed = part.setdefault(key, StreamingMetrics(summaries=settings.resamples > 0))
            streamed.update(scores, one.target, f"{benchmark}/{one.name}")
    return part


def merge(whole: Part, part: Part) -> None:
    """Add the images of a part."""
    for key, streamed in part.items():
        if key in whole:
            whole[key].merge(streamed)
        else:
            whole[key] = streamed


def to_bytes(part: Part) -> bytes:
    """Return a part as it is sent and kept."""
    file = io.BytesIO()
    torch.save({key: packed(streamed) for key, streamed in part.items()}, file)
    return file.getvalue()


def from_bytes(content: bytes) -> Part:
    """Return the part that ``to_bytes`` wrote."""
    state = torch.load(io.BytesIO(content), weights_only=True)
    return {key: unpacked(one) for key, one in state.items()}


_worker: tuple[Network, Settings, Controls | None]
"""What a process works with; set once when it starts."""


def _start(content: bytes, threads: int, started: "multiprocessing.sharedctypes.Synchronized") -> None:
    """Prepare a process: its own network, threads and device."""
    global _worker
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started this one ends it
    torch.set_num_threads(threads)
    reuse_memory()
    with started.get_lock():
        number, started.value = started.value, started.value + 1
    network, settings, controls = torch.load(io.BytesIO(content), weights_only=False)  # from that process
    if settings.device.type == "cuda" and settings.device.index is None:
        settings = replace(settings, device=torch.device("cuda", number % torch.cuda.device_count()))
    _worker = inference.accelerate(network.to(settings.device), settings.speed), settings, controls


def _work(images: BenchmarkImages, run: range) -> bytes:
    """Measure one run in a process of the pool."""
    network, settings, controls = _worker
    return to_bytes(next(_parts(network, images, [run], settings, controls)))
