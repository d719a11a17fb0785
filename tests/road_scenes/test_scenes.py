"""Generated scenes: the same on every machine, rich enough to learn from, clean enough to measure with."""

from random import Random

import numpy as np
import pytest
from PIL import Image

import road_scenes
from course_lib import labels
from course_lib.labels import NUM_CLASSES
from road_scenes import Style, anomalies
from road_scenes.board import TEXTURES, Board
from road_scenes.canvas import CLASS_NAMES, IGNORE, NUMBER_OF, Canvas
from road_scenes.furniture import CLUTTER, CLUTTER_TEXTURES

SCENES = 40
PINNED = [122.82, 117.86, 129.43, 117.87, 119.88, 122.37, 133.92]


@pytest.fixture(scope="module")
def drawn():
    return [road_scenes.draw(seed) for seed in range(SCENES)]


@pytest.fixture(scope="module", params=road_scenes.KINDS)
def frames(request):
    kind = road_scenes.KINDS[request.param]
    return kind, [road_scenes.draw_anomaly(request.param, seed) for seed in range(2 * kind.clean_every)]


def same(first, second):
    return np.array_equal(first.image, second.image) and np.array_equal(first.target, second.target)


def test_a_seed_gives_the_same_scene_whatever_was_drawn_before(drawn):
    assert same(road_scenes.draw(7), drawn[7]) and same(road_scenes.draw(2), drawn[2])
    assert not np.array_equal(drawn[2].image, drawn[7].image)
    assert same(road_scenes.draw_anomaly("fs_static", 3), road_scenes.draw_anomaly("fs_static", 3))


def test_scenes_have_the_cityscapes_shape_and_values(drawn):
    for scene in drawn:
        assert scene.image.shape == (128, 256, 3) and scene.target.shape == (128, 256)
        assert scene.image.dtype == scene.target.dtype == np.uint8
        assert set(np.unique(scene.target)) <= {*range(NUM_CLASSES), 255}


def test_every_class_is_frequent_enough_to_be_learnt(drawn):
    targets = np.stack([scene.target for scene in drawn])
    for class_id in [*range(NUM_CLASSES), 255]:
        found = targets == class_id
        assert found.mean() > 0.004, class_id
        assert found.any(axis=(1, 2)).mean() >= 0.2, class_id


def test_pictures_are_neither_flat_nor_burnt_out(drawn):
    for scene in drawn:
        assert scene.image.std() > 20
        assert ((scene.image == 0) | (scene.image == 255)).mean() < 0.1


def test_sky_is_above_and_road_below(drawn):
    rows = np.arange(128)[:, None]
    for scene in drawn:
        sky, road = (np.median((rows + 0 * scene.target)[scene.target == c]) for c in (10, 0))
        assert sky < 64 < road


def test_any_size_can_be_drawn():
    assert road_scenes.draw(0, (97, 131)).image.shape == (97, 131, 3)


def test_frames_have_the_sizes_of_their_kind_and_three_values(frames):
    kind, drawn = frames
    assert {scene.target.shape for scene in drawn} <= set(kind.sizes)
    for scene in drawn:
        assert scene.image.shape == (*scene.target.shape, 3)
        assert set(np.unique(scene.target)) <= {0, 1, 255}


def test_an_anomaly_is_seen_in_all_frames_but_the_clean_ones(frames):
    kind, drawn = frames
    pixels = [int((scene.target == 1).sum()) for scene in drawn]
    for index, count in enumerate(pixels):
        clean = (index + 1) % kind.clean_every == 0
        assert count == 0 if clean else count >= 40


def test_where_only_the_road_counts_most_is_void(frames):
    kind, drawn = frames
    void = np.mean([(scene.target == 255).mean() for scene in drawn])
    assert (void > 0.4) == kind.road_only


def test_the_real_benchmarks_lend_their_names():
    assert list(road_scenes.KINDS) == [
        "RoadAnomaly21",
        "RoadObsticle21",
        "FS_LostFound_full",
        "fs_static",
        "RoadAnomaly",
    ]
    assert (
        len(road_scenes.KINDS["RoadAnomaly21"].sizes) > 1 and len(road_scenes.KINDS["RoadAnomaly"].sizes) > 1
    )


def silhouette(family, board_label):
    """Return what a family covers when it is brought to the same box, bool (32, 32)."""
    canvas = Canvas(Random(0), Style(), (128, 256))
    family(Board(canvas, 0, 6, board_label), (200, 40, 40))
    mask = np.asarray(canvas.labels) == NUMBER_OF[board_label]
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    box = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    return np.asarray(Image.fromarray(box).resize((32, 32))), mask.sum()


def test_clutter_and_anomalies_share_no_family_and_no_texture():
    everything = anomalies.LARGE | anomalies.SMALL
    assert not CLUTTER.keys() & everything.keys()
    assert not CLUTTER_TEXTURES.keys() & TEXTURES.keys()
    across, up = np.meshgrid(np.linspace(-1, 1, 80), np.linspace(0, 2, 80))
    for one in CLUTTER_TEXTURES.values():
        for other in TEXTURES.values():
            assert (one(across, up) != other(across, up)).mean() > 0.1


def test_no_anomaly_has_the_outline_of_clutter():
    known = [silhouette(family, "void")[0] for family in CLUTTER.values()]
    for name, family in (anomalies.LARGE | anomalies.SMALL).items():
        shape, pixels = silhouette(family, "anomaly")
        overlap = max((shape & other).sum() / (shape | other).sum() for other in known)
        assert pixels > 300 and overlap < 0.9, (name, overlap)


def test_scenes_are_those_that_the_shipped_weights_were_trained_on():
    # means of a few pictures; if they change, so must mini.VERSION, and the weights must be trained again
    means = [road_scenes.draw(seed).image.mean() for seed in (0, 1)]
    means += [road_scenes.draw_anomaly(kind, 0).image.mean() for kind in road_scenes.KINDS]
    assert means == pytest.approx(PINNED, abs=0.3)


def test_an_unknown_kind_is_named():
    with pytest.raises(ValueError, match="unknown kind of anomaly scene 'Static'; known are RoadAnomaly21"):
        road_scenes.draw_anomaly("Static", 0)


def test_the_classes_are_those_of_the_course():
    assert (CLASS_NAMES, IGNORE) == (labels.CLASS_NAMES, labels.IGNORE)
