"""The weights that come with the course."""

from pathlib import Path

from course_lib.runtime import PROJECT_ROOT, unknown_name

FOLDER = PROJECT_ROOT / "course_lib" / "weights"


def shipped_weights(profile: str, model: str, training: str = "ce") -> Path:
    """Return the file of shipped weights: ``<profile>/<model>_<training>.safetensors``.

    Raises:
        ValueError: if there is none; the message names those that there are.
    """
    known = {
        path.relative_to(FOLDER).with_suffix("").as_posix(): path for path in FOLDER.glob("*/*.safetensors")
    }
    name = f"{profile}/{model}_{training}"
    if name not in known:
        raise unknown_name("shipped weights", name, sorted(known))
    return known[name]
