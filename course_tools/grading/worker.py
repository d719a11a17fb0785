"""Run one submission in its sandbox: ``python -m course_tools.grading.worker``, JSON in and out.

A process of its own, because it handles what the submission sends: whatever happens to it, the grader goes
on. A kernel that had to be stopped is started again without the cell that was to blame, so that one endless
loop costs one exercise.
"""

import asyncio
import ctypes
import json
import signal
import sys
import time
from collections.abc import Iterator
from typing import Any

from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_notebook

from course_tools.grading.kernel import started
from course_tools.grading.limits import MEGABYTE, Limits

MOST_RUNS = 4
PR_SET_PDEATHSIG = 1
ADDRESS_SPACE = 2048 * MEGABYTE


def run(cells: list[dict], record_type: str, limits: Limits, visible: list[str] | None) -> dict[str, Any]:
    """Run cells in order.

    Args:
        cells: each with its ``source``, a ``probe`` to run before it, the ``exercise`` it belongs to, and
            what is run ``instead`` once a cell of that exercise was stopped; any may be an empty string.
        record_type: of those outputs of a probe that are records.
        limits: of the submission.
        visible: the folders it can read; None runs the cells unprotected.

    Returns:
        ``outputs`` and ``records`` of each cell, ``stops`` by position, ``seconds``.
    """
    began = time.monotonic()
    stops: dict[int, str] = {}
    for _ in range(MOST_RUNS):
        known = len(stops)
        notebook = new_notebook(cells=[new_code_cell(part) for part in _parts(cells, stops)])
        left = began + limits.seconds - time.monotonic()
        asyncio.run(_run_once(notebook, stops, limits, visible, left))
        if len(stops) == known:
            break
    return {
        "outputs": [cell.outputs for cell in notebook.cells[1::2]],
        "records": [_records(cell, record_type) for cell in notebook.cells[::2]],
        "stops": stops,
        "seconds": time.monotonic() - began,
    }


def _parts(cells: list[dict], stops: dict[int, str]) -> Iterator[str]:
    """Yield probe and source of each cell; of those to blame for a stop, what is run instead."""
    blamed = {cells[position]["exercise"] for position in stops} - {""}
    for at, cell in enumerate(cells):
        is_blamed = at in stops or cell["exercise"] in blamed
        yield from ("", cell["instead"]) if is_blamed else (cell["probe"], cell["source"])


async def _run_once(
    notebook: NotebookNode,
    stops: dict[int, str],
    limits: Limits,
    visible: list[str] | None,
    left: float,
) -> None:
    """Run a notebook of probes and cells; note what stops it."""
    at, client = 0, None
    try:
        async with asyncio.timeout(left), started(notebook, limits, visible) as client:
            for place, cell in enumerate(notebook.cells):
                at = place // 2
                await client.async_execute_cell(cell, place)
    except CellTimeoutError:
        stops[at] = f"took more than {limits.cell_seconds:g} s"
    except TimeoutError:
        over = f"was not finished when the submission's {limits.seconds:g} s were over"
        _stop_rest(stops, range(at, len(notebook.cells) // 2), over)
    except Exception as error:
        if client is None:
            raise  # it did not start, which is not the submission's fault
        ended = "ended its kernel" if isinstance(error, DeadKernelError) else "garbled what its kernel sends"
        stops[at] = client.excess or ended


def _records(probe: NotebookNode, record_type: str) -> list:
    """Return what a probe handed over."""
    data = [output.get("data", {}) for output in probe.outputs]
    return [shown[record_type] for shown in data if record_type in shown]


def _stop_rest(stops: dict[int, str], positions: range, reason: str) -> None:
    """Note that some cells have not been run."""
    for position in positions:
        stops.setdefault(position, reason)


def _end_with_parent() -> None:
    """Ask the system to end this process with the one that started it, and limit its memory."""
    if sys.platform == "linux":
        import resource

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        most = resource.getrlimit(resource.RLIMIT_AS)[1]  # stays, because the kernel is given more
        resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, most))


def main() -> None:
    """Read a job from standard input, write its result to standard output."""
    _end_with_parent()
    job = json.load(sys.stdin)
    job["limits"] = Limits(**job["limits"])
    json.dump(run(**job), sys.stdout)


if __name__ == "__main__":
    main()
