"""A check is fair: it finds what is wrong, says so, never stops the notebook, and gives a plain number."""

import json
import sys
from fractions import Fraction

import numpy as np
import pytest
import torch
from nbformat.v4 import new_code_cell, new_output
from nbgrader.utils import determine_grade
from small_notebooks import write_lesson

from course_lib import scores
from course_lib.lesson.checks import Check, SimulatedDevice, gradients, ours

LOGITS = torch.arange(24.0).reshape(1, 2, 3, 4)


def max_logit(logits):
    """Stand for a learner's function; each test gives it another body."""
    return -logits.amax(dim=1)


def check_of(answer, call=lambda: max_logit(LOGITS), expected=None, hint=""):
    """Make a check of one case in which ``max_logit`` is ``answer``."""
    globals()["max_logit"] = answer
    check = Check("max_logit", points=2)
    check.case("a case", call, scores.max_logit(LOGITS) if expected is None else expected, hint=hint)
    return check


@pytest.fixture(autouse=True)
def restored():
    """Put the learner's function back."""
    before = max_logit
    yield
    globals()["max_logit"] = before


def report(check, capsys):
    """Return what the check prints, in one line."""
    check.points()
    return " ".join(capsys.readouterr().out.split())


def test_a_right_answer_earns_all_points_and_is_used(capsys):
    check = check_of(lambda logits: -logits.amax(dim=1))
    assert check.points() == 2.0 and type(check.points()) is float
    assert check.best("mine", "ours") == "mine"
    assert "Going on with your own version." in capsys.readouterr().out


def test_a_wrong_answer_earns_nothing_and_the_lesson_goes_on_with_ours(capsys):
    check = check_of(lambda logits: logits.amax(dim=1) + 1, hint="mind the sign")
    assert "✗ a case: got 13, expected -12 (12 of 12 values differ) (hint: mind the sign)" in report(
        check, capsys
    )
    assert check.points() == 0.0 and check.best("mine", "ours") == "ours"


@pytest.mark.parametrize(
    "answer, problem",
    [
        (lambda logits: logits.amax(dim=1), "right but for the sign: got 12, expected -12"),
        (lambda logits: None, "it returned None; is a return missing?"),
        (
            lambda logits: -logits.amax(dim=1, keepdim=True),
            "a torch.float32 tensor of shape (1, 1, 3, 4), expected a floating tensor of shape (1, 3, 4)",
        ),
        (
            lambda logits: -logits.amax(dim=1).int(),
            "it returned a torch.int32 tensor of shape (1, 3, 4), expected a floating",
        ),
        (
            lambda logits: logits.amax(dim=1) > 3,
            "it returned a torch.bool tensor of shape (1, 3, 4), expected a floating",
        ),
        (lambda logits: (-logits.amax(dim=1)).tolist(), "of type list, expected a floating tensor"),
        (
            lambda logits: (-logits.amax(dim=1)).numpy(),
            "it returned a float32 NumPy array of shape (1, 3, 4), expected a floating tensor",
        ),
        (lambda logits: logits.max(dim=1), "it returned 2 results at once, expected a floating tensor"),
        (lambda logits: logits.amax(dim=1) * torch.nan, "got NaN in 12 of 12 values"),
        (
            lambda logits: -logits.amax(dim=1).half() - 0.05,
            "right but for the precision of torch.float16: got -12.05, expected -12",
        ),
        (lambda logits: -logits.amax(dim=1).half() - 1, "got -13, expected -12"),
        (lambda logits: "twelve", "it returned 'twelve' of type str, expected a floating tensor"),
        (lambda logits: -100 * logits.amax(dim=1), "100 times too large: a percentage, expected a fraction"),
        (lambda logits: -logits.amax(dim=1) / 100, "100 times too small: a fraction, expected a percentage"),
        (lambda logits: torch.log(2), "must be Tensor, not int; of a plain number take the function in math"),
        (
            lambda logits: torch.nn.Linear(2, 2).load_state_dict({f"layers.{n}": n for n in range(9)}),
            '"weight", "bias". Unexpected key(s) in state_dict: "layers.0", "layers.1", ...',
        ),
        (lambda logits: (logits > 0).mean(dim=1), "convert with .float() first"),
        (lambda logits: undefined(logits), "NameError: name 'undefined' is not defined"),  # noqa: F821
        (lambda logits: max_logit(logits), "RecursionError: maximum recursion depth exceeded"),
        (lambda logits: sys.exit(), "SystemExit"),
        (lambda logits: logits.mul_(-1).amin(dim=1), "it changed its argument `LOGITS` in place"),
    ],
)
def test_what_is_wrong_is_named_with_a_hint_where_values_alone_are_wrong(answer, problem, capsys):
    before = LOGITS.clone()
    check = check_of(answer, hint="which axis?")
    shown = report(check, capsys)
    assert problem in shown and ("which axis?" in shown) == problem.startswith("got") and not check.solved
    assert torch.equal(before, LOGITS), "arguments are put back"


