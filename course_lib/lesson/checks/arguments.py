"""The variables that a case hands to the learner's code: noticed when changed, and put back."""

import contextlib
import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor

WATCHED = (Tensor, np.ndarray, list, dict)


class Arguments:
    """Copies of the tensors, arrays, lists and dictionaries that a function without arguments mentions."""

    def __init__(self, call: Callable[[], Any]) -> None:
        """Copy them; what cannot be copied is not watched."""
        self.variables: dict[str, tuple[Any, Any]] = {}
        for name, value in _mentioned(call):
            if isinstance(value, WATCHED):
                with contextlib.suppress(TypeError, ValueError, RuntimeError):
                    self.variables[name] = value, copied(value)

    def restore(self) -> str:
        """Put back what was changed; return the name of the first such variable, or an empty string."""
        changed = [name for name, (value, before) in self.variables.items() if not same(value, before)]
        for name in changed:
            with contextlib.suppress(TypeError, ValueError, RuntimeError):
                _put_back(*self.variables[name])
        return changed[0] if changed else ""


def copied(value: Any) -> Any:
    """Return a deep copy; of tensors one without their history, which cannot be copied."""
    if isinstance(value, Tensor):
        return value.detach().clone()
    if type(value) in (list, tuple):
        return type(value)(copied(item) for item in value)
    if type(value) is dict:
        return {key: copied(item) for key, item in value.items()}
    return copy.deepcopy(value)


def same(value: Any, before: Any) -> bool:
    """Tell whether a variable is still what it was, inside lists and dictionaries as well; NaN equals NaN."""
    if isinstance(value, (list, tuple)) and isinstance(before, (list, tuple)):
        return len(value) == len(before) and all(map(same, value, before))
    if isinstance(value, dict) and isinstance(before, dict):
        return value.keys() == before.keys() and all(same(value[key], before[key]) for key in before)
    if isinstance(value, Tensor):
        return value.dtype == before.dtype and value.shape == before.shape and _equal(value, before)
    if isinstance(value, np.ndarray):
        return value.dtype == before.dtype and np.array_equal(
            value, before, equal_nan=value.dtype.kind in "fc"
        )
    return value is before or bool(value == before)


def _equal(value: Tensor, before: Tensor) -> bool:
    """Tell whether two tensors of one shape and dtype hold the same, NaN included."""
    equal = value.detach() == before
    return bool((equal | (value.isnan() & before.isnan())).all())


def _mentioned(call: Callable[[], Any]) -> Iterator[tuple[str, Any]]:
    """Yield name and value of the global and enclosing variables that a function mentions."""
    for name in call.__code__.co_names:
        if name in call.__globals__:
            yield name, call.__globals__[name]
    for name, cell in zip(call.__code__.co_freevars, call.__closure__ or (), strict=True):
        yield name, cell.cell_contents


def _put_back(value: Any, before: Any) -> None:
    """Give a changed variable its old content, in place."""
    if isinstance(value, Tensor):
        with torch.no_grad():
            value.data = before
    elif isinstance(value, dict):
        value.clear()
        value.update(before)
    else:
        value[:] = before
