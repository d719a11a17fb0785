"""What submissions may try. Every count is bounded, and nothing here is run outside the sandbox."""

import copy
import io
import json
import zipfile

import nbformat
from nbformat.v4 import new_code_cell

ELSEWHERE = """
def look(*paths):
    import glob, os
    there = [path for pattern in paths for path in glob.glob(pattern, recursive=True)]
    found = [path for path in there if os.access(path, os.R_OK)]
    print("LEAKED" if found else "nothing there", found[:3])
"""
FORGED = """
from IPython.display import display
forged = {{"title": "{name}", "points": 2.0, "cases": {{"two": {{"problem": "", "value": {{"int": "4"}}}}}}}}
def forge():
    display({{"application/vnd.road-anomaly.record+json": forged}}, raw=True)
"""

CODE = {
    "endless loop": ("", "while True: pass"),
    "loop that swallows interrupts": (
        "",
        "while True:\n        try:\n            while True: pass\n        except BaseException: pass",
    ),
    "stops its own process": ("import os, signal", "os.kill(os.getpid(), signal.SIGSTOP)"),
    "many processes": (
        "import os, time",
        "for n in range(300):\n        if os.fork() == 0:\n            time.sleep(60); os._exit(0)",
    ),
    "many threads": (
        "import threading, time",
        "for n in range(300): threading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
    ),
    "much memory": ("", "kept = [bytearray(100_000_000) for n in range(80)]"),
    "memory in the scratch folders": (
        "",
        "for n in range(99):\n        with open(f'/dev/shm/{n}', 'wb') as f: f.write(bytes(50_000_000))",
    ),
    "fills the disk": (
        "",
        "for n in range(99):\n        with open(f'/tmp/{n}', 'wb') as file: file.write(bytes(50_000_000))",
    ),
    "os._exit": ("import os", "os._exit(0)"),
    "crash": ("import ctypes", "ctypes.string_at(0)"),
    "endless output": ("", "for n in range(2000): print('x' * 10_000, flush=True)"),
    "prints a result": ("print(2.0)", "print('2.0'); return 0"),
    "shows a result": ("from IPython.display import display", "display(2.0); return 0"),
    "forges a record in its own cell": (FORGED + "forge()", "return 0"),
    "forges a record while it is called": (FORGED, "forge(); return 0"),
    "patches Check": (
        "from course_lib.lesson.checks import Check\nCheck.points = lambda self: 2.0",
        "return 0",
    ),
    "patches the judge's comparison": (
        "import course_lib.lesson.checks.check as c, course_lib.lesson.checks.comparison as d\n"
        "c.difference = d.difference = lambda *given: ''",
        "return 0",
    ),
    "replaces modules": (
        "import sys, types\nfake = types.ModuleType('fake')\nclass Check:\n"
        "    def __init__(self, *a, **k): pass\n    def case(self, *a, **k): pass\n"
        "    def points(self): return 2.0\n    def best(self, mine, theirs): return mine\n"
        "fake.Check = fake.Recorder = Check\n"
        "sys.modules['course_lib.lesson.checks'] = sys.modules['course_lib.lesson.checks.recording'] = fake",
        "return 0",
    ),
    "patches the recorder": (
        "import course_lib.lesson.checks.recording as r\nr.Recorder.points = lambda self: 2.0",
        "return 0",
    ),
    "patches IPython.display": ("import IPython.display as i\ni.display = lambda *a, **k: None", "return 0"),
    "patches display in the recorder": (
        "import course_lib.lesson.checks.recording as r\nr.display = lambda *a, **k: None",
        "return 0",
    ),
    "patches builtins.float": ("import builtins\nbuiltins.float = lambda *a: 2.0", "return 0"),
    "patches torch.isclose": (
        "import torch\ntorch.isclose = torch.allclose = torch.equal = lambda *a, **k: True",
        "return 0",
    ),
    "patches the display hook": ("import sys\nsys.displayhook = lambda value: print('2.0')", "return 0"),
    "an always equal object": (
        "class Yes:\n    def __eq__(self, other): return True\n    def __float__(self): return 4.0\n"
        "    def __bool__(self): return True\n    __hash__ = None",
        "return Yes()",
    ),
    "a tensor that lies": (
        "import torch\nclass Lie(torch.Tensor):\n"
        "    @classmethod\n    def __torch_function__(cls, f, types, args=(), kwargs=None): return True",
        "return torch.zeros(()).as_subclass(Lie)",
    ),
    "sys.exit": ("", "import sys; sys.exit()"),
    "shuts its kernel down": (
        "",
        "get_ipython().kernel.do_shutdown(False); get_ipython().kernel.io_loop.stop()",
    ),
    "leaves a process behind": (
        "import subprocess, sys",
        "command = [sys.executable, '-c', 'import time; time.sleep(5713)']\n"
        "    subprocess.Popen(command, start_new_session=True); return 0",
    ),
    "scripts in its outputs": (
        "from IPython.display import HTML, Javascript, display\n"
        "display(HTML('<script>LEAKED</script>'), Javascript('LEAKED'))",
        "return 0",
    ),
    "recursion": ("", "return {name}(*given)"),
    "asks for input": ("", "input('?')"),
}
"""What is tried: code above the function, and its body."""

