"""Running a trained network faster: the same function with less work, or nearly the same with still less."""

from course_lib.inference.fast import (
    PRECISIONS,
    SPEEDS,
    Agreement,
    FastNetwork,
    Optimizations,
    accelerate,
    agreement,
    find_optimizations,
)
from course_lib.inference.onnx import (
    OPSET,
    NetworkInFile,
    OnnxNetwork,
    export_onnx,
    onnx_session,
    quantise,
    quantise_file,
    write_graph,
    write_onnx,
)
from course_lib.inference.openvino import OPENVINO_PRECISIONS, OpenVinoNetwork
