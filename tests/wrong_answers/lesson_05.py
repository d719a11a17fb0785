"""Wrong answers to lesson 5."""

SPEED = "speed = kilometres_per_hour / 3.6"
WHOLE = "speed * 2 / images_per_second + speed**2 / (2 * deceleration)"
BEFORE = "        wait()\n        started = clock()"
AFTER = "        run()\n        wait()\n        taken"
WARM_UP = "    for _ in range(3):\n        run()\n"
MEDIAN = "sorted(taken)[len(taken) // 2]"
SINGLE = (
    "    taken = []\n"
    "    for _ in range(times):\n"
    "        wait()\n"
    "        started = clock()\n"
    "        run()\n"
    "        wait()\n"
    "        taken.append(clock() - started)\n"
    "    return sorted(taken)[len(taken) // 2]\n"
)
BIAS = "(bias - norm.running_mean) * factor + norm.bias"
WEIGHT = "weight * factor.view(-1, 1, 1, 1)"

FACTOR = "✓ mean and beta alone ✗ factor alone"
CHOSEN = "ordinary[-1 - may_lie_above].item()"

BANK = {
    "stopping_distance": {
        "kilometres an hour": (SPEED, "speed = kilometres_per_hour", "10 m/s for 0.2 s"),
        "times 3.6": (SPEED, "speed = kilometres_per_hour * 3.6", "✗ 36 km/h, 10 images"),
        "one image time": (
            "speed * 2 /",
            "speed /",
            "✓ ice ✗ 36 km/h, 10 images: got 8.143, expected 9.143 (hint: 10 m/s for 0.2 s",
        ),
        "without braking": (WHOLE, "speed * 2 / images_per_second", "only braking is left"),
        "without the delay": (WHOLE, "speed**2 / (2 * deceleration)", "✗ 36 km/h, 10 images"),
        "without the half": ("(2 * deceleration)", "deceleration", "only braking is left"),
        "always dry": (
            "(2 * deceleration)",
            "14",
            "✓ many images ✗ ice: got 7.143, expected 50 (hint: braking with 1",
        ),
        "speed not squared": ("speed**2", "speed", "only braking is left"),
        "rate for time": ("2 / images_per_second", "2 * images_per_second", "✗ 36 km/h, 10 images"),
    },
    "how_long": {
        "never waited for": (AFTER, "        run()\n        taken", "while the device still works"),
        "nor before": (BEFORE, "        started = clock()", "whose work is counted?"),
        "not warmed up": (WARM_UP, "", "three runs come before the count"),
        "warmed up once": ("range(3)", "range(1)", "✗ slow first runs"),
        "the mean": (MEDIAN, "sum(taken) / len(taken)", "a few slow runs must not count"),
        "the slowest": (MEDIAN, "max(taken)", "a few slow runs must not count"),
        "the upper quartile": (
            "[len(taken) // 2]",
            "[3 * len(taken) // 4]",
            "✓ now and then faster ✓ number of runs ✗ now and then disturbed",
        ),
        "the fastest": (MEDIAN, "min(taken)", "a few lucky runs must not count"),
        "the lower quartile": ("[len(taken) // 2]", "[len(taken) // 4]", "a few lucky runs must not count"),
        "unsorted": ("sorted(taken)", "taken", "✗ now and then disturbed"),
        "all in one": (
            SINGLE,
            "    wait()\n"
            "    started = clock()\n"
            "    for _ in range(times):\n"
            "        run()\n"
            "    wait()\n"
            "    return (clock() - started) / times\n",
            "✗ now and then disturbed",
        ),
        "always nine": ("range(times)", "range(9)", "✗ number of runs"),
        "the clock before the wait": (
            BEFORE,
            "        started = clock()\n        wait()",
            "whose work is counted?",
        ),
    },
    "fold": {
        "without the root": (".sqrt()", "", FACTOR),
        "eps outside the root": (
            "(norm.running_var + norm.eps).sqrt()",
            "(norm.running_var.sqrt() + norm.eps)",
            "✓ with a bias ✗ eps",
        ),
        "without eps": (" + norm.eps", "", "✓ with a bias ✗ eps"),
        "without gamma": ("norm.weight /", "1 /", FACTOR),
        "times the root": ("norm.weight /", "norm.weight *", FACTOR),
        "bias not normalised": (
            BIAS,
            "bias + norm.bias - norm.running_mean * factor",
            "✓ mean and beta alone ✓ eps ✗ with a bias",
        ),
        "bias left out": (BIAS, "norm.bias - norm.running_mean * factor", "✓ eps ✗ with a bias"),
        "without the mean": (BIAS, "bias * factor + norm.bias", "✓ eps ✗ mean and beta alone"),
        "without beta": (BIAS, "(bias - norm.running_mean) * factor", "✓ eps ✗ mean and beta alone"),
        "mean added": ("bias - norm.running_mean", "bias + norm.running_mean", "✓ eps ✗ mean and beta alone"),
        "one factor for all": (WEIGHT, "weight * factor.mean()", FACTOR),
        "a factor for each input": (WEIGHT, "weight * factor.view(1, -1, 1, 1)", FACTOR),
        "the weight as it was": (WEIGHT, "weight", FACTOR),
        "the bias as a column": (
            BIAS,
            "((bias - norm.running_mean) * factor + norm.bias).view(-1, 1)",
            "one per output",
        ),
        "in place": (WEIGHT, "weight.mul_(factor.view(-1, 1, 1, 1))", "changed its argument"),
    },
    "choose_threshold": {
        "void counts": (
            "scores[counts]",
            "scores.flatten()",
            "✓ ties ✗ void: got 6, expected 4 (hint: only 1 to 5",
        ),
        "only void counts": ("scores[counts]", "scores[~counts]", "✗ a quarter of eight"),
        "the rate from below": (CHOSEN, "ordinary[may_lie_above].item()", "7, 8 lie above it"),
        "one too far": (CHOSEN, "ordinary[-may_lie_above].item()", "7, 8 lie above it"),
        "rounded": (
            "int(rate * len(ordinary) + 1e-9)",
            "round(rate * len(ordinary))",
            "three would be too many",
        ),
        "rounded up": (
            "int(rate * len(ordinary) + 1e-9)",
            "-int(-rate * len(ordinary) // 1)",
            "three would be too many",
        ),
        "in percent": ("rate * len", "rate / 100 * len", "7, 8 lie above it"),
        "the highest": (CHOSEN, "ordinary[-1].item()", "7, 8 lie above it"),
        "unsorted": (".sort().values", "", "7, 8 lie above it"),
        "interpolated": (CHOSEN, "ordinary.quantile(1 - rate).item()", "7, 8 lie above it"),
        "mean and two deviations": (CHOSEN, "(ordinary.mean() + 2 * ordinary.std()).item()", "✗ a quarter"),
        "what lies on it is an alarm, too": (
            CHOSEN,
            "min(t for t in [*ordinary, 99] if (ordinary >= t).double().mean() <= rate)",
            "7, 8 lie above it",
        ),
        "distinct scores": (
            ".sort().values",
            ".unique()",
            "✗ ties: got 2, expected 5 (hint: five lie on it",
        ),
        "in place": (
            "    ordinary =",
            "    scores[~counts] = -torch.inf\n    ordinary =",
            "changed its argument",
        ),
    },
}