def test_a_case_that_raises_does_not_cost_the_others(capsys):
    globals()["max_logit"] = lambda logits: -logits.amax(dim=1) if logits.shape[0] == 1 else 1 / 0
    check = Check("max_logit", points=1)
    check.case("one image", lambda: max_logit(LOGITS), scores.max_logit(LOGITS))
    check.case("two images", lambda: max_logit(LOGITS.repeat(2, 1, 1, 1)), 0.0)
    check.case("half", lambda: max_logit(LOGITS / 2), scores.max_logit(LOGITS / 2))
    assert check.points() == 0.67
    assert "max_logit: 0.67 of 1 point ✓ one image ✓ half ✗ two images: ZeroDivisionError" in report(
        check, capsys
    )


@pytest.mark.parametrize("wrong, points", [((), 2), (("slip",), 1), (("a",), 1.5), (("slip", "a", "b"), 0)])
def test_the_case_that_catches_the_named_slip_weighs_half(wrong, points, capsys):
    globals()["max_logit"] = lambda name: name not in wrong
    check = Check("max_logit", points=2)
    check.case("slip", lambda: max_logit("slip"), True, slip=True)
    check.case("a", lambda: max_logit("a"), True)
    check.case("b", lambda: max_logit("b"), True)
    assert check.points() == points
    assert ("✗ slip (half of the points)" in report(check, capsys)) == ("slip" in wrong)


def test_cases_that_fail_in_the_same_way_share_a_line_without_hints(capsys):
    globals()["max_logit"] = lambda logits: logits.missing
    check = Check("max_logit", points=1)
    for name in ("one", "two"):
        check.case(name, lambda: max_logit(LOGITS), 0.0, hint="a hint that would mislead")
    assert "✗ one; two: AttributeError: 'Tensor' object has no attribute 'missing'" in report(check, capsys)
    assert not any("hint" in problem for problem in check.problems.values())


@pytest.mark.parametrize(
    "came, within, problem",
    [
        (0.67, None, "right but rounded: got 0.67, expected 0.6667"),
        (0.66, None, "got 0.66"),
        (1.5, 0.01, "one over what is right: got 1.5"),
        (0.7, 0.01, "close, but not within 1 %: got 0.7"),
        (0.9, 0.01, "got 0.9"),
        ((0.5, -2), None, "right but for the sign: got (0.5, -2), expected (-0.5, 2)"),
    ],
)
def test_what_is_nearly_right_is_told_apart(came, within, problem, capsys):
    globals()["max_logit"] = lambda: came
    check = Check("max_logit", points=1)
    check.case("a case", max_logit, (-0.5, 2) if isinstance(came, tuple) else 2 / 3, within=within)
    assert f"✗ a case: {problem}" in report(check, capsys)


def test_a_fraction_counts_as_the_number_that_it_is():
    assert check_of(lambda logits: Fraction(3, 8), expected=0.375).solved


def test_dtypes_can_be_compared(capsys):
    assert check_of(lambda logits: logits.dtype, expected=torch.float32).solved
    check = check_of(lambda logits: logits.long().dtype, expected=torch.float32)
    assert "got torch.int64, expected torch.float32" in report(check, capsys)


