"""Lessons 3, 4 and 6: what an answer with the slip of a lesson is worth, and other answers that are right."""

import pytest
from lesson_cells import checked, exercises
from small_data import ROOT
from wrong_answers import BANKS

SOURCES = {path.stem: path for path in (ROOT / "solutions").glob("0[346]_*/*.ipynb")}
EXERCISES = {e.name: (lesson, e) for lesson, path in SOURCES.items() for e in exercises(path)}
SLIPS = {
    "focal_loss": ("void in the mean", "the mean of each image's mean"),
    "logit_norm": ("over the width", "over the whole tensor"),
    "pixel_share": ("the mean over masks",),
    "explained_by": ("any benchmark",),
    "interval_in_pairs": ("drawn separately", "the ends of two intervals"),
}
OTHERS = {
    "void_score": [("log_softmax(dim=1)[:, labels.VOID]", "double().log_softmax(dim=1)[:, 19]")],
    "focal_loss": [
        (
            "(wrong**2 * cross_entropy).sum() / (target != labels.IGNORE).sum()",
            "(wrong**2 * cross_entropy)[target != labels.IGNORE].mean()",
        )
    ],
    "logit_norm": [("logits / (temperature * (length + 1e-7))", "F.normalize(logits, dim=1) / temperature")],
    "isomax_logits": [
        ("clamp(min=1e-12)", "clamp(min=0)"),
        ("clamp(min=1e-12)", "clamp(min=1e-9)"),
        (
            "(2 - 2 * cosines)",
            "(directions.square().sum(1, True) + classes.square().sum(1)[:, None, None] - 2 * cosines)",
        ),
    ],
    "void_share": [
        (
            "100 * (printed - prevalence) / (100 - prevalence)",
            "100 - 100 * (100 - printed) / (100 - prevalence)",
        )
    ],
    "interval_in_pairs": [
        (
            "torch.tensor(differences).quantile(torch.tensor([0.025, 0.975])).tolist()",
            "tuple(__import__('numpy').percentile(differences, [2.5, 97.5]))",
        )
    ],
}

pytestmark = pytest.mark.skipif(not SOURCES, reason="learners get no solutions/")


@pytest.mark.parametrize(("name", "slip"), [(name, slip) for name, slips in SLIPS.items() for slip in slips])
def test_the_slip_of_a_lesson_earns_half_of_the_points_at_most(name, slip):
    lesson, exercise = EXERCISES[name]
    old, new, _ = BANKS[lesson][name][slip]
    points, _ = checked(exercise, exercise.answer.replace(old, new), exercise.check)
    assert points <= exercise.points / 2


@pytest.mark.parametrize(
    ("name", "old", "new"), [(name, *edit) for name, edits in OTHERS.items() for edit in edits]
)
def test_another_right_answer_earns_everything(name, old, new):
    _, exercise = EXERCISES[name]
    assert old in exercise.answer
    points, report = checked(exercise, exercise.answer.replace(old, new), exercise.hidden_check)
    assert points == exercise.points, report
