"""Wrong answers to lesson 6."""

POOLED = "pixels = torch.cat([mask.flatten() for mask in masks])"
WITH_VOID = "return (pixels != 0).double().mean().item()"
WITHOUT = "return (pixels[pixels != labels.IGNORE] == 1).double().mean().item()"
ROUNDED = "round(by_benchmark[benchmark], 2) == number"
FOUND = "if found[benchmark] is None and round"
FLAGS = "100 if flags_all else 95"
SOLVED = "return 100 * (printed - prevalence) / (100 - prevalence)"
MENDED = "return replace(protocol, **{mistake: getattr(right, mistake)})"
NEEDED = "math.ceil(images * (width / wanted) ** 2)"
DIFFERENCE = "measure([mine[i] for i in draw]) - measure([baseline[i] for i in draw])"
MIDDLE = "return torch.tensor(differences).quantile(torch.tensor([0.025, 0.975])).tolist()"
LUCK = "2 / math.comb(2 * seeds, seeds)"

BANK = {
    "pixel_share": {
        "the mean over masks": (
            WITHOUT,
            "each = [(m[m != labels.IGNORE] == 1).double().mean() for m in masks]\n"
            "    return torch.stack(each).mean().item()",
            "✗ two sizes",
        ),
        "void in the denominator": (
            WITHOUT,
            "return (pixels == 1).double().mean().item()",
            "neither counted",
        ),
        "void always counts": ("if counts_void:", "if True:", "neither counted"),
        "void never counts": ("if counts_void:", "if False:", "✗ void counts"),
        "only void": (WITH_VOID, "return (pixels == 255).double().mean().item()", "✗ void counts"),
        "void counts, but not below": (
            WITH_VOID,
            "return (pixels != 0).sum().item() / (pixels != labels.IGNORE).sum().item()",
            "of all pixels",
        ),
        "percent": (
            WITHOUT,
            "return 100 * (pixels[pixels != 255] == 1).double().mean().item()",
            "percentage",
        ),
        "the first mask": (POOLED, "pixels = masks[0].flatten()", "✗ two sizes"),
        "odds": (
            WITHOUT,
            "return (pixels == 1).sum().item() / (pixels == 0).sum().item()",
            "✗ one mask",
        ),
    },
    "explained_by": {
        "not rounded": (ROUNDED, "by_benchmark[benchmark] == number", "round the share"),
        "one decimal": ("[benchmark], 2) == number", "[benchmark], 1) == round(number, 1)", "✗ a near miss"),
        "within 0.015": (ROUNDED, "abs(by_benchmark[benchmark] - number) < 0.015", "equal after rounding"),
        "relatively": (ROUNDED, "abs(by_benchmark[benchmark] / number - 1) < 0.01", "equal after rounding"),
        "near enough": (ROUNDED, "abs(by_benchmark[benchmark] - number) < 0.05", "two decimals"),
        "the last that fits": (FOUND, "if round", "the first counts"),
        "only the first share": (FOUND, 'if name == "prevalence" and round', "look at all shares"),
        "the share, not its name": ("found[benchmark] = name", "found[benchmark] = number", "✗ one share"),
        "True": ("found[benchmark] = name", "found[benchmark] = True", "✗ one share"),
        "any benchmark": (
            ROUNDED,
            "number in [round(share, 2) for share in by_benchmark.values()]",
            "✗ crossed",
        ),
        "left out": ("return found", "return {k: v for k, v in found.items() if v}", "✗ a near miss"),
    },
    "no_knowledge": {
        "one half": ("return prevalence,", "return 50,", "✗ constant, step"),
        "always 95": (FLAGS, "95", "all or nothing"),
        "constant is always 100": (' and convention == "step"', "", "✗ constant, chord"),
        "step is always 100": ('kind == "constant" and ', "", "✗ random, step"),
        "five": (FLAGS, "5", "95 % of everything"),
        "the rules exchanged": ('convention == "step"', 'convention == "chord"', "all or nothing"),
        "a fraction": ("return prevalence, 100", "return prevalence / 100, 100", "✗ constant, step"),
        "fractions": (
            f"return prevalence, {FLAGS}",
            "return prevalence / 100, 1 if flags_all else 0.95",
            "a fraction, expected a percentage",
        ),
        "constants": ("return prevalence,", "return 12.5,", "it is an argument"),
    },
    "void_share": {
        "the difference": (SOLVED, "return printed - prevalence", "is q right?"),
        "divided by the printed": (SOLVED, "return 100 * (printed - prevalence) / (100 - printed)", "✗ half"),
        "divided by 100 - 1": (SOLVED, "return (printed - prevalence) / (1 - prevalence)", "✗ half"),
        "the other way round": ("(printed - prevalence)", "(prevalence - printed)", "right but for the sign"),
        "a fraction": ("return 100 * ", "return ", "✗ half"),
        "the ratio": (SOLVED, "return 100 * (1 - prevalence / printed)", "✗ half"),
        "rounded": (SOLVED, SOLVED.replace("return ", "return round(") + ", 2)", "right but rounded"),
        "of the prevalence": (SOLVED, "return 100 * (prevalence - printed) / prevalence", "is q right?"),
        "the printed number": (SOLVED, "return printed", "nothing was added"),
    },
    "with_fix": {
        "always False": ("getattr(right, mistake)", "False", "expected a text for 'size'"),
        "turned round": ("getattr(right, mistake)", "not getattr(protocol, mistake)", "✗ size"),
        "the right protocol at once": (MENDED, "return right", "the others as before"),
        "from the paper's": (
            "replace(protocol,",
            'replace(evaluation.PROTOCOLS["paper"],',
            "start from the argument",
        ),
        "the name as a field": ("**{mistake: getattr(right, mistake)}", "mistake=right", "TypeError"),
        "nothing mended": (MENDED, "return protocol", "✗"),
        "in place": (
            MENDED,
            "object.__setattr__(protocol, mistake, getattr(right, mistake))\n    return protocol",
            "the old one must stay as it is",
        ),
        "from peer": ('PROTOCOLS["benchmark"]', 'PROTOCOLS["peer"]', "expected 'given' for 'size'"),
    },
    "images_needed": {
        "without the square": (" ** 2", "", "four times as many"),
        "the square root": (" ** 2", " ** 0.5", "four times as many"),
        "the other way round": ("width / wanted", "wanted / width", "four times as many"),
        "rounded": ("math.ceil(", "round(", "a little too wide"),
        "rounded down": ("math.ceil(", "int(", "a little too wide"),
        "not rounded": (NEEDED, "images * (width / wanted) ** 2", "a little too wide"),
        "images squared": (NEEDED, "math.ceil((images * width / wanted) ** 2)", "✗ half as wide"),
        "at least as many": (
            NEEDED,
            "max(images, math.ceil(images * (width / wanted) ** 2))",
            "both directions",
        ),
    },
    "interval_in_pairs": {
        "drawn separately": (
            "measure([baseline[i] for i in draw])",
            "measure([baseline[i] for i in draws[-1 - len(differences)]])",
            "both on the same drawn images",
        ),
        "the ends of two intervals": (
            MIDDLE,
            "ends = torch.tensor([0.025, 0.975])\n"
            "    drawn = [[measure([x[i] for i in draw]) for draw in draws] for x in (mine, baseline)]\n"
            "    (a, b), (c, d) = torch.tensor(drawn).quantile(ends, dim=1).T.tolist()\n"
            "    return a - d, b - c",
            "both on the same drawn images",
        ),
        "the middle 90 %": ("[0.025, 0.975]", "[0.05, 0.95]", "leaves out 2.5 %"),
        "the smallest and the largest": (
            MIDDLE,
            "return min(differences), max(differences)",
            "leaves out 2.5 %",
        ),
        "two standard deviations": (
            MIDDLE,
            "found = torch.tensor(differences)\n"
            "    return [(found.mean() + k * found.std(unbiased=False)).item() for k in (-2, 2)]",
            "leaves out 2.5 %",
        ),
        "percent": ("[0.025, 0.975]", "[2.5, 97.5]", "RuntimeError"),
        "the other way round": (
            DIFFERENCE,
            "measure([baseline[i] for i in draw]) - measure([mine[i] for i in draw])",
            "right but for the sign",
        ),
        "image by image": (
            f"differences.append({DIFFERENCE})",
            "differences += [mine[i] - baseline[i] for i in draw]",
            "✗ mixed",
        ),
        "always the mean": (
            DIFFERENCE,
            "sum(mine[i] - baseline[i] for i in draw) / len(draw)",
            "use measure",
        ),
        "each image once": (DIFFERENCE, DIFFERENCE.replace("in draw", "in set(draw)"), "counts twice"),
        "nothing drawn": (DIFFERENCE, "measure(mine) - measure(baseline)", "✗ mixed"),
    },
    "luck": {
        "only one side": (LUCK, "1 / math.comb(2 * seeds, seeds)", "one of them always wins"),
        "coins": (LUCK, "2 * 0.5 ** (2 * seeds)", "✗ one run each"),
        "pairs": (LUCK, "2 * 0.5**seeds", "(hint: write down all six orders"),
        "all orders": (LUCK, "2 / math.factorial(2 * seeds)", "write down all six orders"),
        "of k": (LUCK, "2 / math.comb(seeds + 1, 1)", "✗ two"),
        "percent": (LUCK, "200 / math.comb(2 * seeds, seeds)", "percentage"),
        "the complement": (LUCK, "1 - 2 / math.comb(2 * seeds, seeds)", "✗ one run each"),
    },
}
