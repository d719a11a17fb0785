"""The contract between solutions/, notebooks/ and nbgrader; solved lessons are run by test_demo_tags."""

import re

import nbformat
import pytest
from lesson_cells import checked, exercises
from nbgrader.utils import is_grade, is_locked, is_solution
from small_data import ROOT
from wrong_answers import BANKS

from course_lib.lesson.checks.check import NOT_ATTEMPTED
from course_lib.lesson.checks.ours import our_answer
from course_tools import release

SOURCES = sorted((ROOT / "solutions").glob("*/*.ipynb"))
LESSONS = [*SOURCES, *(ROOT / "solutions").glob("template.ipynb")]
EXERCISES = [(source.stem, exercise) for source in SOURCES for exercise in exercises(source)]
MISTAKES = [
    pytest.param(exercise, *edit, id=f"{lesson[:2]} {exercise.name}: {mistake}")
    for lesson, exercise in EXERCISES
    for mistake, edit in BANKS.get(lesson, {}).get(exercise.name, {}).items()
]
EXPLAINED = ("00", "01", "02")
STATED = r'^check = Check\("(\w+)", points=([\d.]+)\)$'
PARTS = (
    "**After this lesson you can**",
    "*Time: ",
    "### Take-away",
    "## Questions",
    "## What you can do now",
)
LONGEST_CELL_LINES, MOST_WORDS = 30, 90

pytestmark = pytest.mark.skipif(not SOURCES, reason="learners get no solutions/")
for_each_lesson = pytest.mark.parametrize("source", LESSONS, ids=lambda path: path.stem)
for_each_exercise = pytest.mark.parametrize("exercise", [e for _, e in EXERCISES], ids=lambda e: e.name)


def test_notebooks_are_up_to_date():
    assert list(release.outdated()) == [], "run: python3 start.py release"


@for_each_exercise
def test_the_right_answer_earns_everything_and_the_stub_nothing(exercise):
    for check in (exercise.check, exercise.hidden_check):
        points, report = checked(exercise, exercise.answer, check)
        assert type(points) is float and points == exercise.points and "✗" not in report
        points, report = checked(exercise, exercise.stub, check)
        assert type(points) is float and points == 0 and report == f"{exercise.name}: {NOT_ATTEMPTED}\n"


@pytest.mark.parametrize("name", [e.name for lesson, e in EXERCISES if lesson[:2] in EXPLAINED])
def test_our_answer_says_why_in_two_sentences(name):
    first, second = re.search(r"# Why: (.+)\n +# (.+)\n", our_answer(name)).groups()
    assert first.endswith(".") and second.endswith(".")


@pytest.mark.parametrize("exercise, old, new, phrase", MISTAKES)
def test_a_wrong_answer_is_rejected_with_a_message_that_points_at_the_mistake(exercise, old, new, phrase):
    assert old in exercise.answer, "the bank no longer fits the solution"
    points, report = checked(exercise, exercise.answer.replace(old, new), exercise.check)
    assert points < exercise.points and phrase in " ".join(report.split())


@pytest.mark.parametrize("lesson, exercise", EXERCISES, ids=[e.name for _, e in EXERCISES])
def test_every_exercise_has_a_bank_of_wrong_answers(lesson, exercise):
    assert len(BANKS[lesson][exercise.name]) >= 4


@for_each_lesson
def test_cells_keep_the_contract(source):
    cells = nbformat.read(source, as_version=4).cells
    for cell, above in zip(cells[1:], cells, strict=False):
        if is_grade(cell) and cell.cell_type == "code":
            assert is_solution(above), "a check stands directly under its answer"
            assert cell.source.splitlines()[-1] == "check.points()"
            stated = re.search(STATED, cell.source, flags=re.MULTILINE)
            assert float(stated[2]) == cell.metadata.nbgrader.points
            assert re.search(rf"^(def|class) {stated[1]}\b", above.source, flags=re.MULTILINE)
            assert [cell.metadata.nbgrader.grade_id, above.metadata.nbgrader.grade_id] == [
                f"{stated[1]}_check",
                f"{stated[1]}_answer",
            ]
    assert all(not cell.get("outputs") and not cell.get("execution_count") for cell in cells)


