"""Wrong answers to lesson 3."""

TARGETS = "return target.masked_fill(target == labels.IGNORE, labels.VOID)"
AREA = "(1 / 4 + 2 / 7 + 3 / 8)"
SCORE = "return logits.log_softmax(dim=1)[:, labels.VOID]"

BANK = {
    "void_targets": {
        "in place": ("masked_fill(", "masked_fill_(", "changed its argument"),
        "by assignment": (
            TARGETS,
            "target[target == labels.IGNORE] = labels.VOID\n    return target",
            "changed its argument",
        ),
        "another dtype": (TARGETS, TARGETS + ".long()", "✗ dtype: got torch.int64"),
        "always uint8": (TARGETS, TARGETS + ".to(torch.uint8)", "✗ other dtype: got torch.uint8"),
        "void left out": (TARGETS, "return target[target != labels.IGNORE]", "of shape (4,), expected"),
        "the wrong way round": ("target == labels", "target != labels", "the rest stays"),
        "counted from one": ("labels.VOID)", "labels.VOID + 1)", "255 becomes 19"),
        "the last class, too": ("target == labels.IGNORE", "target >= 18", "255 becomes 19"),
        "clamped": (TARGETS, "return target.clamp(max=18)", "255 becomes 19"),
        "nothing done": (TARGETS, "return target.clone()", "255 becomes 19"),
    },
    "void_score": {
        "the probability": ("log_softmax", "softmax", "(hint: log(1 / 20)"),
        "one minus the probability": (
            SCORE,
            "return 1 - logits.softmax(dim=1)[:, labels.VOID]",
            "(hint: log(1 / 20)",
        ),
        "the logarithm of a softmax": ("log_softmax(dim=1)", "softmax(dim=1).log()", "P rounds to 0"),
        "a small number against infinity": (
            "log_softmax(dim=1)",
            "softmax(dim=1).add(1e-9).log()",
            "P rounds to 0",
        ),
        "the logit alone": ("logits.log_softmax(dim=1)", "logits", "(hint: log(1 / 20)"),
        "in 16 bits": (SCORE, f"{SCORE.replace('logits.', 'logits.half().')}.float()", "as precise as the"),
        "a softmax clamped": ("log_softmax(dim=1)", "softmax(dim=1).clamp(min=1e-7).log()", "P rounds to 0"),
        "the other sign": ("return logits", "return -logits", "right but for the sign"),
        "the last class": ("labels.VOID]", "labels.VOID - 1]", "which output"),
        "along the width": ("log_softmax(dim=1)", "log_softmax(dim=-1)", "✗ 20 equal logits"),
        "the dimension kept": ("[:, labels.VOID]", "[:, labels.VOID:]", "(2, 1, 4, 6)"),
        "the first image": ("[:, labels.VOID]", "[0, labels.VOID]", "✗"),
        "shifted by the largest of all pixels": (
            SCORE,
            "z = logits - logits.max()\n    return z[:, labels.VOID] - z.exp().sum(dim=1).log()",
            "each pixel on its own",
        ),
        "shifted by the first class": (
            SCORE,
            "z = logits - logits[:, :1]\n    return z[:, labels.VOID] - z.exp().sum(dim=1).log()",
            "each pixel on its own",
        ),
        "in double precision": ("log_softmax(dim=1)", "double().softmax(dim=1).log()", "P rounds to 0"),
        "clamped": (
            "log_softmax(dim=1)",
            "softmax(dim=1).log().clamp(min=-200)",
            "P rounds to 0",
        ),
        "without the 20th in the sum": (
            SCORE,
            "return logits[:, labels.VOID] - logits[:, :19].logsumexp(dim=1)",
            "✗ 20 equal logits",
        ),
        "an exponential that overflows": (
            SCORE,
            "return logits[:, labels.VOID] - logits.exp().sum(dim=1).log()",
            "P rounds to 0",
        ),
    },
    "suspects": {
        "the right score, not the inverted": (AREA, "(1 / 1 + 2 / 2 + 3 / 5)", "three precisions"),
        "not divided by three": ("3 / 8) / 3", "3 / 8)", "✗ inverted AuPRC"),
        "one minus the right area": (f"{AREA} / 3", "1 - (1 + 1 + 3 / 5) / 3", "three precisions"),
        "one minus the right rate": ("= 5 / 5", "= 1 - 2 / 5", "anomalies come last"),
        "of all pixels": ("= 5 / 5", "= 5 / 8", "anomalies come last"),
        "half": ("constant_auprc = 3 / 8", "constant_auprc = 1 / 2", "a tie: all at once"),
        "odds": ("constant_auprc = 3 / 8", "constant_auprc = 3 / 5", "a tie: all at once"),
        "the two rules exchanged": (
            "by_step = 1.0\n    constant_fpr95_by_chord = 0.95",
            "by_step = 0.95\n    constant_fpr95_by_chord = 1.0",
            "✗ constant FPR95 (step): got 0.95 (hint: all or none)",
        ),
        "percent": ("by_chord = 0.95", "by_chord = 95", "a percentage, expected a fraction"),
        "a variable forgotten": ("constant_fpr95_by_step = 1.0", "pass", "NameError"),
    },
}  # fmt: skip
