"""One pass gives every score, the numbers of the plain way, and a table that says what they are worth."""

import math
import warnings
from dataclasses import replace

import pandas as pd
import pytest
import torch
from PIL import Image
from small_data import write_benchmark, write_image
from torch.nn import functional as F

from course_lib import data, evaluation, metrics, models, scores
from course_lib.evaluation import loop
from course_lib.models import Network

SETTINGS = evaluation.Settings(size=(32, 64), resamples=50)


class ColourNetwork(Network):
    """Logits that depend on the colour of a pixel alone: orange is like no class."""

    size_multiple, feature_channels, classifier_name = 1, 3, "out"

    def __init__(self, outputs=20):
        super().__init__()
        torch.manual_seed(0)
        self.out = torch.nn.Conv2d(3, outputs, 1)
        self.seen = []

    def features(self, images):
        self.seen.append(len(images))
        return images


@pytest.fixture
def images(tmp_path):
    write_benchmark(tmp_path, "RoadAnomaly21")
    return data.BenchmarkImages("RoadAnomaly21", root=tmp_path)


def evaluated(network, images, settings=SETTINGS, **options):
    rows = evaluation.evaluate(network, [images], settings, progress=False, **options)
    return evaluation.table(rows, models.Metadata(model="enet"), "enet.pth")


def test_all_scores_come_from_one_forward_pass_an_image(images):
    network = ColourNetwork()
    everything = replace(SETTINGS, scores=tuple(scores.SCORES), temperatures=(1.0, 0.5))
    frame = evaluated(network, images, everything)
    assert network.seen == [1, 1, 1]  # one image at a time
    expected = ["msp", "msp", "max_logit", "max_entropy", "max_entropy", "energy", "energy", "void"]
    assert frame["score"].tolist() == expected
    assert frame["temperature"].tolist() == [1, 0.5, 1, 1, 0.5, 1, 0.5, 1]


def test_numbers_equal_those_of_the_plain_way(images):
    network = ColourNetwork().eval()
    kept, truth = [], []
    for sample in images:
        with torch.no_grad():
            logits = network(data.to_tensor(data.resize_image(sample.image, (32, 64)))[None])
        score = F.interpolate(scores.max_logit(logits)[None], sample.target.shape, mode="bilinear")[0, 0]
        kept.append(score[sample.target != 255])
        truth.append(sample.target[sample.target != 255] == 1)
    pooled = torch.cat(kept), torch.cat(truth)
    frame = evaluated(network, images).set_index("score").loc["max_logit"]
    assert frame["auprc"] == pytest.approx(100 * metrics.average_precision(*pooled))
    assert frame["fpr95"] == pytest.approx(100 * metrics.fpr_at_tpr(*pooled))
    assert frame["auroc"] == pytest.approx(100 * metrics.auroc(*pooled))
    assert frame["chance"] == frame["prevalence"] == pytest.approx(100 * pooled[1].double().mean().item())


def test_the_table_has_the_promised_columns_and_types(images, tmp_path):
    frame = evaluated(ColourNetwork(), images)
    assert tuple(frame.columns) == evaluation.COLUMNS
    row = frame.iloc[0]
    assert (row["images"], row["images_of"], row["height"], row["width"]) == (3, 10, 32, 64)
    assert (row["weights"], row["training"], row["fpr95_convention"]) == ("enet.pth", "public", "step")
    assert (row["auprc_low"] <= row["auprc_high"]) and row["classes_in_score"] == 19
    frame.to_csv(tmp_path / "table.csv", index=False)
    assert "3,10" in (tmp_path / "table.csv").read_text() and pd.isna(row["miou"])


def test_without_bootstrap_there_are_no_intervals(images):
    frame = evaluated(ColourNetwork(), images, replace(SETTINGS, resamples=0))
    assert frame[["auprc_low", "fpr95_high", "auprc_outside_chance"]].isna().all().all()
    assert "[" not in evaluation.as_text(frame)


def test_known_classes_and_the_void_channel_are_told_apart(images):
    few = evaluated(ColourNetwork(), images, replace(SETTINGS, known_classes=(0, 2, 13)))
    assert few["classes_in_score"].tolist() == [3, 3, 3]
    assert (
        evaluated(ColourNetwork(), images, replace(SETTINGS, scores=("void",)))["classes_in_score"][0] == 20
    )


def test_a_constant_control_gets_chance_and_is_marked(images):
    frame = evaluated(ColourNetwork(), images, controls=evaluation.Controls()).set_index("score")
    constant = frame.loc["constant"]
    assert constant["auprc"] == pytest.approx(constant["prevalence"])
    assert (constant["fpr95"], constant["auroc"], constant["constant"]) == (100, 50, True)
    assert not constant["auprc_outside_chance"] and not constant["fpr95_outside_chance"]
    assert "100.00~" in evaluation.as_text(frame.reset_index())


def test_a_network_that_scores_all_pixels_alike_is_called_constant(images):
    network = ColourNetwork()
    torch.nn.init.zeros_(network.out.weight)
    # at native size: resizing would add rounding errors
    frame = evaluated(network, images, replace(SETTINGS, protocol="paper"))
    assert frame["constant"].all() and "msp (constant)" in evaluation.as_text(frame)


