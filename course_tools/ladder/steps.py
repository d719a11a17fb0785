"""What each step brings to each network: measured for every seed, set beside one baseline."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import torch
from tqdm.auto import tqdm

from course_lib import data, detectors, evaluation, models, runtime, scores
from course_lib.labels import NUM_CLASSES
from course_lib.metrics import StreamingMetrics
from course_lib.models import IMAGENET
from course_lib.training import TrainingSettings, training_title
from course_tools import sweeps
from course_tools.result_store import Store, files_of

Parts = tuple[detectors.ScorePart | detectors.DistancePart, ...]

PLAIN: dict[str, Parts] = {
    scores.TITLES[name]: (detectors.ScorePart(name),)
    for name in ("msp", "max_logit", "max_entropy", "energy", "void")
}

RECIPES: dict[str, Parts] = {
    title: detectors.RECIPES[name].parts
    for title, name in (
        ("smoothed entropy", "smoothed_entropy"),
        ("neighbours at 1/8", "neighbours"),
        ("neighbours at 1/8 + entropy", "neighbours_and_entropy"),
        ("neighbours at 1/16", "neighbours_16"),
        ("neighbours at 1/16 + entropy", "neighbours_16_and_entropy"),
        ("neighbours at 1/16, 1/32 + entropy", "neighbours_16_32_and_entropy"),
    )
}
"""The steps of the ladder, as tables call them, after those of ``PLAIN``, which cost nothing."""

FOLDER = Path(sweeps.__file__).parent

SWEEPS = {"mini": ("what_works_mini",), "camvid": ("what_works", "outliers")}
"""By profile, the files of trainings in ``FOLDER``."""

BASELINE = ("ERFNet", "MSP")
FINAL = ("Lite0, ImageNet", "neighbours at 1/16, 1/32 + entropy")
OUTLIERS, CONTROL = "Lite0, outliers", "Lite0, control of outliers"
ONE_FAMILY = {FINAL[0], OUTLIERS, CONTROL}
"""Networks that go on from one another: none is the opponent of another."""

WHAT = "step"
"""The name of the one score that is left of each step when steps are compared."""


@dataclass(frozen=True)
class Weights:
    """One trained network on the ladder."""

    network: str
    """As tables call it; seeds share it."""
    path: Path
    model: str
    is_opponent: bool = False
    """Whether it stands there with its plain scores alone."""

    def steps(self, network: models.Network) -> dict[str, Parts]:
        """Return those that a network has the maps for; 1/8 only where that is its coarsest."""
        found = {
            name: parts
            for name, parts in PLAIN.items()
            if name != "Void" or network.num_classes > NUM_CLASSES
        }
        strides = set(network.scale_modules)
        for name, parts in () if self.is_opponent else RECIPES.items():
            needed = {part.stride for part in parts if isinstance(part, detectors.DistancePart)}
            if needed <= strides and (8 not in needed or max(strides) == 8):
                found[name] = parts
        return found


def weights_here(profile: data.Profile) -> tuple[list[Weights], list[str]]:
    """Return the networks of a profile's ladder that this machine has, and the runs that are missing."""
    found, missing = [], []
    for name in SWEEPS[profile.name]:
        try:
            sweep = sweeps.read_sweep(FOLDER / f"{name}.toml", torch.device("cpu"))
        except (FileNotFoundError, ValueError) as error:  # outliers go on from weights that may not be here
            missing.append(f"{name}: {error}")
            continue
        for run in sweep.runs:
            path = sweep.folder / run.name / run.settings.weights_name
            if path.is_file():
                found.append(Weights(_title(run.settings), path, run.settings.model))
            else:
                missing.append(f"{name}: {run.name}")
    return found + list(_shipped(profile, {one.network for one in found})), missing


def _shipped(profile: data.Profile, trained: set[str]) -> Iterator[Weights]:
    """Yield the shipped networks of a profile, and the best public one where it is for photographs.

    The shipped ERFNet is the baseline where none was trained for the ladder; it has learnt for longer.
    """
    for path in sorted((models.shipped.FOLDER / profile.name).glob("*.safetensors")):
        _, about = models.read_weights(path)
        if about.model == "efficientnet_lite0":  # it is one of the runs
            continue
        if (about.model, about.training) == ("erfnet", "ce") and BASELINE[0] not in trained:
            yield Weights(BASELINE[0], path, about.model)
        else:
            title = f"{models.TITLES[about.model]}, {training_title(about.training)}, shipped"
            yield Weights(title, path, about.model, is_opponent=True)
    public = data.find_profile("photos").network
    if profile.name != "mini" and models.public_file(public).is_file():
        yield Weights(
            f"{models.TITLES[public]}, public", models.public_file(public), public, is_opponent=True
        )


