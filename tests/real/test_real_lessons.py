"""The lessons run on real images, too: the same cells, another profile."""

import pytest

from course_lib.lesson import notebooks
from course_tools import pages

REAL = [path for path in notebooks.lesson_files() if path.stem in ("00_start_here", "01_baseline_scoring")]


@pytest.mark.parametrize("path", REAL, ids=lambda path: path.stem)
def test_a_lesson_runs_on_real_images(path, monkeypatch, camvid):
    monkeypatch.setenv("COURSE_PROFILE", "camvid")
    executed = pages.execute(path)
    assert executed.error == "" and executed.points == 0
    shown = "\n".join(str(output) for cell in executed.notebook.cells for output in cell.get("outputs", []))
    assert "RoadAnomaly21" in shown and "mini_RoadAnomaly21" not in shown
    assert "14.8" in shown, "the prevalence of RoadAnomaly21"
