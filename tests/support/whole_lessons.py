"""A pytest plugin: what nbval's run of a lesson says of it as a whole."""

import re
from dataclasses import dataclass, field

import psutil
import pytest
from nbval.plugin import IPyNbCell

from course_lib import runtime

SECONDS = 240  # of processor time; here lessons need a third of it, on machines of CI up to twice as much
FEWEST_PICTURES = 2


@dataclass
class Whole:
    """A lesson while it runs."""

    cells: int = 0
    seconds: float = 0
    outputs: list[dict] = field(default_factory=list)

    def troubles(self, peak_gb: float) -> list[str]:
        """Return what is wrong with it."""
        noise = [output["text"] for output in self.outputs if output.get("name") == "stderr"]
        shown = [output.get("data", {}).get("text/html", "") for output in self.outputs]
        pictures = [html for html in shown if "<img" in html]
        speechless = [picture for picture in pictures if not re.search(r'alt="[^"]{20,}"', picture)]
        found = {
            f"took {self.seconds:.0f} s of processor time, not {SECONDS}": self.seconds > SECONDS,
            f"held {peak_gb:.2f} GB, not {runtime.LESSON_GB}": peak_gb > runtime.LESSON_GB,
            f"wrote to stderr: {noise}": noise,
            f"{len(pictures)} pictures, not {FEWEST_PICTURES}": len(pictures) < FEWEST_PICTURES,
            f"{len(speechless)} pictures without words": speechless,
        }
        return [what for what, is_so in found.items() if is_so]


lessons: dict[pytest.File, Whole] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Note what a cell of a lesson shows; after the last one, judge the lesson."""
    outcome = yield
    if isinstance(item, IPyNbCell):
        whole = lessons.setdefault(item.parent, Whole())
        whole.cells += 1
        whole.outputs += item.test_outputs
        if whole.cells == sum(cell.cell_type == "code" for cell in item.parent.nb.cells):
            kernel = item.parent.kernel.km.provisioner.pid
            peak_gb, whole.seconds = runtime.peak_memory(kernel), sum(psutil.Process(kernel).cpu_times()[:4])
            print(f"{item.parent.path.stem}: {whole.seconds:.1f} s, {peak_gb:.2f} GB")
            assert whole.troubles(peak_gb) == []
    return outcome
