"""Networks as ONNX files, in float32 or with 8 bits, and onnxruntime to run them.

Needs the packages of the extra ``export``; they are imported only when something here is called.
"""

import contextlib
import copy
import itertools
import logging
import sys
import tempfile
import warnings
from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from course_lib.inference.fast import Optimizations, accelerate
from course_lib.models import Network, check_images
from course_lib.models.network import enlarge, pad_to_multiple

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

OPSET = 20
"""The version of the operators in a file; older runtimes may not know newer ones."""


def export_onnx(network: Network, path: Path) -> None:
    """Write a network into one ONNX file: RGB images in [0, 1] to logits of the same size.

    The file takes any number of images and every size whose sides are multiples of ``size_multiple``.

    Args:
        network: any trained network, on any device; it is left as it is.
        path: of the file, which is replaced.

    Raises:
        ValueError: if the packages are missing.
    """
    folded = accelerate(copy.deepcopy(network).cpu(), Optimizations(fold=True))
    write_onnx(_Exported(folded), network.size_multiple, path, "logits")


def write_onnx(module: nn.Module, size_multiple: int, path: Path, output: str) -> None:
    """Write what makes something of images into one ONNX file, for any number and size of them.

    Args:
        module: from RGB images (N, 3, H, W) in [0, 1] to one tensor; on the CPU, in evaluation mode.
        size_multiple: the file takes sides that are multiples of it.
        path: of the file, which is replaced.
        output: what the file calls the result.

    Raises:
        ValueError: if the packages are missing.
    """
    example = torch.full((2, 3, 4 * size_multiple, 8 * size_multiple), 0.5)
    height, width = (size_multiple * torch.export.Dim(name, min=1) for name in ("rows", "columns"))
    shapes = {"images": {0: torch.export.Dim("batch", min=1), 2: height, 3: width}}
    write_graph(module, (example,), path, ["images"], [output], shapes)


def write_graph(
    module: nn.Module,
    examples: tuple[Tensor, ...],
    path: Path,
    inputs: Sequence[str],
    outputs: Sequence[str],
    shapes: dict | None = None,
) -> None:
    """Write a module into one ONNX file.

    Args:
        module: on the CPU, in evaluation mode.
        examples: its inputs, whose shapes become those of the file, but for those in ``shapes``.
        path: of the file, which is replaced.
        inputs: their names.
        outputs: the names of what it returns.
        shapes: dimensions that may change, by input, as ``torch.export`` takes them.

    Raises:
        ValueError: if the packages are missing.
    """
    _check_packages()
    with _quiet(), torch.no_grad():
        torch.onnx.export(
            module,
            examples,
            path,
            input_names=inputs,
            output_names=outputs,
            dynamic_shapes=shapes,
            opset_version=OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
        )


class _Exported(nn.Module):
    """A network without checks and padding, which depend on values and so have no place in a file."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        logits = self.network.classifier(self.network.features(images))
        return enlarge(logits, images.shape[-2:], self.network.align_corners)


def quantise(network: Network, path: Path, training_batches: Iterable[Tensor]) -> None:
    """Write a network into one ONNX file with weights and activations of 8 bits.

    The range of each activation is measured on the given images, once (static quantisation).

    Args:
        network: any trained network; it is left as it is.
        path: of the file, which is replaced.
        training_batches: RGB float in [0, 1], shape (N, 3, H, W), any size.
            Training images, never those of a benchmark: ranges measured on them would know the answer.

    Raises:
        ValueError: if packages are missing, there is no batch, or images have another shape, type or range.

    Source: Jacob et al., "Quantization and Training of Neural Networks", CVPR 2018.
    """
    with tempfile.TemporaryDirectory() as folder:
        exported = Path(folder) / "fp32.onnx"
        export_onnx(network, exported)
        quantise_file(exported, path, training_batches, network.size_multiple)


def quantise_file(exported: Path, path: Path, training_batches: Iterable[Tensor], size_multiple: int) -> None:
    """Write an ONNX file that takes ``images`` with 8 bits; arguments and errors as of ``quantise``."""
    _check_packages()
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    batches = iter(training_batches)
    if (first := next(batches, None)) is None:
        raise ValueError("need one batch of training images or more to measure ranges on, got none")
    check_images(first)  # the others when it is their turn
    with tempfile.TemporaryDirectory() as folder, _quiet():
        prepared = Path(folder) / "prepared.onnx"
        # its symbolic shapes know no size that is a product, such as 8 times the rows
        quant_pre_process(exported, prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            path,
            _Reader(itertools.chain([first], batches), size_multiple),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            calibrate_method=CalibrationMethod.MinMax,
        )


class _Reader:
    """Hands images to onnxruntime one batch at a time, as its quantisation asks for them."""

    def __init__(self, batches: Iterator[Tensor], size_multiple: int) -> None:
        self.batches, self.size_multiple = batches, size_multiple

    def get_next(self) -> dict | None:
        batch = next(self.batches, None)
        if batch is None:
            return None
        check_images(batch)
        return {"images": pad_to_multiple(batch.float().cpu(), self.size_multiple).numpy()}


class NetworkInFile(Network):
    """A network that another program runs from a file; it is used as any other, and cannot be trained."""

    feature_channels, classifier_name = 0, ""

    def features(self, images: Tensor) -> Tensor:
        """Raise: the file leads from images to logits in one go."""
        raise NotImplementedError("an ONNX file has no features, only logits")


class OnnxNetwork(NetworkInFile):
    """A network that onnxruntime runs on the CPU."""

    def __init__(self, path: Path, size_multiple: int) -> None:
        """Open a file of ``export_onnx`` or ``quantise``; it takes as many threads as torch uses.

        Args:
            path: of the file.
            size_multiple: that of the exported network.

        Raises:
            ValueError: if the packages are missing.
        """
        super().__init__()
        self.size_multiple, self.session = size_multiple, onnx_session(path)

    @property
    def num_classes(self) -> int:
        """How many logits a pixel gets, as the file says."""
        return self.session.get_outputs()[0].shape[1]

    def head_logits(self, images: Tensor) -> list[Tensor]:
        """Return the logits (N, C, H, W)."""
        (logits,) = self.session.run(None, {"images": images.float().cpu().numpy()})
        return [torch.from_numpy(logits).to(images.device)]


def onnx_session(path: str | Path) -> "InferenceSession":
    """Open a file in onnxruntime, on the CPU, with as many threads as torch uses.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if it is no ONNX file, or packages are missing.
    """
    _check_packages()
    import onnxruntime

    if not Path(path).is_file():
        raise FileNotFoundError(f"no file {path}")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    try:
        return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # of a class of its own for each thing that can be wrong with a file
        reason = " ".join(str(error).split())[:200]
        raise ValueError(f"{path} is no ONNX file that can be used: {reason}") from None


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hold back warnings of the packages, which are about their own insides."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        logging.disable(before)


def _check_packages() -> None:
    """Raise a ValueError that says what to install if a package is missing."""
    missing = [name for name in ("onnx", "onnxscript", "onnxruntime") if find_spec(name) is None]
    if missing:
        install = f"{sys.executable} -m pip install {' '.join(missing)}"
        raise ValueError(f"ONNX needs {', '.join(missing)}: {install}")
