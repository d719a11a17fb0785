"""Whole numbers of 8 bits instead of float32: less memory, and faster on processors made for them."""

import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from torch import Tensor

from course_lib.inference.onnx import check_packages, export_onnx, quiet
from course_lib.models import Network


class _Reader:
    """Hands images to onnxruntime one batch at a time."""

    def __init__(self, batches: Iterable[Tensor]) -> None:
        self.batches: Iterator[Tensor] = iter(batches)

    def get_next(self) -> dict | None:
        batch = next(self.batches, None)
        return None if batch is None else {"images": batch.numpy()}


def quantise(network: Network, path: Path, training_batches: Iterable[Tensor]) -> None:
    """Write a network into one ONNX file with weights and activations of 8 bits.

    The range of each activation is measured on the given images, once (static quantisation).

    Args:
        network: any trained network; it is left as it is.
        path: of the file, which is replaced.
        training_batches: float32 in [0, 1], shape (N, 3, H, W), both sides multiples of ``size_multiple``.
            Training images, never those of a benchmark: ranges measured on them would know the answer.

    Raises:
        ValueError: if the packages are missing.

    Source: Jacob et al., "Quantization and Training of Neural Networks", CVPR 2018.
    """
    check_packages()
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, quantize_static
    from onnxruntime.quantization.shape_inference import quant_pre_process

    with tempfile.TemporaryDirectory() as folder, quiet():
        exported, prepared = Path(folder) / "fp32.onnx", Path(folder) / "prepared.onnx"
        export_onnx(network, exported)
        # its symbolic shapes know no size that is a product, such as 8 times the rows
        quant_pre_process(exported, prepared, skip_symbolic_shape=True)
        quantize_static(
            prepared,
            path,
            _Reader(training_batches),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            calibrate_method=CalibrationMethod.MinMax,
        )
