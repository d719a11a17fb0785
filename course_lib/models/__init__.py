"""Networks by name, and their weights on disk."""

from course_lib.models.checkpoints import (
    CLASS_ORDERS,
    Encoder,
    Metadata,
    load,
    load_weights,
    metadata_from,
    read_encoder,
    read_network,
    read_safetensors,
    read_weights,
    save_checkpoint,
)
from course_lib.models.imagenet import IMAGENET, imagenet_encoder
from course_lib.models.network import (
    HEADS,
    IsoMaxPlus,
    LayerShape,
    Network,
    check_images,
    flush_subnormal,
    layer_shapes,
)
from course_lib.models.registry import NETWORKS, PAPER_NETWORKS, TITLES, build, with_void_output
from course_lib.models.scales import logits_and_scales, watched_scales
from course_lib.models.shipped import (
    public_file,
    public_source,
    results_folder,
    run_folder,
    shipped_file,
    shipped_weights,
)
