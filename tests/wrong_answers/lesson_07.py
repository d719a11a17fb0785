"""Wrong answers to lesson 7."""

DIFFERS = "if differs == {question}:"
WEIGHTS = "weights = (-(offsets**2) / (2 * sigma**2)).exp()"
SUM_OF_ONE = "weights = weights / weights.sum()"
PADDED = 'F.pad(scored[:, None], (radius, radius, radius, radius), mode="replicate")'
ROWS = "rows = F.conv2d(padded, weights.view(1, 1, 1, -1))"
COLUMNS = "return F.conv2d(rows, weights.view(1, 1, -1, 1))[:, 0]"
DIRECTIONS = "directions, known = F.normalize(features, dim=1), F.normalize(bank, dim=1)"
NEAREST = "return 1 - cosines.topk(k, dim=1).values.mean(dim=1)"
STANDARD = "(part - known.mean()) / known.std()"
UNIT = "e = (energies - inside) / (outside - inside)"
ORDINARY = "loss = (e[~is_outlier].relu() ** 2).mean()"
STRANGE = "loss = loss + ((1 - e[is_outlier]).relu() ** 2).mean()"
ANY = "if is_outlier.any():"
COUNTING = "counting = [gain for name, gain in gains.items() if origins[name] != learnt_from]"
MEAN = "return sum(counting) / len(counting) if counting else None"
FIRST = 'detectors.Recipe("entropy_and_coarse", (entropy, coarse)),'
SECOND = 'detectors.Recipe("logit_and_coarse", (logit, coarse)),'
THIRD = 'detectors.Recipe("entropy_and_both", (entropy, fine, coarse)),'
SOUND = "all(results[name][s][1] <= base[s][1] for s in choosing_sets)"
LARGEST = "return max(sound, key=smallest_gain)"