def test_short_results_are_shown_whole(capsys):
    check = check_of(lambda logits: logits.shape, expected=(1, 3, 4), hint="the class dimension goes")
    problem = "got torch.Size([1, 2, 3, 4]), expected (1, 3, 4) (hint: the class dimension goes)"
    assert problem in report(check, capsys)


def test_the_stub_is_not_attempted(capsys):
    def max_logit(logits):
        raise NotImplementedError()

    max_logit.__code__ = max_logit.__code__.replace(co_qualname="max_logit")
    stub = "max_logit: not attempted yet; your code goes in place of `raise NotImplementedError()`"
    assert report(check_of(max_logit), capsys) == stub


class Block(torch.nn.Module):
    """Stand for a class of which the learner wrote one method."""

    def __init__(self):
        super().__init__()
        raise NotImplementedError()

    def half_done(self):
        len("rows")
        raise NotImplementedError()


@pytest.mark.parametrize("call, attempted", [(lambda: Block(), False), (lambda: Block.half_done(None), True)])
def test_a_stub_line_below_an_answer_is_named(call, attempted, capsys):
    check = Check("Block", points=1)
    check.case("a case", call, 1)
    assert check.attempted == attempted
    assert (
        "✗ a case: `raise NotImplementedError()` still stands below" in report(check, capsys)
    ) == attempted


def test_without_an_answer_the_lesson_goes_on(capsys):
    space = {"check": Check("no_answer", points=1)}
    exec("check.case('a case', lambda: no_answer(1), 1)\nused = check.best(no_answer, 'ours')", space)
    assert space["used"] == "ours"
    assert "✗ a case: there is no no_answer yet; run your answer cell" in report(space["check"], capsys)


@pytest.mark.parametrize(
    "expected, came",
    [
        (0.5, "got 0.25 (hint: h)"),
        (-0.25, "right but for the sign: got 0.25"),
        ((0.25, 0.5), "it returned 0.25 of type float, expected 2 numbers"),
        ({"a": 1}, "it returned 0.25 of type float, expected a dictionary"),
        ("road", "it returned 0.25 of type float, expected a text"),
        (torch.tensor([0.25]), "it returned 0.25 of type float, expected a floating tensor of shape (1,)"),
    ],
)
def test_a_secret_is_not_shown(expected, came, capsys):
    check = Check("max_logit", points=1)
    check.case("a case", lambda: 0.25, expected, hint="h", secret=True)
    assert report(check, capsys) == f"max_logit: 0 of 1 point ✗ a case: {came}"


@pytest.mark.parametrize(
    "answer",
    [
        lambda logits: torch.nn.Module()(logits),  # torch raises NotImplementedError, too
        lambda logits: unsolved_helper(logits),
    ],
)
def test_a_stub_elsewhere_is_a_failed_attempt(answer, capsys):
    assert "✗ a case: NotImplementedError" in report(check_of(answer), capsys)


def unsolved_helper(logits):
    """Stand for an earlier exercise that nobody solved."""
    raise NotImplementedError()


def test_a_check_run_again_after_best_does_not_count_the_librarys_version(capsys):
    check = check_of(scores.max_logit)
    assert "stands for the course's version now; run your answer cell again" in report(check, capsys)
    assert check.points() == 0


class Sly(float):
    """Claims to be equal to everything."""

    __eq__ = __ne__ = lambda self, other: True
    __hash__ = None


@pytest.mark.parametrize("expected", [0.5, "text", True, [0.5], torch.tensor(0.5), {"a": 0.5}])
def test_an_object_that_claims_to_be_equal_is_not(expected):
    assert not check_of(lambda logits: Sly(7), expected=expected).solved


