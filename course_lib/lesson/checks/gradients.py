"""How a function changes with what it is given: what a training follows, and what ``.detach()`` cuts off."""

from collections.abc import Callable

import torch
from torch import Tensor


def gradients(function: Callable[..., Tensor], *inputs: Tensor) -> list[Tensor]:
    """Return how the sum of a function's result changes with every number of its inputs.

    Args:
        function: of as many tensors as there are inputs.
        inputs: floating tensors; they are left as they are.

    Returns:
        A tensor of the shape of each input, 0 where the result does not depend on it.

    Raises:
        ValueError: if the result depends on no input at all.

    >>> gradients(lambda x: x**2, torch.tensor([3.0]))
    [tensor([6.])]
    """
    given = [one.detach().clone().requires_grad_() for one in inputs]
    result = function(*given)
    if not (isinstance(result, Tensor) and result.requires_grad):
        raise ValueError("the result has no gradient: something like .detach() or .item() cut it off")
    return list(torch.autograd.grad(result.sum(), given, allow_unused=True, materialize_grads=True))
