"""Classes, ids, colours and void: every number that names a class stands here and nowhere else.

Targets hold the 19 Cityscapes *train ids* 0 to 18, and ``IGNORE`` where a pixel is void (unlabelled).
A network trained with void as a class has a 20th output, ``VOID``.
"""

import torch
from torch import Tensor

IGNORE = 255
"""The value of void pixels in targets and masks; it never reaches a metric."""

OUTLIER = 254
"""In targets of outlier exposure alone: a pixel of something strange that was pasted in."""

NUM_CLASSES = 19
"""How many Cityscapes classes there are, void not counted."""

VOID = 19
"""The output channel of void in a network with 20 outputs."""

# name, id in Cityscapes' labelIds files, colour in Cityscapes' own palette; the row number is the train id
_CLASSES = (
    ("road", 7, (128, 64, 128)),
    ("sidewalk", 8, (244, 35, 232)),
    ("building", 11, (70, 70, 70)),
    ("wall", 12, (102, 102, 156)),
    ("fence", 13, (190, 153, 153)),
    ("pole", 17, (153, 153, 153)),
    ("traffic light", 19, (250, 170, 30)),
    ("traffic sign", 20, (220, 220, 0)),
    ("vegetation", 21, (107, 142, 35)),
    ("terrain", 22, (152, 251, 152)),
    ("sky", 23, (70, 130, 180)),
    ("person", 24, (220, 20, 60)),
    ("rider", 25, (255, 0, 0)),
    ("car", 26, (0, 0, 142)),
    ("truck", 27, (0, 0, 70)),
    ("bus", 28, (0, 60, 100)),
    ("train", 31, (0, 80, 100)),
    ("motorcycle", 32, (0, 0, 230)),
    ("bicycle", 33, (119, 11, 32)),
)

CLASS_NAMES = tuple(name for name, _, _ in _CLASSES)
"""The 19 class names; the position is the train id."""

LABEL_IDS = tuple(label_id for _, label_id, _ in _CLASSES)
"""The id of each class in Cityscapes' ``*_labelIds.png``; the position is the train id."""

VOID_COLOUR = (210, 210, 220)
"""Void is drawn in a light grey that no class has."""

PALETTE = tuple(colour for _, _, colour in _CLASSES)
"""The RGB colour of each class, 0 to 255; the position is the train id."""

CAMVID_CLASSES = (
    ("sky", "sky"),
    ("building", "building"),
    ("pole", "pole"),
    ("road", "road"),
    ("pavement", "sidewalk"),
    ("tree", "vegetation"),
    ("sign", "traffic sign"),
    ("fence", "fence"),
    ("car", "car"),
    ("pedestrian", "person"),
    ("bicyclist", "bicycle"),
    ("unlabelled", None),
)
"""CamVid's name of each of its ids 0 to 11, and the Cityscapes class it is mapped to (None: void)."""

CAMVID_TO_TRAIN_ID = tuple(IGNORE if name is None else CLASS_NAMES.index(name) for _, name in CAMVID_CLASSES)
"""The train id of each CamVid id 0 to 11."""


def void_as_class(target: Tensor) -> Tensor:
    """Return what a network with a 20th output learns from: void pixels become the class ``VOID``.

    Args:
        target: integer, any shape; 0 to 18 are classes, ``IGNORE`` is void.

    Returns:
        A new tensor of the same shape and dtype.

    >>> void_as_class(torch.tensor([0, 18, 255]))
    tensor([ 0, 18, 19])
    """
    return target.masked_fill(target == IGNORE, VOID)


def colourise(target: Tensor) -> Tensor:
    """Paint train ids in the Cityscapes palette.

    Args:
        target: integer, any shape; 0 to 18 are classes, ``VOID`` and ``IGNORE`` are void.

    Returns:
        RGB in uint8, shape ``target.shape + (3,)``.

    Raises:
        ValueError: if an id is neither a class nor void.

    >>> colourise(torch.tensor([0, 255])).tolist()
    [[128, 64, 128], [210, 210, 220]]
    """
    known = (target >= 0) & (target <= VOID) | (target == IGNORE)
    if not known.all():
        unknown = target[~known].unique().tolist()
        raise ValueError(f"train ids are 0 to {VOID} and {IGNORE}, got {unknown}")
    table = torch.tensor([*PALETTE, VOID_COLOUR], dtype=torch.uint8)
    return table[target.long().clamp(max=VOID)]


class Titles(dict[str, str]):
    """How papers write the names of a table; what has no other title is written as it is called here."""

    def __missing__(self, name: str) -> str:
        """Return a name without an entry as its own title."""
        return name
