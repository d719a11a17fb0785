"""The mistakes of the paper's evaluation one by one, and the numbers falling to chance."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import torch
from torch import Tensor

from course_lib import data, evaluation, metrics, scores
from course_lib.labels import IGNORE
from course_lib.lesson import figures
from course_lib.lesson.widgets.explorer import Explorer, View, percent, tick
from course_lib.models import Network

MISTAKES = {
    "raw_input": "images in 0 to 255",
    "size": "native size",
    "counts_void": "void counts as anomaly",
    "inverts_void": "1 - P(void), rounded, instead of log P(void)",
    "fpr_convention": "FPR95 on the chord",
}
"""Fields of protocol ``paper``: ticked all at once they are that protocol, none of them is ``benchmark``."""

BOTH = (scores.void, scores.one_minus_void)
"""The void score, and the paper's."""


def protocol_explorer(
    network: Network, settings: evaluation.Settings, images: data.BenchmarkImages, count: int = 10
) -> Explorer:
    """Let a learner tick the paper's mistakes and watch the void score.

    Args:
        network: with a 20th output, void; its device and mode may change.
        settings: size and device.
        images: a benchmark, best one on which the paper counted void (``FS_LostFound_full``, ``fs_static``).
        count: how many of its images, from the first on.
    """
    samples = [images[i] for i in range(min(count, len(images)))]

    @cache
    def scored(*ticked: str) -> list[list[Tensor]]:
        """Return both scores (H, W) of each image; a pass of the network for each pair of answers."""
        protocol, found = _with_mistakes(ticked), []
        with evaluation.ready(network, replace(settings, protocol=protocol)):
            for sample in samples:
                picture = protocol.input(sample, settings.size)
                logits = network(picture.to(settings.device)).float().cpu()
                found.append([evaluation.to_size_of(sample.target, score(logits)[0]) for score in BOTH])
        return found

    def view(**ticks: bool) -> View:
        ticked = [name for name in MISTAKES if ticks.get(name)]
        protocol = _with_mistakes(ticked)
        targets = [protocol.target(sample, images.benchmark) for sample in samples]
        passes = scored(*(name for name in ticked if name in ("raw_input", "size")))
        maps = [both[int(protocol.inverts_void)] for both in passes]
        return _shown(samples[0], maps, targets, protocol.fpr_convention)

    ticks = {name: tick(label) for name, label in MISTAKES.items()}
    if all(sample.image.size == tuple(settings.size[::-1]) for sample in samples):
        del ticks["size"]  # nothing would change
    return Explorer("protocol explorer", ticks, view)


def _with_mistakes(names: Sequence[str]) -> evaluation.Protocol:
    """Return protocol ``benchmark`` with some of the paper's mistakes."""
    paper = evaluation.PROTOCOLS["paper"]
    return replace(evaluation.PROTOCOLS["benchmark"], **{name: getattr(paper, name) for name in names})


def _shown(first: data.Sample, maps: Sequence[Tensor], targets: Sequence[Tensor], convention: str) -> View:
    """Return the picture of the first image, and the numbers of all images together."""
    truths = torch.cat([target.flatten() for target in targets])
    values = torch.cat([found.flatten() for found in maps])[truths != IGNORE]
    is_anomaly = truths[truths != IGNORE] == 1
    curve = metrics.exact_curve(values, is_anomaly)
    auprc, fpr95 = curve.average_precision().item(), curve.fpr_at_tpr(0.95, convention).item()
    chance = is_anomaly.double().mean().item()
    numbers = {
        "AuPRC": percent(auprc, 2),
        "chance": percent(chance, 2),
        "FPR95": percent(fpr95, 2),
        "pixels at one score": percent(curve.largest_tie().item()),
    }
    sample = first._replace(target=targets[0])
    return View(figures.protocol_panels(sample, maps[0], 100 * auprc, 100 * fpr95, 100 * chance), numbers)
