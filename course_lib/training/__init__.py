"""Training: one readable loop that can be stopped and resumed at any moment.

Read ``loop`` first, then ``trainer``, which takes one step. ``samples``, ``recipes`` and ``settings`` feed
them.
"""

from course_lib.training.files import load_state, nobody_else_in, previous_state
from course_lib.training.loop import Trained, train, train_one_epoch, validate
from course_lib.training.processes import Interrupted, Request
from course_lib.training.recipes import RECIPES, TRAININGS, Recipe, Training, training_title
from course_lib.training.samples import Batches, TrainingImages, loader
from course_lib.training.settings import TrainingSettings, settings_for
from course_lib.training.toy_2d import (
    PlaneNetwork,
    PlanePoints,
    plane_points,
    score_plane_points,
    score_positions,
    train_on_plane,
)
from course_lib.training.trainer import Diverged, Trainer
