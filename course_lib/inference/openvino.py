"""OpenVINO, a runtime of Intel's for their processors and others, as one more way to run a network.

Needs the packages of the extra ``export``; they are imported only when something here is called.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor

from course_lib.inference.onnx import NetworkInFile
from course_lib.runtime import unknown_name

OPENVINO_PRECISIONS = ("f32", "bf16")
"""In which OpenVINO may compute, as it calls them; bf16 only where the processor has it."""


class OpenVinoNetwork(NetworkInFile):
    """A network that OpenVINO runs on the CPU."""

    def __init__(self, path: Path, size_multiple: int, precision: str = "f32") -> None:
        """Open a file of ``export_onnx``; it takes as many threads as torch uses.

        Args:
            path: of the file.
            size_multiple: that of the exported network.
            precision: one of ``OPENVINO_PRECISIONS``.

        Raises:
            ValueError: if the package is missing, or the precision unknown.
        """
        super().__init__()
        if find_spec("openvino") is None:
            raise ValueError(f"OpenVINO is not here: {sys.executable} -m pip install openvino")
        if precision not in OPENVINO_PRECISIONS:
            raise unknown_name("precision", precision, OPENVINO_PRECISIONS)
        import openvino

        self.size_multiple = size_multiple
        self.core = openvino.Core()
        self.settings = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": torch.get_num_threads(),
            "INFERENCE_PRECISION_HINT": precision,
        }
        self.model, self.shape, self.compiled = self.core.read_model(path), None, None

    @property
    def num_classes(self) -> int:
        """How many logits a pixel gets, as the file says."""
        return self.model.output(0).partial_shape[1].get_length()

    def head_logits(self, images: Tensor) -> list[Tensor]:
        """Return the logits (N, C, H, W); images of another shape than before are compiled for first."""
        if images.shape != self.shape:
            self.model.reshape(list(images.shape))
            self.compiled = self.core.compile_model(self.model, "CPU", self.settings)
            used = self.compiled.get_property("INFERENCE_PRECISION_HINT").to_string()
            if used != (asked := self.settings["INFERENCE_PRECISION_HINT"]):
                raise ValueError(f"OpenVINO has no {asked} on this processor; it would take {used}")
            self.shape = images.shape
        (logits,) = self.compiled(images.float().cpu().contiguous().numpy()).values()
        return [torch.from_numpy(logits.copy()).to(images.device)]