SPIES = {
    "reads the solutions": (ELSEWHERE, "look('{root}/solutions/*', '{root}/*.toml'); return 0"),
    "reads other submissions": (ELSEWHERE, "look('{submissions}/*', '{submissions}/*/*'); return 0"),
    "reads the gradebook": (ELSEWHERE, "look('{root}/grading/*', '{root}/*/gradebook.db'); return 0"),
    "reads hidden tests": (ELSEWHERE, "look('{root}/private/*', '{root}/private/*/*'); return 0"),
    "reads the grader's code": (
        "import importlib.util",
        "print('LEAKED' if importlib.util.find_spec('course_tools') else 'nothing there'); return 0",
    ),
    "reads the environment": (
        "import os, glob",
        "there = str(dict(os.environ)) + ''.join(open(p).read() for p in glob.glob('/proc/*/environ'))\n"
        "    print('LEAKED' if 'SECRET_OF_GRADER' in there else 'nothing there'); return 0",
    ),
    "reads /etc": (ELSEWHERE, "look('/etc/passwd', '/etc/shadow', '/etc/hosts'); return 0"),
    "writes outside": (
        "",
        "for path in ('/', '/usr', '/etc', '{root}', '{root}/course_lib', '{submissions}'):\n"
        "        try: open(path + '/hostile', 'w').close(); print('LEAKED', path)\n"
        "        except OSError: print('nothing there')\n    return 0",
    ),
    "opens the network": (
        "import socket",
        "for address in (('127.0.0.1', {port}), ('1.1.1.1', 53)):\n"
        "        try: socket.create_connection(address, 1); print('LEAKED')\n"
        "        except OSError: print('nothing there')\n    return 0",
    ),
}
"""Looks around that print what they find; ``looking_around`` tries all of them in one kernel."""


def _check_of(notebook, change) -> None:
    """Change the check cell of the first exercise."""
    at = next(n for n, cell in enumerate(notebook.cells) if cell.metadata.get("nbgrader", {}).get("grade"))
    change(notebook.cells, at)


def _rename(cells, at) -> None:
    cells[at].metadata.nbgrader.grade_id = "something_else"


def _edit(cells, at) -> None:
    cells[at].source = cells[at].source.replace("check.points()", "2.0")


def _raise(cells, at) -> None:
    cells[at].metadata.nbgrader.points = 300


def _repeat(cells, at) -> None:
    cells.insert(at, copy.deepcopy(cells[at]))


def _tag(cells, at) -> None:
    for cell in cells:
        cell.metadata["tags"] = ["demo"]
    cells.insert(at, new_code_cell("2.0"))


EDITS = {
    "deletes its check": lambda cells, at: cells.pop(at),
    "renames its check": _rename,
    "edits its check": _edit,
    "raises its points": _raise,
    "repeats its check": _repeat,
    "tags everything to be skipped": _tag,
    "deletes its answer": lambda cells, at: cells.pop(at - 1),
}
"""What is done to the notebook around a right answer: the points are never more than those of the answer."""

FILES = {
    "50 MB": lambda text: text.replace('"cells": [', '"cells": [' + " " * 50_000_000).encode(),
    "invalid JSON": lambda text: text[: len(text) // 2].encode(),
    "no text": lambda text: bytes(range(256)) * 9,
    "deep nesting": lambda text: b"[" * 200_000,
    "other JSON": lambda text: json.dumps({"cells": "no", "nbformat": 4}).encode(),
}
"""What is handed in instead of a notebook."""


def function(attack: str, name: str, **places) -> str:
    """Return the answer cell of an attack."""
    above, body = (CODE | SPIES)[attack]
    places = {"root": "/", "submissions": "/", "port": 9} | places | {"name": name}
    for place, value in places.items():
        above, body = (text.replace(f"{{{place}}}", str(value)) for text in (above, body))
    above = above.replace("{{", "{").replace("}}", "}")
    return f"{above}\n\n\ndef {name}(*given, **named):\n    {body}\n"


def looking_around(name: str, **places) -> str:
    """Return an answer cell that lets every spy look, under its name; and once more when it is checked."""
    names = {spy: f"look{number}" for number, spy in enumerate(SPIES)}
    looks = [f"{function(spy, look, **places)}\nprint({spy!r})\n{look}()\n" for spy, look in names.items()]
    called = "; ".join(f"{look}()" for look in names.values())
    return "\n".join(looks) + f"\ndef {name}(*given):\n    {called}; return 0\n"


def edited(notebook: nbformat.NotebookNode, edit: str) -> nbformat.NotebookNode:
    """Return a notebook whose first check was tampered with."""
    changed = copy.deepcopy(notebook)
    _check_of(changed, EDITS[edit])
    return changed


def escaping_zip(inside: dict[str, bytes]) -> bytes:
    """Return a zip with files whose names lead out of it, beside honest ones."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in inside.items():
            archive.writestr(name, content)
        for name in ("../../escaped.ipynb", "/tmp/escaped.ipynb", "a/../../escaped.py", "..\\escaped.py"):
            archive.writestr(name, b"escaped")
    return file.getvalue()
