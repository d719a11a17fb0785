"""The variables that a case hands to the learner's code: noticed when changed, and put back."""

import contextlib
import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor


class Arguments:
    """Copies of the tensors, arrays, lists and dictionaries that a function without arguments mentions."""

    def __init__(self, call: Callable[[], Any]) -> None:
        """Copy them."""
        self.variables = {
            name: (value, copied(value))
            for name, value in _mentioned(call)
            if isinstance(value, (Tensor, np.ndarray, list, dict))
        }

    def restore(self) -> str:
        """Put back what was changed; return the name of the first such variable, or an empty string."""
        changed = [name for name, (value, before) in self.variables.items() if _differs(value, before)]
        for name in changed:
            _put_back(*self.variables[name])
        return changed[0] if changed else ""


def copied(value: Any) -> Any:
    """Return a deep copy; of a tensor one without its history, which cannot be copied."""
    return value.detach().clone() if isinstance(value, Tensor) else copy.deepcopy(value)


def _mentioned(call: Callable[[], Any]) -> Iterator[tuple[str, Any]]:
    """Yield name and value of the global and enclosing variables that a function mentions."""
    for name in call.__code__.co_names:
        if name in call.__globals__:
            yield name, call.__globals__[name]
    for name, cell in zip(call.__code__.co_freevars, call.__closure__ or (), strict=True):
        yield name, cell.cell_contents


def _differs(value: Any, before: Any) -> bool:
    """Tell whether a variable is no longer what it was, NaN included; a list of tensors passes."""
    if not isinstance(value, (Tensor, np.ndarray)):
        with contextlib.suppress(RuntimeError, ValueError):
            return value != before
        return False
    now, then = torch.as_tensor(value).detach(), torch.as_tensor(before)
    return now.shape != then.shape or not torch.equal(now.nan_to_num(), then.nan_to_num())


def _put_back(value: Any, before: Any) -> None:
    """Give a changed variable its old content, in place."""
    if isinstance(value, Tensor):
        with torch.no_grad():
            value.set_(before) if value.shape != before.shape else value.copy_(before)
    elif isinstance(value, dict):
        value.clear()
        value.update(before)
    else:
        value[:] = before
