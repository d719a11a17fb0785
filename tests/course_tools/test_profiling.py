"""What a network costs is counted, not guessed; what is timed is waited for."""

import copy
import itertools
import json
import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from small_networks import Small

from course_lib import inference, models, profiling
from course_lib.lesson import figures
from course_lib.profiling import layers, measure
from course_tools.__main__ import main

SIZE = (32, 64)
CPU = torch.device("cpu")
PARAMETERS = {
    "erfnet": 2_066_836,
    "enet": 351_804,
    "bisenetv2": 3_359_652,
    "espnetv2_0.5": 80_342,
    "efficientnet_lite0": 3_012_116,
}
PUBLISHED_GIGA_MACS = {"erfnet": 26.93, "enet": 4.18}  # at 512 x 1024 with 20 outputs


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_network_costs_its_parameters_and_some_time(name, capfd):
    network = models.build(name, 20).eval()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    random = torch.get_rng_state()
    found = profiling.cost(network, SIZE)
    assert torch.equal(torch.get_rng_state(), random)
    assert found.parameters == PARAMETERS[name]  # of the public implementations, without auxiliary heads
    assert 0.1 < found.milliseconds < 10_000 and found.training_megabytes > 0.5
    assert not network.training and all(
        torch.equal(value, before[key]) for key, value in network.state_dict().items()
    )
    assert capfd.readouterr().err == ""


class TwoLayers(torch.nn.Sequential):
    """A network whose memory and work can be counted by hand."""

    def all_logits(self, images):
        return [self(images)]


def two_layers():
    return TwoLayers(torch.nn.Conv2d(3, 4, 1), torch.nn.ReLU(), torch.nn.Conv2d(4, 5, 1))


def test_saved_bytes_are_the_activations():
    images = torch.rand(2, 3, *SIZE)
    # kept: the ReLU's output, which the second convolution reads, too; no images, no weights
    assert profiling.saved_bytes(two_layers(), images) == 2 * 4 * 32 * 64 * 4


def test_twice_the_pixels_keep_twice_the_bytes():
    network = models.build("enet", 20).train()
    once, twice = (profiling.saved_bytes(network, torch.rand(n, 3, *SIZE)) for n in (2, 4))
    assert twice == pytest.approx(2 * once, rel=0.02)


def test_the_peak_is_the_most_held_at_once(capfd):
    def run():
        first = torch.zeros(250_000)  # 1 MB
        del first
        second, third = torch.zeros(500_000), torch.zeros(250_000)
        return second + 1 if third is None else None

    run()
    assert profiling.peak_of(run, CPU) == profiling.PeakMemory(pytest.approx(3.0, abs=0.01), None)
    assert capfd.readouterr().err == ""
    assert profiling.peak_of(run, torch.device("meta")) is None


def test_folded_networks_hold_less_at_once():
    network, images = models.build("erfnet").eval(), torch.rand(1, 3, 128, 256)
    fast = inference.accelerate(network)
    with torch.inference_mode():
        plain, folded = (profiling.peak_of(lambda n=n: n(images), CPU).allocated for n in (network, fast))
    assert folded < 0.7 * plain


@pytest.mark.parametrize("name", PUBLISHED_GIGA_MACS)
def test_multiply_adds_are_those_that_were_published(name):
    network = models.build(name, 20).train()
    found = profiling.multiply_adds(network, (512, 1024)) / 1e9
    assert found == pytest.approx(PUBLISHED_GIGA_MACS[name], rel=0.05) and network.training


@pytest.mark.parametrize("head", models.HEADS)
def test_multiply_adds_grow_with_the_pixels(head):
    network = models.build("bisenetv2", 19, head)
    once, four = (profiling.multiply_adds(network, size) for size in ((128, 256), (256, 512)))
    assert four == pytest.approx(4 * once, rel=0.01)


@pytest.fixture
def take(monkeypatch):
    """Let time pass: the profiler's clock goes by what calls say they take, however busy the machine is."""
    clock = [0.0]
    monkeypatch.setattr(measure, "time", SimpleNamespace(perf_counter=lambda: clock[0]))

    def taking(seconds):
        clock[0] += seconds

    return taking


def test_latency_is_in_milliseconds_and_in_order(take):
    durations = iter([*[0.0] * measure.WARM_UP, *[0.001 * n for n in range(21)]])  # 0 to 20 ms: 0.21 s in all
    found = profiling.latency(lambda: take(next(durations)), CPU, seconds=0.2099)
    assert [found.best, found.median, found.p95] == pytest.approx([0, 10, 19])
    assert found.p99 is None and found.runs == 21
    assert repr(found) == "median 10.0 ms (best 0.0, 95 % below 19.0; 21 runs)"


@pytest.mark.parametrize(("runs", "told"), [(5, ""), (19, ""), (20, "95"), (99, "95"), (100, "95 99")])
def test_a_percentile_is_told_where_a_run_may_be_expected_beyond_it(runs, told):
    found = profiling.Latency.of([1.0] * runs)
    tails = {"95": found.p95, "99": found.p99}
    assert " ".join(name for name, value in tails.items() if value is not None) == told
    assert [name for name in tails if f"{name} % below" in repr(found)] == told.split()


