"""Wrong answers to lesson 2."""

SOFTMAX = "return (logits / temperature).softmax(dim=1)"
INSIDE = "inside = (confidence > b / bins) & (confidence <= (b + 1) / bins)"
GAP = "gap = confidence[inside].mean() - is_right[inside].float().mean()"
ADD = "error += inside.float().mean().item() * gap.abs().item()"
MIDDLE = "return (low * high) ** 0.5"

BANK = {
    "softmax_at": {
        "times the temperature": ("logits / temperature", "logits * temperature", "✗ T = 2"),
        "without it": ("logits / temperature", "logits", "✗ T = 2"),
        "of the probabilities": (SOFTMAX, "return logits.softmax(dim=1) / temperature", "✗ T = 2"),
        "over the width": ("dim=1", "dim=-1", "which sums have to be 1?"),
        "over the images": ("dim=1", "dim=0", "✗"),
        "not safe": (
            SOFTMAX,
            "powers = (logits / temperature).exp()\n    return powers / powers.sum(dim=1, keepdim=True)",
            "exp(1000000) is infinite",
        ),
        "their logarithm": ("softmax", "log_softmax", "✗ T = 1"),
        "the largest alone": (SOFTMAX, SOFTMAX + ".amax(dim=1)", "✗ shape"),
        "in place": ("(logits / temperature)", "logits.div_(temperature)", "changed its argument"),
        "never colder than 1": ("/ temperature", "/ max(temperature, 1.0)", "divide before the softmax"),
    },
    "expected_calibration_error": {
        "bins weigh the same": (ADD, "error += gap.abs().item() / bins", "✗ unequal bins"),
        "gaps cancel": (".abs().item()", ".item()", "gaps must not cancel"),
        "the largest gap": (ADD, "error = max(error, gap.abs().item())", "✗ by hand"),
        "squared": (ADD, ADD.replace("gap.abs()", "gap.square()"), "✗ by hand"),
        "the lower edge is in": (
            INSIDE,
            "inside = (confidence >= b / bins) & (confidence < (b + 1) / bins)",
            "0.5 is in the lower bin",
        ),
        "the middle of the bin": (
            "confidence[inside].mean()",
            "torch.tensor((b + 0.5) / bins)",
            "✗ one bin",
        ),
        "always 15": ("error = 0.0", "error, bins = 0.0, 15", "✗ by hand"),
        "empty bins are NaN": ("if inside.any():", "if True:", "14 of 15 hold nothing"),
        "in percent": ("return error", "return 100 * error", "✗ by hand"),
        "accuracy of all": ("is_right[inside].float()", "is_right.float()", "✗ by hand"),
        "a sum over pixels": ("inside.float().mean()", "inside.float().sum()", "✗ by hand"),
    },
    "fit_temperature": {
        "the highest": ("if nll(low * third) < nll", "if nll(low * third) > nll", "✗"),
        "the paper's grid": (MIDDLE, "return min((0.5, 0.75, 1.0, 1.1), key=nll)", "✗ logits too long"),
        "one over T": (MIDDLE, "return 1 / (low * high) ** 0.5", "✗ logits too long"),
        "times T": ("logits / temperature", "logits * temperature", "✗ logits too long"),
        "from 0.1 to 10 only": ("low, high = 0.01, 100.0", "low, high = 0.1, 10.0", "look everywhere"),
        "too few rounds": ("range(40)", "range(8)", "✗"),
        "always 1": (MIDDLE, "return 1.0", "✗ logits too long"),
        "the accuracy": (
            "return nn.functional.cross_entropy(logits / temperature, target).item()",
            "return ((logits / temperature).argmax(dim=1) != target).float().mean().item()",
            "✗",
        ),
        "confidence equal to accuracy": (
            "return nn.functional.cross_entropy(logits / temperature, target).item()",
            "p = (logits / temperature).softmax(dim=1).amax(dim=1)\n"
            "        return (p.mean() - 0.5).abs().item()",
            "✗",
        ),
    },
}
