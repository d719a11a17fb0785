"""``watch``: look for anomalies in what a camera, a video or a folder of pictures shows."""

import argparse
import contextlib
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps
from tqdm.auto import tqdm

from course_lib import data, evaluation
from course_lib.deployment import DeployedFile
from course_lib.runtime import what_instead
from course_tools.commands import options as shared
from course_tools.commands import parser_of

# what goes wrong is said here, in one line; the last would be about fonts
os.environ |= {"OPENCV_LOG_LEVEL": "OFF", "OPENCV_FFMPEG_LOGLEVEL": "-8", "QT_LOGGING_RULES": "*=false"}
try:
    import cv2
except ImportError as error:  # the command can still explain itself
    cv2, missing = None, error

DESCRIPTION = """\
Show a camera, a video or a folder of pictures with the anomaly score laid over it (light is more anomalous),
an outline around what lies above a threshold, and the images per second of the whole chain: decode, resize,
network, score, draw.
"""

EPILOG = """\
examples:
  python3 start.py watch --weights results/mini/export/erfnet_ce_fp32.onnx
  python3 start.py watch --source drive.mp4 --threshold 0.4 --into results/watched.mp4
Ctrl-C ends it, in the window also q; a video that was begun is finished and plays. A camera gives no more
images per second than it takes. Exit status: 0 done, 1 a picture could not be read, 2 wrong usage, no
camera, no display.
"""

SHARE = 0.05
"""Of the pixels of each image, the highest, are outlined where there is no threshold."""


def parser() -> argparse.ArgumentParser:
    """Describe the options."""
    described = parser_of("watch", DESCRIPTION, EPILOG)
    add = described.add_argument
    # fmt: off
    shared.add(described, "--model")
    shared.add(described, "--weights", help=shared.WEIGHTS_OR_DETECTOR)
    shared.add(described, "--profile", default="camvid",
        help="which shipped weights (default: %(default)s, the ones that know photographs)")
    shared.add(described, "--training", "--class-order")
    shared.add(described, "--score", nargs=1, help="of a network (default: msp)")
    shared.add(described, "--size", help="of every image, whatever its shape (default: its own shape)")
    shared.add(described, "--device", "--speed")
    add("--source", default="0", metavar="0|VIDEO|FOLDER",
        help="the number of a camera, a video, or a folder of pictures (default: %(default)s)")
    add("--threshold", type=float, metavar="T", help="outline what lies above (default: that of an exported "
        f"file; without one, the highest {100 * SHARE:.0f} %% of the pixels of each image)")
    add("--into", type=Path, metavar="FILE.mp4", help="write a video instead of opening a window")
    # fmt: on
    return described


def main(options: argparse.Namespace) -> int:
    """Score and show one image after another until they end, or the user ends it."""
    if cv2 is None:
        cure = (
            f"{sys.executable} -m pip install opencv-python; a bare Linux also needs libgl1 and libglib2.0-0"
        )
        raise ValueError(f"watch needs OpenCV ({missing}): {cure}")
    shared.check_suffix(options.into, ".mp4")
    if options.into and options.into.resolve() == Path(options.source).resolve():
        raise ValueError(f"{options.into} is the source; write --into another file")
    bad: list[str] = []
    source = _source(options.source, bad)
    if options.into:
        shared.check_writable([options.into])
    else:
        _check_display()
    network, metadata, weights = shared.load_network_or_detector(options)
    options.scores = options.scores[:1]
    settings = shared.settings_of(options, metadata, network, resamples=0)
    network, threshold = evaluation.accelerated(network, settings), options.threshold
    if threshold is None and isinstance(network, DeployedFile):
        threshold = network.about.get("thresholds", {}).get(network.scores[0])
    overlay, screen = _Overlay(threshold), _Video(options.into, source) if options.into else _Window(source)
    print(f"{weights.name}: outlined is what lies {overlay.above}. Ctrl-C ends it.", flush=True)
    seconds, speed, shown, goes_on = deque(maxlen=30), "", 0, True
    bar, ready = tqdm(total=source.count, unit="image", disable=not options.into), evaluation.ready
    with contextlib.suppress(KeyboardInterrupt), contextlib.closing(screen), bar, ready(network, settings):
        while goes_on:
            start = time.perf_counter()
            if (image := next(source.images, None)) is None:
                break
            name, scores = _scored(network, image, settings, own_shape=not options.size)
            drawn = overlay.draw(image, name, scores, speed)
            seconds.append(time.perf_counter() - start)
            speed = f"{1 / median(seconds):.1f} images per second"
            goes_on = screen.show(drawn)
            shown += 1
            bar.update()
    print(
        f"{shown} image(s), {speed or 'none shown'}" + (f": {options.into}" if options.into and shown else "")
    )
    if bad:
        print(*(f"left out: {problem}" for problem in bad), sep="\n", file=sys.stderr)
    return int(bool(bad))


