"""The command that watches: what it writes and shows, how it ends, and one line for what goes wrong."""

import itertools
import sys

import numpy as np
import pytest
import small_detectors
from small_data import write_image
from small_networks import write_network

from course_lib import deployment
from course_tools.__main__ import main
from course_tools.commands import watch

cv2 = pytest.importorskip("cv2", reason="OpenCV does not load here", exc_type=ImportError)

NOISE = np.random.default_rng(0).integers(0, 256, (9, 32, 48, 3), dtype=np.uint8)


@pytest.fixture
def weights(data_root):
    """A network of CamVid."""
    return write_network(data_root)


@pytest.fixture
def pictures(tmp_path):
    """A folder with two pictures of different shapes, and one that is none."""
    write_image(tmp_path / "street" / "a.png", NOISE[0])
    write_image(tmp_path / "street" / "b.jpg", np.full((90, 48, 3), 90, dtype=np.uint8))
    (tmp_path / "street" / "c.png").write_text("no picture")
    (tmp_path / "street" / "._a.jpg").write_text("left behind by another system")
    return tmp_path / "street"


@pytest.fixture
def drive(tmp_path):
    """A video of nine images, twelve a second."""
    path = tmp_path / "drive.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 12, (48, 32))
    for frame in NOISE:
        writer.write(frame)
    writer.release()
    return path


def watched(weights, source, *options):
    return main(["watch", "--model", "enet", "--weights", str(weights), "--source", str(source),
                 "--device", "cpu", *map(str, options)])  # fmt: skip


def frames_of(path):
    capture = cv2.VideoCapture(str(path))
    return list(itertools.takewhile(lambda frame: frame is not None, (capture.read()[1] for _ in range(99))))


def test_a_folder_becomes_a_video_and_what_is_no_picture_is_named(weights, pictures, capsys):
    film = pictures.parent / "new" / "film.mp4"
    assert watched(weights, pictures, "--into", film) == 1
    told = capsys.readouterr()
    assert "among the highest 5 %" in told.out and "2 image(s), " in told.out and str(film) in told.out
    assert told.err.count("left out:") == 1 and "c.png cannot be read" in told.err
    frames = frames_of(film)
    assert [frame.shape for frame in frames] == [(448, 672, 3)] * 2  # enlarged, so that words fit
    assert frames[1][:, :30].max() < 40, "the upright picture has bars beside it"


def test_a_video_keeps_its_images_and_their_rate(weights, drive):
    film = drive.with_name("film.mp4")
    assert watched(weights, drive, "--into", film, "--threshold", "0.3") == 0
    assert len(frames_of(film)) == len(NOISE)
    assert cv2.VideoCapture(str(film)).get(cv2.CAP_PROP_FPS) == 12


def test_scores_lie_over_the_image_with_an_outline_and_without_flicker():
    overlay, image = watch._Overlay(threshold=0.5), np.full((360, 640, 3), 128, dtype=np.uint8)
    scores = np.zeros((36, 64), dtype=np.float32)
    scores[20:32, 32:56] = 1
    drawn = overlay.draw(image, "msp", scores, "9.0 images per second")
    high, low = drawn[260, 400].astype(int), drawn[260, 100].astype(int)
    assert high.sum() > low.sum() + 100, "light is anomalous"
    outlined = (drawn == watch._Overlay.outline).all(axis=2)
    assert outlined[190:210, 400].any() and outlined[310:330, 400].any()
    assert not outlined[:190].any() and not outlined[210:310, 340:540].any()
    assert (drawn[:60] == 255).all(axis=2).any(), "words"
    again = overlay.draw(image, "msp", scores * 0.4, "")
    assert (again[260, 400] < high).any() and (again[260, 100] == low).all(), "the same colours as before"
    assert not (again == watch._Overlay.outline).all(axis=2).any()


def test_without_a_threshold_the_highest_scores_of_each_image_are_outlined():
    scores = np.arange(360 * 640, dtype=np.float32).reshape(360, 640)
    drawn = watch._Overlay(threshold=None).draw(np.zeros((360, 640, 3), np.uint8), "msp", scores, "")
    rows = np.flatnonzero((drawn == watch._Overlay.outline).all(axis=2).any(axis=1))
    assert 338 < rows.min() < 344, "of 360 rows the last 18"


def test_an_exported_file_brings_its_own_threshold(drive, capsys):
    path, film = drive.with_name("halving.onnx"), str(drive.with_name("film.mp4"))
    plan = deployment.Plan(size=small_detectors.SIZE, scores=("max_logit", "msp"))
    deployment.build(small_detectors.Halving().eval(), small_detectors.METADATA, plan, path, {})
    command = ["watch", "--weights", str(path), "--source", str(drive), "--into", film]
    assert main(command) == 0
    deployment.with_thresholds(path, {"max_logit": -2.5, "msp": 0.5}, {})
    assert main(command) == 0 and main([*command, "--threshold", "7"]) == 0
    told = capsys.readouterr().out
    lines = [line for line in told.splitlines() if "outlined is" in line]
    assert [line.partition("lies ")[2] for line in lines] == [
        "among the highest 5 %. Ctrl-C ends it.",
        "above -2.5. Ctrl-C ends it.",
        "above 7. Ctrl-C ends it.",
    ]


