"""Controls around a plain function: it is called once where nothing moves, and at every change elsewhere.

Four explorers: of the scores of an image, of calibration, of the toy in the plane, of a wrong protocol.
"""

import html
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from typing import Any, NamedTuple

import ipywidgets
import torch
from torch import Tensor

from course_lib import calibration, data, evaluation, metrics, scores, training
from course_lib.labels import IGNORE
from course_lib.lesson import figures
from course_lib.models import Network

TOOLTIP = "tooltip" if ipywidgets.IntSlider.class_traits().get("tooltip") else "description_tooltip"
"""What a text under the mouse is called: ipywidgets 8, and 7, which Colab keeps."""

MISTAKES = {
    "raw_input": "images in 0 to 255",
    "size": "native size",
    "counts_void": "void counts as anomaly",
    "inverts_void": "1 - P(void), rounded, instead of log P(void)",
    "fpr_convention": "FPR95 on the chord",
}
"""Fields of protocol ``paper``: ticked all at once they are that protocol, none of them is ``benchmark``."""


PROTOCOL_PIXELS = 4_000_000  # kept at once, twice for each way to feed the network


class View(NamedTuple):
    """What an explorer shows for some values of its controls."""

    figure: figures.DescribedFigure
    numbers: Mapping[str, str]
    """By what they are, with their units."""


class Explorer:
    """Controls, the numbers below them, and the picture below these.

    In a live notebook it is a widget; on a page of an executed lesson, its first picture and numbers.
    """

    def __init__(
        self, name: str, controls: Mapping[str, ipywidgets.ValueWidget], view: Callable[..., View]
    ) -> None:
        """Draw once.

        Args:
            name: what screen readers call it.
            controls: by the name of the argument of ``view`` that they set.
            view: a plain function of the controls' values.
        """
        self.name, self.controls, self._view = name, dict(controls), view
        self._numbers, self._picture = ipywidgets.HTML(), ipywidgets.HTML()
        row = ipywidgets.Box(list(self.controls.values()), layout=ipywidgets.Layout(flex_flow="row wrap"))
        self.widget = ipywidgets.VBox([row, self._numbers, self._picture])
        for control in self.controls.values():
            control.observe(lambda change: self.redraw(), "value")
        self.redraw()

    def view(self, **values: Any) -> View:
        """Return what it shows for these values; the others are those of the controls."""
        now = {name: control.value for name, control in self.controls.items()}
        return self._view(**now | values)

    def redraw(self) -> None:
        """Show what the controls say; a failure is shown in place of the numbers."""
        try:
            shown = self.view()
        except Exception as error:  # in a callback it would be lost
            self._numbers.value = f'<p role="alert"><strong>{html.escape(str(error))}</strong></p>'
            self._picture.value = ""  # the old one would belong to other values
            return
        self._picture.value = shown.figure.to_html()
        # screen readers read the line out when it changes
        name, line = html.escape(self.name), _in_a_line(shown.numbers)
        self._numbers.value = f'<div role="status" aria-live="polite" aria-label="{name}">{line}</div>'

    def _repr_mimebundle_(self, **options: Any) -> dict[str, Any]:
        """Return the widget, and what takes its place where widgets do not live."""
        positions = {control.description: _position(control) for control in self.controls.values()}
        still = (
            "<p><em>An explorer, as it starts. In JupyterLab its controls move, and numbers and picture "
            f"follow:</em></p><p>{_in_a_line(positions)}</p>{self._numbers.value}{self._picture.value}"
        )
        live = {"version_major": 2, "version_minor": 0, "model_id": self.widget.model_id}
        widget = "application/vnd.jupyter.widget-view+json"
        return {widget: live, "text/html": still, "text/plain": self.name}


def _position(control: ipywidgets.ValueWidget) -> str:
    """Return where a control stands, in words that a reader of a page understands."""
    if isinstance(control, ipywidgets.Checkbox):
        return "yes" if control.value else "no"
    if isinstance(control, ipywidgets.FileUpload):
        return "a file of your own"
    if isinstance(control, ipywidgets.SelectionSlider):
        chosen = control.options[control.index]  # its label is empty until it is moved
        return chosen if isinstance(chosen, str) else chosen[0]
    return f"{control.value:g}"


def _in_a_line(values: Mapping[str, str]) -> str:
    """Return names and values, each pair kept together."""
    return "".join(
        f'<span style="white-space: nowrap; margin-right: 1.5em">{html.escape(what)} '
        f"<strong>{html.escape(value)}</strong></span> "
        for what, value in values.items()
    )


def percent(value: float, digits: int = 1) -> str:
    """Return a fraction as people read it; a dash if there is none."""
    return "-" if value != value else f"{100 * value:.{digits}f} %"  # NaN is not equal to itself


