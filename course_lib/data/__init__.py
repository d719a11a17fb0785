"""Images and targets on disk, and how they become tensors."""

from course_lib.data.benchmark_images import BenchmarkImages, benchmarks_here
from course_lib.data.benchmarks import BENCHMARKS, Benchmark, find_benchmark
from course_lib.data.files import ImagePairs, Sample, read_image
from course_lib.data.layouts import IMAGE_SUFFIXES, OFFICIAL
from course_lib.data.mini import make_mini, mini_root
from course_lib.data.overlays import lay_over_cityscapes
from course_lib.data.profiles import PROFILES, Profile, TrainingDefaults, current_profile, find_profile
from course_lib.data.segmentation import SEGMENTATION_SETS, CamVid, Cityscapes
from course_lib.data.transforms import (
    Augmentation,
    evaluation_transform,
    resize_image,
    resize_mask,
    resized_pair,
    to_tensor,
)

__all__ = [
    "BENCHMARKS",
    "IMAGE_SUFFIXES",
    "OFFICIAL",
    "PROFILES",
    "SEGMENTATION_SETS",
    "Augmentation",
    "Benchmark",
    "BenchmarkImages",
    "CamVid",
    "Cityscapes",
    "ImagePairs",
    "Profile",
    "Sample",
    "TrainingDefaults",
    "benchmarks_here",
    "current_profile",
    "evaluation_transform",
    "find_benchmark",
    "find_profile",
    "lay_over_cityscapes",
    "make_mini",
    "mini_root",
    "read_image",
    "resize_image",
    "resize_mask",
    "resized_pair",
    "to_tensor",
]
