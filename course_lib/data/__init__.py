"""Images and targets on disk, and how they become tensors."""

from course_lib.data.benchmarks import BENCHMARKS, Benchmark, BenchmarkImages
from course_lib.data.files import Sample
from course_lib.data.segmentation import SEGMENTATION_SETS, CamVid
from course_lib.data.transforms import (
    evaluation_transform,
    resize_image,
    resize_mask,
    to_tensor,
    training_transform,
)

__all__ = [
    "BENCHMARKS",
    "SEGMENTATION_SETS",
    "Benchmark",
    "BenchmarkImages",
    "CamVid",
    "Sample",
    "evaluation_transform",
    "resize_image",
    "resize_mask",
    "to_tensor",
    "training_transform",
]
