"""Results as figures. Every function returns the figure and never shows it."""

from course_lib.plots.score_maps import score_panels
from course_lib.plots.segmentation import segmentation_panels
from course_lib.plots.training import learning_curves

__all__ = ["learning_curves", "score_panels", "segmentation_panels"]