def _title(settings: TrainingSettings) -> str:
    """Return what tables call the network of a run."""
    if settings.training == "energy":
        return OUTLIERS if settings.terms["energy"] else CONTROL
    if settings.model == "erfnet":
        return "ERFNet"
    return "Lite0, ImageNet" if settings.encoder == IMAGENET else "Lite0, random"


def measured(
    weights: Weights, profile: data.Profile, device: torch.device, resamples: int
) -> list[evaluation.NetworkResult]:
    """Return a result for each step of one network; what was measured once of it is not measured again."""
    network, metadata = models.load(weights.model, weights.path)
    settings = evaluation.Settings.of(metadata, resamples=resamples, device=device)
    steps, sha256 = weights.steps(network), runtime.sha256_of(weights.path)
    store = Store(models.results_folder(profile.name) / "what_works" / "kept")
    fitted: list[detectors.Detector] = []  # not before it is needed, and then once
    rows = []
    for images in sweeps.benchmarks_of(profile.name):

        def make(images=images) -> list[dict]:
            if not fitted:
                fitted.append(_of_all_parts(steps, network.to(device), metadata, profile))
            return _rows(fitted[0], steps, images, settings)

        about = [sha256, repr(steps), settings.resamples, files_of(images)]
        rows += store.kept(f"{sha256[:12]}_{images.name}", about, make)
    classes = sum(name.startswith("iou ") for name in metadata.metrics)
    miou = (metadata.metrics["miou"], classes) if classes else None
    result = evaluation.network_result(rows, metadata, weights.path, miou)
    return [_only(result, weights.network, step) for step in steps]


def _of_all_parts(
    steps: dict[str, Parts], network: models.Network, metadata: models.Metadata, profile: data.Profile
) -> detectors.Detector:
    """Return a detector that has every part of some steps, so that an image needs one pass."""
    parts = tuple(dict.fromkeys(part for step in steps.values() for part in step))
    recipe = detectors.Recipe("all parts", parts)
    if not any(len(step) > 1 for step in steps.values()):  # nothing is added: no unit is needed
        return detectors.Detector(recipe, network, metadata)
    train, val = (data.SEGMENTATION_SETS[profile.scenes](split) for split in ("train", "val"))
    return detectors.fit(recipe, network, metadata, train, val, progress=False)


@torch.no_grad()
def _rows(
    detector: detectors.Detector,
    steps: dict[str, Parts],
    images: data.BenchmarkImages,
    settings: evaluation.Settings,
) -> list[dict]:
    """Measure all steps on one benchmark."""
    protocol = evaluation.find_protocol(settings.protocol)
    streamed = {step: StreamingMetrics() for step in steps}
    runtime.reuse_memory()
    for sample in images:
        target = protocol.target(sample, images.benchmark)
        maps = detector.standardised_maps(protocol.input(sample, settings.size).to(settings.device))
        map_of = dict(zip(detector.recipe.parts, maps, strict=True))
        for step, parts in steps.items():
            found = evaluation.to_size_of(target, sum(map_of[part] for part in parts)[0])
            streamed[step].update(found, target, f"{images.name}/{sample.name}")
    return [evaluation.row_of(images.name, (step, 1.0), settings, one) for step, one in streamed.items()]


def _only(result: evaluation.NetworkResult, network: str, step: str) -> evaluation.NetworkResult:
    """Return one step of a result so that ``evaluation.compare`` takes it for a training."""
    frame = result.frame[result.frame["score"] == step]
    about = {"training": f"{network}\n{step}", "score": WHAT}  # whole systems: they may differ in all else
    about |= dict.fromkeys(("profile", "epochs", "height", "width"), pd.NA)
    drawn = {(key[0], WHAT, 1.0): value for key, value in result.drawn.items() if key[1] == step}
    return evaluation.NetworkResult(frame.assign(**about), drawn)