def test_the_position_only_control_is_the_mean_map_of_other_images(images):
    network = ColourNetwork().eval()
    settings = replace(SETTINGS, scores=("msp",))
    mean = evaluation.mean_score_maps(network, images, settings, progress=False)
    assert mean["msp", 1.0].shape == (32, 64)
    with torch.no_grad():
        one_by_one = [
            scores.msp(network(data.to_tensor(data.resize_image(s.image, (32, 64)))[None]))[0] for s in images
        ]
    torch.testing.assert_close(mean["msp", 1.0], torch.stack(one_by_one).mean(0))
    frame = evaluated(network, images, settings, controls=evaluation.Controls(mean))
    assert frame["score"].tolist() == ["msp", "position:msp", "constant"]


def test_the_colour_only_control_tells_common_from_rare_and_unseen_colours(images):
    street = Image.new("RGB", (64, 32), (90, 90, 90))
    street.paste((40, 120, 200), (0, 0, 8, 8))  # a colour of 3 % of the pixels
    ordinary = [data.Sample("street", street, torch.zeros(32, 64, dtype=torch.uint8))]
    table = evaluation.colour_scores(ordinary, (32, 64), progress=False)
    shown = street.copy()
    shown.paste((240, 120, 40), (32, 16, 40, 24))
    found = evaluation.Controls(colours=table).maps(shown, (32, 64))["colour", 1.0]
    assert found.shape == (32, 64)
    common, rare, unseen = found[30, 2], found[4, 4], found[20, 36]
    assert (rare - common).item() == pytest.approx(math.log(1984 / 64), rel=1e-3) and unseen > rare + 5
    frame = evaluated(ColourNetwork(), images, controls=evaluation.Controls(colours=table))
    assert frame["score"].tolist()[-2:] == ["colour", "constant"]
    assert frame["classes_in_score"].isna().tolist()[-2:] == [True, True]


def test_paper_protocol_feeds_raw_images_and_inverts_void(images):
    network = ColourNetwork()
    frame = evaluated(network, images, replace(SETTINGS, protocol="paper", scores=("void",)))
    right = evaluated(network, images, replace(SETTINGS, scores=("void",)))
    assert frame["height"].isna().all() and frame["fpr95_convention"][0] == "chord"
    assert frame["auroc"][0] != right["auroc"][0] and network.checks_range


def test_the_void_score_is_inverted_under_paper_and_nowhere_else(images):
    network = ColourNetwork().eval()
    raw = torch.rand(1, 3, 4, 4)
    void = {}
    for name in ("benchmark", "peer", "paper"):
        settings = replace(SETTINGS, protocol=name, scores=("void",))
        void[name] = evaluation.score_maps(network, raw, settings)["void", 1.0]
    assert torch.equal(void["benchmark"], void["peer"])
    torch.testing.assert_close(void["paper"], 1 - void["benchmark"].exp())


def test_one_image_has_no_interval(tmp_path):
    write_benchmark(tmp_path, "RoadAnomaly21", images=1)
    frame = evaluated(ColourNetwork(), data.BenchmarkImages("RoadAnomaly21", root=tmp_path))
    assert frame["auprc_low"].isna().all() and frame["auprc"].notna().all()


def test_peer_names_a_benchmark_in_which_no_image_holds_an_anomaly(tmp_path):
    folder = write_benchmark(tmp_path, "RoadAnomaly21", images=1)
    write_image(folder / "labels_masks" / "0.png", torch.zeros(48, 64, dtype=torch.uint8).numpy())
    images = data.BenchmarkImages("RoadAnomaly21", root=tmp_path)
    with pytest.raises(ValueError, match="RoadAnomaly21: no image holds an anomaly"):
        evaluated(ColourNetwork(), images, replace(SETTINGS, protocol="peer"))


def test_a_device_that_runs_out_of_memory_is_one_clear_error(images):
    class Greedy(ColourNetwork):
        def features(self, images):
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 9 GiB")

    with pytest.raises(ValueError, match=r"failed on an image of 32 x 64 on cpu .*; try a smaller size"):
        evaluated(Greedy(), images)


def test_nan_scores_name_the_image(images):
    network = ColourNetwork()
    torch.nn.init.constant_(network.out.bias, float("nan"))
    with pytest.raises(ValueError, match=r"image 'RoadAnomaly21/0': .* scores are NaN"):
        evaluated(network, images)


def test_a_benchmark_without_anomalies_is_named(tmp_path):
    folder = write_benchmark(tmp_path, "RoadAnomaly21", images=1)
    write_image(folder / "labels_masks" / "0.png", torch.zeros(48, 64, dtype=torch.uint8).numpy())
    with pytest.raises(ValueError, match="RoadAnomaly21: need both classes, got 0 anomalous, 3072 normal"):
        evaluated(ColourNetwork(), data.BenchmarkImages("RoadAnomaly21", root=tmp_path))


