"""``train``: train a network, with checkpoints and logs."""

import argparse
import os
import sys
from dataclasses import fields
from pathlib import Path

import torch

from course_lib import evaluation, inference, models, runtime, training
from course_lib.labels import CLASS_NAMES
from course_lib.lesson import figures
from course_lib.training import processes
from course_tools.commands import options as shared
from course_tools.commands import parser_of

DESCRIPTION = """\
Train a network by its recipe: optimiser, schedule, loss, class weights; size, batch and epochs are the
profile's. Shows a progress bar; writes the state (last.pt), a table of all epochs (log.csv), TensorBoard
events and, at the end, the weights with metadata and two figures (curves.png, validation.png), all into one
folder.
"""

EPILOG = """\
trainings:
  ce          cross-entropy of the classes alone
  void        the same with void as a 20th output beside them
  fl          focal loss
  ln          LogitNorm: cross-entropy of logits brought to one length
  eiml        IsoMax+: cross-entropy of 10 times minus the distances to learnt prototypes
  ln_ce, ln_fl, eiml_ce, eiml_fl
              two terms; the second reads the same logits before they are brought to one length or multiplied
  ce_scale10  a control: cross-entropy of 10 times the ordinary logits
  energy      outlier exposure: goes on from trained weights (--start) with strange pieces pasted into the
              images, which are to get a high energy; --term-weights 1 0 is its control, which learns nothing
              from them
BiSeNetV2 learns ce and void from the hard pixels only, as its authors did.

example:
  python3 start.py train --profile mini --model erfnet
  python3 start.py train --profile mini --model bisenetv2 --training void
  python3 start.py train --profile camvid --model erfnet --epochs 100 --resume
  python3 start.py train --training eiml_fl --term-weights 1 0.5 --encoder erfnet_ce.safetensors
  python3 start.py train --profile camvid --model efficientnet_lite0 --encoder imagenet
  python3 start.py train --training energy --start erfnet_ce.safetensors --decoder-only --epochs 3
  python3 start.py train --sweep course_tools/sweeps/term_weights.toml
  torchrun --nproc_per_node=4 -m course_tools train --profile cityscapes --batch 8
The last shares each batch among four GPUs; any other number, one included, can --resume that run.
Ctrl-C and SIGTERM save the state first; --resume goes on exactly where the run stopped, also after a crash
(from its last checkpoint). Exit status: 0 done, 1 diverged or out of memory, 2 wrong usage, missing data or a
full disk, 130 or 143 interrupted.
"""


# fmt: off
def parser() -> argparse.ArgumentParser:
    """Describe the options."""
    described = parser_of("train", DESCRIPTION, EPILOG)
    group = described.add_argument_group("what to learn")
    shared.add(group, "--profile", help="data and numbers (default: %(default)s)")
    shared.add(group, "--model", default="erfnet", help="(default: %(default)s)")
    shared.add(group, "--training", choices=training.TRAININGS,
        help="what to learn and by which loss, see below (default: %(default)s)")
    add = group.add_argument
    add("--term-weights", nargs="+", type=float, metavar="X",
        help="of the loss terms, in the order of the training's name (default: 1 each)")
    add("--encoder", metavar="FILE",
        help="begin with the encoder in this checkpoint of the same network, or with imagenet, the one that "
             "EfficientNet-Lite0 has from there; decoder and classifier begin anew")
    add("--start", metavar="FILE",
        help="begin with all of the network in this checkpoint; the learning rate is a fifth of the usual")
    add("--decoder-only", action="store_true", help="with --start: leave the encoder as it is")
    shared.add(group, "--size", help="of the images (default: the profile's)")
    add("--batch", type=int, metavar="N", help="images per step (default: the profile's)")
    add("--epochs", type=int, metavar="N", help="(default: the profile's)")
    add("--learning-rate", type=float, metavar="X",
        help="the highest (default: the recipe's, times a number of the profile's)")
    shared.add(group, "--seed", help="of weights, order and augmentation (default: %(default)s)")

    group = described.add_argument_group("how to run")
    add = group.add_argument
    add("--output", type=Path, metavar="DIR",
        help="default: results/PROFILE/runs/MODEL_TRAINING_seedN in the project")
    add("--resume", action="store_true", help="go on with the run in that folder, if there is one")
    shared.add(group, "--device")
    add("--precision", choices=inference.PRECISIONS, help="of convolutions (default: fp32)")
    add("--accumulate", type=int, metavar="N", help="work through each batch in N parts, to save memory")
    add("--workers", type=int, metavar="N", help="processes that prepare images (default: 0; GPU: up to 8)")
    add("--validate-every", type=int, metavar="N", help="epochs between two mean IoUs (default: 5)")
    add("--checkpoint-every", type=int, metavar="N",
        help="steps between checkpoints within an epoch (default: 500); each epoch ends with one")

    add = described.add_argument_group("many runs").add_argument
    add("--sweep", type=Path, metavar="FILE.toml",
        help="all runs of a grid: tables [all] and [grid] with the options above, e.g. seed = [0, 1, 2]; "
             "what is finished is kept, results/PROFILE/sweeps/FILE gets a folder per run and the tables")
    add("--processes", type=int, metavar="N",
        help="runs at once on this machine (default: one per core or GPU)")
    add("--scheduler", default="", metavar="ADDRESS", help="of dask, to share the runs among other machines")
    add("--tls", type=Path, metavar="DIR", help="ca.pem, cert.pem and key.pem, for a tls:// ADDRESS")
    return described
