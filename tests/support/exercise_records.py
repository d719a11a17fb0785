"""Run probes and keys here, without a kernel."""

from course_lib.lesson.checks.recording import Recorder


def run(code, **names):
    """Run the code of a probe or a key; return the record it shows."""
    shown = []
    space = names | {"display": shown.append}
    *body, last = code.splitlines()
    exec("\n".join(body), space)
    recorder = space["check"]
    assert isinstance(recorder, Recorder) and last == "check.points()"
    return {"title": recorder.title, "cases": recorder.entries}
