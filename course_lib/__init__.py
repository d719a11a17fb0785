"""The library behind the course *Real-Time Anomaly Segmentation for Road Scenes*."""

__version__ = "0.1.0"
