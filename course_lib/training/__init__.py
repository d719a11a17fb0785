"""Training: one readable loop that can be stopped and resumed at any moment."""

from course_lib.training.interrupts import Interrupted
from course_lib.training.loop import Trained, train
from course_lib.training.recipes import RECIPES, TRAININGS, training_title
from course_lib.training.run import Diverged, TrainingRun
from course_lib.training.samples import Batches, TrainingImages, loader
from course_lib.training.settings import PRECISIONS, TrainingSettings, settings_for

__all__ = [
    "PRECISIONS",
    "RECIPES",
    "TRAININGS",
    "Batches",
    "Diverged",
    "Interrupted",
    "Trained",
    "TrainingImages",
    "TrainingRun",
    "TrainingSettings",
    "loader",
    "settings_for",
    "train",
    "training_title",
]
