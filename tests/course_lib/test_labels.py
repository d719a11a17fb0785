"""The label tables agree with Cityscapes and CamVid."""

import pytest
import torch

from course_lib import labels


def test_tables_have_one_row_per_class():
    assert len(labels.CLASS_NAMES) == len(labels.PALETTE) == len(labels.LABEL_IDS) == labels.NUM_CLASSES
    assert len(set(labels.PALETTE)) == labels.NUM_CLASSES
    assert list(labels.LABEL_IDS) == [7, 8, 11, 12, 13, 17, *range(19, 29), 31, 32, 33]


def test_camvid_is_mapped_as_the_course_says():
    names = [name for name, _ in labels.CAMVID_CLASSES]
    mapped = dict(zip(names, labels.CAMVID_TO_TRAIN_ID, strict=True))
    assert mapped == {
        "sky": 10, "building": 2, "pole": 5, "road": 0, "pavement": 1, "tree": 8, "sign": 7, "fence": 4,
        "car": 13, "pedestrian": 11, "bicyclist": 18, "unlabelled": 255,
    }  # fmt: skip


def test_colourise_paints_classes_in_their_colour_and_void_light_grey():
    painted = labels.colourise(torch.tensor([[0, 13], [labels.VOID, labels.IGNORE]]))
    assert painted.tolist() == [[[128, 64, 128], [0, 0, 142]], [[210, 210, 220], [210, 210, 220]]]
    assert painted.dtype == torch.uint8


def test_colourise_names_an_unknown_id():
    with pytest.raises(ValueError, match=r"train ids are 0 to 19 and 255, got \[-1, 20\]"):
        labels.colourise(torch.tensor([-1, 0, 20]))