class _Source(NamedTuple):
    """Where images come from."""

    images: Iterator[np.ndarray]
    """RGB, uint8 (H, W, 3)."""
    rate: float
    """Images per second of a video that is written."""
    count: int | None = None
    """How many there are; None if nobody knows."""
    pause: int = 1
    """Milliseconds for which a window shows one before the next is taken."""
    is_live: bool = False
    """Whether time goes on while an image is computed."""


def _source(named: str, bad: list[str]) -> _Source:
    """Open a camera, a video or a folder; what is wrong with single pictures is added to ``bad``.

    Raises:
        FileNotFoundError: if nothing is there.
        ValueError: if it gives no image.
    """
    path, is_camera = Path(named), named.isdigit()
    if path.is_dir():
        found = [one for one in sorted(path.iterdir()) if one.suffix.lower() in data.IMAGE_SUFFIXES]
        if not (paths := [one for one in found if not one.name.startswith(".")]):
            raise FileNotFoundError(f"no picture in {path}")
        return _Source(_pictures(paths, bad), rate=2, count=len(paths), pause=500)
    if not is_camera and not path.is_file():
        raise FileNotFoundError(f"no video and no folder {path}")
    capture = cv2.VideoCapture(int(named)) if is_camera else cv2.VideoCapture(named, cv2.CAP_FFMPEG)
    capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # of a camera: else a slow network sees the past
    is_read, first = capture.read()
    if is_camera and not is_read:
        raise ValueError(f"camera {named} gives no image: is it plugged in, and does nothing else use it?")
    if not is_read:
        instead = what_instead(path) or "is damaged, or of a kind that OpenCV does not know"
        raise ValueError(f"{path} cannot be read as a video: it {instead}")
    if is_camera:
        return _Source(_frames(capture, first, f"camera {named}"), rate=10, is_live=True)
    rate, count = capture.get(cv2.CAP_PROP_FPS), int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    return _Source(_frames(capture, first), rate if 1 <= rate <= 240 else 25, count if count > 0 else None)


def _pictures(paths: list[Path], bad: list[str]) -> Iterator[np.ndarray]:
    """Yield pictures as they were held; say of others what is wrong."""
    for path in paths:
        try:
            yield np.asarray(ImageOps.exif_transpose(data.read_image(path)))
        except ValueError as error:
            bad.append(str(error))


def _frames(capture: "cv2.VideoCapture", first: np.ndarray, camera: str = "") -> Iterator[np.ndarray]:
    """Yield what an opened video or camera shows; that a camera ends is an error."""
    is_read, frame = True, first
    while is_read:
        yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
        is_read, frame = capture.read()
    if camera:
        raise OSError(f"{camera} gives no more images: is it still plugged in? What was written is kept")


def _scored(
    network: evaluation.Scorer, image: np.ndarray, settings: evaluation.Settings, own_shape: bool
) -> tuple[str, np.ndarray]:
    """Return the name of the score and its map, float32 (h, w) at the size of the network or the image."""
    if isinstance(network, DeployedFile):
        return next(iter(network.decide(image).scores.items()))
    picture = Image.fromarray(image)
    size = data.size_for(picture, settings.size, network.size_multiple) if own_shape else settings.size
    scored = evaluation.scored_photograph(network, "", picture, size, settings)
    (((name, _), scores),) = scored.maps.items()
    return name, scores.numpy()


