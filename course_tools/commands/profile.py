"""``profile``: what networks cost in time and memory on this machine."""

import argparse
import json
import tempfile
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import torch
from tqdm.auto import tqdm

from course_lib import data, inference, models, profiling, runtime
from course_lib.lesson import figures
from course_tools.commands import parser_of
from course_tools.commands.options import check_writable

SHOWN = {
    "model": "network", "head": "head", "speed": "speed", "batch": "batch", "milliseconds": "ms",
    "p95": "p95", "images_per_second": "images/s", "giga_macs": "GMAC", "million_parameters": "M par.",
    "peak_megabytes": "MB", "training_milliseconds": "ms train", "training_megabytes": "MB train",
    "watts": "W", "same_class": "same class %",
}  # fmt: skip
"""Columns that are printed, and their titles."""

OUTSIDE = ("onnx", "int8", "openvino", "openvino_bf16")
"""Speeds that need a file and another program instead of torch: onnxruntime, or OpenVINO."""

DESCRIPTION = """\
Measure networks on this machine: time, memory, multiply-adds, and what each way to make them faster gains and
changes. Shipped weights are used where there are some (else random ones, and no comparison of classes); time
and memory do not depend on them.
"""

EPILOG = """\
examples:
  python3 start.py profile --size 512 1024 --speed plain fast bf16
  python3 start.py profile --head linear isomax --training-step --layers --output results/speed
--output DIR gets profile.csv, profile.json, time.png, memory.png and, with --layers, a table and
two figures of each network. Exit status: 0 done, 2 wrong usage or bad input.
"""


def parser() -> argparse.ArgumentParser:
    """Describe the options."""
    described = parser_of("profile", DESCRIPTION, EPILOG)
    add = described.add_argument
    # fmt: off
    add("--model", nargs="+", default=list(models.PAPER_NETWORKS), choices=models.NETWORKS, dest="models",
        help="(default: those of the paper)")
    add("--head", nargs="+", default=["linear"], choices=models.HEADS, dest="heads",
        help="isomax is that of EIML (default: linear)")
    add("--speed", nargs="+", default=["plain", "fast"], choices=[*inference.SPEEDS, *OUTSIDE], dest="speeds",
        help=f"of {', '.join([*inference.SPEEDS, *OUTSIDE])} (default: plain fast)")
    add("--size", nargs=2, type=int, default=[512, 1024], metavar=("H", "W"), help="(default: 512 1024)")
    add("--batch", nargs="+", type=int, default=[1], metavar="N", dest="batches", help="(default: 1)")
    add("--seconds", type=float, default=2.0, help="to repeat each measurement for (default: %(default)s)")
    add("--training-step", action="store_true", help="also measure a forward and backward pass")
    add("--layers", action="store_true", help="also measure each layer, against the machine's own limits")
    add("--device", default="auto", help="auto, cpu, cuda or mps (default: %(default)s)")
    add("--output", type=Path, metavar="DIR", help="for tables and figures")
    # fmt: on
    return described


def main(options: argparse.Namespace) -> int:
    """Measure, print, and write what was asked for."""
    if min(*options.size, *options.batches) < 1 or options.seconds < 0:
        raise ValueError("sizes and batches must be 1 or more, seconds 0 or more")
    if options.output:
        check_writable([options.output / "profile.csv"])
    device = runtime.choose_device(options.device)
    rows = []
    with tqdm(total=len(options.models) * len(options.heads), unit="network") as bar:
        for subject in _subjects(options, device):
            rows += _rows(subject, options, device)
            bar.update()
    frame = profiling.profile_table(rows)
    shown = frame[list(SHOWN)].rename(columns=SHOWN).dropna(axis="columns", how="all")
    digits = dict.fromkeys(("GMAC", "M par.", "same class %", "images/s"), "{:.2f}")
    formats = {name: digits.get(name, "{:.1f}").format for name in shown.select_dtypes("float")}
    print(shown.to_string(index=False, na_rep="", formatters=formats))
    print("\nMedian and, of 20 runs or more, 95th percentile in ms for the batch.")
    print("GMAC are 10^9 multiply-adds of one image.")
    print("MB are 10^6 bytes that torch holds at the most beyond the weights.")
    if frame["reserved_megabytes"].isna().all():
        print(f"Not to be had on {device}: memory reserved from a driver, power.")
    if frame["peak_megabytes"].isna().any():
        print("No memory is given where torch does not see it: onnxruntime and OpenVINO keep their own.")
    if options.output:
        frame.to_csv(options.output / "profile.csv", index=False)
        about = {
            "command": options.command,
            "versions": runtime.package_versions(),
            "hardware": runtime.hardware(device),
            "peak_resident_gigabytes": runtime.peak_memory(),
        }
        (options.output / "profile.json").write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
        first = frame[(frame["speed"] == options.speeds[0]) & (frame["batch"] == options.batches[0])]
        title = f"{options.size[0]} x {options.size[1]}, {options.speeds[0]}, {device}"
        figures.time_bars(first, title).savefig(options.output / "time.png")
        if first["peak_megabytes"].notna().any():
            figures.memory_bars(first, title).savefig(options.output / "memory.png")
        print(f"Tables and figures: {options.output}")
    if options.layers:
        _layers(options, device)
    return 0