# fmt: on


def main(options: argparse.Namespace) -> int:
    """Train, and say where the weights are."""
    if options.sweep:
        _check_only_sweep(options)
        return _train_sweep(options)
    if options.processes or options.scheduler:
        raise ValueError("--processes and --scheduler need --sweep; several GPUs share a run by torchrun")
    try:
        device = processes.choose_device(options.device)
        with processes.joined(device):
            chosen = {field.name: getattr(options, field.name) for field in fields(training.TrainingSettings)}
            for name in ("size", "term_weights"):
                chosen[name] = tuple(chosen[name] or ()) or None
            settings = training.settings_for(**chosen | {"device": device})
            default = models.run_folder(settings.profile, settings.model, settings.training, settings.seed)
            trained = training.train(settings, options.output or default, options.resume, options.command)
            if processes.rank() == 0:
                _report(trained)
                _draw(settings, trained)
    except training.Interrupted as stop:
        if processes.rank() == 0:
            print(stop, file=sys.stderr)
        return 128 + stop.number
    except (training.Diverged, MemoryError, RuntimeError) as error:
        if not isinstance(error, training.Diverged | MemoryError) and "DataLoader worker" not in str(error):
            raise
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    return 0


def _check_only_sweep(options: argparse.Namespace) -> None:
    """Raise a ValueError for an option that a sweep would not heed."""
    heeded = {"sweep", "processes", "scheduler", "tls", "device", "command"}
    defaults = parser().parse_args([])
    for name, value in vars(options).items():
        if name not in heeded and value != getattr(defaults, name):
            raise ValueError(
                f"--{name.replace('_', '-')} does not go with --sweep: {options.sweep} says what to train, "
                "each run has a folder of its own, and the same command goes on by itself"
            )
    if processes.launched():
        raise ValueError("--sweep starts processes of its own: leave torchrun out")
    if options.processes is not None and options.processes < 1:
        raise ValueError(f"--processes must be 1 or more, got {options.processes}")


def _train_sweep(options: argparse.Namespace) -> int:
    """Train and measure what is missing of a sweep; its tables are written anew after every run."""
    from course_tools import cluster, sweeps  # here: they need dask, which a single run does not

    device, outcomes = runtime.choose_device(options.device), {}
    sweep = sweeps.read_sweep(options.sweep, device)
    with training.nobody_else_in(sweep.folder):
        for split in ("train", "val"):  # is there something to learn from, and to measure on?
            sweep.runs[0].settings.samples(split)
        sweeps.benchmarks_of(sweep.profile)
        for run in sweep.runs:
            if result := sweeps.finished(run, sweep.folder / run.name):
                outcomes[run.name] = result
        missing = [run for run in sweep.runs if run.name not in outcomes]
        print(f"{sweep.name}: {len(sweep.runs)} runs, {len(outcomes)} of them are finished")
        if missing:
            # at once: one run per GPU, or one per core, which is faster than threads
            gpus = torch.cuda.device_count() if str(device) == "cuda" else 1
            cores = os.cpu_count() or 1
            count = min(options.processes or (cores if device.type == "cpu" else gpus), len(missing))
            threads = None if options.scheduler else max(1, cores // count)
            with cluster.workers(count, options.scheduler, options.tls) as client:
                for address, worker in cluster.workers_of(client).items():
                    if (number := worker["nthreads"]) != 1:  # seeds belong to a whole process
                        cure = "start workers with --nthreads 1"
                        raise ValueError(f"worker {address} has {number} threads; {cure}")
                print(f"Dashboard: {client.dashboard_link}")
                try:
                    for run, outcome in sweeps.run_all(client, sweep, missing, threads, options.command):
                        outcomes[run.name] = outcome
                        sweeps.write_tables(sweep, outcomes)
                except sweeps.Lost as error:
                    kept = "finished runs are kept: start it anew, and call again"
                    print(f"error: {error}; {kept}", file=sys.stderr)
        print(sweeps.write_tables(sweep, outcomes))
        print(f"Tables: {', '.join(sorted(str(path) for path in sweep.folder.glob('*.csv')))}")
    return int(any(isinstance(outcomes.get(run.name, "missing"), str) for run in sweep.runs))


def _report(trained: training.Trained) -> None:
    """Print the intersection over union of every class and where the weights are."""
    last = trained.history[-1]
    for name in CLASS_NAMES:
        iou = last.get(f"iou_{name}")
        print(f"{name:<14}", "not in truth or prediction" if iou is None else f"{100 * iou:5.1f} % IoU")
    print(f"{'mean IoU':<14} {100 * last['miou']:5.1f} % on the validation images")
    print(f"Weights: {trained.weights}")


def _draw(settings: training.TrainingSettings, trained: training.Trained) -> None:
    """Save the learning curves, and validation images with what the network makes of them."""
    folder, title = trained.weights.parent, f"{trained.weights.stem}, profile {settings.profile}"
    figures.learning_curves(trained.history, title).savefig(folder / "curves.png", dpi=120)
    network, metadata = models.load(settings.model, trained.weights)
    samples = settings.samples("val")
    step = max(1, len(samples) // 6)
    chosen = [samples[index] for index in range(0, len(samples), step)][:6]
    scoring = evaluation.Settings.of(metadata)
    shown = list(evaluation.segmented(network, chosen, scoring, progress=False))
    figures.segmentation_panels(shown, title).savefig(folder / "validation.png", dpi=120)
    print(f"Figures: {folder / 'curves.png'}, {folder / 'validation.png'}")
