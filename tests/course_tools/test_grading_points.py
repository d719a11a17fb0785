"""From records to points: restored checks, judged values, and what an instructor should look at."""

import copy
import json

import nbformat
import pandas as pd
import pytest
from exercise_records import run
from nbconvert.filters.markdown_mistune import markdown2html_mistune
from nbformat.v4 import new_code_cell
from small_notebooks import ANSWER, CHECK, SETUP, nbgrader, write_lesson

from course_lib.lesson.checks.values import encode
from course_tools.grading.integrity import is_unanswered, restore, suspicions
from course_tools.grading.lesson import key, read_lesson
from course_tools.grading.points import judged, shown_points
from course_tools.grading.results import Results, fingerprint, write_table
from course_tools.grading.sandbox import Limits
from course_tools.grading.sanitize import harmless, rendered
from course_tools.grading.submissions import Job


@pytest.fixture
def lesson(tmp_path):
    write_lesson(tmp_path / "solutions" / "07_small" / "07_small.ipynb")
    return read_lesson("07_small", root=tmp_path)


def released(lesson):
    return copy.deepcopy(lesson.released)


def judge(lesson, records, said="2.0", alarms=(), stop=""):
    right = run(key(CHECK))
    outputs = [{"output_type": "execute_result", "data": {"text/plain": said}}] if said else []
    return judged(lesson.exercises[0], right, records, outputs, list(alarms), stop)


def record(**values):
    return {"cases": {name: {"problem": "", "value": encode(value)} for name, value in values.items()}}


def test_right_values_earn_their_points(lesson):
    graded = judge(lesson, [record(two=4, three=6)])
    assert (graded.points, graded.reasons) == (2.0, ()) and "✓ two" in graded.report


def test_hidden_cases_cost_points_and_tell_nothing(lesson):
    graded = judge(lesson, [record(two=4, three=7)])
    assert graded.points == 1.0 and graded.cases == {"two": True, "three": False}
    assert "6" not in graded.report and "7" not in graded.report


@pytest.mark.parametrize(("marked", "earned"), [("", 1.33), (", slip=True", 1.0)])
def test_the_judge_weighs_a_named_slip_as_the_check_does(lesson, marked, earned):
    check = CHECK.replace("twice(2), 4", f"twice(2), 4{marked}")
    check = check.replace("\ncheck.points", '\ncheck.case("five", lambda: twice(5), 10)\ncheck.points')
    graded = judged(lesson.exercises[0], run(key(check)), [record(two=0, three=6, five=10)], [], [], "")
    assert graded.suggested == earned


@pytest.mark.parametrize("said", ["", "1.0", "2", "nan", "300.0", "'2.0'", "1 == 2"])
def test_full_points_that_the_check_itself_did_not_see_are_held(lesson, said):
    graded = judge(lesson, [record(two=4, three=6)], said)
    assert graded.points is None and graded.suggested == 2.0 and "said" in graded.reasons[0]


def test_where_nothing_was_earned_the_values_decide_and_it_is_listed(lesson):
    graded = judge(lesson, [record(two=0, three=0)], "2.0")
    assert graded.points == 0.0 and graded.reasons == ("its check cell said 2, its values earn 0",)


@pytest.mark.parametrize(
    "records",
    [
        [],
        [record(two=4, three=6)] * 2,
        [record(two=4)],
        [record(two=4, three=6, four=8)],
        [7],
        [{"cases": []}],
        [{"cases": {"two": 4, "three": 6}}],
        [{"cases": {"two": {"problem": "", "value": {"pickle": ""}}, "three": {"problem": ""}}}],
    ],
)
def test_anything_but_one_whole_record_is_held(lesson, records):
    graded = judge(lesson, records)
    assert graded.points is None and graded.suggested == 0 and graded.reasons


def test_alarms_and_stops_hold_the_points(lesson):
    assert judge(lesson, [record(two=4, three=6)], alarms=["edited"]).points is None
    stopped = judge(lesson, [record(two=4, three=6)], stop="took more than 20 s")
    assert stopped.points is None and "took more than 20 s" in stopped.report


def test_only_one_plain_float_is_read_from_a_check_cell():
    result = {"output_type": "execute_result", "data": {"text/plain": "1.5"}}
    assert shown_points([{"output_type": "stream", "text": "noise"}, result]) == 1.5
    assert shown_points([result, result]) is None and shown_points([]) is None


