"""What a choice may rest on: fair controls, sets that are evidence, and a rule that looks at no test set."""

from collections.abc import Mapping, Sequence
from typing import Any


def controls(mine: Mapping[str, Any], runs: Mapping[str, Mapping[str, Any]], question: str) -> list[str]:
    """Return the names of the runs that differ from mine in one fact, and in no other.

    Args:
        mine: facts of a run, by what they are about.
        runs: by name, such facts of other runs.
        question: what the fact that may differ is about.

    >>> runs = {"a": {"size": 3, "epochs": 2}, "b": {"size": 3, "epochs": 4}}
    >>> controls({"size": 1, "epochs": 2}, runs, "size")
    ['a']
    """
    return [name for name, facts in runs.items() if [q for q in mine if facts[q] != mine[q]] == [question]]


def evidence(gains: Mapping[str, float], origins: Mapping[str, str], learnt_from: str | None) -> float | None:
    """Return the mean gain over the sets whose anomalies did not come about as those of the training did.

    Args:
        gains: points by set.
        origins: by set, how its anomalies came about.
        learnt_from: how those of the training came about.

    Returns:
        The mean in points; None if there is no such set.

    >>> evidence({"pieces": 40.0, "photographs": -3.0}, {"pieces": "pasted", "photographs": "real"}, "pasted")
    -3.0
    """
    counting = [gain for name, gain in gains.items() if origins[name] != learnt_from]
    return sum(counting) / len(counting) if counting else None


def choose(
    results: Mapping[str, Mapping[str, tuple[float, float]]], baseline: str, choosing_sets: Sequence[str]
) -> str:
    """Return the detector whose smallest gain of AuPRC is largest, of those that are nowhere worse.

    Args:
        results: by the name of a detector, (AuPRC, FPR95) in percent by set.
        baseline: a name among them; it is returned if every other one has a lower AuPRC or a higher FPR95
            than it somewhere.
        choosing_sets: the sets that count; no other is looked at.

    >>> found = {"base": {"a": (30, 40), "b": (9, 50)}, "one": {"a": (31, 40), "b": (12, 45)}}
    >>> choose(found | {"other": {"a": (70, 20), "b": (9, 51)}}, "base", ["a", "b"])
    'one'
    """
    gains = {}
    for name, found in results.items():
        pairs = [(found[one], results[baseline][one]) for one in choosing_sets]
        if all(mine[0] >= base[0] and mine[1] <= base[1] for mine, base in pairs):
            gains[name] = min(mine[0] - base[0] for mine, base in pairs)
    return max(gains, key=gains.__getitem__)
