"""The library behind the course *Real-Time Anomaly Segmentation for Road Scenes*."""

__version__ = "0.2.0"
