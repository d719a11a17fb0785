"""A check leaves its arguments as they were, and writes nothing but its report."""

import logging
import operator
import os
import sys
import warnings

import numpy as np
import pytest
import torch

from course_lib.lesson.checks import Check

LOGITS = torch.arange(24.0).reshape(1, 2, 3, 4)


def answer(logits):
    """Stand for a learner's function; each test gives it another body."""
    return -logits.amax(dim=1)


def checked(body, expected=None):
    """Make a check of one case in which ``answer`` is ``body``."""
    globals()["answer"] = body
    check = Check("answer", points=2)
    check.case("a case", lambda: answer(LOGITS), -LOGITS.amax(dim=1) if expected is None else expected)
    return check


@pytest.fixture(autouse=True)
def restored():
    """Put the learner's function back."""
    before = answer
    yield
    globals()["answer"] = before


def test_nothing_reaches_standard_error(capfd):
    def noisy(logits):
        warnings.warn("a warning", stacklevel=1)
        logging.getLogger().warning("a log line")
        print("python", file=sys.stderr)
        os.write(2, b"c code")
        os.system("echo child >&2")
        return -logits.amax(dim=1)

    check = checked(noisy)
    assert check.solved and capfd.readouterr().err == ""
    print("afterwards", file=sys.stderr)
    assert capfd.readouterr().err == "afterwards\n"


def test_an_expected_value_that_is_the_argument_is_safe():
    assert not checked(lambda logits: logits.add_(1), expected=LOGITS).solved


def test_lists_and_dictionaries_are_put_back():
    values = {"a": [1, 2]}
    globals()["answer"] = lambda given: given["a"].append(3) or 1
    check = Check("answer", points=1)
    check.case("a dictionary", lambda: answer(values), 1)
    assert values == {"a": [1, 2]} and "changed its argument `values`" in check.problems["a dictionary"]


@pytest.mark.parametrize(
    "argument, change",
    [
        ([torch.zeros(2)], lambda given: given[0].add_(1)),
        ({"a": [np.zeros(2)]}, lambda given: given["a"][0].fill(1)),
        (torch.tensor([1.0, torch.nan]), lambda given: given.nan_to_num_()),
        (torch.tensor([1.0, torch.inf]), lambda given: given.clamp_(max=1e9)),
        (torch.tensor([1.0]), lambda given: setattr(given, "data", given.double())),
        (np.array([1.0]), lambda given: given.resize((3,), refcheck=False)),
        (np.array(["a", "b"]), lambda given: given.fill("c")),
        ((torch.zeros(2), 1), lambda given: given[0].add_(1)),
        ([1.0, 2.0], lambda given: operator.setitem(given, 0, torch.ones(2))),
        ({"a": 1.0}, lambda given: operator.setitem(given, "a", torch.ones(2))),
        (np.array([1.0, 2.0], object), lambda given: operator.setitem(given, 0, torch.ones(2))),
        ([torch.zeros(2)], lambda given: operator.setitem(given, 0, torch.ones(2).to_sparse())),
    ],
)
def test_a_change_is_noticed_wherever_it_hides(argument, change):
    before = str(argument)
    globals()["answer"] = lambda given: change(given) or 1
    check = Check("answer", points=1)
    check.case("a case", lambda: answer(argument), 1)
    assert "changed its argument `argument`" in check.problems["a case"]
    assert str(argument) == before or isinstance(argument, np.ndarray)


def test_what_cannot_be_compared_or_copied_stops_nothing():
    strange = [torch.eye(2).to_sparse(), np.array([object()]), {"a": (i for i in "ab")}]
    for argument in strange:
        globals()["answer"] = lambda given: 1
        check = Check("answer", points=1)
        check.case("a case", lambda argument=argument: answer(argument), 1)
        check.case("another", lambda: answer(strange[0]), 1)
        assert check.points() == 1


def test_nothing_else_is_read_as_points(capfd):
    handler = logging.StreamHandler(sys.stderr)
    logging.getLogger().addHandler(handler)

    def noisy(logits):
        logging.getLogger().warning("a log line")
        sys.displayhook(2.0)
        return -logits.amax(dim=1)

    check = checked(noisy)
    logging.getLogger().removeHandler(handler)
    shown = capfd.readouterr()
    assert check.solved and shown.err == "" and "2.0" not in shown.out


def test_a_process_without_standard_error_is_served(monkeypatch):
    def no_descriptor(number):
        raise OSError("Bad file descriptor")

    monkeypatch.setattr("course_lib.lesson.checks.check.os.dup", no_descriptor)
    assert checked(lambda logits: -logits.amax(dim=1)).solved