def _subjects(options: argparse.Namespace, device: torch.device) -> Iterator[profiling.Subject]:
    """Yield each network with each head, trained if it is shipped."""
    for model, head in product(options.models, options.heads):
        network, pictures = models.build(model, head=head), ()
        for training in ("ce", "void") if head == "linear" else ("eiml_fl",):
            path = models.shipped_file("mini", model, training)
            if path.is_file():
                network = models.load(model, path)[0]
                pictures = tuple(_pictures("val", options.size, 8, device))
                break
        yield profiling.Subject(model, network.to(device).eval(), pictures)


def _pictures(split: str, size: list[int], count: int, device: torch.device) -> Iterator[torch.Tensor]:
    """Yield generated scenes, one at a time."""
    scenes = data.SEGMENTATION_SETS["mini"](split)
    for index in range(count):
        yield data.to_tensor(data.resize_image(scenes[index].image, tuple(size)))[None].to(device)


def _rows(subject: profiling.Subject, options: argparse.Namespace, device: torch.device) -> Iterator[dict]:
    """Yield a row for each speed and batch."""
    size, network = tuple(options.size), subject.network
    training = {}
    if options.training_step:  # of a new network: shipped ones lack auxiliary heads
        fresh = profiling.Subject(subject.name, models.build(subject.name, head=network.head_kind).to(device))
        training = profiling.profile_training(fresh, size, seconds=options.seconds)
    with tempfile.TemporaryDirectory() as folder:
        for speed in options.speeds:
            fast, path = None, Path(folder) / f"{speed}.onnx"
            if speed == "int8":  # its ranges are measured on training scenes
                inference.quantise(network, path, _pictures("train", options.size, 16, torch.device("cpu")))
            elif speed in OUTSIDE:
                inference.export_onnx(network, path)
            if speed in ("onnx", "int8"):
                fast = inference.OnnxNetwork(path, network.size_multiple)
            elif speed in OUTSIDE:
                precision = "bf16" if speed == "openvino_bf16" else "f32"
                fast = inference.OpenVinoNetwork(path, network.size_multiple, precision)
            for batch in options.batches:
                found = profiling.profile(subject, size, speed, batch, options.seconds, fast)
                yield found | (training if (speed, batch) == ("plain", 1) else {})


def _layers(options: argparse.Namespace, device: torch.device) -> None:
    """Measure each layer of each network, and print those that take longest."""
    ceilings = profiling.measure_ceilings(device)
    limits = f"{ceilings.giga_macs_per_second:.0f} GMAC/s, {ceilings.gigabytes_per_second:.0f} GB/s"
    print(f"\nLimits of {device}, measured: {limits}.")
    for subject in _subjects(options, device):
        layers = profiling.profile_layers(subject.network, tuple(options.size))
        title = f"{models.TITLES[subject.name]}, {subject.network.head_kind}"
        print(f"\n{title}: the ten slowest of {len(layers)} layers")
        print(layers.nlargest(10, "milliseconds").round(2).to_string(index=False))
        if options.output:
            name = f"{subject.name}_{subject.network.head_kind}"
            layers.to_csv(options.output / f"layers_{name}.csv", index=False)
            under_roof = profiling.roofline(layers, ceilings)
            roof = figures.rooflines(under_roof, ceilings, f"{title}, {device}")
            roof.savefig(options.output / f"roofline_{name}.png")
            figures.layer_times(layers, f"{title}, {device}").savefig(options.output / f"layers_{name}.png")