def test_ctrl_c_ends_with_a_video_that_plays(weights, drive, monkeypatch, capsys):
    scored, calls = watch._scored, itertools.count(1)

    def interrupted(*given, **named):
        if next(calls) == 4:
            raise KeyboardInterrupt
        return scored(*given, **named)

    monkeypatch.setattr(watch, "_scored", interrupted)
    film = drive.with_name("film.mp4")
    assert watched(weights, drive, "--into", film) == 0
    assert "3 image(s), " in capsys.readouterr().out and len(frames_of(film)) == 3


class Camera:
    """Three images, then nothing more."""

    def __init__(self, number):
        self.frames = iter(NOISE[:3])

    def read(self):
        frame = next(self.frames, None)
        return frame is not None, frame

    def set(self, *_):
        pass


def test_a_lost_camera_is_one_line_and_what_was_written_plays(weights, tmp_path, monkeypatch, capsys):
    film = tmp_path / "film.mp4"
    with monkeypatch.context() as patched:
        patched.setattr(cv2, "VideoCapture", Camera)
        assert watched(weights, "0", "--into", film) == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("error: camera 0 gives no more images") and frames_of(film)


def test_a_video_of_a_camera_takes_as_long_as_what_it_shows(tmp_path, monkeypatch):
    now = iter((0.0, 0.0, 0.02, 0.5))  # its start, then when each image was done
    monkeypatch.setattr(watch.time, "perf_counter", lambda: next(now))
    video = watch._Video(tmp_path / "film.mp4", watch._Source(iter(()), rate=10, is_live=True))
    for shade in (0, 100, 200):
        video.show(np.full((64, 64, 3), shade, dtype=np.uint8))
    video.close()
    shades = [frame.mean().round(-2) for frame in frames_of(tmp_path / "film.mp4")]
    assert shades == [0] + [200] * 5


def test_the_window_shows_images_until_q(weights, drive, monkeypatch, capsys):
    shown, keys = [], iter((-1, -1, ord("q")))
    monkeypatch.setattr(watch, "_check_display", lambda: None)
    for name in ("namedWindow", "resizeWindow", "destroyAllWindows"):
        monkeypatch.setattr(cv2, name, lambda *_: None)
    monkeypatch.setattr(cv2, "imshow", lambda _, image: shown.append(image))
    monkeypatch.setattr(cv2, "waitKey", lambda _: next(keys))
    monkeypatch.setattr(cv2, "getWindowProperty", lambda *_: 1)
    assert watched(weights, drive) == 0
    assert len(shown) == 3 and "3 image(s), " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ("absent.mp4", ["--into", "film.mp4"], "no video and no folder absent.mp4"),
        ("text.mp4", ["--into", "film.mp4"], "text.mp4 cannot be read as a video: it is damaged"),
        ("empty.mp4", ["--into", "film.mp4"], "empty.mp4 cannot be read as a video: it is empty"),
        ("bare", ["--into", "film.mp4"], "no picture in bare"),
        ("97", ["--into", "film.mp4"], "camera 97 gives no image: is it plugged in"),
        ("drive.mp4", ["--into", "drive.mp4"], "drive.mp4 is the source; write --into another file"),
        ("drive.mp4", ["--into", "film.avi"], "film.avi must end in .mp4"),
        ("drive.mp4", ["--into", "/dev/null/film.mp4"], "cannot write /dev/null/film.mp4"),
        ("drive.mp4", ["--into", "film.mp4", "--score", "void"], "the void score needs 20 outputs"),
        pytest.param("drive.mp4", [], "no window opens here: there is no display",
            marks=pytest.mark.skipif(sys.platform != "linux", reason="other systems always have one")),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_line(weights, drive, monkeypatch, capfd, source, options, message):
    monkeypatch.chdir(drive.parent)
    (drive.parent / "text.mp4").write_text("no video")
    (drive.parent / "empty.mp4").touch()
    (drive.parent / "bare").mkdir()
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    before = drive.read_bytes()
    assert watched(weights, source, *options) == 2
    lines = capfd.readouterr().err.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("error: ") and message in lines[0]
    assert drive.read_bytes() == before and not (drive.parent / "film.mp4").exists()


def test_a_missing_package_is_one_line_with_the_cure(weights, drive, monkeypatch, capsys):
    monkeypatch.setattr(watch, "cv2", None)
    monkeypatch.setattr(watch, "missing", ImportError("libGL.so.1: no such file"), raising=False)
    assert watched(weights, drive) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and "(libGL.so.1: no such file)" in told
    assert f"{sys.executable} -m pip install opencv-python" in told
