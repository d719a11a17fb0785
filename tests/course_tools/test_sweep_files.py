"""A file of a sweep becomes checked runs, or one clear error, before anything starts."""

import pytest
from small_data import ROOT
from small_sweeps import CPU, SMALL, write_data, written

from course_tools import sweeps


@pytest.fixture
def street(tmp_path, monkeypatch):
    """A folder with small data, which the library finds."""
    return write_data(tmp_path, monkeypatch)


def test_a_file_becomes_checked_runs(street):
    sweep = sweeps.read_sweep(written(street), CPU)
    assert [run.name for run in sweep.runs][:2] == ["term_weights=1,2_seed=0", "term_weights=1,2_seed=1"]
    assert {run.group for run in sweep.runs} == {"term_weights=1,2", "term_weights=2,1"}
    assert sweep.baseline == "term_weights=1,2" and sweep.name == "small"
    settings = sweep.runs[-1].settings
    assert (settings.term_weights, settings.seed, settings.size, settings.batch) == ((2, 1), 2, (16, 24), 3)


RUNS = {"term_weights": 10, "camvid": 15, "what_works": 9, "what_works_mini": 6, "outliers": 6}


@pytest.mark.parametrize("name", RUNS)
def test_the_files_of_the_course_can_be_run(name, monkeypatch, tmp_path):
    path = ROOT / "course_tools" / "sweeps" / f"{name}.toml"
    if name == "outliers":  # goes on from runs of another sweep
        with pytest.raises(FileNotFoundError, match="does not exist"):
            sweeps.read_sweep(path, CPU)
        return
    sweep = sweeps.read_sweep(path, CPU)
    assert len(sweep.runs) == RUNS[name]


def test_every_file_of_the_course_is_tried():
    assert {path.stem for path in (ROOT / "course_tools" / "sweeps").glob("*.toml")} == set(RUNS)


def test_several_grids_hold_what_does_not_combine(street):
    text = SMALL + '[[grid]]\ntraining = ["ce", "ln"]\n[[grid]]\ntraining = ["eiml_fl"]\n'
    text += 'term_weights = [[1, 1], [1, 4]]\n[baseline]\ntraining = "ln"\n'
    sweep = sweeps.read_sweep(written(street, text), CPU)
    assert [run.settings.training for run in sweep.runs] == ["ce", "ln", "eiml_fl", "eiml_fl"]
    assert sweep.baseline == "training=ln"


def test_the_baseline_may_name_its_settings_in_any_order(street):
    text = SMALL + '[grid]\nmodel = ["erfnet", "enet"]\ntraining = ["ce", "ln"]\nseed = [0, 1]\n'
    text += '[baseline]\ntraining = "ce"\nmodel = "enet"\n'
    assert sweeps.read_sweep(written(street, text), CPU).baseline == "model=enet_training=ce"


@pytest.mark.parametrize(
    "text, message",
    [
        ("[all]\n", "has no \\[grid\\]"),
        ("[grid]\nseed = [0", "cannot be read as TOML"),
        ("[gird]\nseed = [0]\n", "unknown table 'gird'.* did you mean grid"),
        ("[grid]\nseeds = [0]\n", "unknown setting in .* 'seeds'.* did you mean seed"),
        ("[grid]\nseed = 0\n", "seed in \\[grid\\] must be a list of values, got 0"),
        ("[grid]\nseed = [0, 0]\n", "gives seed=0 twice"),
        (
            "[[grid]]\nseed = [0]\n[[grid]]\nseed = [0]\nbatch = [4]\n",
            "seed=0 and seed=0_batch=4 are the same run",
        ),
        ("[grid]\nsize = [[128]]\n", "size must be a height and a width in pixels"),
        ('[grid]\nseed = ["0"]\n', "seed=0: seed must be a whole number, at least 0; got '0'"),
        ('[grid]\nlearning_rate = ["fast"]\n', "learning_rate=fast: .* not supported between"),
        ('[grid]\nprofile = ["mini", "camvid"]\n', "put profile into \\[all\\]"),
        (
            '[all]\ntraining = "ce"\n[grid]\nterm_weights = [[1, 2]]\n',
            "term_weights=1,2: training ce has the",
        ),
        (
            '[grid]\ntraining = ["ce"]\n[baseline]\ntraining = "ln"\n',
            "no run is the baseline training=ln; .* training=ce",
        ),
        ("all = 3\n[grid]\nseed = [0]\n", "all must be a table, \\[all\\], got 3"),
        (
            '[all]\nencoder = "no.safetensors"\n[grid]\nseed = [0]\n',
            "encoder .*no.safetensors does not exist",
        ),
    ],
)
def test_a_wrong_file_is_one_clear_error(street, text, message):
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        sweeps.read_sweep(written(street, text), CPU)
