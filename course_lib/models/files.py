"""Other people's ``.pth`` files: read them without running their code, and know their quirks."""

import hashlib
import warnings
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

CLASS_ORDERS = ("train-id", "unlabelled-first")
"""How the outputs of a file are ordered: train ids first and void last, or void first."""

GIT_BLOB_SHA1_UNLABELLED_FIRST = {
    "44ede15395be2d08030b28d9b6a4193a603ea318": "davidtvs/PyTorch-ENet, save/ENet_Cityscapes/ENet",
}
"""Public files known to be ordered unlabelled first, by the hash that git gives their content."""

# numbers saved beside the weights may be NumPy scalars, which are data and safe to load
_NUMPY_SCALARS = [
    np._core.multiarray.scalar,
    (np._core.multiarray.scalar, "numpy.core.multiarray.scalar"),  # its name in files of NumPy 1
    np.dtype,
    np.dtypes.Float64DType,
    np.dtypes.Float32DType,
    np.dtypes.Int64DType,
]


def known_class_order(path: Path) -> str:
    """Return the class order of a known public file, ``train-id`` for any other."""
    content = path.read_bytes()
    digest = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
    return "unlabelled-first" if digest in GIT_BLOB_SHA1_UNLABELLED_FIRST else "train-id"


def read_pth(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a public checkpoint, without the prefix ``module.``.

    Accepts a bare ``state_dict`` or a dictionary that holds one under that name.

    Raises:
        ValueError: if the file cannot be loaded as plain data, or holds no tensors by name.
    """
    try:
        with torch.serialization.safe_globals(_NUMPY_SCALARS), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of old pickle formats
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # broken pickles raise anything at all
        raise ValueError(
            f"{path} is not a weights file that is safe to load: it holds code, is cut short or is no "
            "PyTorch file; expected a state_dict: download it again or ask for one"
        ) from None
    if isinstance(content, dict):
        content = content.get("state_dict", content)
    if not isinstance(content, dict) or not content or not _are_tensors_by_name(content):
        raise ValueError(
            f"{path} holds a {type(content).__name__} that is no state_dict; expected tensors by name: "
            "is it a checkpoint?"
        )
    tensors = {name.removeprefix("module."): tensor for name, tensor in content.items()}
    if len(tensors) < len(content):
        raise ValueError(f"{path} holds some weights twice, with and without module.; ask for a clean file")
    return tensors


def _are_tensors_by_name(content: dict) -> bool:
    """Tell whether a dictionary looks like a state_dict."""
    return all(isinstance(name, str) and torch.is_tensor(value) for name, value in content.items())
