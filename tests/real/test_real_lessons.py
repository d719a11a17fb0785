"""A lesson runs on real images, too: the same cells, another profile."""

from course_lib.lesson import notebooks
from course_tools import pages


def test_a_lesson_runs_on_real_images(monkeypatch, camvid):
    monkeypatch.setenv("COURSE_PROFILE", "camvid")
    (path,) = (path for path in notebooks.lesson_files() if path.stem == "01_baseline_scoring")
    executed = pages.execute(path)
    assert executed.error == "" and executed.points == 0
    shown = "\n".join(str(output) for cell in executed.notebook.cells for output in cell.get("outputs", []))
    assert "RoadAnomaly21" in shown and "mini_RoadAnomaly21" not in shown
    assert "14.8" in shown, "the prevalence of RoadAnomaly21"
