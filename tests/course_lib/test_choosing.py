"""A control differs in one thing, evidence is no repetition, and a choice looks at no test set."""

from course_lib.lesson import tables

RUN = {"network": "Lite0", "encoder": "ImageNet", "epochs": 20}


def test_a_control_differs_in_the_one_fact_and_in_no_other():
    runs = {
        "random": RUN | {"encoder": "random"},
        "short": RUN | {"encoder": "random", "epochs": 2},
        "again": dict(RUN),
    }
    assert tables.controls(RUN, runs, "encoder") == ["random"]
    assert tables.controls(RUN, runs, "epochs") == [] == tables.controls(RUN, {}, "encoder")


def test_evidence_is_the_mean_over_sets_that_came_about_in_another_way():
    gains, origins = {"a": 40.0, "b": -3.0, "c": 1.0}, {"a": "pasted", "b": "drawn", "c": "real"}
    assert tables.evidence(gains, origins, "pasted") == -1.0
    assert tables.evidence({"a": 40.0}, origins, "pasted") is None


def test_the_choice_is_sound_on_every_choosing_set_and_blind_for_the_others():
    results = {
        "base": {"a": (30.0, 40.0), "b": (10.0, 60.0), "test": (20.0, 50.0)},
        "sound": {"a": (35.0, 40.0), "b": (14.0, 60.0), "test": (19.0, 51.0)},
        "uneven": {"a": (60.0, 20.0), "b": (11.0, 60.0), "test": (99.0, 1.0)},
        "late": {"a": (50.0, 41.0), "b": (30.0, 50.0), "test": (50.0, 10.0)},
        "worse": {"a": (80.0, 10.0), "b": (9.9, 30.0), "test": (90.0, 5.0)},
    }
    assert tables.choose(results, "base", ["a", "b"]) == "sound"
    assert tables.choose(results, "base", ["a"]) == "worse"
    assert tables.choose({name: results[name] for name in ("late", "base")}, "base", ["a", "b"]) == "base"
