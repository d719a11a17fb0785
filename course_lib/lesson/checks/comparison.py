"""Say in one line how a learner's result differs from the right one, without telling the answer's code."""

import math
import re
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from torch import Tensor

RELATIVE, ABSOLUTE = 1e-4, 1e-6  # float32 sums in another order differ by less

RESULT = "got "
"""How a problem begins that a look at the result does not explain, so that a hint is welcome.

It is about values alone: a problem with type, shape or dtype says it all, and begins in another way."""

WANTED = ", expected "
"""Between what came and what is right."""

COARSE = 0.01
"""So much, relatively, may be lost where numbers of 16 bits are summed up."""


def difference(actual: Any, expected: Any, within: float | None = None) -> str:
    """Compare two results.

    Args:
        actual: what the learner's code returned.
        expected: a tensor or array (its shape and kind of dtype count), a number, list or tuple (only values
            count), a dictionary of these, a bool, a string, a dtype or None.
        within: how far numbers may be off, relative to the right ones; rounding only if None.

    Returns:
        One line that says what is wrong, or an empty string if they agree.
    """
    if actual is None and expected is not None:
        return "it returned None; is a return missing?"
    if isinstance(expected, dict):
        return _of_dictionaries(actual, expected)
    if expected is None or isinstance(expected, (bool, str, torch.dtype)):
        if expected is not None and type(actual) is not type(expected):
            return _wrong_kind(actual, expected)
        return "" if actual == expected else f"{RESULT}{_brief(actual)}{WANTED}{expected!r}"
    if isinstance(expected, (tuple, list)) and not _is_numbers(expected):
        if type(actual) not in (tuple, list) or len(actual) != len(expected):
            return _wrong_kind(actual, expected)
        problems = [difference(*pair) for pair in zip(actual, expected, strict=True)]
        return next((f"{problem} in result {n}" for n, problem in enumerate(problems, 1) if problem), "")
    try:
        values, wanted = _as_tensor(actual), _as_tensor(expected)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        return _wrong_kind(actual, expected)
    if not _is_of_kind(actual, values, expected, wanted):
        return _wrong_kind(actual, expected)
    if _agree(values, wanted, max(within or 0, RELATIVE)):
        return ""
    if isinstance(expected, (tuple, list)):
        shown = f"{RESULT}{_brief(actual)}{WANTED}{_brief(expected)}"
        return _slip(values.double(), wanted.double(), shown) or shown
    return _of_numbers(values, wanted, within)


def explained(error: BaseException) -> str:
    """Return an error in one line, with the cure of those that everybody meets."""
    line = " ".join(f"{type(error).__name__}: {error}".split())
    line = re.sub(r'("[^"]+", "[^"]+"), (?:"[^"]+"(?:, )?)+', r"\1, ...", line)  # of many names the first two
    line = line[:200]  # torch lists all its backends
    if re.search(r"must be Tensor, not (int|float)", line):
        return f"{line}; of a plain number take the function in math, such as math.log"
    if "not implemented for" in line or "could not infer output dtype" in line:
        return f"{line}; convert with .float() first"
    return line


def _as_tensor(result: Any) -> Tensor:
    """Return a result as a tensor; only plain types, whose values cannot pretend to be equal to anything."""
    if type(result) is Fraction:
        result = float(result)
    plain = (Tensor, torch.nn.Parameter, np.ndarray, torch.Size, list, tuple, int, float, bool)
    if type(result) not in plain and not isinstance(result, np.generic):
        raise TypeError
    tensor = torch.as_tensor(result).detach().cpu()
    if tensor.is_complex():
        raise TypeError
    return tensor


def _is_numbers(expected: Any) -> bool:
    """Tell whether this is a plain number, or a sequence of them, or of such sequences."""
    if isinstance(expected, (tuple, list)):
        return all(map(_is_numbers, expected))
    return type(expected) in (int, float)


def _of_dictionaries(actual: Any, expected: dict) -> str:
    """Compare entry by entry."""
    if type(actual) is not dict:
        return _wrong_kind(actual, expected)
    if actual.keys() != expected.keys():
        return f"the keys are {_brief(list(actual))}, expected {_brief(list(expected))}"
    for key, value in expected.items():
        is_missing = actual[key] is None and value is not None  # here None is a value like others
        problem = f"{RESULT}None{WANTED}{value!r}" if is_missing else difference(actual[key], value)
        if problem:
            return f"{problem} for {key!r}"
    return ""