BANK = {
    "controls": {
        "more may differ": (DIFFERS, "if question in differs:", "and in no other"),
        "my own run as well": (DIFFERS, "if differs <= {question}:", "'again' differs in nothing"),
        "any one fact": (DIFFERS, "if len(differs) == 1:", "✗ of the network"),
        "the others must differ": (DIFFERS, "if question not in differs:", "✗ of pretraining"),
        "the first alone": ("return found", "return found[:1]", "✗ of pretraining"),
        "a set": ("return found", "return set(found)", "instead of a list"),
        "the facts, not the names": ("found.append(name)", "found.append(facts)", "✗ of pretraining"),
        "always of the same run": (
            "facts[about] != mine[about]",
            "facts[about] != my_run[about]",
            "mine is given",
        ),
    },
    "smooth": {
        "zeros beyond the edge": (', mode="replicate"', "", "what lies beyond the edge?"),
        "mirrored at the edge": ('mode="replicate"', 'mode="reflect"', "✗ a slope"),
        "weights add up to more": (SUM_OF_ONE, "", "weights add up to 1"),
        "only along the rows": (
            COLUMNS,
            "return rows[:, 0, radius : rows.shape[2] - radius]",
            "✗ a dot",
        ),
        "without the 2": ("(2 * sigma**2)", "sigma**2", "mind the 2 in 2σ²"),
        "sigma not squared": ("(2 * sigma**2)", "(2 * sigma)", "✗ noise, σ = 1.6"),
        "a box": (WEIGHTS, "weights = torch.ones(2 * radius + 1)", "✗ a dot"),
        "one sigma far": ("int(3 * sigma + 0.5)", "int(sigma + 0.5)", "✗ a dot"),
        "not rounded": ("int(3 * sigma + 0.5)", "int(3 * sigma)", "from -5 to 5"),
        "one channel left": ("weights.view(1, 1, -1, 1))[:, 0]", "weights.view(1, 1, -1, 1))", "✗ shape"),
        "the first image alone": (
            COLUMNS,
            "return F.conv2d(rows, weights.view(1, 1, -1, 1))[:1, 0]",
            "✗ shape",
        ),
        "smaller than before": (PADDED, "scored[:, None]", "✗ shape"),
        "the mean of the images": (
            "rows = F.conv2d(padded,",
            "rows = F.conv2d(padded.mean(dim=0, keepdim=True).expand_as(padded),",
            "each image on its own",
        ),
    },
    "distance_to_known": {
        "the cosine itself": (NEAREST, NEAREST.replace("1 - ", ""), "1 - cosine"),
        "the farthest": ("topk(k, dim=1)", "topk(k, dim=1, largest=False)", "✗ known"),
        "the k-th alone": ("values.mean(dim=1)", "values[:, -1]", "✗ two nearest"),
        "all of the bank": (
            "cosines.topk(k, dim=1).values.mean(dim=1)",
            "cosines.mean(dim=1)",
            "✗ known",
        ),
        "a sum": ("values.mean(dim=1)", "values.sum(dim=1)", "✗ two nearest"),
        "long features are nearer": (
            DIRECTIONS,
            "directions, known = features, F.normalize(bank, dim=1)",
            "to length 1 along the channels",
        ),
        "long entries are nearer": (
            DIRECTIONS,
            "directions, known = F.normalize(features, dim=1), bank",
            "to length 1 along the channels",
        ),
        "along the width": ("F.normalize(features, dim=1)", "F.normalize(features, dim=-1)", "✗ street"),
        "the bank along its entries": ("F.normalize(bank, dim=1)", "F.normalize(bank, dim=0)", "✗ uneven"),
        "always five": ("topk(k,", "topk(min(5, len(bank)),", "✗ known"),
        "a distance in space": (
            NEAREST,
            "return (2 - 2 * cosines).clamp(min=0).sqrt().topk(k, dim=1, largest=False).values.mean(dim=1)",
            "✗ two nearest",
        ),
        "one score for an image": ("values.mean(dim=1)", "values.mean(dim=(1, 2, 3))", "✗ shape"),
    },
    "standardised_sum": {
        "by its own pixels": (STANDARD, "(part - part.mean()) / part.std()", "✗ one part"),
        "each image by itself": (
            STANDARD,
            "(part - known.mean(dim=(1, 2)).mean()) / known.std(dim=(1, 2)).mean()",
            "✗ one part",
        ),
        "not divided": (STANDARD, "(part - known.mean())", "(10 - 5) / 2.5"),
        "by the variance": ("known.std()", "known.var()", "(10 - 5) / 2.5"),
        "not centred": (STANDARD, "part / known.std()", "its mean is 1"),
        "from 0 to 1": (
            STANDARD,
            "(part - known.min()) / (known.max() - known.min())",
            "its mean is 1",
        ),
        "a mean": ("return total", "return total / len(maps)", "2 + 2"),
        "the last part alone": ("total = total + ", "total = ", "✗ both"),
        "a list": ("total = 0", "total = []", "✗ one part"),
        "in place": (
            "total = total + (part - known.mean()) / known.std()",
            "part -= known.mean()\n        total = total + part / known.std()",
            "changed its argument",
        ),
    },
    "energy_hinge": {
        "one mean for all": (
            ORDINARY + "\n    " + ANY + "\n        " + STRANGE,
            "loss = (e.where(~is_outlier, 1 - e).relu() ** 2).mean()",
            "each kind has its own mean",
        ),
        "no square": ("(e[~is_outlier].relu() ** 2)", "(e[~is_outlier].relu())", "✗ by hand"),
        "squared before the hinge": (
            "(1 - e[is_outlier]).relu() ** 2",
            "((1 - e[is_outlier]) ** 2).relu()",
            "✗ by hand",
        ),
        "absolute values": ("e[~is_outlier].relu()", "e[~is_outlier].abs()", "✗ by hand"),
        "outliers from the first margin": ("(1 - e[is_outlier])", "(-e[is_outlier])", "✗ by hand"),
        "the kinds exchanged": (UNIT, UNIT + "\n    is_outlier = ~is_outlier", "✗ by hand"),
        "the margins exchanged": (
            UNIT,
            "e = (energies - outside) / (inside - outside)",
            "✗ by hand",
        ),
        "without a unit": (UNIT, "e = energies - inside", "✗ by hand"),
        "NaN without outliers": (ANY, "if True:", "the ordinary mean alone"),
        "sums": ("** 2).mean()", "** 2).sum()", "✗ by hand"),
        "ordinary pixels alone": (STRANGE, "pass", "✗ by hand"),
        "nothing to pull": ("return loss", "return loss.detach()", "✗ gradient"),
        "a number": ("return loss", "return loss.item()", "✗ by hand"),
    },
    "evidence": {
        "all sets": (" if origins[name] != learnt_from]", "]", "came about in another way"),
        "only the same": ("!= learnt_from", "== learnt_from", "came about in another way"),
        "always pasted": ("!= learnt_from", '!= "pasted"', "✗ learnt from drawings"),
        "0 where there is none": ("else None", "else 0.0", "no evidence is no 0"),
        "a mean of 0 is none": (
            MEAN,
            "return sum(counting) / max(1, len(counting)) or None",
            "✗ no gain",
        ),
        "divided by 0": (MEAN, "return sum(counting) / len(counting)", "✗ only pasting"),
        "a sum": (MEAN, "return sum(counting) if counting else None", "✗ learnt from pasting"),
        "divided by all": ("/ len(counting)", "/ len(gains)", "✗ learnt from pasting"),
        "the best": (MEAN, "return max(counting) if counting else None", "✗ learnt from pasting"),
        "only what gained": (
            "!= learnt_from]",
            "!= learnt_from and gain > 0]",
            "✗ a loss counts",
        ),
        "the names": (COUNTING, COUNTING.replace("[gain for", "[name for"), "✗ learnt from pasting"),
    },
    "my_candidates": {
        "two": (THIRD, "", "a choice needs rivals"),
        "names of recipes": ("return [", 'return ["neighbours", "smoothed_entropy",', "✗ recipes"),
        "one name": ('"logit_and_coarse"', '"entropy_and_coarse"', "✗ names differ"),
        "the same parts": (
            SECOND,
            'detectors.Recipe("the_other_way", (coarse, entropy)),',
            "under another name",
        ),
        "no sum": (
            FIRST + "\n        " + SECOND + "\n        " + THIRD,
            "*[detectors.Recipe(str(part), (part,)) for part in (entropy, logit, fine, coarse)],",
            "in one sum",
        ),
        "the course's": ("return [", "return list(detectors.RECIPES.values()) or [", "new parts"),
        "the course's, the other way round": (
            "return [",
            "return [detectors.Recipe(n, r.parts[::-1]) for n, r in detectors.RECIPES.items()] or [",
            "new parts",
        ),
        "a second baseline": ('"entropy_and_both"', '"baseline"', "`baseline` is MSP"),
        "a map that it lacks": (
            "detectors.DistancePart(16)",
            "detectors.DistancePart(64)",
            "maps that it has",
        ),
        "a comma forgotten": (FIRST, 'detectors.Recipe("only_entropy", (entropy)),', "TypeError"),
        "a score's name": ('"entropy_and_both"', '"msp"', "✗ three or more"),
    },
    "choose": {
        "all sets": ("for one in choosing_sets", "for one in base", "what may be looked at?"),
        "FPR95 of all sets": ("for s in choosing_sets)", "for s in base)", "✗ locked sets"),
        "FPR95 left out": (" if " + SOUND, "", "41 is worse than 40"),
        "a higher FPR95 is better": ("[s][1] <= base[s][1]", "[s][1] >= base[s][1]", "✗ worse on one"),
        "FPR95 of one set is enough": (SOUND, SOUND.replace("all(", "any("), "41 is worse than 40"),
        "the largest gain": ("return min(results", "return max(results", "b falls from 10 to 9"),
        "the mean gain": ("return min(results", "return sum(results", "5 and 4, 30 and 1"),
        "AuPRC, not its gain": (" - base[one][0]", "", "✗ smallest gain"),
        "a share of the baseline": (" - base[one][0]", " / base[one][0]", "a gain is in points"),
        "strictly better": (SOUND, f"(name == baseline or {SOUND.replace('<=', '<')})", "equal is not worse"),
        "the first that is sound": (LARGEST, "return sound[0]", "✗ worse on one"),
        "the worst": ("return max(sound", "return min(sound", "✗ worse on one"),
        "never the baseline": (
            "for name in results if",
            "for name in results if name != baseline and",
            "✗ none is left",
        ),
        "a number, not the name": (LARGEST, "return max(map(smallest_gain, sound))", "✗ worse on one"),
        "a baseline called base": ("base = results[baseline]", 'base = results["base"]', "it is given"),
        "always a and b": (
            "base = results[baseline]",
            'base, choosing_sets = results[baseline], ["a", "b"]',
            "its sets are an argument",
        ),
    },
}
