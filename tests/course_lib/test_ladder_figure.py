"""The picture of the ladder: a panel per benchmark, a dot per network and step, chance."""

import pytest

from course_lib.lesson import figures, tables


def test_every_rung_is_a_dot_with_its_interval():
    frame = tables.measured("mini", "what_works.summary")
    some = frame["network"].isin(["ERFNet", "Lite0, ImageNet"]) & frame["step"].isin(["MSP", "Energy"])
    shown = frame[some]
    figure = figures.ladder(shown, "Two steps")
    assert [axis.get_title() for axis in figure.axes][:2] == ["RoadAnomaly21", "RoadObsticle21"]
    axis, here = figure.axes[0], shown[shown["benchmark"] == "mini_RoadAnomaly21"]
    chance, *dots = [line.get_xdata() for line in axis.lines]
    assert chance[0] == pytest.approx(here["chance"].iloc[0])
    assert sorted(x for line in dots for x in line) == pytest.approx(sorted(here["auprc"]))
    assert [label.get_text() for label in axis.get_yticklabels()] == ["MSP", "Energy"]
    best = here[here["network"] == "ERFNet"]["auprc"].max()
    assert f"mini_RoadAnomaly21, ERFNet: {best:.3g} at best" in figure.alt