def test_a_notebook_that_was_only_worked_in_gives_no_alarm(lesson):
    notebook = released(lesson)
    notebook.cells[2].source = "def twice(x):\r\n    return 2 * x\r\n"
    notebook.cells.insert(1, new_code_cell("import math"))
    cells, alarms = restore(notebook, lesson)
    assert not any(alarms.values()) and len(cells) == 5


def test_a_lost_check_comes_back_below_its_answer(lesson):
    notebook = released(lesson)
    del notebook.cells[3]
    cells, alarms = restore(notebook, lesson)
    assert [cell.source for cell in cells[-2:]] == [
        notebook.cells[2].source,
        lesson.exercises[0].check,
    ]
    assert alarms["twice"] == ["its check cell was deleted or renamed"]


def test_metadata_that_is_no_metadata_does_no_harm(lesson):
    notebook = released(lesson)
    for cell, value in zip(
        notebook.cells, ["text", [1], {"grade_id": 7}, {"grade_id": "twice_check"}], strict=True
    ):
        cell.metadata["nbgrader"] = nbformat.from_dict(value)
    cells, alarms = restore(notebook, lesson)
    assert alarms["twice"] and sum(cell.source == lesson.exercises[0].check for cell in cells) == 1


@pytest.mark.parametrize(
    ("source", "is_suspect"),
    [
        ("def twice(x):\n    return x + x", False),
        ("def twice(x):\n    return scores.twice(x)", True),
        ("from course_lib import scores\ndef twice(x):\n    return 2 * x", True),
        ("def twice(x):\n    return getattr(s, 'twice')(x)", True),
        ("def twice(x:", True),
        ("# mine\ndef twice(x):\n\n    a = x\n    b = (a + a)\n    return b", True),
        ("def twice(x):\n    both = x + x\n    half = both\n    return half", False),
    ],
)
def test_calls_of_the_library_and_the_published_solution_are_noticed(tmp_path, source, is_suspect):
    published = (
        "def twice(x):\n    ### BEGIN SOLUTION\n    a = x\n    b = a + a\n    return b\n    ### END SOLUTION"
    )
    write_lesson(tmp_path / "solutions" / "07_small" / "07_small.ipynb", answer=published)
    exercise = read_lesson("07_small", root=tmp_path).exercises[0]
    assert bool(suspicions(source, exercise)) == is_suspect


def test_what_is_shown_holds_no_scripts(lesson):
    cell = new_code_cell(SETUP, metadata=nbgrader("twice_check"))
    cell.outputs = [
        nbformat.v4.new_output(
            "display_data", {"text/html": "<script>", "text/plain": "x", "image/svg+xml": "<svg>"}
        ),
        nbformat.v4.new_output("display_data", {"application/javascript": "alert()"}),
    ]
    assert [dict(output.data) for output in harmless(cell).outputs] == [{"text/plain": "x"}]
    text = harmless(
        nbformat.v4.new_markdown_cell("**bold** <script>alert()</script> <img src=x onerror=alert()>")
    )
    assert "<script" not in text.source and "<img" not in text.source
    assert "<strong>bold</strong>" in text.source


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[x](javascript:alert&#40;1&#41;) <a href='&#106;avascript:a()'>e</a>", "<a>x</a> <a>e</a>"),
        ("[x](https://a.b/c?d=1) [y](../z)", '<a href="https://a.b/c?d=1">x</a> <a>y</a>'),
        ("![p](http://a.b/c.png) <img src=//a.b alt=q>", "<p>p q</p>"),
        ("![p](attachment:x) ![q](attachment:y)", '<img src="data:image/png;base64,AAAA" alt="p"> q'),
        ("<details><summary>s</summary>*t*</details>", "<details><summary>s</summary>"),
    ],
)
def test_texts_are_cleaned_after_they_are_rendered(text, shown):
    assert shown in rendered(text, {"x": {"image/png": "AA\nAA"}, "y": {"image/svg+xml": "AAAA"}})


@pytest.mark.parametrize("target", ["attachment:a", "a"])
def test_a_short_text_that_becomes_a_long_page_is_refused_at_once(target):
    text = f"{'![p](attachment:a) ' if target != 'a' else '[x][a] '}" * 2_000
    with pytest.raises(ValueError, match=r"becomes a page of .* MB, more than 16 MB"):
        rendered(f"{text}\n\n[a]: https://x/{'A' * 20_000}", {"a": {"image/png": "A" * 20_000}})