def _is_of_kind(actual: Any, values: Tensor, expected: Any, wanted: Tensor) -> bool:
    """Tell whether type, shape and kind of dtype are as they have to be."""
    if isinstance(expected, Tensor) and not isinstance(actual, Tensor):
        return False
    of_shape = Tensor.dim if isinstance(expected, (tuple, list)) else Tensor.size  # a length is an answer
    if of_shape(values) != of_shape(wanted):
        return False
    kind_counts = isinstance(expected, (Tensor, np.ndarray)) or values.dtype == torch.bool
    return not kind_counts or _kind(values) == _kind(wanted)


def _of_numbers(values: Tensor, wanted: Tensor, within: float | None) -> str:
    """Compare numbers that differ; name the mistakes that everybody makes."""
    came = values.dtype
    values, wanted = values.double(), wanted.double()
    wrong = ~torch.isclose(values, wanted, rtol=RELATIVE, atol=ABSOLUTE, equal_nan=True)
    wrong = wrong if wrong.any() else values != wanted  # whole numbers have no tolerance
    if values[wrong].isnan().any():
        return f"{RESULT}NaN in {int(values.isnan().sum())} of {values.numel()} values"
    got, right = values[wrong][0].item(), wanted[wrong][0].item()
    digits = next((n for n in (4, 6, 8) if f"{got:.{n}g}" != f"{right:.{n}g}"), 12)
    first = f"{RESULT}{got:.{digits}g}{WANTED}{right:.{digits}g}"
    if slip := _slip(values, wanted, first):
        return slip
    if within and _agree(values * wanted, torch.ones_like(wanted), within):
        return f"one over what is right: {first}"
    if within and _agree(values, wanted, 10 * within):
        return f"close, but not within {100 * within:g} %: {first}"
    rounded = (math.isclose(got, round(right, places), rel_tol=1e-6) for places in (2, 3, 4))
    if values.numel() == 1 and not within and any(rounded):
        return f"right but rounded: {first}"
    if _agree(values, wanted, COARSE) and came in (torch.float16, torch.bfloat16):
        return f"right but for the precision of {came}: {first}"
    return first if values.numel() == 1 else f"{first} ({int(wrong.sum())} of {wrong.numel()} values differ)"


def _slip(values: Tensor, wanted: Tensor, shown: str) -> str:
    """Name a factor by which all numbers are wrong; an empty string if it is none of the usual ones."""
    if _agree(values, 100 * wanted):
        return "100 times too large: a percentage, expected a fraction"
    if _agree(100 * values, wanted):
        return "100 times too small: a fraction, expected a percentage"
    return f"right but for the sign: {shown}" if _agree(values, -wanted) else ""


def _kind(values: Tensor) -> str:
    """Name what kind of numbers a tensor holds."""
    if values.dtype == torch.bool:
        return "a bool"
    return "a floating" if values.is_floating_point() else "an integer"


def _agree(values: Tensor, wanted: Tensor, relative: float = RELATIVE) -> bool:
    """Tell whether two tensors are equal but for rounding; whole numbers are not rounded."""
    if values.shape != wanted.shape:
        return False
    if not values.is_floating_point() and not wanted.is_floating_point():
        return torch.equal(values.long(), wanted.long())
    tolerance = {"rtol": relative, "atol": ABSOLUTE, "equal_nan": True}
    return torch.allclose(values.double(), wanted.double(), **tolerance)


def _wrong_kind(actual: Any, expected: Any) -> str:
    """Say what came and what should have come, without the values that are right."""
    came = f"{_brief(actual)} of type {type(actual).__name__}"
    if isinstance(actual, (Tensor, np.ndarray)):
        noun = "tensor" if isinstance(actual, Tensor) else "NumPy array"
        came = f"a {actual.dtype} {noun} of shape {tuple(actual.shape)}"
    elif isinstance(actual, tuple) and len(actual) > 1:
        came = f"{len(actual)} results at once"
    names = {bool: "True or False", str: "a text", dict: "a dictionary", torch.dtype: "a dtype"}
    wanted = names.get(type(expected), "a number")
    if isinstance(expected, (Tensor, np.ndarray)):
        wanted = f"{_kind(_as_tensor(expected))} tensor of shape {tuple(expected.shape)}"
    elif isinstance(expected, (tuple, list)):
        wanted = f"{len(expected)} {'numbers' if _is_numbers(expected) else 'results at once'}"
    return f"it returned {came}{WANTED}{wanted}"


def _brief(result: Any) -> str:
    """Show a result in a few characters."""
    text = repr(result)
    return text if len(text) <= 60 else text[:57] + "..."