def check_final(profile: data.Profile, final: Sequence[str]) -> None:
    """Raise a ValueError unless one of the networks here has the step that is to be compared."""
    here, missing = weights_here(profile)
    network, step = final
    names = list(dict.fromkeys(one.network for one in here))
    if network not in names and tuple(final) == FINAL:
        raise ValueError(
            f"{network} is not trained here ({missing[0]}); {runtime.COMMAND} train --sweep "
            f"course_tools/sweeps/{SWEEPS[profile.name][0]}.toml does it, in hours; or say --final"
        )
    if network not in names:
        raise runtime.unknown_name("network of --final", network, names)
    first = next(one for one in here if one.network == network)
    steps = first.steps(models.load(first.model, first.path)[0])
    if step not in steps:
        raise runtime.unknown_name(f"step of {network}", step, steps)


def measure_all(
    profile: data.Profile, device: torch.device, resamples: int
) -> tuple[list[evaluation.NetworkResult], list[str]]:
    """Return the results of all networks here, one per network, seed and step; and what is missing."""
    here, missing = weights_here(profile)
    found: list[evaluation.NetworkResult] = []
    for one in tqdm(here, desc="networks", unit="network"):
        found += measured(one, profile, device, resamples)
    return found, missing


def ladder(found: list[evaluation.NetworkResult], baseline: tuple[str, str] = BASELINE) -> pd.DataFrame:
    """Return one row per network, step and benchmark: means over seeds, and differences to a baseline.

    Args:
        found: of ``measure_all``.
        baseline: network and step; by default ERFNet's MSP.

    Returns:
        ``network`` and ``step``, then the columns of ``evaluation.compare`` that say something here.

    Raises:
        ValueError: if the baseline is not among them.
    """
    frame = evaluation.compare(found, "\n".join(baseline))
    names = frame["training"].str.split("\n", expand=True)
    frame.insert(0, "network", names[0])
    frame.insert(1, "step", names[1])
    dropped = ["weights", "training", "seed", "epochs", "height", "width", "score", "temperature", "baseline"]
    dropped += [
        "score_of_baseline",
        "classes_in_miou",
        "classes_in_score",
        "speed",
        "constant",
        "largest_tie",
    ]
    return frame.drop(columns=dropped)


def with_hindsight(found: list[evaluation.NetworkResult], final: tuple[str, str]) -> pd.DataFrame:
    """Return how a detector stands beside the best of all others, chosen anew for each benchmark and metric.

    The other steps of the same network, and of those that go on from it, are no opponents.

    Args:
        found: of ``measure_all``.
        final: network and step.

    Returns:
        One row per benchmark and metric: ``final``, ``opponent``, its ``value`` and ``seeds``; the
        ``difference`` in points, positive where the final one is better, with its interval;
        ``beyond_images``, ``beyond_seeds``.
    """
    return pd.DataFrame(list(_duels(ladder(found, final), final)))


def _duels(frame: pd.DataFrame, final: tuple[str, str]) -> Iterator[dict]:
    """Yield the rows of ``with_hindsight`` from differences to the final detector."""
    own = frame["network"].isin(ONE_FAMILY if final[0] in ONE_FAMILY else {final[0]})
    for benchmark, rows in frame.groupby("benchmark", sort=False):
        mine = rows[(rows["network"] == final[0]) & (rows["step"] == final[1])].iloc[0]
        others = rows[~own.loc[rows.index]]
        for metric, sign in (("auprc", 1), ("fpr95", -1)):
            best = others.loc[(sign * others[metric]).idxmax()]
            ends = [-sign * best[f"{metric}_difference_{end}"] for end in ("low", "high")]
            yield {
                "benchmark": benchmark,
                "metric": metric,
                "chance": mine["chance"] if metric == "auprc" else evaluation.CHANCE_FPR95,
                "final": mine[metric],
                "opponent": f"{best['network']}, {best['step']}",
                "value": best[metric],
                "seeds": best["seeds"],
                "difference": -sign * best[f"{metric}_difference"],
                "difference_low": min(ends),
                "difference_high": max(ends),
                "beyond_images": best[f"{metric}_beyond_images"],
                "beyond_seeds": best[f"{metric}_beyond_seeds"],
            }


def of_each_seed(found: list[evaluation.NetworkResult]) -> pd.DataFrame:
    """Return one row per network, seed, step and benchmark."""
    frame = pd.concat([one.frame for one in found], ignore_index=True)
    names = frame["training"].str.split("\n", expand=True)
    columns = ["seed", "benchmark", "images", "chance", "auprc", "fpr95", "auroc", "miou"]
    return pd.DataFrame({"network": names[0], "step": names[1], **{name: frame[name] for name in columns}})
