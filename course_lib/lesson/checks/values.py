"""The values of a learner's function as plain data and back, without running anything of the learner's."""

import base64
import math
from fractions import Fraction
from typing import Any

import numpy as np
import torch
from torch import Tensor

LARGEST = 4_000_000  # bytes of one tensor or array that are kept; the cases of an exercise are far smaller
NAMES = ("bool", "uint8", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64")
DTYPES = {name: getattr(torch, name) for name in (*NAMES, "complex64", "complex128")}  # others may crash
NUMBERS = "biufc"  # kinds of NumPy dtypes that hold numbers
SHORT = 60


def encode(value: Any) -> Any:
    """Return a value as lists, dictionaries, strings and numbers that JSON keeps exactly.

    Only exact types count, so that no method of a learner's class takes part. What is no data becomes the
    name of its type.
    """
    kind = type(value)
    if value is None or kind in (bool, str):
        return value
    if kind is int and abs(value) < 10**300:
        return {"int": str(value)}
    if kind in (float, Fraction):
        return {kind.__name__.lower(): value.hex() if kind is float else str(value)}
    if kind in (list, tuple, torch.Size):
        return {kind.__name__.lower(): [encode(item) for item in value]}
    if kind is dict:
        return {"dict": [[encode(key), encode(item)] for key, item in value.items()]}
    if kind is torch.dtype and value in DTYPES.values():
        return {"dtype": str(value).removeprefix("torch.")}
    is_tensor = kind in (Tensor, torch.nn.Parameter) and value.layout == torch.strided
    if is_tensor and value.dtype in DTYPES.values() and value.numel() * value.element_size() <= LARGEST:
        flat = value.detach().cpu().resolve_conj().resolve_neg().contiguous().reshape(-1)
        content = base64.b64encode(flat.view(torch.uint8).numpy().tobytes()).decode()
        return {"tensor": [str(value.dtype).removeprefix("torch."), list(value.shape), content]}
    is_array = kind is np.ndarray or (kind.__module__ == "numpy" and isinstance(value, np.generic))
    if is_array and value.dtype.kind in NUMBERS and value.nbytes <= LARGEST:
        content = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
        return {"array": [value.dtype.str, list(value.shape), content, isinstance(value, np.generic)]}
    return {"other": str(kind.__name__)[:SHORT]}


def decode(data: Any) -> Any:
    """Return the value that ``encode`` described.

    Raises:
        ValueError: if the data is nothing that ``encode`` makes.
    """
    if data is None or type(data) in (bool, str):
        return data
    try:
        ((kind, content),) = data.items()
        return READERS[kind](content)
    except Exception as error:  # it may come from a process in which a learner's code could do anything
        raise ValueError(f"no recorded value: {str(error)[:SHORT]}") from None


def _tensor(content: list) -> Tensor:
    """Read a tensor."""
    name, shape, text = content
    dtype, size = DTYPES[name], math.prod(shape)
    raw = bytearray(base64.b64decode(text, validate=True))
    if size == 0:
        return torch.empty(shape, dtype=dtype)
    return torch.frombuffer(raw, dtype=dtype, count=size).reshape(shape)


def _array(content: list) -> np.ndarray | np.generic:
    """Read an array or a NumPy number."""
    name, shape, text, is_number = content
    dtype = np.dtype(str(name))
    if dtype.kind not in NUMBERS:
        raise ValueError(name)
    array = np.frombuffer(base64.b64decode(text, validate=True), dtype).reshape(shape).copy()
    return array[()] if is_number else array


def _unknown(name: str) -> object:
    """Read what was no data: equal to nothing, it fails every case; its type is called as the learner's."""
    name = str(name)[:SHORT]
    return type(name, (), {"__repr__": lambda self: f"<{name}>"})()


READERS = {
    "int": int,
    "float": float.fromhex,
    "fraction": lambda text: Fraction(*map(int, text.split("/"))),  # not "1e999999999", which takes for ever
    "list": lambda items: [decode(item) for item in items],
    "tuple": lambda items: tuple(decode(item) for item in items),
    "size": lambda items: torch.Size([decode(item) for item in items]),
    "dict": lambda items: {decode(key): decode(item) for key, item in items},
    "dtype": DTYPES.__getitem__,
    "tensor": _tensor,
    "array": _array,
    "other": _unknown,
}
