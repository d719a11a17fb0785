"""Colours that everybody can tell apart: seaborn's "colorblind", without the seconds to load seaborn."""

from types import ModuleType

from matplotlib.colors import Colormap

COLOURS = (
    "#0173b2", "#de8f05", "#029e73", "#d55e00", "#cc78bc",
    "#ca9161", "#fbafe4", "#949494", "#ece133", "#56b4e9",
)  # fmt: skip
BLUE, ORANGE, GREEN, RED, PURPLE, BROWN, PINK, _, YELLOW, SKY = COLOURS
GREY = "#767676"  # of lines and words beside them: dark enough to be read on white


def seaborn() -> ModuleType:
    """Return seaborn, which is loaded when it is first needed: that takes seconds."""
    import seaborn

    return seaborn


def score_colours() -> Colormap:
    """Return the colours of score maps: dark is normal, light is anomalous; readable without colour."""
    return seaborn().color_palette("mako", as_cmap=True)