def slider(kind: type[ipywidgets.ValueWidget], label: str, value: Any, **options: Any) -> Any:
    """Return a slider with a whole label, which reports where it was let go and which the keyboard moves."""
    layout = ipywidgets.Layout(width="30em", margin="2px 2em 2px 0")
    options |= {"style": {"description_width": "initial"}, "layout": layout, TOOLTIP: label}
    return kind(value=value, description=label, continuous_update=False, **options)


def choice(label: str, options: Sequence[Any], value: Any) -> ipywidgets.SelectionSlider:
    """Return a slider over names, or pairs of name and value.

    JupyterLab takes the arrow keys away from a drop-down list, to go from cell to cell; a slider keeps them.
    """
    return slider(ipywidgets.SelectionSlider, label, value, options=options)


def temperature(low: float = 0.25) -> ipywidgets.FloatLogSlider:
    """Return a slider up to 4 where equal ratios are equally long; it starts at 1."""
    limits = {"base": 2, "min": math.log2(low), "max": 2, "step": 0.125}
    return slider(ipywidgets.FloatLogSlider, "temperature", 1.0, readout_format=".3g", **limits)


def score_explorer(
    network: Network, settings: evaluation.Settings, benchmarks: Sequence[data.BenchmarkImages]
) -> Explorer:
    """Let a learner choose image, score, temperature and threshold.

    Args:
        network: any network; its device and mode may change.
        settings: size, known classes, device and the scores to choose from.
        benchmarks: to choose from.
    """
    by_name = {images.name: images for images in benchmarks}

    @lru_cache(maxsize=8)  # so that a slider costs no pass of the network
    def seen(benchmark: str, image: int) -> tuple[data.Sample, Tensor]:
        """Return an image and its logits (1, C, h, w)."""
        sample = by_name[benchmark][image]
        picture = data.to_tensor(data.resize_image(sample.image, settings.size))[None]
        with evaluation.ready(network, settings):
            return sample, network(picture.to(settings.device)).float().cpu()

    def view(benchmark: str, image: int, score: str, temperature: float, flagged: float) -> View:
        sample, logits = seen(benchmark, min(image, len(by_name[benchmark]) - 1))
        found = scores.score(score, logits, settings.known_classes, temperature)[0]
        found = evaluation.to_size_of(sample.target, found)
        valid = sample.target != IGNORE
        values, is_anomaly = found[valid], sample.target[valid] == 1
        if not len(values):
            raise ValueError(f"image {sample.name} is void from edge to edge: there is nothing to flag")
        rank = max(1, round(flagged / 100 * len(values)))
        threshold = values.sort(descending=True).values[rank - 1].item()
        got = metrics.detections(values, is_anomaly, threshold)
        numbers = {
            "threshold": f"{threshold:.4g}",
            "flagged": percent(got.flagged),
            "precision": percent(got.precision),
            "recall (TPR)": percent(got.recall),
            "false positive rate (FPR)": percent(got.fpr, 2),
            "anomalous": percent(is_anomaly.double().mean().item()),
        }
        return View(figures.detection_panels(sample, found, threshold, scores.TITLES[score]), numbers)

    first = benchmarks[0]
    image = slider(ipywidgets.IntSlider, "image", 0, max=len(first) - 1)  # as long as the benchmark
    benchmark = choice("benchmark", list(by_name), first.name)
    benchmark.observe(lambda change: setattr(image, "max", len(by_name[change["new"]]) - 1), "value")
    names = [(scores.TITLES[name], name) for name in settings.scores]
    percents = {"min": 0.5, "max": 100.0, "step": 0.5}
    controls = {
        "benchmark": benchmark,
        "image": image,
        "score": choice("score", names, settings.scores[0]),
        "temperature": temperature(),
        "flagged": slider(ipywidgets.FloatSlider, "flagged, % of the pixels", 5.0, **percents),
    }
    return Explorer("score explorer", controls, view)


def calibration_explorer(pixels: Mapping[str, tuple[Tensor, Tensor]]) -> Explorer:
    """Let a learner choose a network and its temperature, and watch the reliability diagram.

    Args:
        pixels: by the name of a network, logits (K, C) and the number of the true channel (K,) of validation
            pixels, as ``calibration.sample_pixels`` draws them.
    """

    def view(network: str, temperature: float) -> View:
        logits, target = pixels[network]
        stream = calibration.Reliability()
        stream.update(logits / temperature, target)
        found = stream.compute()
        numbers = {
            "ECE": percent(found.ece, 2),
            "NLL": f"{found.nll:.4f} nats",
            "Brier score": f"{found.brier:.4f}",
            "mean confidence": percent(found.confidence),
            "accuracy": percent(found.accuracy),
        }
        name = f"{network}, T = {temperature:.3g}"
        return View(figures.reliability_diagrams({name: found}, quick=True), numbers)

    names = list(pixels)
    controls = {"network": choice("network", names, names[0]), "temperature": temperature(1 / 32)}
    return Explorer("calibration explorer", controls, view)