@pytest.mark.parametrize(
    "text",
    ["`[x](javascript:a)`", "\\[x\\](javascript:a)", "$$[x](javascript:a)$$", "a\n\n    [x](javascript:a)"],
)
def test_what_was_rendered_holds_nothing_that_a_second_look_would_render(text):
    once = rendered(text, {})
    again = markdown2html_mistune(once)
    assert again.strip() == once and "<a" not in again and "\n" not in once


def test_no_text_of_a_table_is_a_formula_and_umlauts_are_marked(tmp_path):
    table = pd.DataFrame({"student": ["@a", "=1+1", "-b", "ü-d"], "points": [-1.0, 2.0, 3.0, 4.0]})
    write_table(tmp_path / "t.csv", table)
    assert (tmp_path / "t.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    written = pd.read_csv(tmp_path / "t.csv")
    assert written["student"].tolist() == ["'@a", "'=1+1", "'-b", "ü-d"]
    assert written["points"].tolist() == [-1, 2, 3, 4]


@pytest.mark.parametrize(
    ("source", "says_no_more"),
    [
        ("", True),
        ("# mine\npass", True),
        ('def twice(x):\n    """Mine."""\n    pass\n    raise NotImplementedError\ny = 1', True),
        ("%matplotlib inline\ndef twice(x):\n    raise NotImplementedError", True),
        ("def twice(x):\n    return x + x", False),
        ("twice = lambda x: x + x", False),
        ("from mine import double as twice", False),
        ("def other(x):\n    twice = x", True),
        ("x = !ls", False),
    ],
)
def test_an_answer_that_gives_the_name_no_meaning_is_known(lesson, source, says_no_more):

    assert is_unanswered(source, lesson.exercises[0]) == says_no_more


@pytest.mark.parametrize(
    ("own", "told"),
    [
        ("%time import course_lib.lesson.checks as c\nc.Check.points = 2", "mentions Check"),
        ("%%time\ndef twice(x): return 4", "defines twice, too"),
        ("def other():\n    twice = 4", ""),
    ],
)
def test_what_other_cells_do_to_a_check_or_a_name_is_listed(lesson, own, told):
    listed = suspicions("def twice(x):\n    return x + x", lesson.exercises[0], [own])
    assert told in " ".join(listed) and bool(listed) == bool(told)


def test_hidden_tests_of_no_exercise_or_no_python_are_refused(tmp_path):
    write_lesson(tmp_path / "solutions" / "07_small" / "07_small.ipynb", answer=ANSWER)
    folder = tmp_path / "private" / "07_small"
    folder.mkdir(parents=True)
    (folder / "thrice.py").write_text("check.case('x', lambda: 1, 1)")
    with pytest.raises(ValueError, match="thrice"):
        read_lesson("07_small", tmp_path / "private", root=tmp_path)
    (folder / "thrice.py").write_text("check.case(")
    with pytest.raises(ValueError, match="no Python"):
        read_lesson("07_small", tmp_path / "private", root=tmp_path)


def test_every_change_that_matters_changes_the_fingerprint(lesson):
    job = Job("anna", lesson.name, b"x")
    marks = {
        fingerprint(job, lesson, Limits(), True),
        fingerprint(job, lesson, Limits(), False),
        fingerprint(job, lesson, Limits(seconds=1), True),
        fingerprint(Job("anna", lesson.name, b"y"), lesson, Limits(), True),
    }
    assert len(marks) == 4 and fingerprint(Job("anna", lesson.name, b"x"), lesson, Limits(), True) in marks


def test_kept_results_of_version_0_1_are_read_and_anything_else_is_refused_in_one_line(tmp_path):
    kept = {"student": "anna", "lesson": "07_small", "sandbox": True, "remarks": [], "exercises": []}
    kept |= {"notebook": "{}", "seconds": 9.5, "fingerprint": "0123"}
    path = tmp_path / "anna" / "07_small.json"
    path.parent.mkdir()
    path.write_text(json.dumps(kept))
    results = Results(tmp_path)
    assert results.read("anna", "07_small") == kept and list(results) == [kept]
    path.write_text("{half")
    assert results.read("anna", "07_small") is None, "it is graded again"
    path.write_text(json.dumps({"points": 3}))
    with pytest.raises(ValueError, match="no result of this grader"):
        results.read("anna", "07_small")
