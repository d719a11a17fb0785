"""Streets that were never photographed: small labelled scenes, drawn anew from a seed on any machine."""

from road_scenes.canvas import Style
from road_scenes.scenes import KINDS, Kind, Scene, draw, draw_anomaly