def loss_explorer(trainings: Sequence[str] = ("ce", "fl", "ln", "eiml", "eiml_fl")) -> Explorer:
    """Let a learner choose the training, the score, the first weights, and where the unknown points lie.

    Args:
        trainings: keys of ``training.TRAININGS``; each is trained when it is first chosen, half a second.
    """

    @cache
    def trained(name: str, seed: int) -> training.PlaneNetwork:
        return training.train_on_plane(name, training.plane_points(), seed=seed)

    def view(name: str, score: str, seed: int, angle: int, distance: float) -> View:
        turned = math.radians(angle)
        centre = (distance * math.cos(turned), distance * math.sin(turned))
        points, network = training.plane_points(unknown_centre=centre), trained(name, seed)
        values, is_unknown = training.score_plane_points(network, points, score)
        numbers = {
            "AuPRC": percent(metrics.average_precision(values, is_unknown)),
            "FPR95": percent(metrics.fpr_at_tpr(values, is_unknown)),
            "chance": f"{percent(is_unknown.double().mean().item())} and 95 %",
        }
        return View(figures.plane_scores({name: network}, points, score, quick=True), numbers)

    offered = [(scores.TITLES[name], name) for name in ("msp", "max_logit", "max_entropy")]
    titles = [(training.training_title(name), name) for name in trainings]
    controls = {
        "name": choice("training", titles, trainings[0]),
        "score": choice("score", offered, "max_logit"),
        "seed": slider(ipywidgets.IntSlider, "seed of the network", 0, max=5),
        "angle": slider(ipywidgets.IntSlider, "unknown points: angle, degrees", 320, max=359),
        "distance": slider(ipywidgets.FloatSlider, "their distance from the middle", 4.6, max=5.5, step=0.1),
    }
    return Explorer("loss explorer", controls, view)


def protocol_explorer(
    network: Network, settings: evaluation.Settings, images: data.BenchmarkImages
) -> Explorer:
    """Let a learner tick the paper's mistakes and watch the void score.

    Args:
        network: with a 20th output, void; its device and mode may change.
        settings: size and device.
        images: a benchmark, best one on which the paper counted void (``FS_LostFound_full``, ``fs_static``);
            all images of a generated one are scored, of photographs the first ten.
    """
    first = images[0]
    most = max(10, PROTOCOL_PIXELS // first.target.numel())
    samples = [first, *(images[i] for i in range(1, min(most, len(images))))]

    @cache
    def scored(*ticked: str) -> list[list[Tensor]]:
        """Return both scores (H, W) of each image; a pass of the network for each pair of answers."""
        protocol, found = _with_mistakes(ticked), []
        with evaluation.ready(network, replace(settings, protocol=protocol)):
            for sample in samples:
                picture = protocol.input(sample, settings.size)
                logits = network(picture.to(settings.device)).float().cpu()
                both = scores.void(logits)[0], scores.one_minus_void(logits)[0]  # the right one, the paper's
                found.append([evaluation.to_size_of(sample.target, one) for one in both])
        return found

    def view(**ticks: bool) -> View:
        ticked = [name for name in MISTAKES if ticks.get(name)]
        protocol = _with_mistakes(ticked)
        targets = [protocol.target(sample, images.benchmark) for sample in samples]
        passes = scored(*(name for name in ticked if name in ("raw_input", "size")))
        maps = [both[int(protocol.inverts_void)] for both in passes]
        truths = torch.cat([target.flatten() for target in targets])
        values = torch.cat([found.flatten() for found in maps])[truths != IGNORE]
        is_anomaly = truths[truths != IGNORE] == 1
        curve = metrics.exact_curve(values, is_anomaly)
        auprc, chance = curve.average_precision().item(), is_anomaly.double().mean().item()
        fpr95 = curve.fpr_at_tpr(0.95, protocol.fpr_convention).item()
        numbers = {
            "AuPRC": percent(auprc, 2),
            "chance": percent(chance, 2),
            "FPR95": percent(fpr95, 2),
            "pixels at one score": percent(curve.largest_tie().item()),
            "images": f"{len(samples)} of {len(images)}",
        }
        shown = first._replace(target=targets[0])
        return View(figures.protocol_panels(shown, maps[0], 100 * auprc, 100 * fpr95, 100 * chance), numbers)

    look = {"indent": False, "layout": ipywidgets.Layout(width="auto")}
    ticks = {
        name: ipywidgets.Checkbox(False, description=label, **look, **{TOOLTIP: label})
        for name, label in MISTAKES.items()
    }
    if all(sample.image.size == tuple(settings.size[::-1]) for sample in samples):
        del ticks["size"]  # nothing would change
    return Explorer("protocol explorer", ticks, view)


def _with_mistakes(names: Sequence[str]) -> evaluation.Protocol:
    """Return protocol ``benchmark`` with some of the paper's mistakes."""
    paper = evaluation.PROTOCOLS["paper"]
    return replace(evaluation.PROTOCOLS["benchmark"], **{name: getattr(paper, name) for name in names})
