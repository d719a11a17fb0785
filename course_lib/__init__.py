"""The library behind the course *Real-Time Anomaly Segmentation for Road Scenes*."""

import os

# Before torch is imported: threads of it that wait for each other leave the core to other programs. That
# costs time where there are none, and saves far more among several: site/speed.md has both.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.2.0"
