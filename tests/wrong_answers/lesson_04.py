"""Wrong answers to lesson 4."""

MEAN = "return (wrong**2 * cross_entropy).sum() / (target != labels.IGNORE).sum()"
LENGTH = "length = torch.linalg.vector_norm(logits, dim=1, keepdim=True)"
NORMALISED = "return logits / (temperature * (length + 1e-7))"
DISTANCE = "return -abs(scale) * (2 - 2 * cosines).clamp(min=1e-12).sqrt()"
WRONG = "wrong = 1 - (-cross_entropy).exp()"
CE = 'F.cross_entropy(logits, target, ignore_index=labels.IGNORE, reduction="none")'
NLL = 'F.nll_loss(logits.softmax(1).log(), target, ignore_index=labels.IGNORE, reduction="none")'
BETTER = 'if low > 0 and min(mine) > max(baseline):\n        return "better"'
WORSE = 'if high < 0 and max(mine) < min(baseline):\n        return "worse"'

BANK = {
    "focal_loss": {
        "cross-entropy": ("wrong**2 * ", "", "✗ p = 4/5"),
        "gamma 1": ("wrong**2", "wrong", "✗ p = 4/5"),
        "the right ones count": ("1 - (-cross_entropy).exp()", "(-cross_entropy).exp()", "1 - p is 1/5"),
        "p without the minus": ("(-cross_entropy)", "(cross_entropy)", "✗ p = 4/5"),
        "the sum": (MEAN, "return (wrong**2 * cross_entropy).sum()", "✗ street"),
        "void in the mean": (MEAN, "return (wrong**2 * cross_entropy).mean()", "void counts nowhere"),
        "one loss per pixel": (MEAN, "return wrong**2 * cross_entropy", "✗ one number"),
        "void as class 0": (
            "ignore_index=labels.IGNORE, ",
            "",
            "✗ some void",
        ),
        "a loss of 0 taken for void": (
            MEAN,
            "losses = wrong**2 * cross_entropy\n    return losses[cross_entropy > 0].mean()",
            "a loss of 0 is not void",
        ),
        "the logarithm of a softmax": (CE, NLL, "no log of a softmax"),
        "a softmax clamped": (CE, NLL.replace(".log()", ".clamp(min=1e-7).log()"), "no log of a softmax"),
        "the mean of each image's mean": (
            MEAN,
            "valid = (target != labels.IGNORE).sum(dim=(1, 2))\n"
            "    return ((wrong**2 * cross_entropy).sum(dim=(1, 2)) / valid).mean()",
            "all pixels of the batch count alike",
        ),
        "the weight cut off": (WRONG, WRONG + "\n    wrong = wrong.detach()", "no .detach()"),
        "everything cut off": (
            MEAN,
            MEAN.replace("return ", "return (") + ").detach()",
            "the result has no gradient",
        ),
        "the power of the mean": (
            MEAN,
            "valid = target != labels.IGNORE\n"
            "    mean = cross_entropy[valid].mean()\n"
            "    return (1 - (-mean).exp()) ** 2 * mean",
            "✗ street",
        ),
    },
    "logit_norm": {
        "over the width": ("dim=1", "dim=-1", "which axis holds the classes?"),
        "over the height": ("dim=1", "dim=2", "which axis holds the classes?"),
        "over the whole tensor": (LENGTH, "length = logits.norm()", "✗ each pixel by itself"),
        "the length cut off": (LENGTH, f"{LENGTH}.detach()", "no .detach()"),
        "over the whole image": (
            "dim=1, keepdim=True",
            "dim=(1, 2, 3), keepdim=True",
            "✗ each pixel by itself",
        ),
        "without the temperature": ("temperature * ", "", "✗ (3, 4)"),
        "times the temperature": (NORMALISED, "return logits / (length + 1e-7) * temperature", "✗ (3, 4)"),
        "always 0.04": ("temperature * (", "0.04 * (", "use the argument"),
        "the sum of absolute values": (LENGTH, "length = logits.abs().sum(dim=1, keepdim=True)", "✗ (3, 4)"),
        "the squared length": (LENGTH, "length = (logits**2).sum(dim=1, keepdim=True)", "✗ (3, 4)"),
        "a softmax": (NORMALISED, "return logits.softmax(dim=1) / temperature", "✗ (3, 4)"),
        "0 divided by 0": ("(length + 1e-7)", "length", "0 / 0 is NaN"),
        "in place": (NORMALISED, "return logits.div_(temperature * (length + 1e-7))", "changed its argument"),
    },
    "isomax_logits": {
        "features as long as they are": (
            "F.normalize(features, dim=1), F",
            "features, F",
            "✗ three directions",
        ),
        "prototypes as long as they are": (
            "F.normalize(prototypes, dim=1)",
            "prototypes",
            "✗ three directions",
        ),
        "features along the width": (
            "F.normalize(features, dim=1)",
            "F.normalize(features, dim=-1)",
            "✗ street",
        ),
        "prototypes along the classes": ("prototypes, dim=1", "prototypes, dim=0", "✗"),
        "distances, not logits": ("return -abs", "return abs", "✗ three directions"),
        "the sign of the scale": ("-abs(scale)", "-scale", "right but for the sign"),
        "without the scale": ("-abs(scale) * ", "-", "✗ a scale of -2"),
        "the squared distance": (".clamp(min=1e-12).sqrt()", "", "✗ three directions"),
        "cosines": (DISTANCE, "return abs(scale) * cosines", "✗ three directions"),
        "the factor 10": ("-abs(scale)", "-10 * abs(scale)", "✗ three directions"),
        "half the distance": ("(2 - 2 * cosines)", "(1 - cosines)", "✗ three directions"),
        "roots of negative numbers": (".clamp(min=1e-12)", ".sub(1e-6)", "below 0 there is no root"),
        "roots of what rounding made negative": (".clamp(min=1e-12)", "", "below 0 there is no root"),
        "NaN as 0": (".clamp(min=1e-12).sqrt()", ".sqrt().nan_to_num(0)", "at 0 no slope"),
        "features cut off": ("F.normalize(features", "F.normalize(features.detach()", "no .detach()"),
        "prototypes cut off": ("F.normalize(prototypes", "F.normalize(prototypes.detach()", "no .detach()"),
        "everything cut off": (DISTANCE, f"{DISTANCE}.detach()", "the result has no gradient"),
    },
    "verdict": {
        "images alone": (" and min(mine) > max(baseline)", "", "✗ seeds overlap"),
        "seeds alone": ("low > 0 and ", "", "✗ images cannot tell"),
        "means of the seeds": (
            "min(mine) > max(baseline)",
            "sum(mine) / len(mine) > sum(baseline) / len(baseline)",
            "✗ seeds overlap",
        ),
        "the best seed": ("min(mine) > max(baseline)", "max(mine) > max(baseline)", "✗ seeds overlap"),
        "never worse": (WORSE, "if False:\n        pass", "✗ both say worse"),
        "never better": (BETTER, "if False:\n        pass", "✗ both say better"),
        "worse by images alone": (" and max(mine) < min(baseline)", "", "✗ worse, seeds overlap"),
        "worse by seeds alone": ("high < 0 and ", "", "✗ worse, images cannot tell"),
        "the first seed against the last": ("min(mine) > max(baseline)", "mine[0] > baseline[-1]", "✗ seeds"),
        "an interval up to 0": ("low > 0", "low >= 0", "0 is not excluded"),
        "worse, up to 0": ("high < 0", "high <= 0", "0 is not excluded"),
        "equal seeds": ("min(mine) > max", "min(mine) >= max", "30 reaches 30"),
        "two seeds": ("min(mine) > max(baseline)", "min(mine[:2]) > max(baseline[:2])", "✗ the third"),
        "sorted in place": ("if low > 0", "mine.sort()\n    if low > 0", "changed its argument"),
        "always something": ('return "cannot tell"', 'return "better"', "✗ images cannot tell"),
    },
}
