"""Wrong answers to lesson 0."""

SHARE = "return (valid == train_id).float().mean().item()"

BANK = {
    "class_share": {
        "void in the denominator": ("target[target != labels.IGNORE]", "target", "✗ void is out"),
        "a percentage": (".item()", ".item() * 100", "100 times too large: a percentage"),
        "a count": (".float().mean()", ".sum()", "a share, not a count"),
        "void painted over in the argument": (
            "valid = target[target != labels.IGNORE]",
            "target[target == labels.IGNORE] = 254; valid = target[target != 254]",
            "it changed its argument `half_void` in place",
        ),
        "the last class forgotten": ("target != labels.IGNORE", "target < 18", "18 is a class, too"),
        "void is road": (
            "valid = target[target != labels.IGNORE]",
            "valid = target.where(target != labels.IGNORE, 0)",
            "divide by the valid pixels",
        ),
        "nothing returned": ("return (valid", "(valid", "it returned None; is a return missing?"),
        "counts of the classes that are there": (
            SHARE,
            "return (valid.long().bincount()[train_id] / len(valid)).item()",
            "✗ no such class: IndexError",
        ),
        "rows and columns": (
            "valid = target",
            "rows, columns = target.shape\n    valid = target",
            "✗ a flat target: ValueError: not enough values to unpack",
        ),
        "rounded": (
            SHARE,
            "return round((valid == train_id).float().mean().item(), 2)",
            "✗ void is out (half of the points): right but rounded: got 0.67",
        ),
        "the class that is not": ("valid == train_id", "valid != train_id", "✗ void is out"),
    },
    "prevalence": {
        "void in the denominator": (
            "target[target != labels.IGNORE]",
            "target",
            "divide by the valid pixels",
        ),
        "everything above normal": (
            "valid = target[target != labels.IGNORE]\n    return (valid == 1)",
            "return (target > 0)",
            "255 is neither normal nor anomalous",
        ),
        "the first row alone": ("target[target != labels.IGNORE]", "target[0]", "✗ two of five"),
        "twice the share of all": (
            "target[target != labels.IGNORE]\n    return (valid == 1).float()",
            "target\n    return 2 * (valid == 1).float()",
            "✗",
        ),
        "the share of normal pixels": (
            "valid == 1",
            "valid == 0",
            "✗ two of five (half of the points): got 0.6",
        ),
        "a percentage": (".item()", ".item() * 100", "100 times too large: a percentage"),
        "rounded": (
            "return (valid == 1).float().mean().item()",
            "return round((valid == 1).float().mean().item(), 2)",
            "✗ a flat mask: right but rounded: got 0.33",
        ),
        "a count": (".float().mean()", ".float().sum()", "✗ two of five (half of the points): got 2"),
        "the mean over void": ("(valid == 1)", "target", "✗ two of five"),
        "rows and columns": (
            "valid = target",
            "rows, columns = target.shape\n    valid = target",
            "✗ a flat mask: ValueError: not enough values to unpack",
        ),
    },
}
