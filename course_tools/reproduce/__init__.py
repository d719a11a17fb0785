"""The paper's tables and figures by one command, and what it should have shown beside them."""

from course_tools.reproduce.bench import NUMBERS, WITHOUT_TRAINING, Job
from course_tools.reproduce.run import reproduce