@for_each_lesson
def test_an_answer_in_words_stands_under_its_question_and_is_not_released(source):
    cells = nbformat.read(source, as_version=4).cells
    released = nbformat.reads(release.student_version(source), as_version=4).cells
    for above, cell, stub in zip(cells, cells[1:], released[1:], strict=False):
        if cell.cell_type == "markdown" and "nbgrader" in cell.metadata:
            assert is_grade(cell) and is_solution(cell) and not is_locked(cell)
            assert cell.metadata.nbgrader.grade_id.endswith("_essay")
            assert above.cell_type == "markdown" and "nbgrader" not in above.metadata
            stated = re.match(r"### Exercise: in your own words \((\d+) points\)\n", above.source)
            assert int(stated[1]) == cell.metadata.nbgrader.points
            marks = cell.source.splitlines()[0], cell.source.splitlines()[-1]
            assert marks == ("### BEGIN SOLUTION", "### END SOLUTION") and stub.source == "YOUR ANSWER HERE"


def test_lessons_1_4_6_and_7_ask_for_one_answer_in_words_each():
    cells = {path.stem: nbformat.read(path, as_version=4).cells for path in LESSONS}
    graded = [lesson for lesson, found in cells.items() for c in found if is_grade(c) and is_solution(c)]
    assert graded == ["01_baseline_scoring", "04_training_losses", "06_reading_results", "07_what_works"]


@for_each_lesson
def test_only_checks_call_the_learners_code(source):
    """Until ``check.best`` has chosen, a call would stop the unsolved notebook."""
    cells = [c for c in nbformat.read(source, as_version=4).cells if c.cell_type == "code"]
    waiting: set[str] = set()
    for cell in cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "").removesuffix("_answer")
        chosen = set(re.findall(r"^(\w+) = check\.best\(\1, ", cell.source, flags=re.MULTILINE))
        waiting -= chosen
        if not is_grade(cell) and not is_solution(cell):
            called = {w for w in waiting if re.search(rf"(?<![\w.]){w}\(", cell.source)}
            assert not called, f"{called} before check.best"
        if is_solution(cell):
            waiting.add(name)


@for_each_lesson
def test_lessons_have_the_same_shape(source):
    cells = nbformat.read(source, as_version=4).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    code = [cell.source for cell in cells if cell.cell_type == "code"]
    assert re.match(r"# \d ", text)
    assert [part for part in PARTS if part not in text] == []
    assert text.count("<summary>Answer</summary>") == 5
    assert code[:2] == _set_up(SOURCES[0]), "the set-up cells are the same in all lessons"
    assert [source for source in code if _prose(source)] == [], "text belongs into Markdown cells"
    lengths = sorted(len(source.splitlines()) for source in code)
    assert lengths[len(lengths) // 2] <= 9 and lengths[-1] <= LONGEST_CELL_LINES
    too_long = [c.source[:60] for c in cells if c.cell_type == "markdown" and _words(c.source) > MOST_WORDS]
    assert too_long == []


def _prose(source):
    """Tell whether a code cell holds text: nothing but comments, or a heading or a list among them."""
    lines = [line for line in source.splitlines() if line.strip()]
    return all(line.startswith("#") for line in lines) or any(re.match(r"# (#|- )", line) for line in lines)


def _set_up(path):
    """Return the two code cells with which a notebook begins: what installs, and what imports."""
    cells = nbformat.read(path, as_version=4).cells
    return [cell.source for cell in cells if cell.cell_type == "code"][:2]


def _words(text):
    """Count the words of the running text: tables, hints, headings and questions are looked up, not read."""
    text = re.sub(r"<details>.*?</details>", "", text, flags=re.DOTALL)
    if "## Questions" in text:
        return 0
    return len(
        [word for line in text.splitlines() if not line.startswith(("|", "#", "-")) for word in line.split()]
    )
