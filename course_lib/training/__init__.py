"""Training: one readable loop that can be stopped and resumed at any moment."""

from course_lib.training.interrupts import Interrupted
from course_lib.training.loop import Trained, train
from course_lib.training.recipes import RECIPES, TRAININGS, Recipe, Training, training_title
from course_lib.training.resume import previous_state
from course_lib.training.run import Diverged, TrainingRun
from course_lib.training.samples import Batches, TrainingImages, loader
from course_lib.training.settings import PRECISIONS, TrainingSettings, settings_for
from course_lib.training.toy_2d import (
    PlaneNetwork,
    PlanePoints,
    plane_points,
    score_plane_points,
    score_positions,
    train_on_plane,
)

__all__ = [
    "PRECISIONS",
    "RECIPES",
    "TRAININGS",
    "Batches",
    "Diverged",
    "Interrupted",
    "PlaneNetwork",
    "PlanePoints",
    "Recipe",
    "Trained",
    "Training",
    "TrainingImages",
    "TrainingRun",
    "TrainingSettings",
    "loader",
    "plane_points",
    "previous_state",
    "score_plane_points",
    "score_positions",
    "settings_for",
    "train",
    "train_on_plane",
    "training_title",
]
