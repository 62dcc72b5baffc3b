"""How a fitted model does on examples it was not shown."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from bot.learning.head import Fit
from bot.ml.classification_report import report


def report_held_out(fit: Fit) -> dict[str, Any]:
    """The figures that are kept with a version and shown of it."""
    figures = asdict(report(fit.labels, fit.held_out, threshold=fit.threshold))
    figures |= fit.figures
    return figures | ({"learned_from": fit.learned_from} if fit.learned_from else {})
