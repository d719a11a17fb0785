"""What nbval's run of a lesson is judged by."""

import os

import pytest
from whole_lessons import Whole

from course_lib import runtime

PICTURE = {"data": {"text/html": '<img alt="A road with a cow on it" src="">'}}
BARE = {"data": {"text/html": '<img src="">'}}
NOISE = {"output_type": "stream", "name": "stderr", "text": "Warning"}


def test_a_lesson_in_time_and_memory_with_described_pictures_is_right():
    assert Whole(9, 100, [PICTURE, PICTURE, {"name": "stdout", "text": "1"}]).troubles(1.4) == []


@pytest.mark.parametrize(
    ("whole", "peak_gb", "trouble"),
    [
        (Whole(9, 241, [PICTURE] * 2), 1, "took 241 s of processor time, not 240"),
        (Whole(9, 1, [PICTURE] * 2), 1.6, "held 1.60 GB, not 1.5"),
        (Whole(9, 1, [PICTURE, PICTURE, NOISE]), 1, "wrote to stderr: ['Warning']"),
        (Whole(9, 1, [PICTURE]), 1, "1 pictures, not 2"),
        (Whole(9, 1, [PICTURE, PICTURE, BARE]), 1, "1 pictures without words"),
    ],
)
def test_what_is_wrong_is_named(whole, peak_gb, trouble):
    assert whole.troubles(peak_gb) == [trouble]


def test_the_memory_of_another_process_is_measured():
    assert runtime.peak_memory(os.getpid()) == pytest.approx(runtime.peak_memory(), rel=0.05)
    assert 0 < runtime.peak_memory(os.getppid()) != runtime.peak_memory()
