"""Draws what_works.jpg: of ten scenes the one in which lesson 7's detector gains most over ERFNet's MSP.

Run it in the course's environment from the course's folder: python site/pictures/what_works.py
"""

from pathlib import Path

from course_lib import data, detectors, evaluation, metrics, models
from course_lib.lesson import figures

profile = data.find_profile("mini")
network, metadata = models.load("efficientnet_lite0", models.shipped_weights("mini", "efficientnet_lite0"))
erfnet, _ = models.load("erfnet", models.shipped_weights("mini", "erfnet"))
train, validation = profile.labelled("train"), profile.labelled("val")
detector = detectors.fit(
    "neighbours_16_32_and_entropy",
    network,
    metadata,
    [train[i] for i in range(0, len(train), 5)],
    [validation[i] for i in range(0, len(validation), 4)],
)
settings = evaluation.Settings.of(metadata, scores=("msp",), resamples=0)
images = profile.open_benchmarks()[0]
found = []
for index in range(0, 30, 3):
    sample, shown = images[index], {}
    if not (sample.target == 1).any():
        continue
    pixels = data.to_tensor(data.resize_image(sample.image, settings.size))[None]
    for name, one in (("ERFNet, MSP", erfnet.eval()), ("lesson 7's detector", detector)):
        with evaluation.ready(one, settings):
            (scored,) = evaluation.score_maps(one, pixels, settings).values()
        shown[name] = evaluation.to_size_of(sample.target, scored)
    valid = sample.target != 255
    precision = [
        metrics.average_precision(scored[valid], sample.target[valid] == 1) for scored in shown.values()
    ]
    found.append((precision[1] - precision[0], index, precision, shown))
gain, index, precision, shown = max(found, key=lambda one: one[0])
titles = [f"{name}: AuPRC {100 * value:.0f} %" for name, value in zip(shown, precision, strict=True)]
drawn = figures.show_scores(images[index], dict(zip(titles, shown.values(), strict=True)))
drawn.savefig(Path(__file__).with_suffix(".jpg"), dpi=150, bbox_inches="tight", pil_kwargs={"quality": 88})
print(images.name, index, titles, [round(float(one[0]), 2) for one in found])
