"""Networks by name, and their weights on disk."""

from course_lib.models.checkpoints import Metadata, load, load_weights, read_weights, save_checkpoint
from course_lib.models.encoders import Encoder, read_encoder
from course_lib.models.files import CLASS_ORDERS
from course_lib.models.heads import HEADS, IsoMaxPlus
from course_lib.models.network import Network, check_images
from course_lib.models.registry import NETWORKS, TITLES, build, with_void_output
from course_lib.models.shapes import LayerShape, layer_shapes
from course_lib.models.shipped import results_folder, run_folder, shipped_file, shipped_weights
from course_lib.models.subnormal import flush_subnormal

__all__ = [
    "CLASS_ORDERS",
    "HEADS",
    "NETWORKS",
    "TITLES",
    "Encoder",
    "IsoMaxPlus",
    "LayerShape",
    "Metadata",
    "Network",
    "build",
    "check_images",
    "flush_subnormal",
    "layer_shapes",
    "load",
    "load_weights",
    "read_encoder",
    "read_weights",
    "results_folder",
    "run_folder",
    "save_checkpoint",
    "shipped_file",
    "shipped_weights",
    "with_void_output",
]
