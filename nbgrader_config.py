"""nbgrader's settings: where this course keeps its notebooks, and that nobody's code is run by a button."""

from course_tools.grading.nbgrader_hooks import STEPS

c = get_config()  # noqa: F821, nbgrader provides it

c.CourseDirectory.course_id = "road-anomaly"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "notebooks"
c.CourseDirectory.submitted_directory = "grading/submitted"
c.CourseDirectory.autograded_directory = "grading/autograded"
c.CourseDirectory.feedback_directory = "grading/feedback"
c.CourseDirectory.db_url = "sqlite:///grading/gradebook.db"
for step, settings in STEPS.items():
    c[step].update(settings)
