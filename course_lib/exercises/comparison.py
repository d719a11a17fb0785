"""Say in one line how a learner's result differs from the right one, without telling the answer's code."""

from typing import Any

import numpy as np
import torch
from torch import Tensor

RELATIVE, ABSOLUTE = 1e-4, 1e-6  # float32 sums in another order differ by less

RESULT = "got "
"""How a problem begins that a look at the result does not explain, so that a hint is welcome."""


def difference(actual: Any, expected: Any) -> str:
    """Compare two results.

    Args:
        actual: what the learner's code returned.
        expected: a tensor or array (its shape and kind of dtype count), a number, list or tuple (only values
            count), a dictionary of these, a bool, a string or None.

    Returns:
        One line that says what is wrong, or an empty string if they agree.
    """
    if actual is None and expected is not None:
        return "it returned None; is a return missing?"
    if isinstance(expected, dict):
        return _of_dictionaries(actual, expected)
    if expected is None or isinstance(expected, (bool, str)):
        same = type(actual) is type(expected) and actual == expected
        return "" if same else f"{RESULT}{_brief(actual)}, expected {expected!r}"
    try:
        values, wanted = _as_tensor(actual), _as_tensor(expected)
    except (TypeError, ValueError, RuntimeError):
        return f"{RESULT}{_kind_of_result(actual)}, expected {_kind_of_result(expected)}"
    if isinstance(expected, (tuple, list)) and not _agree(values, wanted):
        return f"{RESULT}{_brief(actual)}, expected {_brief(expected)}"
    return _of_forms(actual, values, expected, wanted) or _of_values(values.double(), wanted.double())


def explained(error: BaseException) -> str:
    """Return an error in one line, with the cure of those that everybody meets."""
    line = " ".join(f"{type(error).__name__}: {error}".split())
    if "not implemented for" in line or "could not infer output dtype" in line:
        return f"{line}; convert with .float() first"
    return line


def _as_tensor(result: Any) -> Tensor:
    """Return a result as a tensor; only plain types, whose values cannot pretend to be equal to anything."""
    plain = (Tensor, torch.nn.Parameter, np.ndarray, torch.Size, list, tuple, int, float, bool)
    if type(result) not in plain and not isinstance(result, np.generic):
        raise TypeError
    return torch.as_tensor(result).detach().cpu()


def _of_dictionaries(actual: Any, expected: dict) -> str:
    """Compare entry by entry."""
    if type(actual) is not dict:
        return f"got {_brief(actual)} of type {type(actual).__name__}, expected a dictionary"
    if actual.keys() != expected.keys():
        return f"the keys are {_brief(list(actual))}, expected {_brief(list(expected))}"
    problems = [(key, difference(actual[key], value)) for key, value in expected.items()]
    return next((f"{key}: {problem}" for key, problem in problems if problem), "")


def _of_forms(actual: Any, values: Tensor, expected: Any, wanted: Tensor) -> str:
    """Compare types, shapes and kinds of dtype."""
    if isinstance(expected, Tensor) and not isinstance(actual, Tensor):
        return f"{RESULT}a {type(actual).__name__}, expected a tensor"
    if values.shape != wanted.shape:
        return f"{RESULT}the shape {tuple(values.shape)}, expected {tuple(wanted.shape)}"
    if isinstance(expected, (Tensor, np.ndarray)) and _kind(values) != _kind(wanted):
        return f"{RESULT}{values.dtype}, expected a {_kind(wanted)} dtype such as {wanted.dtype}"
    if "bool" == _kind(values) != _kind(wanted):
        return f"{RESULT}{_brief(actual)}, expected a number"
    return ""


def _kind(values: Tensor) -> str:
    """Name what kind of numbers a tensor holds."""
    if values.dtype == torch.bool:
        return "bool"
    return "floating" if values.is_floating_point() else "integer"


def _of_values(values: Tensor, wanted: Tensor) -> str:
    """Compare numbers of equal shape; name the mistakes that everybody makes."""
    if _agree(values, wanted):
        return ""
    wrong = ~torch.isclose(values, wanted, rtol=RELATIVE, atol=ABSOLUTE, equal_nan=True)
    if values[wrong].isnan().any():
        return f"{RESULT}NaN in {int(values.isnan().sum())} of {values.numel()} values"
    if _agree(values, -wanted):
        return "right but for the sign: it is the other way round"
    if _agree(values, 100 * wanted):
        return "100 times too large: a percentage, expected a fraction"
    first = f"{RESULT}{values[wrong][0]:.4g}, expected {wanted[wrong][0]:.4g}"
    return first if values.numel() == 1 else f"{first} ({int(wrong.sum())} of {wrong.numel()} values differ)"


def _agree(values: Tensor, wanted: Tensor) -> bool:
    """Tell whether two tensors are equal but for rounding."""
    if values.shape != wanted.shape:
        return False
    tolerance = {"rtol": RELATIVE, "atol": ABSOLUTE, "equal_nan": True}
    return torch.allclose(values.double(), wanted.double(), **tolerance)


def _kind_of_result(result: Any) -> str:
    """Say what a result is, where values cannot be compared."""
    if isinstance(result, Tensor):
        return "a tensor"
    if isinstance(result, tuple):
        return f"{len(result)} results at once"
    return f"{_brief(result)} of type {type(result).__name__}"


def _brief(result: Any) -> str:
    """Show a result in a few characters."""
    text = repr(result)
    return text if len(text) <= 60 else text[:57] + "..."
