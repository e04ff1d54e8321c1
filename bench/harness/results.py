"""Samples, and what is said of them."""

from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True)
class Metric:
    """One quantity that a measure takes of every peer."""

    key: str
    title: str
    unit: str
    digits: int = 2
    less_is_better: bool = True

    def heading(self):
        """Title, unit, and an arrow that says which way is better."""
        unit = f", {self.unit}" if self.unit else ""
        return f"{self.title}{unit} {'↓' if self.less_is_better else '↑'}"


@dataclass
class Section:
    """What one measure found: samples by metric and peer."""

    name: str
    title: str
    text: str
    metrics: list
    samples: dict = field(default_factory=dict)
    notes: list = field(default_factory=list)

    def add(self, key, peer, value):
        """Adds one sample."""
        if key not in {metric.key for metric in self.metrics}:
            raise KeyError(f"{self.name} has no metric {key}")
        self.samples.setdefault((key, peer), []).append(value)

    def median(self, key, peer):
        """The median of the samples, or None where there are none."""
        values = self.samples.get((key, peer))
        return median(values) if values else None

    def peers(self):
        """The peers that have samples, in the order in which they came."""
        return list(dict.fromkeys(peer for _, peer in self.samples))

    def cell(self, metric, peer):
        """The median and the range as text."""
        values = self.samples.get((metric.key, peer))
        if not values:
            return "n/a"
        middle, low, high = (_number(value, metric.digits) for value in (median(values), min(values), max(values)))
        return middle if low == high else f"{middle} ({low}–{high})"


def _number(value, digits):
    """A number with thin thousands and no more digits than mean something."""
    return f"{value:,.{digits}f}".replace(",", " ")
