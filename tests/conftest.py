"""What every layer of tests shares: the data root, a guard for CI, the time of each layer."""

import os
import shutil
import tempfile
from collections import defaultdict

import pytest
import torch

collect_ignore_glob = ["*conftest.py"]
"""Nothing to test in them; searched for doctests, files of one name would take each other's place."""


def pytest_configure(config):
    """Watch the lessons that nbval runs. On CI, data that is there but unread is a failure, not a skip."""
    if config.getoption("nbval"):
        import unsolved  # here, and more below: one file of tests alone should not wait for what others need
        import whole_lessons

        config.pluginmanager.register(unsolved)
        config.pluginmanager.register(whole_lessons)
    if not hasattr(config, "workerinput"):
        shared = tempfile.TemporaryDirectory(prefix="course-tests-")  # by all workers of this run
        os.environ["COURSE_TESTS_SHARED"] = shared.name
        config.add_cleanup(shared.cleanup)
    else:  # of pytest-xdist: what tests start shares the processor with others
        os.environ.setdefault("OMP_NUM_THREADS", "1")
        torch.set_num_threads(1)  # threads that wait for each other on a busy core take many times as long
    if os.environ.get("CI"):
        config.option.verbose = max(1, config.option.verbose)  # a log that was cut tells at what
    unread = {"COURSE_DATA", "COURSE_REFERENCE"} - os.environ.keys()
    if os.environ.get("CI") and (config.rootpath.parent / "shared").is_dir() and unread:
        raise pytest.UsageError(
            f"../shared is there but {sorted(unread)} not set: tests/real would be skipped"
        )


def layer_of(nodeid: str) -> str:
    """Name the layer that a test belongs to."""
    top, *rest = nodeid.split("::")[0].split("/")
    if top == "tests":
        return rest[0] if rest[0] in ("real", "browser", "benchmarks") else "unit"
    return "doctests" if top in ("course_lib", "course_tools", "road_scenes") else top


def pytest_terminal_summary(terminalreporter):
    """Print tests and seconds per layer."""
    seconds, counts = defaultdict(float), defaultdict(lambda: defaultdict(int))
    for outcome in ("passed", "failed", "skipped", "error", "xfailed"):
        for report in terminalreporter.stats.get(outcome, []):
            counts[layer_of(report.nodeid)][outcome] += 1
    for reports in terminalreporter.stats.values():
        for report in reports:
            if hasattr(report, "duration"):
                seconds[layer_of(report.nodeid)] += report.duration
    terminalreporter.section("time per layer")
    for layer in sorted(counts):
        outcomes = ", ".join(f"{n} {outcome}" for outcome, n in counts[layer].items())
        terminalreporter.line(f"{layer:<10} {seconds[layer]:7.1f} s   {outcomes}")


@pytest.fixture(autouse=True)
def threads(request):
    """Small tensors are quicker on one thread, above all on a busy machine; large ones are not."""
    before = torch.get_num_threads()
    if layer_of(request.node.nodeid) not in ("real", "benchmarks"):
        torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def data_root(tmp_path, monkeypatch):
    """An empty data root that the library looks into."""
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def own_temporary(tmp_path_factory):
    """A temporary folder for all that this module starts; others may grade at the same time."""
    tmp_path_factory.getbasetemp()  # pytest's own, which must not be made inside
    folder = tempfile.mkdtemp(prefix="own-")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", folder)
        patch.setattr(tempfile, "tempdir", folder)
        yield folder
    shutil.rmtree(folder)


@pytest.fixture
def offered(request, tmp_path, monkeypatch):
    """The source that a test is parametrised with, on a local server, for an impatient client."""
    from file_server import serving
    from offers import Offer

    from course_tools.downloads import transfer

    monkeypatch.setattr(transfer, "DEFAULT_RETRIES", transfer.RetryPolicy(tries=2, wait=0.01))
    files = {}
    with serving(files) as address:
        yield Offer(request.param, address, files, tmp_path, monkeypatch)