@pytest.mark.parametrize(
    "expected, good, bad",
    [
        (0.5, [0.5, torch.tensor(0.5), np.float64(0.5), np.float32(0.5)], [0.501, True, "0.5", [0.5]]),
        (2, [2, 2.0, torch.tensor(2)], [3, False, 2 + 1j]),
        (100_000, [100_000], [100_001]),
        (
            (torch.ones(2), 1.0),
            [(torch.ones(2), 1.0)],
            [(torch.ones(2), 2.0), torch.ones(2), (torch.zeros(2), 1.0)],
        ),
        (["a", "b"], [["a", "b"]], [["a"], ["a", "c"], "ab"]),
        (True, [True], [1, 1.0, torch.tensor(True), "True"]),
        ("road", ["road"], ["Road", None]),
        ((1, 3), [(1, 3), [1, 3], torch.Size([1, 3])], [(3, 1), (1,), 1]),
        ({"a": 1, "b": 0.5}, [{"a": 1, "b": 0.5}], [{"a": 1}, {"a": 1, "b": 2}, [1, 0.5]]),
        (float("nan"), [float("nan")], [0.0]),
        (
            np.array([1, 2]),
            [np.array([1, 2]), torch.tensor([1, 2])],
            [np.array([1.0, 2.0]), np.array([2, 1])],
        ),
    ],
)
def test_types_count_where_they_matter(expected, good, bad):
    for result in good:
        assert check_of(lambda logits, result=result: result, expected=expected).solved, result
    for result in bad:
        assert not check_of(lambda logits, result=result: result, expected=expected).solved, result


def test_best_asks_the_right_check():
    check = check_of(lambda logits: -logits.amax(dim=1))

    def another(logits):
        return logits

    assert check.best(another, "ours") == "ours"


def test_our_answer_can_be_compared_where_the_solutions_are(tmp_path, monkeypatch, capsys):
    check = check_of(lambda logits: -logits.amax(dim=1))
    check.title = "twice"
    monkeypatch.setattr(ours, "SOLUTIONS", tmp_path)
    check.ours()
    assert "not in this copy" in capsys.readouterr().out
    check.best("mine", "theirs")
    assert "Compare" not in capsys.readouterr().out
    write_lesson(tmp_path / "07_lesson" / "07_lesson.ipynb")
    check.ours()
    assert capsys.readouterr().out == "def twice(x):\n    return 2 * x\n"
    check.best("mine", "theirs")
    assert "Compare it with ours: check.ours()" in capsys.readouterr().out


def test_two_cases_of_one_name_raise():
    check = check_of(max_logit)
    with pytest.raises(ValueError, match="two cases called 'a case'"):
        check.case("a case", lambda: 1, 1)


@pytest.mark.parametrize("earned, cases", [(0.0, []), (0.67, [1, 1, 0]), (2.0, [1, 1]), (0.0, [0])])
def test_nbgrader_reads_the_points(earned, cases, capsys):
    check = Check("max_logit", points=1 if earned == 0.67 else 2)
    for number, right in enumerate(cases):
        check.case(str(number), lambda right=right: right, 1)
    shown = new_output("execute_result", data={"text/plain": repr(check.points())})
    report = new_output("stream", text=capsys.readouterr().out)
    nbgrader = {"grade": True, "solution": False, "points": check.max_points}
    cell = new_code_cell(metadata={"nbgrader": nbgrader}, outputs=[report, shown])
    assert determine_grade(cell) == (earned, check.max_points)
    assert json.loads(repr(check.points())) == earned


def test_a_simulated_device_works_only_while_it_is_waited_for():
    device = SimulatedDevice([5.0, 1.0], waiting=2.0)
    device.run()
    assert device.clock() == 0.25
    device.wait()
    assert device.clock() == 0.25 + 2 + 5
    device.run()
    device.run()  # the last cost stands for all later runs
    device.wait()
    assert (device.clock(), device.runs) == (7.25 + 2 * 0.25 + 2 * 1, 3)


def test_gradients_are_of_the_sum_and_0_where_nothing_depends():
    x, y = torch.tensor([1.0, 2.0]), torch.tensor([3.0])
    squares, nothing = gradients(lambda a, b: a**2, x, y)
    assert squares.tolist() == [2, 4] and nothing.tolist() == [0] and not x.requires_grad
    with pytest.raises(ValueError, match=r"cut it off"):
        gradients(lambda a: (a**2).detach(), x)
