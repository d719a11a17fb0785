"""Detectors that need no training beyond the network's: recipes of scores, smoothing and known features.

``measures`` holds what is computed, ``detector`` the recipes and what runs one, ``fitting`` what it learns
from ordinary images, ``files`` how it is kept.
"""

from course_lib.detectors.detector import (
    RECIPES,
    Detector,
    DistancePart,
    Recipe,
    ScorePart,
    Statistics,
    find_recipe,
)
from course_lib.detectors.files import export_onnx, is_detector, load_detector, save_detector
from course_lib.detectors.fitting import ENTRIES, draw_banks, fit
from course_lib.detectors.measures import (
    MOST_BYTES,
    REACH,
    FeatureBank,
    digest_of,
    distance_to_known,
    smoothed,
)
