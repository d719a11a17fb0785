"""One file from a camera's pixels to a decision, for machines that have no torch.

Read ``build`` first, which writes such a file. ``opened`` runs it, and chooses its thresholds.
"""

from course_lib.deployment.build import PRECISIONS, Plan, build
from course_lib.deployment.graphs import with_thresholds
from course_lib.deployment.opened import Decision, DeployedFile, is_deployed, ordinary_quantiles
