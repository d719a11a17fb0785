"""Wrong answers to lesson 2."""

SOFTMAX = "return (logits / temperature).softmax(dim=1)"
INSIDE = "inside = (confidence > b / bins) & (confidence <= (b + 1) / bins)"
GAP = "gap = confidence[inside].mean() - is_right[inside].float().mean()"
GAP_AND_ADD = f"{GAP}\n            error += inside.float().mean().item() * gap.abs().item()"
ADD = "error += inside.float().mean().item() * gap.abs().item()"
NLL = "return nn.functional.cross_entropy(logits / temperature, target).item()"
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
            "exp(1e6) is infinite",
        ),
        "one maximum for all pixels": (
            SOFTMAX,
            "powers = ((logits - logits.max()) / temperature).exp()\n"
            "    return powers / powers.sum(dim=1, keepdim=True)",
            "✗ safe: got NaN in 2 of 4 values (hint: exp(1e6) is infinite; subtract each pixel's",
        ),
        "powers of the probabilities": (
            SOFTMAX,
            "powers = logits.softmax(dim=1) ** (1 / temperature)\n"
            "    return powers / powers.sum(dim=1, keepdim=True)",
            "(hint: divide logits; probabilities of 0 stay 0)",
        ),
        "their logarithm": ("softmax", "log_softmax", "✗ T = 1"),
        "the largest alone": (SOFTMAX, SOFTMAX + ".amax(dim=1)", "✗ shape"),
        "in place": ("(logits / temperature)", "logits.div_(temperature)", "changed its argument"),
        "never colder than 1": ("/ temperature", "/ max(temperature, 1.0)", "divide before the softmax"),
    },
    "expected_calibration_error": {
        "bins weigh the same": (ADD, "error += gap.abs().item() / bins", "✗ unequal (half of the points)"),
        "gaps cancel": (
            ".abs().item()",
            ".item()",
            "✗ by hand: got -0.15, expected 0.45 (hint: two bins, 0.5 in the lower",
        ),
        "gaps cancel, the other way round": (
            GAP_AND_ADD,
            GAP_AND_ADD.replace(
                "confidence[inside].mean() - is_right[inside].float().mean()",
                "is_right[inside].float().mean() - confidence[inside].mean()",
            ).replace(".abs()", ""),
            "✗ by hand: got 0.15, expected 0.45 (hint: two bins, 0.5 in the lower; the gaps",
        ),
        "the largest gap": (ADD, "error = max(error, gap.abs().item())", "✗ by hand"),
        "squared": (ADD, ADD.replace("gap.abs()", "gap.square()"), "✗ by hand"),
        "the lower edge is in": (
            INSIDE,
            "inside = (confidence >= b / bins) & (confidence < (b + 1) / bins)",
            "✗ by hand: got 0.2, expected 0.45 (hint: two bins, 0.5 in the lower",
        ),
        "the middle of the bin": (
            "confidence[inside].mean()",
            "torch.tensor((b + 0.5) / bins)",
            "✗ one bin",
        ),
        "always 15": (
            "error = 0.0",
            "error, bins = 0.0, 15",
            "✗ one bin: got 0.6, expected 0.1 (hint: `bins` is given",
        ),
        "empty bins are NaN": ("if inside.any():", "if True:", "14 of 15 hold nothing"),
        "in percent": ("return error", "return 100 * error", "✗ by hand"),
        "accuracy of all": ("is_right[inside].float()", "is_right.float()", "✗ by hand"),
        "a sum over pixels": ("inside.float().mean()", "inside.float().sum()", "✗ by hand"),
    },
    "fit_temperature": {
        "the highest": ("if nll(low * third) < nll", "if nll(low * third) > nll", "✗"),
        "the paper's grid": (MIDDLE, "return min((0.5, 0.75, 1.0, 1.1), key=nll)", "✗ longer logits"),
        "one over T": (MIDDLE, "return 1 / (low * high) ** 0.5", "one over what is right: got"),
        "times T": ("logits / temperature", "logits * temperature", "one over what is right: got"),
        "from 0.1 to 10 only": ("low, high = 0.01, 100.0", "low, high = 0.1, 10.0", "look everywhere"),
        "too few rounds": ("range(40)", "range(8)", "✗"),
        "always 1": (MIDDLE, "return 1.0", "✗ longer logits"),
        "a grid too coarse": (
            MIDDLE,
            "return min(torch.logspace(-2, 2, 60).tolist(), key=nll)",
            "close, but not within 1 %: got",
        ),
        "a tensor of one number": (
            MIDDLE,
            "return torch.tensor([(low * high) ** 0.5])",
            "it returned a torch.float32 tensor of shape (1,), expected a number",
        ),
        "the lowest Brier score": (
            NLL,
            "p = (logits / temperature).softmax(dim=1)\n"
            "        return (p - nn.functional.one_hot(target, 5)).square().sum(dim=1).mean().item()",
            "(hint: the lowest NLL, no other measure)",
        ),
        "the lowest ECE": (
            NLL,
            "p, winner = (logits / temperature).softmax(dim=1).max(dim=1)\n"
            "        return calibration.expected_calibration_error(p, winner == target)",
            "(hint: the lowest NLL, no other measure)",
        ),
        "the accuracy": (
            NLL,
            "return ((logits / temperature).argmax(dim=1) != target).float().mean().item()",
            "✗",
        ),
        "confidence equal to accuracy": (
            NLL,
            "p = (logits / temperature).softmax(dim=1).amax(dim=1)\n"
            "        return (p.mean() - 0.5).abs().item()",
            "✗",
        ),
    },
}
