"""Wrong answers to lesson 1."""

KEEP = "amax(dim=1, keepdim=True)"
NORM_1, NORM_2 = "self.bn1(self.conv1x3_1(y)).relu()", "self.bn2(self.conv1x3_2(y))"
MSP = "return 1 - logits.softmax(dim=1).amax(dim=1)"
SOFTMAX_BY_HAND = "p = logits.exp() / logits.exp().sum(dim=1, keepdim=True)"
ENTROPY = "entropy = torch.special.entr(logits.softmax(dim=1)).sum(dim=1)"
LOG_K = "return entropy / torch.tensor(float(logits.shape[1])).log()"
LOOP = """for threshold in scores.unique().flip(0):
        flagged = scores >= threshold
        found = is_anomaly[flagged].sum().item()
        auprc += found / flagged.sum().item()"""
IN_PLACE = "logits -= logits.amax(dim=1, keepdim=True)"

BANK = {
    "NonBottleneck1D": {
        "no residual": ("(x + y).relu()", "y.relu()", "✗ output"),
        "the input added after the ReLU": ("(x + y).relu()", "x + y.relu()", "✗ output"),
        "no last ReLU": ("(x + y).relu()", "x + y", "✗ output"),
        "the argument reused for the sum": (
            "(x + y).relu()",
            "x.add_(y).relu()",
            "changed its argument `x`",
        ),
        "no padding": ("padding=(1, 0)", "padding=0", "size of tensor a (12)"),
        "no dilation": ("padding=along, dilation=(dilation, 1)", "padding=(1, 0)", "✗ output"),
        "the dilated axis mixed up": ("dilation=(dilation, 1)", "dilation=(1, dilation)", "✗ shape"),
        "no biases": (
            "(3, 1), padding=(1, 0))",
            "(3, 1), padding=(1, 0), bias=False)",
            'Unexpected key(s) in state_dict: "conv3x1_1.bias"',
        ),
        "the default eps": ("channels, eps=1e-3)", "channels)", "padding, dilation, eps"),
        "padding across the kernel": (
            "along, across = (dilation, 0), (0, dilation)",
            "across, along = (dilation, 0), (0, dilation)",
            "order, ReLUs, sum, padding",
        ),
        "first pair padded across the kernel": (
            "(3, 1), padding=(1, 0))",
            "(3, 1), padding=(0, 1))",
            "size of tensor a (20) must match the size of tensor b (22)",
        ),
        "layers without names of their own": (
            "self.conv3x1_1 = nn.Conv2d(channels, channels, (3, 1), padding=(1, 0))",
            "self.layers = nn.Sequential(nn.Conv2d(channels, channels, (3, 1), padding=(1, 0)))",
            "✗ names: got 'conv3x1_1', expected '' (hint: these layers are missing)",
        ),
        "normalisation after the first convolution": (
            "y = self.conv3x1_1(x).relu()\n        y = self.bn1(self.conv1x3_1(y)).relu()",
            "y = self.bn1(self.conv3x1_1(x)).relu()\n        y = self.conv1x3_1(y).relu()",
            "✗ output",
        ),
        "no dropout": ("y = self.dropout(", "y = (", "✗ training"),
        "dropout after the sum": (
            "y = self.dropout(self.bn2(self.conv1x3_2(y)))\n        return (x + y).relu()",
            "y = self.bn2(self.conv1x3_2(y))\n        return self.dropout((x + y).relu())",
            "drop channels, then add",
        ),
        "a fixed dropout": ("nn.Dropout2d(dropout)", "nn.Dropout2d(0.5)", "✗ dropout 1"),
        "dropout of single pixels": ("nn.Dropout2d", "nn.Dropout", "drop channels, then add"),
        "ReLU before the normalisation": (
            NORM_1,
            "self.bn1(self.conv1x3_1(y).relu())",
            "✗ output",
        ),
        "the first normalisation twice": (
            NORM_2,
            "self.bn1(self.conv1x3_2(y))",
            "✗ output",
        ),
        "the second normalisation forgotten": (
            NORM_2,
            "self.conv1x3_2(y)",
            "✗ output",
        ),
        "a fixed dilation": (
            "(dilation, 0), (0, dilation)",
            "(2, 0), (0, 2); dilation = 2",
            "if only this fails: use both arguments",
        ),
        "fixed channels": ("super().__init__()", "super().__init__(); channels = 16", "size mismatch"),
        "another name": ("self.bn2", "self.norm2", "Missing key"),
        "no super": ("super().__init__()", "", "before Module.__init__() call"),
    },
    "msp": {
        "the probability itself": ("1 - logits", "logits", "✗ by hand: got 0.75, expected 0.25"),
        "softmax along the width": (
            "softmax(dim=1)",
            "softmax(dim=-1)",
            "(hint: softmax over the classes, dimension 1)",
        ),
        "NumPy in place of torch": (
            MSP,
            "import numpy as np\n    z = np.exp(logits.numpy() - logits.numpy().max(axis=1, keepdims=True))\n"
            "    return 1 - (z / z.sum(axis=1, keepdims=True)).max(axis=1)",
            "it returned a float32 NumPy array of shape (1, 1, 1), expected a floating tensor",
        ),
        "softmax over the batch": ("softmax(dim=1)", "softmax(dim=0)", "✗ by hand"),
        "the smallest probability": (MSP, "return logits.softmax(dim=1).amin(dim=1)", "✗ street"),
        "the dimension kept": (
            "amax(dim=1)",
            KEEP,
            "torch.Size([2, 1, 4, 6]), expected (2, 4, 6)",
        ),
        "a softmax that overflows": (
            MSP,
            f"{SOFTMAX_BY_HAND}\n    return 1 - p.amax(dim=1)",
            "(hint: 0 where certain; if NaN: exp(1000))",
        ),
        "values with their indices": ("amax(dim=1)", "max(dim=1)", "✗"),
        "shifted in place": (MSP, f"{IN_PLACE}\n    {MSP}", "it changed its argument"),
        "a list": (
            MSP,
            MSP.replace("1 - logits", "(1 - logits") + ").tolist()",
            "of type list, expected a floating tensor",
        ),
        "the logits themselves": ("logits.softmax(dim=1).amax", "logits.amax", "✗ by hand"),
    },
    "max_logit": {
        "no minus": ("-logits", "logits", "right but for the sign"),
        "minus the smallest": ("amax", "amin", "✗ by hand: got -1, expected -3"),
        "along the width": ("dim=1", "dim=-1", "got "),
        "the class of the largest": (
            "-logits.amax(dim=1)",
            "logits.argmax(dim=1)",
            "a torch.int64 tensor of shape (1, 1, 1), expected a floating",
        ),
        "after a softmax": ("-logits", "-logits.softmax(dim=1)", "✗ by hand"),
        "only positive logits": ("-logits", "-logits.relu()", "logits may be negative"),
        "the largest of all pixels": ("amax(dim=1)", "max()", "of shape (), expected"),
        "the dimension kept": ("amax(dim=1)", KEEP, "got "),
    },
    "max_entropy": {
        "the sign": ("torch.special.entr(", "-torch.special.entr(", "right but for the sign"),
        "not divided by log K": (LOG_K, "return entropy", "divide by log K"),
        "divided by log 19": ("float(logits.shape[1])", "19.0", "divide by log K, here K = 4"),
        "divided by K": (".log()", "", "✗ four equal"),
        "0 log 0": (
            ENTROPY,
            "p = logits.softmax(dim=1)\n    entropy = -(p * p.log()).sum(dim=1)",
            "(hint: 0 log 0 counts as 0)",
        ),
        "a small number against NaN": (
            ENTROPY,
            "p = logits.softmax(dim=1) + 1e-3\n    entropy = -(p * p.log()).sum(dim=1)",
            "✗ certain",
        ),
        "a mean instead of a sum": (".sum(dim=1)", ".mean(dim=1)", "✗ four equal"),
        "softmax along the width": ("softmax(dim=1)", "softmax(dim=-1)", "✗"),
        "summed along the width": (".sum(dim=1)", ".sum(dim=-1)", "of shape (2, 19, 4), expected"),
        "of the logits": ("logits.softmax(dim=1)", "logits", "✗"),
        "torch's logarithm of a plain number": (
            LOG_K,
            "return entropy / torch.log(logits.shape[1])",
            "must be Tensor, not int; of a plain number take the function in math, such as math.log",
        ),
    },
    "six_pixels": {
        "precision and recall exchanged": (
            "precision = 1 / 2",
            "precision = 1 / 3",
            "✗ precision: got 0.3333 (hint: two pixels are flagged)",
        ),
        "recall of the normal pixels": ("recall = 1 / 3", "recall = 2 / 3", "of three anomalies; a fraction"),
        "a mean over all pixels": ("3 / 4) / 3", "3 / 4 + 3 / 5 + 1 / 2) / 6", "the mean of three"),
        "trapezoids": ("(1 / 1 + 2 / 3 + 3 / 4) / 3", "0.75", "✗ AuPRC"),
        "false alarms of all pixels": ("fpr95 = 1 / 3", "fpr95 = 1 / 6", "of the normal pixels"),
        "stopped at two anomalies": ("fpr95 = 1 / 3", "fpr95 = 0", "all three found"),
        "percent": ("precision = 1 / 2", "precision = 50", "a percentage, expected a fraction"),
        "rounded": (
            "recall = 1 / 3",
            "recall = 0.33",
            "✗ recall: right but rounded: got 0.33",
        ),
        "a variable forgotten": ("recall = 1 / 3", "pass", "NameError: name 'recall' is not defined"),
    },
    "auprc_and_fpr95": {
        "a line between the precisions": (
            "auprc += found / flagged.sum().item() * (found - before) / anomalies\n",
            "now = found / flagged.sum().item()\n"
            "        auprc += (now + (last if before else now)) / 2 * (found - before) / anomalies\n"
            "        last = now\n",
            "no line between them",
        ),
        "a mean over all thresholds": (
            "* (found - before) / anomalies",
            "/ len(scores.unique())",
            "the mean of three precisions",
        ),
        "pixel by pixel through a tie": (
            "for threshold in scores.unique().flip(0):\n        flagged = scores >= threshold",
            "for rank in range(len(scores)):\n"
            "        flagged = torch.zeros_like(is_anomaly)\n"
            "        flagged[scores.argsort(descending=True, stable=True)[: rank + 1]] = True",
            "equal scores are flagged together",
        ),
        "above the threshold only": ("scores >= threshold", "scores > threshold", "ZeroDivisionError"),
        "from the lowest up": (".flip(0)", "", "✗ six: AuPRC"),
        "thresholds from 0 to 1": (
            LOOP,
            LOOP.replace("scores.unique().flip(0)", "torch.linspace(1, 0, 101)").replace(
                "flagged.sum().item()", "max(flagged.sum().item(), 1)"
            ),
            "(hint: as with six; scores may be negative)",
        ),
        "all anomalies have to be found": ("0.95 * anomalies", "anomalies", "95 % of 40 are 38"),
        "95 % of them rounded down": (
            "0.95 * anomalies",
            "int(0.95 * anomalies)",
            "(hint: equal scores are flagged together; 95 % of two are both)",
        ),
        "false alarms of all pixels": (
            "flagged[~is_anomaly].double().mean().item()",
            "(flagged & ~is_anomaly).double().mean().item()",
            "✗ six: FPR95: got 0.1667, expected 0.3333 (hint: all three found; of the normal pixels)",
        ),
        "the share of normal pixels among the flagged": (
            "flagged[~is_anomaly].double().mean().item()",
            "(~is_anomaly[flagged]).double().mean().item()",
            "of the normal pixels",
        ),
        "the wrong way round": ("return auprc, fpr95", "return fpr95, auprc", "✗"),
        "AuPRC alone": ("return auprc, fpr95", "return auprc", "✗ six: AuPRC"),
        "percent": ("return auprc, fpr95", "return 100 * auprc, 100 * fpr95", "100 times too large"),
    },
    "chance": {
        "half": ("is_anomaly.double().mean().item()", "0.5", "✗ AuPRC: got 0.5, expected 0.25"),
        "percent": (", 0.95", ", 95", "✗ FPR95: 100 times too large: a percentage, expected a fraction"),
        "the complement": (", 0.95", ", 0.05", "how much must be flagged"),
        "of normal pixels": ("is_anomaly.double()", "(~is_anomaly).double()", "the share of anomalies"),
        "the constant's FPR95": (", 0.95", ", 1.0", "✗ FPR95"),
        "one over the width": (
            "is_anomaly.double().mean().item()",
            "1 / is_anomaly.shape[-1]",
            "✗ three in ten",
        ),
        "three results": (", 0.95", ", 0.95, 1.0", "✗ three in ten"),
        "AuPRC alone": (", 0.95", "", "✗"),
        "FPR95 from the prevalence": (", 0.95", ", 1 - is_anomaly.double().mean().item()", "✗"),
    },
}
