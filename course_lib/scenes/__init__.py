"""Streets that were never photographed: small labelled scenes, drawn anew from a seed on any machine."""

from course_lib.scenes.benchmarks import KINDS, Kind, draw_anomaly
from course_lib.scenes.scene import Scene, draw
from course_lib.scenes.style import Style

__all__ = ["KINDS", "Kind", "Scene", "Style", "draw", "draw_anomaly"]
