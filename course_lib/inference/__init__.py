"""Running a trained network faster: the same function with less work, or nearly the same with still less."""

from course_lib.inference.agreement import Agreement, agreement
from course_lib.inference.fast import FastNetwork, accelerate
from course_lib.inference.int8 import quantise
from course_lib.inference.onnx import OnnxNetwork, export_onnx
from course_lib.inference.optimizations import SPEEDS, Optimizations, find_optimizations

__all__ = [
    "SPEEDS",
    "Agreement",
    "FastNetwork",
    "OnnxNetwork",
    "Optimizations",
    "accelerate",
    "agreement",
    "export_onnx",
    "find_optimizations",
    "quantise",
]