class _Overlay:
    """Lays scores over images. The colours span the scores of all images so far: they do not flicker."""

    least_width = 640  # smaller images are drawn larger, so that the words fit
    outline = (0, 94, 213)  # vermilion; OpenCV's order is blue, green, red

    def __init__(self, threshold: float | None) -> None:
        self.threshold, self.low, self.high = threshold, np.inf, -np.inf
        self.above = (
            f"among the highest {100 * SHARE:.0f} %" if threshold is None else f"above {threshold:.4g}"
        )

    def draw(self, image: np.ndarray, name: str, scores: np.ndarray, speed: str) -> np.ndarray:
        """Return the image, RGB (H, W, 3), with its scores, (h, w), and two lines of text, as BGR."""
        sample = scores[::4, ::4]  # enough to know how they are spread
        low, high, highest = np.quantile(sample, (0.01, 0.99, 1 - SHARE))
        self.low, self.high = min(self.low, low), max(self.high, high)
        times = -(-self.least_width // image.shape[1])
        size = (times * image.shape[1], times * image.shape[0])
        image, scores = cv2.resize(image, size), cv2.resize(scores, size)
        levels = ((scores - self.low) / max(self.high - self.low, 1e-9)).clip(0, 1)
        colours = cv2.applyColorMap((255 * levels).astype(np.uint8), cv2.COLORMAP_VIRIDIS)
        drawn = cv2.addWeighted(cv2.cvtColor(image, cv2.COLOR_RGB2BGR), 0.6, colours, 0.4, 0)
        above = (scores > (highest if self.threshold is None else self.threshold)).astype(np.uint8)
        outlines, _ = cv2.findContours(above, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
        cv2.drawContours(drawn, outlines, -1, self.outline, 2)
        scale, share = size[0] / 1100, f": {100 * above.mean():.1f} %" if self.threshold is not None else ""
        words = f"{name} {self.above}{share}"
        for row, line in enumerate((words, speed), 1):
            place = (round(12 * scale), round(34 * scale * row))
            for colour, thick in ((0, 0, 0), 5), ((255, 255, 255), 2):  # readable on every ground
                thick = max(1, round(thick * scale))
                cv2.putText(drawn, line, place, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, thick, cv2.LINE_AA)
        return drawn


class _Window:
    """Shows images on the screen."""

    def __init__(self, source: _Source) -> None:
        self.pause = source.pause
        cv2.namedWindow("watch", cv2.WINDOW_NORMAL | cv2.WINDOW_GUI_NORMAL)
        cv2.resizeWindow("watch", 960, 640)

    def show(self, image: np.ndarray) -> bool:
        """Show an image, BGR; tell whether to go on: q, Esc and closing the window end it."""
        cv2.imshow("watch", image)
        key = cv2.waitKey(self.pause)
        return key not in (ord("q"), 27) and cv2.getWindowProperty("watch", cv2.WND_PROP_VISIBLE) > 0

    def close(self) -> None:
        """Close the window."""
        cv2.destroyAllWindows()


class _Video:
    """Writes images into a file, at the size of the first one."""

    def __init__(self, path: Path, source: _Source) -> None:
        self.path, self.source, self.writer, self.written = path, source, None, 0

    def show(self, image: np.ndarray) -> bool:
        """Write an image, BGR; of a camera as often as the time that has gone by asks for."""
        if self.writer is None:
            self.size, self.start = image.shape[1::-1], time.perf_counter()
            code = cv2.VideoWriter.fourcc(*"mp4v")  # what every build of OpenCV can write
            self.writer = cv2.VideoWriter(str(self.path), code, self.source.rate, self.size)
            if not self.writer.isOpened():
                raise ValueError(f"OpenCV cannot write {self.path}")
        if image.shape[1::-1] != self.size:
            image = np.asarray(ImageOps.pad(Image.fromarray(image), self.size))
        passed = int((time.perf_counter() - self.start) * self.source.rate) - self.written
        times = passed + 1 if self.source.is_live else 1
        for _ in range(times):
            self.writer.write(image)
        self.written += max(0, times)
        return True

    def close(self) -> None:
        """Finish the file."""
        if self.writer is not None:
            self.writer.release()


def _check_display() -> None:
    """Raise a ValueError if no window opens; tried in a process apart, which Qt ends without a display."""
    trial = [sys.executable, "-c", "import cv2; cv2.namedWindow('trial')"]
    if subprocess.run(trial, capture_output=True).returncode:
        raise ValueError(
            "no window opens here: there is no display, or OpenCV is the headless one; write --into FILE.mp4"
        )
