"""Streets that were never photographed: small labelled scenes, drawn anew from a seed on any machine."""

from road_scenes.benchmarks import KINDS, Kind, draw_anomaly
from road_scenes.scene import Scene, draw
from road_scenes.style import Style

__all__ = ["KINDS", "Kind", "Scene", "Style", "draw", "draw_anomaly"]
