"""What leaves a learner's kernel while grading, and what never enters it."""

import random

import numpy as np
import pytest
import torch
from exercise_records import run
from hypothesis import given, settings
from hypothesis import strategies as st
from small_notebooks import CHECK

from course_lib.lesson.checks.comparison import difference
from course_lib.lesson.checks.recording import KeyRecorder, same_randomness
from course_lib.lesson.checks.values import decode, encode
from course_tools.grading.lesson import key, probe

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
@settings(deadline=None, max_examples=100)
def test_plain_values_come_back_as_they_were(value):
    assert decode(encode(value)) == value


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.int64, torch.bool])
@pytest.mark.parametrize("shape", [(), (0, 3), (2, 3)])
def test_tensors_come_back_bit_for_bit(dtype, shape):
    tensor = (9 * torch.rand(shape)).to(dtype)
    back = decode(encode(tensor))
    assert back.dtype == dtype and back.shape == tensor.shape and torch.equal(back, tensor)
    assert torch.equal(
        decode(encode(tensor.t() if len(shape) == 2 else tensor)).cpu(),
        tensor.t() if len(shape) == 2 else tensor,
    )


def test_what_is_no_data_becomes_its_name_and_agrees_with_nothing():
    class Yes:
        def __eq__(self, other):
            return True

    assert encode(Yes()) == {"other": "Yes"} and difference(decode(encode(Yes())), 4)
    assert encode(torch.zeros((), dtype=torch.uint8).view(torch.bits8)) == {"other": "Tensor"}
    assert encode(np.float64(2)) != {"other": "float64"} and decode(encode(np.float64(2))) == 2


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"tensor": [1, 2]},
        {"int": "x"},
        {"pickle": "gASV"},
        [1],
        {"tensor": ["float32", [-1], ""]},
        {"array": ["f8,(", [1], "", False]},
        {"fraction": "1/0"},
        {"tensor": ["quint8", [], "AA=="]},  # would end the process
        {"tensor": ["float32", [1 << 40], ""]},
        {"dtype": "quint8"},
        {"fraction": "1e999999999"},  # would take for ever
    ],
)
def test_a_record_that_encode_never_makes_is_refused(data):
    with pytest.raises(ValueError, match="no recorded value"):
        decode(data)


def test_recorders_leave_randomness_alone():
    torch.manual_seed(0)
    first = torch.rand(1), random.random(), np.random.rand()
    torch.manual_seed(0)
    random.seed(1), np.random.seed(1)
    expected = random.random(), np.random.rand()
    random.seed(1), np.random.seed(1)
    with same_randomness():
        torch.rand(9), random.random(), np.random.rand()
    assert torch.equal(torch.rand(1), first[0]) and (random.random(), np.random.rand()) == expected


def test_a_probe_has_the_calls_and_nothing_of_what_is_expected():
    check = CHECK.replace("check.case", "right = 2 + 2\nunused = Check\ncheck.case", 1).replace(
        "2), 4)", "2), right, hint='h')"
    )
    code = probe(check, private='check.case("ten", lambda: twice(10), 20)')
    assert "right" not in code and "hint" not in code and "20" not in code and "6" not in code
    record = run(code, twice=lambda x: 2 * x)
    assert {name: decode(entry["value"]) for name, entry in record["cases"].items()} == {
        "two": 4,
        "three": 6,
        "ten": 20,
    }


def test_a_key_knows_what_is_right_and_what_is_hidden_and_calls_nothing():
    record = run(key(CHECK, 'check.case("ten", lambda: twice(10), 20, within=0.1)'))
    assert {name: decode(entry["expected"]) for name, entry in record["cases"].items()} == {
        "two": 4,
        "three": 6,
        "ten": 20,
    }
    assert [entry["hidden"] for entry in record["cases"].values()] == [False, True, True]
    assert record["cases"]["ten"]["within"] == 0.1


def test_draws_that_later_draws_depend_on_stay_in_a_probe():
    check = (
        'check = Check("twice", points=1)\ngenerator = torch.Generator().manual_seed(1)\n'
        "dropped = torch.rand(1, generator=generator)\nused = torch.rand(1, generator=generator)\n"
        'check.case("same", lambda: twice(used), 2 * used)\ncheck.points()'
    )
    found = run(probe(check), twice=lambda x: 2 * x, torch=torch)
    right = run(key(check), torch=torch)
    assert torch.equal(decode(found["cases"]["same"]["value"]), decode(right["cases"]["same"]["expected"]))


def test_a_key_recorder_is_told_what_is_right_by_a_function():
    recorder = KeyRecorder("twice", points=1)
    recorder.case("two", lambda: 1 / 0, lambda: 4)
    assert recorder.entries["two"]["expected"] == {"int": "4"}