def test_the_first_runs_do_not_count(take):
    durations = iter([0.1, 0.1, 0.1, *[0.001] * 100])
    found = profiling.latency(lambda: take(next(durations)), CPU, seconds=0, fewest=100)
    assert found.p99 == pytest.approx(1) and found.runs == 100


def test_pairs_cancel_what_disturbs_both(take):
    disturbed = itertools.chain([1] * 2 * measure.WARM_UP, [1, 1, 9, 9, 3, 3, 1, 40, 1, 1])
    slow, fast = (lambda seconds=s: take(seconds * next(disturbed)) for s in (0.02, 0.01))
    assert profiling.paired_speedup(slow, fast, CPU, pairs=5) == pytest.approx(2)


def test_turns_are_taken_and_those_that_warm_up_do_not_count(take):
    called = []
    runs = {name: lambda name=name: take(len(called)) or called.append(name) for name in "ab"}
    found = profiling.in_turns(runs, CPU, rounds=2)
    assert "".join(called) == "ab" * (measure.WARM_UP + 2)
    assert found.to_dict("list") == {"a": [6000, 8000], "b": [7000, 9000]}


def test_steps_in_a_row_take_what_the_one_before_gave(take):
    steps = {"double": lambda n: take(0.001) or 2 * n, "describe": lambda n: take(0.001 * n) or str(n)}
    found = profiling.in_a_row(steps | {"shout": str.upper}, 3, CPU, rounds=2)
    assert found["double"].tolist() == pytest.approx([1, 1]) and len(found) == 2
    assert found["describe"].tolist() == pytest.approx([6, 6]) and found["shout"].tolist() == [0, 0]


@pytest.mark.parametrize(("percent", "warns"), [(0, False), (7, False), (50, True), (100, True)])
def test_a_machine_with_less_room_than_torch_wants_is_busy(percent, warns, monkeypatch):
    monkeypatch.setattr(measure.psutil, "cpu_percent", lambda seconds: percent)
    monkeypatch.setattr(measure.os, "cpu_count", lambda: 4)
    monkeypatch.setattr(measure.torch, "get_num_threads", lambda: 4)
    found = profiling.load()
    assert found.is_too_high == warns and repr(found).startswith("! " if warns else "✓ ")
    assert f"{percent / 25:.1f} of 4 cores" in repr(found)


def test_compared_networks_have_the_rows_of_a_profile():
    subjects = [profiling.Subject("enet", models.build("enet", head=head)) for head in models.HEADS]
    found = profiling.compare(subjects, SIZE, rounds=2, training_rounds=1)
    assert tuple(found.columns) == profiling.PROFILE_COLUMNS
    assert found["head"].tolist() == list(models.HEADS) and found["runs"].tolist() == [2, 2]
    assert (found[["milliseconds", "training_milliseconds"]] > 0).all(axis=None)
    assert (found["training_megabytes"] > found["peak_megabytes"]).all()


def test_layers_add_up_to_the_network():
    network = models.build("erfnet")
    layers = profiling.profile_layers(network, (64, 128), runs=2)
    convolutions = layers["kind"].isin(["Conv2d", "ConvTranspose2d"])
    assert layers["mega_macs"].sum() * 1e6 == pytest.approx(profiling.multiply_adds(network, (64, 128)))
    assert (layers["milliseconds"] > 0).all() and (layers.loc[~convolutions, "mega_macs"] == 0).all()
    first = layers.iloc[0]
    assert first["layer"] == "encoder.initial_block.conv"
    assert first["mega_macs"] * 1e6 == 13 * 32 * 64 * 27  # outputs x (3 channels x 3 x 3)
    assert first["output_megabytes"] * 1e6 == 4 * 13 * 32 * 64


def test_a_roofline_by_hand():
    layers = pd.DataFrame(
        {
            "layer": ["many", "few", "none"],
            "milliseconds": [2.0, 4.0, 1.0],
            "moved_megabytes": [1.0, 10.0, 1.0],
            "mega_macs": [100.0, 10.0, 0.0],
        }
    )
    found = profiling.roofline(layers, profiling.Ceilings(80.0, 20.0))
    assert found["layer"].tolist() == ["many", "few"]
    assert found["intensity"].tolist() == [100, 1] and found["roof"].tolist() == [80, 20]
    assert found["giga_macs_per_second"].tolist() == [50, 2.5]


def test_this_machine_has_limits():
    found = profiling.measure_ceilings(CPU)
    assert 0.5 < found.giga_macs_per_second < 1e5 and 0.5 < found.gigabytes_per_second < 1e4


def test_a_disturbed_call_lowers_no_limit(monkeypatch):
    disturbed = profiling.Latency.of([50.0, 2.0, 90.0, 20.0])
    monkeypatch.setattr(layers, "latency", lambda run, device, seconds=0: disturbed)
    found = profiling.measure_ceilings(CPU)
    assert found.giga_macs_per_second == pytest.approx(1024**3 / 2e-3 / 1e9)  # of the largest product
    assert found.gigabytes_per_second == pytest.approx(2 * 16 * 2**20 / 2e-3 / 1e9)  # read and written


