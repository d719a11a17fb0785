"""How well a network segments what it knows."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch.nn import functional as F
from tqdm.auto import tqdm

from course_lib.data import Sample, evaluation_transform
from course_lib.evaluation import protocols
from course_lib.evaluation.scoring import logits_of, ready
from course_lib.evaluation.settings import Settings
from course_lib.labels import NUM_CLASSES
from course_lib.metrics import Confusion
from course_lib.models import Network


def confusion(
    network: Network, samples: Sequence[Sample], settings: Settings, progress: bool = True
) -> Confusion:
    """Return the confusion counts of a network, at the size of the targets.

    Args:
        network: any network; its device may change.
        samples: images with targets of train ids and 255.
        settings: images are resized as the protocol says (to ``size`` if it says native), but are in
            [0, 1] whatever the protocol. Logits are brought to the target's size, bilinear, before the
            argmax, which is over the known classes and void.
        progress: whether to show a progress bar.
    """
    size = protocols.input_size(protocols.find(settings.protocol), settings.size)
    transform = evaluation_transform(size or settings.size)
    channels = torch.tensor([*settings.known_classes, *range(NUM_CLASSES, network.num_classes)]).unique()
    counts = Confusion()
    with ready(network, replace(settings, protocol="benchmark")):
        for sample in tqdm(samples, desc="validation", unit="image", disable=not progress):
            image, target = transform(sample.image, sample.target)
            logits = logits_of(network, image[None], settings.device)
            logits = F.interpolate(logits, target.shape, mode="bilinear", align_corners=False)
            predicted = channels[logits[0, channels].argmax(dim=0).cpu()]
            counts.update(predicted, target)
    return counts
