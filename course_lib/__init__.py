"""The library behind the course *Real-Time Anomaly Segmentation for Road Scenes*."""

import os

# Before torch is imported: threads of it that wait for each other leave the core to other programs. Beside
# busy ones ERFNet at 128 x 256 then takes a tenth of a second, otherwise many.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.2.0"