def test_mean_iou_is_measured_at_the_size_of_the_targets():
    network = ColourNetwork(outputs=19)
    torch.nn.init.zeros_(network.out.weight)
    torch.nn.init.zeros_(network.out.bias)
    network.out.bias.data[3] = 1.0  # everything is wall
    target = torch.zeros(40, 60, dtype=torch.uint8)
    target[:10] = 3
    sample = data.Sample("0", Image.new("RGB", (60, 40)), target)
    counts = evaluation.confusion(network, [sample], SETTINGS, progress=False)
    assert counts.iou() == {"road": 0.0, "wall": 0.25} and int(counts.counts.sum()) == 2400
    known = replace(SETTINGS, known_classes=(0, 2))  # an output that was never trained takes no part
    assert evaluation.confusion(network, [sample], known, progress=False).iou() == {"road": 0.75, "wall": 0.0}


def test_examples_are_the_first_images_with_an_anomaly(images):
    found = evaluation.examples(ColourNetwork(), images, SETTINGS, count=2)
    assert [one.name for one in found] == ["0", "1"]
    assert all(scores.shape == one.target.shape for one in found for scores in one.maps.values())


def test_without_intervals_memory_does_not_grow_with_the_images(images):
    plain = replace(SETTINGS, resamples=0)
    streamed = evaluation.measure(ColourNetwork(), images, plain, progress=False)["msp", 1.0]
    assert list(streamed.images.values()) == [None] * 3
    with pytest.raises(ValueError, match="no intervals without summaries"):
        streamed.intervals()


@pytest.mark.parametrize("model", [*models.PAPER_NETWORKS, "espnetv2_0.5", "efficientnet_lite0"])
def test_fast_changes_the_table_by_rounding_only(images, model):
    torch.manual_seed(3)
    network = models.build(model)
    plain, fast = (evaluated(network, images, replace(SETTINGS, speed=speed)) for speed in ("plain", "fast"))
    assert fast["auprc"].tolist() == pytest.approx(plain["auprc"].tolist(), abs=0.05)
    assert fast["speed"].unique().tolist() == ["fast"]


def test_strips_change_nothing(images, monkeypatch):
    network = ColourNetwork()
    expected = evaluated(network, images)
    monkeypatch.setattr(loop, "STRIP_PIXELS", 1)
    pd.testing.assert_frame_equal(evaluated(network, images), expected)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        (
            {1: 255},
            "got 0 anomalous, .*; in its masks 255 is void and an anomaly must be 1",
        ),
        ({0: 255, 1: 255}, "got 0 anomalous, 0 normal pixels; in its masks 255 is void"),
        ({0: 1}, "got .* anomalous, 0 normal pixels; in its masks 255 is void"),
    ],
)
def test_masks_with_other_numbers_are_told_what_the_numbers_mean(numbers, message, images):
    for path in images.masks:
        mask = data.files.read_mask(path).numpy()
        for number, new in numbers.items():
            mask[mask == number] = new
        write_image(path, mask)
    with pytest.raises(ValueError, match=rf"^RoadAnomaly21: need both classes, {message}"):
        evaluated(ColourNetwork(), images)


def test_inverted_masks_are_warned_of_in_one_line(images):
    for path in images.masks:
        mask = data.files.read_mask(path).numpy()
        mask[mask < 2] = 1 - mask[mask < 2]
        write_image(path, mask)
    with pytest.warns(UserWarning, match=r"RoadAnomaly21: 9\d.\d % of the pixels are anomalies") as told:
        evaluated(ColourNetwork(), images)
    assert len({str(one.message) for one in told}) == 1  # of all scores; Python shows a text once
    with warnings.catch_warnings(action="error"):  # void is no anomaly, but the paper counted it as one
        evaluated(ColourNetwork(), images, replace(SETTINGS, protocol="paper"))


def test_a_bug_in_a_score_is_not_taken_for_the_networks(images, monkeypatch):
    monkeypatch.setattr(scores, "score", lambda name, logits, **chosen: logits.view(-1, 7))
    with pytest.raises(RuntimeError, match=r"shape .* is invalid"):
        evaluated(ColourNetwork(), images)


@pytest.mark.parametrize("where", ["weight", "bias"])
@pytest.mark.parametrize(
    "use",
    [
        lambda network, images: evaluation.confusion(network, images, SETTINGS, progress=False),
        lambda network, images: evaluation.mean_score_maps(network, images, SETTINGS, progress=False),
        lambda network, images: evaluation.examples(network, images, SETTINGS, count=1),
        lambda network, images: evaluation.per_image(network, images, SETTINGS, progress=False),
        lambda network, images: evaluation.component_rows(network, images, SETTINGS, progress=False),
    ],
    ids=["confusion", "mean_score_maps", "examples", "per_image", "component_rows"],
)
def test_nan_is_an_error_wherever_a_network_is_used(use, where, images):
    network = ColourNetwork()
    getattr(network.out, where).data[3] = float("nan")
    with pytest.raises(ValueError, match=r"of \d+ (scores )?are NaN; the network's weights or"):
        use(network, images)
