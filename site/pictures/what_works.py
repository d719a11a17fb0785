"""Draws what_works_*.jpg: of ten scenes the one in which lesson 7's detector gains most over ERFNet's MSP.

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
drawn.draw_without_rendering()  # puts the panels where they belong
for axis, name in zip(drawn.axes[:3], ("scene", "erfnet", "detector"), strict=True):
    inside = axis.get_window_extent().transformed(drawn.dpi_scale_trans.inverted())
    path = Path(__file__).with_name(f"what_works_{name}.jpg")
    drawn.savefig(path, dpi=300, bbox_inches=inside, pil_kwargs={"quality": 85})
target = images[index].target
chance = (target == 1).sum() / (target != 255).sum()
print(images.name, index, titles, f"chance {100 * chance:.1f} %", [round(float(one[0]), 2) for one in found])
