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

BANK = {
    "stopping_distance": {
        "kilometres an hour": (SPEED, "speed = kilometres_per_hour", "10 m/s for 0.2 s"),
        "times 3.6": (SPEED, "speed = kilometres_per_hour * 3.6", "✗ 36 km/h, 10 images"),
        "one image time": ("speed * 2 /", "speed /", "✗ 36 km/h, 10 images"),
        "without braking": (WHOLE, "speed * 2 / images_per_second", "only braking is left"),
        "without the delay": (WHOLE, "speed**2 / (2 * deceleration)", "✗ 36 km/h, 10 images"),
        "without the half": ("(2 * deceleration)", "deceleration", "only braking is left"),
        "always dry": ("(2 * deceleration)", "14", "use the argument"),
        "speed not squared": ("speed**2", "speed", "only braking is left"),
        "rate for time": ("2 / images_per_second", "2 * images_per_second", "✗ 36 km/h, 10 images"),
    },
    "how_long": {
        "never waited for": (AFTER, "        run()\n        taken", "while the device still works"),
        "nor before": (BEFORE, "        started = clock()", "whose work is counted?"),
        "not warmed up": (WARM_UP, "", "three runs come before the count"),
        "warmed up once": ("range(3)", "range(1)", "✗ slow first runs"),
        "the mean": (MEDIAN, "sum(taken) / len(taken)", "one slow run moves a mean"),
        "the slowest": (MEDIAN, "max(taken)", "one slow run moves a mean"),
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
        "without the root": (".sqrt()", "", "✗ no bias"),
        "eps outside the root": (
            "(norm.running_var + norm.eps).sqrt()",
            "(norm.running_var.sqrt() + norm.eps)",
            "eps stands under the root",
        ),
        "without eps": (" + norm.eps", "", "eps stands under the root"),
        "without gamma": ("norm.weight /", "1 /", "✗ no bias"),
        "bias not normalised": (
            BIAS,
            "bias + norm.bias - norm.running_mean * factor",
            "the bias is normalised, too",
        ),
        "without the mean": (BIAS, "bias * factor + norm.bias", "mean and norm.bias"),
        "without beta": (BIAS, "(bias - norm.running_mean) * factor", "mean and norm.bias"),
        "mean added": ("bias - norm.running_mean", "bias + norm.running_mean", "✗ no bias"),
        "one factor for all": (WEIGHT, "weight * factor.mean()", "✗ no bias"),
        "the weight as it was": (WEIGHT, "weight", "✗ no bias"),
        "the bias as a column": (
            BIAS,
            "((bias - norm.running_mean) * factor + norm.bias).view(-1, 1)",
            "one per output",
        ),
        "in place": (WEIGHT, "weight.mul_(factor.view(-1, 1, 1, 1))", "changed its argument"),
    },
}