def test_a_processor_tells_no_watts():
    assert profiling.watts(lambda: None, CPU) is None


def test_a_row_says_what_was_measured_and_leaves_the_rest_out():
    subject = profiling.Subject("enet", models.build("enet"), (torch.rand(1, 3, *SIZE),))
    row = profiling.profile(subject, SIZE, "fast", batch=2, seconds=0.01)
    training = profiling.profile_training(subject, SIZE, seconds=0.01)
    (found,) = profiling.profile_table([row | training]).to_dict("records")
    assert (found["model"], found["head"], found["speed"], found["batch"]) == ("enet", "linear", "fast", 2)
    assert found["images_per_second"] == pytest.approx(2000 / found["milliseconds"])
    assert found["same_class"] == 100 and found["training_megabytes"] > found["peak_megabytes"] > 0
    assert found["watts"] is None and math.isnan(found["reserved_megabytes"] or np.nan)


def test_measuring_training_leaves_the_network_as_it_is():
    network = models.build("bisenetv2", head="isomax")
    before = copy.deepcopy(network.state_dict())
    profiling.profile_training(profiling.Subject("bisenetv2", network), (64, 64), seconds=0)
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())


def test_images_that_do_not_fit_are_one_clear_error(monkeypatch):
    network = models.build("enet")

    def full(images):
        raise RuntimeError("out of memory\nand much more")

    monkeypatch.setattr(network, "forward", full)
    with pytest.raises(ValueError, match=r"2 images of 32 x 64 do not fit \(out of memory\)"):
        profiling.forward_latency(network, torch.rand(2, 3, *SIZE))


@pytest.fixture
def profiles():
    row = {"model": "erfnet", "head": "linear", "speed": "plain", "milliseconds": 40.0, "same_class": 100.0}
    row |= {"training_milliseconds": 120.0, "peak_megabytes": 8.0, "training_megabytes": 60.0}
    fast = row | {"speed": "fast", "milliseconds": 20.0, "same_class": 99.5}
    return profiling.profile_table([row, fast])


def test_times_and_memory_are_drawn_with_their_numbers(profiles):
    plain = profiles[:1]
    assert "inference, ms an image: ERFNet with cross-entropy 40" in figures.time_bars(plain).alt
    assert "training step, MB: ERFNet with cross-entropy 60" in figures.memory_bars(plain).alt
    without = plain.assign(training_milliseconds=None)
    assert len(figures.time_bars(without).axes) == 1


def test_only_what_no_other_beats_is_on_the_front():
    candidates = pd.DataFrame(
        {"name": ["a", "b", "c", "d"], "ms": [1, 2, 3, 3], "auprc": [10, 5, 20, 15], "miou": [1, 2, 3, 4]}
    )
    figure = figures.pareto(candidates, "ms", {"auprc": "AuPRC", "miou": "mIoU"}, "ms an image")
    assert figure.alt == "Not beaten in both ms an image and AuPRC: a, c; mIoU: a, b, d."


def test_the_command_prints_a_table_and_writes_tables_and_figures(tmp_path, capsys):
    output = tmp_path / "speed"
    options = ["--model", "enet", "--size", "32", "64", "--seconds", "0.01", "--training-step", "--layers"]
    assert main(["profile", *options, "--speed", "plain", "fast", "--output", str(output)]) == 0
    told = capsys.readouterr().out
    assert "Not to be had on cpu" in told and "the ten slowest of 311 layers" in told
    frame = pd.read_csv(output / "profile.csv")
    assert tuple(frame.columns) == profiling.PROFILE_COLUMNS
    assert frame["speed"].tolist() == ["plain", "fast"] and (frame["same_class"] > 99.9).all()
    assert "torch" in json.loads((output / "profile.json").read_text())["versions"]
    names = {"profile.csv", "profile.json", "time.png", "memory.png"}
    names |= {"layers_enet_linear.csv", "layers_enet_linear.png", "roofline_enet_linear.png"}
    assert {path.name for path in output.iterdir()} == names


@pytest.mark.parametrize(("speed", "size"), [("int8", (100, 200)), ("onnx", (33, 17)), ("int8", (8, 8))])
def test_onnx_is_measured_at_any_size(speed, size, monkeypatch, capsys):
    monkeypatch.setitem(models.NETWORKS, "small", Small)
    sides = list(map(str, size))
    options = ["--model", "small", "--seconds", "0", "--device", "cpu", "--speed", speed, "--size", *sides]
    assert main(["profile", *options]) == 0
    assert f" {speed} " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--size", "0", "64"], "sizes and batches must be 1 or more"),
        (["--speed", "cuda_graph", "--size", "32", "64"], "CUDA graphs need a network on a CUDA device"),
        (["--output", "/dev/null/x"], "cannot write /dev/null/x/profile.csv"),
    ],
)
def test_wrong_options_of_profile_are_one_line(options, message, capsys):
    assert main(["profile", "--model", "enet", "--device", "cpu", *options]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("error: ") and message in error
