"""Streamed metrics as plain tensors: to send them between processes, to keep them on disk."""

from course_lib.metrics.bootstrap import ImageCounts
from course_lib.metrics.streaming import StreamingMetrics


def packed(metrics: StreamingMetrics) -> dict:
    """Return all that streamed metrics know, as tensors, names and numbers that ``torch.save`` can write."""
    histogram = metrics.histogram
    return {
        "exact_pixels": metrics.exact_pixels,
        "summaries": metrics.summaries,
        "kept": metrics.kept,
        "histogram": (histogram.pages, histogram.counts, histogram.only),
        "images": {name: counts and tuple(counts) for name, counts in metrics.images.items()},
    }


def unpacked(state: dict) -> StreamingMetrics:
    """Return the streamed metrics that were packed."""
    metrics = StreamingMetrics(state["exact_pixels"], state["summaries"])
    metrics.kept = state["kept"]
    metrics.histogram.pages, metrics.histogram.counts, metrics.histogram.only = state["histogram"]
    metrics.images = {name: counts and ImageCounts(*counts) for name, counts in state["images"].items()}
    return metrics
