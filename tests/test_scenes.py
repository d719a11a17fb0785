"""Generated scenes: the same on every machine, rich enough to learn from, clean enough to measure with."""

import numpy as np
import pytest
from PIL import Image

from course_lib import scenes
from course_lib.labels import NUM_CLASSES
from course_lib.scenes import anomalies, clutter, markings

SCENES = 40


@pytest.fixture(scope="module")
def drawn():
    return [scenes.draw(seed) for seed in range(SCENES)]


@pytest.fixture(scope="module", params=scenes.KINDS)
def frames(request):
    kind = scenes.KINDS[request.param]
    return kind, [scenes.draw_anomaly(request.param, seed) for seed in range(2 * kind.clean_every)]


def same(first, second):
    return np.array_equal(first.image, second.image) and np.array_equal(first.target, second.target)


def test_a_seed_gives_the_same_scene_whatever_was_drawn_before(drawn):
    assert same(scenes.draw(7), drawn[7]) and same(scenes.draw(2), drawn[2])
    assert not np.array_equal(drawn[2].image, drawn[7].image)
    assert same(scenes.draw_anomaly("fs_static", 3), scenes.draw_anomaly("fs_static", 3))


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
    assert scenes.draw(0, (97, 131)).image.shape == (97, 131, 3)


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
    assert list(scenes.KINDS) == [
        "RoadAnomaly21",
        "RoadObsticle21",
        "FS_LostFound_full",
        "fs_static",
        "RoadAnomaly",
    ]
    assert len(scenes.KINDS["RoadAnomaly21"].sizes) > 1 and len(scenes.KINDS["RoadAnomaly"].sizes) > 1


def test_clutter_and_anomalies_share_no_shape_and_no_texture():
    assert not clutter.FAMILIES.keys() & (anomalies.LARGE | anomalies.SMALL).keys()
    assert not clutter.TEXTURES.keys() & markings.TEXTURES.keys()
    assert not set(clutter.FAMILIES.values()) & set((anomalies.LARGE | anomalies.SMALL).values())
    across, up = np.meshgrid(np.linspace(-1, 1, 80), np.linspace(0, 2, 80))
    printed = {name: pattern(across, up) for name, pattern in (clutter.TEXTURES | markings.TEXTURES).items()}
    for one in clutter.TEXTURES:
        for other in markings.TEXTURES:
            assert (printed[one] != printed[other]).mean() > 0.1, (one, other)


def test_every_family_of_anomalies_paints_its_own_shape():
    shapes = {}
    for name, family in (anomalies.LARGE | anomalies.SMALL).items():
        canvas = scenes.canvas.Canvas(scenes.benchmarks.Random(0), scenes.style.Style(), (128, 256))
        anomalies.draw_anomaly_at(canvas, {name: family}, (0, 6), (1, 1))
        mask = np.asarray(canvas.labels) == scenes.canvas.ANOMALY
        assert mask.sum() > 300, name
        shapes[name] = np.asarray(Image.fromarray(mask).resize((64, 32)))
    names = list(shapes)
    for i, one in enumerate(names):
        for other in names[:i]:
            assert (shapes[one] != shapes[other]).any(), (one, other)


def test_an_unknown_kind_is_named():
    with pytest.raises(ValueError, match="unknown kind of anomaly scene 'Static'; known are RoadAnomaly21"):
        scenes.draw_anomaly("Static", 0)
