"""Every lesson runs in a real browser, and its explorers follow the keyboard.

Demo cells that no explorer needs are left out; nbval runs them, and test_lab opens lesson 0 as it is.
"""

import ast
from statistics import median

import nbformat
import pytest
from small_data import ROOT

LESSONS = sorted((ROOT / "notebooks").glob("[0-9]*/*.ipynb"))
COUNTS = {path: path.read_text(encoding="utf-8").count("_explorer(") for path in LESSONS}
EXPLORERS = {path: count for path, count in COUNTS.items() if count or path.stem != "00_start_here"}
"""How many there are in each lesson; without any, lesson 0 is test_lab's."""
TROUBLE = "[data-mime-type*=stderr], [data-mime-type*=error], [role=alert]"
EXPLORER = ".jp-OutputArea .widget-vbox:has([role=status])"
ARROWS, PAGES = ("ArrowRight", "ArrowLeft"), ("PageUp", "PageDown")
"""Notebook 7 takes the arrow keys away from sliders, to go from heading to heading."""
PRESSES = 8  # of an arrow on a slider: one step of a long one cannot be seen
RUN_WITHIN, ANSWER_WITHIN = 480_000, 30_000  # milliseconds on a busy machine

WATCH = """explorer => {
  window.times = [];
  explorer.addEventListener('keydown', () => { window.pressed = performance.now(); }, true);
  explorer.addEventListener('change', () => { window.pressed = performance.now(); }, true);
  new MutationObserver(changes => {
    if (changes.some(change => [...change.addedNodes].some(node => node.nodeName === 'IMG')))
      window.times.push(performance.now() - window.pressed);
  }).observe(explorer, {childList: true, subtree: true});
}"""
"""Notes how many milliseconds pass between a key and the picture that answers it."""


END_KERNELS = """async () => {
  const headers = {'X-XSRFToken': document.cookie.match(/_xsrf=([^;]+)/)[1]};
  for (const kernel of await (await fetch('/api/kernels')).json())
    await fetch(`/api/kernels/${kernel.id}`, {method: 'DELETE', headers});
}"""
"""The next lesson needs their memory."""


def folded(cell):
    """Tell whether a cell is folded: JupyterLab then shows no number beside it."""
    return cell.metadata.get("jupyter", {}).get("source_hidden", False)


def shortened(lesson, home):
    """Leave demo cells out of the copy of a lesson that the server in ``home`` has; return its path."""
    path = home / "course" / lesson.relative_to(ROOT)
    notebook = nbformat.read(path, as_version=4)
    notebook.cells = list(reversed([*needed(reversed(notebook.cells))]))
    nbformat.write(notebook, path)
    return path


def needed(cells):
    """Yield, from the last to the first, all but the demo cells that no explorer needs."""
    wanted = set()
    for cell in cells:
        if "demo" not in cell.metadata.get("tags", []):
            yield cell
            continue
        names = [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Name)]
        made = {node.id for node in names if isinstance(node.ctx, ast.Store)}
        if "_explorer(" in cell.source or made & wanted:
            wanted |= {node.id for node in names if isinstance(node.ctx, ast.Load)} - made
            yield cell


def run_all(page, lesson):
    """Run every cell and wait until each that is not folded has a number."""
    cells = nbformat.read(lesson, as_version=4).cells
    code = sum(cell.cell_type == "code" and not folded(cell) for cell in cells)
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=60_000)
    page.wait_for_timeout(3000)  # the kernel starts
    page.get_by_role("menuitem", name="Run", exact=True).first.click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.wait_for_function(
        "count => [...document.querySelectorAll('.jp-Notebook .jp-InputPrompt')]"
        ".filter(prompt => /\\d/.test(prompt.textContent)).length >= count",
        arg=code,
        timeout=RUN_WITHIN,
    )
    assert page.locator(TROUBLE).all_text_contents() == []


