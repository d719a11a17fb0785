"""Mean IoU by hand and against the golden."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from course_lib.metrics import Confusion

GOLDENS = Path(__file__).parents[1] / "goldens"


def counted(predicted, target):
    confusion = Confusion()
    confusion.update(torch.as_tensor(predicted), torch.as_tensor(target))
    return confusion


def test_iou_of_four_pixels_by_hand():
    # road: one hit of two pixels, no false alarm; building: one hit, one false alarm; the last pixel is void
    iou = counted([0, 2, 2, 5], [0, 0, 2, 255]).iou()
    assert iou == {"road": 0.5, "building": 0.5}


def test_void_predicted_on_a_valid_pixel_is_a_miss():
    confusion = counted([0, 19], [0, 0])
    assert confusion.iou() == {"road": 0.5} and confusion.mean_iou() == 0.5


def test_iou_equals_the_golden():
    expected = json.loads((GOLDENS / "metrics.json").read_text())["iou"]
    arrays = np.load(GOLDENS / "metrics.npz")
    confusion = counted(arrays["iou_pred20"], arrays["iou_labels_void255"])
    per_class = expected["iouEval_nClasses20_ignore19"]["per_class"]
    assert list(confusion.iou().values()) == pytest.approx(
        [value for i, value in enumerate(per_class) if i != 16]
    )
    assert confusion.mean_iou() == pytest.approx(expected["mean_over_classes_with_nonzero_union"], rel=1e-12)


@pytest.mark.parametrize(
    ("predicted", "target", "message"),
    [
        ([0], [0, 1], r"prediction \(1,\), target \(2,\): need equal shapes"),
        ([20], [0], "predictions must be 0 to 19, got 20 to 20"),
        ([-1], [0], "predictions must be 0 to 19, got -1"),
        ([0], [19], "targets must be 0 to 18, got 19"),
    ],
)
def test_bad_ids_raise(predicted, target, message):
    with pytest.raises(ValueError, match=message):
        counted(predicted, target)


def test_all_void_has_no_mean():
    with pytest.raises(ValueError, match="no valid pixel"):
        counted([0], [255]).mean_iou()
