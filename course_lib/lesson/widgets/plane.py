"""The toy in the plane: move the unknown points, and see which loss notices them."""

import math
from collections.abc import Sequence
from functools import cache

from course_lib import metrics, scores, training
from course_lib.lesson import figures
from course_lib.lesson.widgets import controls
from course_lib.lesson.widgets.explorer import Explorer, View, percent

OFFERED = ("msp", "max_logit", "max_entropy")


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
        return View(figures.plane_score(name, network, points, score), numbers)

    return Explorer(
        "loss explorer",
        {
            "name": controls.choice(
                "training", [(training.training_title(name), name) for name in trainings], trainings[0]
            ),
            "score": controls.choice("score", [(scores.TITLES[name], name) for name in OFFERED], OFFERED[1]),
            "seed": controls.whole("seed of the network", 0, 0, 5),
            "angle": controls.whole("unknown points: angle, degrees", 320, 0, 359),
            "distance": controls.number("their distance from the middle", 4.6, 0.0, 5.5, 0.1),
        },
        view,
    )
