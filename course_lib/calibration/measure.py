"""The calibration of a network on images, at one temperature or several, in one pass."""

from collections.abc import Sequence

from tqdm.auto import tqdm

from course_lib import evaluation
from course_lib.calibration.reliability import Calibration, Reliability
from course_lib.calibration.temperature import known_pixels
from course_lib.data import Sample
from course_lib.models import Network


def measure_calibration(
    network: Network,
    samples: Sequence[Sample],
    settings: evaluation.Settings,
    temperatures: Sequence[float] = (1.0,),
    progress: bool = True,
) -> dict[float, Calibration]:
    """Return the calibration at each temperature, over all valid pixels of known classes.

    Args:
        network: any network; its device may change.
        samples: images with targets of train ids and 255.
        settings: size, known classes and device.
        temperatures: logits are divided by each.
        progress: whether to show a progress bar.

    Raises:
        ValueError: if a temperature is not positive, or no pixel is valid.
    """
    if not all(temperature > 0 for temperature in temperatures):
        raise ValueError(f"temperatures must be positive numbers, got {list(temperatures)}")
    streams = {temperature: Reliability() for temperature in temperatures}
    segmented = evaluation.segmented(network, samples, settings, progress=False)
    for one in tqdm(segmented, total=len(samples), desc="calibration", unit="image", disable=not progress):
        logits, target = known_pixels(one)
        for temperature, stream in streams.items():
            stream.update(logits / temperature, target)
    return {temperature: stream.compute() for temperature, stream in streams.items()}
