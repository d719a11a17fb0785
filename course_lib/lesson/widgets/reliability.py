"""A reliability diagram that follows the temperature."""

from collections.abc import Mapping

from torch import Tensor

from course_lib import calibration
from course_lib.lesson import figures
from course_lib.lesson.widgets import controls
from course_lib.lesson.widgets.explorer import Explorer, View, percent


def calibration_explorer(pixels: Mapping[str, tuple[Tensor, Tensor]]) -> Explorer:
    """Let a learner choose a network and its temperature.

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
        return View(figures.reliability_diagram(found, f"{network}, T = {temperature:.3g}"), numbers)

    names = list(pixels)
    return Explorer(
        "calibration explorer",
        {
            "network": controls.choice("network", names, names[0]),
            "temperature": controls.temperature(1 / 32, 4.0),
        },
        view,
    )
