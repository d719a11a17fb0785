"""Images and targets on disk, and how they become tensors."""

from course_lib.data.benchmarks import BENCHMARKS, IMAGE_SUFFIXES, OFFICIAL, Benchmark, find_benchmark
from course_lib.data.datasets import (
    SEGMENTATION_SETS,
    BenchmarkImages,
    CamVid,
    Cityscapes,
    Enlarged,
    open_benchmarks,
)
from course_lib.data.files import (
    Augmentation,
    ImagePairs,
    Layout,
    Sample,
    Size,
    read_image,
    resize_image,
    resize_mask,
    resized_pair,
    size_for,
    to_tensor,
)
from course_lib.data.mini import make_mini, mini_root
from course_lib.data.outliers import paste_pieces
from course_lib.data.overlays import lay_over_cityscapes
from course_lib.data.profiles import (
    PROFILES,
    Profile,
    TrainingDefaults,
    benchmarks_here,
    current_profile,
    find_profile,
)