def shown(explorer):
    """Return the picture and the numbers of an explorer; ``innerText`` is empty while it is not painted."""
    return explorer.locator("img").get_attribute("src"), explorer.locator("[role=status]").text_content()


def press(page, explorer, control, key, times=1, back_to=None):
    """Press a key on a control; wait until picture or numbers have changed, or are again what they were."""
    before = shown(explorer)
    control.focus()
    assert control.evaluate("element => element === document.activeElement"), "the keyboard can reach it"
    for _ in range(times):
        page.keyboard.press(key)
    page.wait_for_function(
        "([explorer, picture, numbers, same]) => same === (explorer.querySelector('img').src === picture"
        " && explorer.querySelector('[role=status]').textContent === numbers)",
        arg=[explorer.element_handle(), *(back_to or before), back_to is not None],
        timeout=ANSWER_WITHIN,
    )
    page.wait_for_timeout(700)  # slower answers to earlier keys


def move(page, explorer, slider, keys):
    """Move a slider there and back."""
    low, now, high = (float(slider.get_attribute(f"aria-value{end}")) for end in ("min", "now", "max"))
    there, back = keys if now - low < high - now else reversed(keys)
    before, times = shown(explorer), PRESSES if keys == ARROWS and high - low > PRESSES else 1
    press(page, explorer, slider, there, times)
    moved = shown(explorer)
    press(page, explorer, slider, back, times, back_to=before)
    assert shown(explorer) == before, "back where it was, it shows what it showed"
    return [now != then for now, then in zip(moved, before, strict=True)]


def explore(page, explorer, keys):
    """Move every slider and tick every box; return the milliseconds that each answer took."""
    explorer.scroll_into_view_if_needed()
    explorer.evaluate(WATCH)
    changed = [move(page, explorer, slider, keys) for slider in explorer.locator("[role=slider]").all()]
    for box in explorer.locator("input[type=checkbox]").all():
        before = shown(explorer)
        press(page, explorer, box, "Space")
        changed.append([now != then for now, then in zip(shown(explorer), before, strict=True)])
    pictures, numbers = zip(*changed, strict=True)
    assert all(pictures) and any(numbers), "every control changes the picture, some the numbers as well"
    assert page.locator(TROUBLE).all_text_contents() == []
    return page.evaluate("window.times")


def explore_all(page, folder, keys=ARROWS):
    """Move every explorer of a page and keep a picture of each; print how fast they answered."""
    explorers = page.locator(EXPLORER)
    for i in range(explorers.count()):
        times = explore(page, explorers.nth(i), keys)
        explorers.nth(i).screenshot(path=folder / f"explorer{i}.png")
        name = explorers.nth(i).locator("[role=status]").get_attribute("aria-label")
        print(f"{name}: {len(times)} answers, median {median(times):.0f} ms, slowest {max(times):.0f} ms")
    return explorers.count()


@pytest.mark.parametrize("lesson", EXPLORERS, ids=lambda path: path.stem)
def test_a_lesson_runs_in_jupyterlab_and_its_explorers_follow_the_keyboard(
    page, lab_of_all, tmp_path, lesson
):
    address, home = lab_of_all
    path = shortened(lesson, home)
    page.goto(f"{address}/lab/tree/notebooks/{lesson.parent.name}/{lesson.name}?reset")
    run_all(page, path)
    assert explore_all(page, tmp_path) == EXPLORERS[lesson]
    page.evaluate(END_KERNELS)


def test_a_lesson_runs_in_notebook_7_and_its_explorers_follow_the_keyboard(page, notebook7, tmp_path):
    lesson = next(path for path in EXPLORERS if path.stem.startswith("03"))
    path = shortened(lesson, tmp_path)
    page.goto(f"{notebook7}/notebooks/notebooks/{lesson.parent.name}/{lesson.name}")
    run_all(page, path)
    assert explore_all(page, tmp_path, PAGES) == EXPLORERS[lesson]
