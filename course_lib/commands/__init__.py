"""The commands of ``python -m course_lib``: one module each, with ``parser()`` and ``run(options)``."""

COMMANDS = {
    "evaluate": "score benchmarks for anomalies with a trained network",
}
"""What each command does, by the name of its module; a module is imported only when it is called."""
