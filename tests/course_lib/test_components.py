"""Component metrics equal those of SegmentMeIfYouCan's own code, and cases solved by hand."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from course_lib.metrics import Sizes, combine, components

GOLDENS = Path(__file__).parents[1] / "goldens"
CASES = json.loads((GOLDENS / "metrics.json").read_text())["components"]
FRAMES = {
    "anomaly_sizes_500_100_frames_0_and_3_upscaled_3x": (0, 3),
    "only_frame_1_no_gt": (1,),
    "only_frame_2_no_prediction": (2,),
}
TINY = Sizes(truth=1, predicted=1)


@pytest.mark.parametrize("name", [name for name in CASES if name != "thresholds"])
def test_the_goldens_come_out(name):
    golden = CASES[name]
    sizes = Sizes(golden["min_gt_size"], golden["min_pred_size"])
    images = [
        components(*frame(name, j), golden["score_threshold"], sizes) for j in FRAMES.get(name, range(4))
    ]
    for image, theirs in zip(images, golden["per_frame"], strict=True):
        assert sorted(image.siou) == pytest.approx(sorted(theirs["sIoU_gt"]), abs=1e-12)
        assert sorted(image.ppv) == pytest.approx(sorted(theirs["PPV_pred"]), abs=1e-12)
        if "tp" in theirs:
            assert image.found().tolist() == [theirs["tp"], theirs["fn"], theirs["fp"]]
    found, theirs = combine(images), golden["aggregate"]
    expected = [float(theirs[name]) for name in ("sIoU_gt", "prec_pred", "f1_mean")]
    assert [found.siou, found.ppv, found.f1] == pytest.approx(expected, abs=1e-12, nan_ok=True)


def frame(name, number):
    """Return scores and labels of a golden frame, enlarged where its name says so."""
    with np.load(GOLDENS / "metrics.npz") as goldens:
        pair = [goldens[f"comp_{kind}_{number}"] for kind in ("scores", "labels")]
    factor = 3 if "3x" in name else 1
    return [torch.from_numpy(np.kron(one, np.ones((factor, factor), one.dtype))) for one in pair]


def picture(*rows):
    """Return a mask from text: 1 anomaly, x void, anything else normal."""
    values = {"1": 1, "x": 255}
    return torch.tensor([[values.get(letter, 0) for letter in row] for row in rows], dtype=torch.uint8)


def compared(truth, predicted, sizes=TINY):
    return components((picture(*predicted) == 1).float(), picture(*truth), 0.5, sizes)


def test_half_found_and_twice_too_large_by_hand():
    image = compared(["1111....", "........"], ["..1111..", "........"])
    assert image.siou.tolist() == [2 / 6] and image.ppv.tolist() == [0.5]


def test_one_prediction_over_two_objects_is_blamed_only_for_what_lies_on_none():
    image = compared(["11.11"], ["11111"])
    assert image.siou.tolist() == [2 / 3, 2 / 3] and image.ppv.tolist() == [4 / 5]


def test_pixels_that_touch_at_a_corner_are_one_object():
    assert len(compared(["1..", ".1.", "..1"], ["...", "...", "..."]).siou) == 1


def test_void_counts_for_nothing():
    image = compared(["11xx"], ["1111"])
    assert image.siou.tolist() == [1.0] and image.ppv.tolist() == [1.0]


def test_what_is_too_small_neither_counts_nor_blames():
    image = compared(["1...111"], ["1...111"], Sizes(truth=2, predicted=1))
    assert image.siou.tolist() == [1.0] and image.ppv.tolist() == [1.0]
    assert compared(["....111"], ["1......"], Sizes(truth=1, predicted=2)).ppv.tolist() == []


def test_a_score_at_the_threshold_is_not_predicted():
    assert len(components(torch.tensor([[0.5]]), picture("1"), 0.5, TINY).ppv) == 0


def test_without_components_there_is_no_number():
    nothing = combine([compared(["..."], ["..."])])
    assert np.isnan([nothing.siou, nothing.ppv, nothing.f1]).all()
    assert np.isnan(combine([]).f1)


def test_shapes_must_agree():
    with pytest.raises(ValueError, match=r"scores have shape \(1, 2\), the target \(1, 3\)"):
        components(torch.zeros(1, 2), picture("..."), 0.5)
