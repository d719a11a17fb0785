"""What a submission may use."""

from dataclasses import dataclass

MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Limits:
    """What a submission may use before it is stopped; the lessons need less than half of each."""

    cell_seconds: float = 20
    """Wall time of one cell."""
    seconds: float = 120
    """Wall time of a submission, all its runs together."""
    cpu_seconds: int = 120
    """Processor time of one process."""
    memory: int = 3072 * MEGABYTE
    """Bytes of memory, all processes together; looked at ten times a second."""
    address_space: int = 6144 * MEGABYTE
    """Bytes that one process may ask for; torch asks for half of this when it is imported."""
    processes: int = 64
    """Processes and threads together."""
    file_bytes: int = 64 * MEGABYTE
    """Of one file."""
    disk_bytes: int = 256 * MEGABYTE
    """Of all files together; they lie in memory."""
    output_bytes: int = 4 * MEGABYTE
    """Of everything that the cells show."""
    notebook_bytes: int = 10 * MEGABYTE
    """Of the notebook that was handed in."""
