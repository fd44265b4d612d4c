"""Many measurements in few numbers."""

from collections.abc import Sequence
from math import ceil


def spread(values: Sequence[float]) -> dict[str, float]:
    """Count, median, 90th percentile and maximum; no interpolation: each is one that was seen."""
    ordered = sorted(values)
    if not ordered:
        return {"count": 0}
    return {
        "count": len(ordered),
        "p50": round(_at(ordered, 0.5), 3),
        "p90": round(_at(ordered, 0.9), 3),
        "max": round(ordered[-1], 3),
    }


def _at(ordered: Sequence[float], share: float) -> float:
    return ordered[ceil(share * len(ordered)) - 1]
