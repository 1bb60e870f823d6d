"""The learner's own table of techniques, one row each, and the size-quality plot over all lessons so far."""

import math

from effkit.lab import store
from effkit.lab.output import COLOURS, display, figure, show, table

HEADER = ("lesson", "technique", "bytes", "multiply-adds", "ms", "quality", "measure")
FIELDS = ("lesson", "technique", "bytes", "multiply_adds", "milliseconds", "quality", "measure")
LOWER_IS_BETTER = ("perplexity", "error", "loss")


def your_row(
    *, lesson, technique, bytes=None, multiply_adds=None, milliseconds=None, quality=None, measure="accuracy"
) -> None:
    """Keep one row and show the table; a row of the same lesson, technique and measure is replaced.

    `bytes` stored, `multiply_adds` of one input, median `milliseconds`, `quality` in the unit of `measure`; numbers, or
    None when not measured (TypeError for anything else).

    >>> your_row(lesson="03_absmax_int8", technique="int8 per channel", bytes=50_000, quality=0.978)
    """
    numbers = {"bytes": bytes, "multiply_adds": multiply_adds, "milliseconds": milliseconds, "quality": quality}
    row = {"lesson": str(lesson), "technique": str(technique), "measure": str(measure)}
    row.update({field: _number(field, value) for field, value in numbers.items()})
    kept = store.read("rows")
    kept[f"{lesson}/{technique}/{measure}"] = row
    store.write("rows", kept)
    table(*_contents(_sorted(kept)), "Your rows so far.", once="rows")


def rows() -> list:
    """All rows kept so far, dicts with the keys of `FIELDS`, in the order of the lessons.

    >>> isinstance(rows(), list)
    True
    """
    return _sorted(store.read("rows"))


def size_quality_plot() -> None:
    """Draw quality against bytes for every row kept, one panel per measure, with the line of the best at each size."""
    points = [row for row in rows() if _drawable(row)]
    if not points:
        display({"text/plain": "No rows yet: lab.your_row(...) in each lesson adds one."})
        return
    measures = sorted({row["measure"] for row in points})
    fig, axes = figure(ncols=len(measures), height=3.6)
    lessons = sorted({row["lesson"] for row in points})
    colours = {lesson: COLOURS[index % len(COLOURS)] for index, lesson in enumerate(lessons)}
    for ax, measure in zip([axes] if len(measures) == 1 else axes, measures):
        _panel(ax, [row for row in points if row["measure"] == measure], measure, colours)
    show(fig, _takeaway(points, measures))


def best(points: list) -> list:
    """The rows that no other beats on size and quality both, smallest first; all of one measure."""
    sign = _sign(points[0]["measure"])
    front = []
    for row in sorted(points, key=lambda row: (row["bytes"], -sign * row["quality"])):
        if not front or sign * row["quality"] > sign * front[-1]["quality"]:
            front.append(row)
    return front


def _panel(ax, points, measure, colours) -> None:
    front = best(points)
    ax.plot([row["bytes"] for row in front], [row["quality"] for row in front], color="#999999", zorder=1)
    for lesson in sorted({row["lesson"] for row in points}):
        own, colour = [row for row in points if row["lesson"] == lesson], colours[lesson]
        ax.scatter([row["bytes"] for row in own], [row["quality"] for row in own], color=colour, label=lesson, zorder=2)
    for index, (place, names) in enumerate(sorted(_labels(points).items())):
        above_or_below = (0, 7) if index % 2 else (0, -14)  # neighbours on different sides: labels keep apart
        ax.annotate(", ".join(names), place, above_or_below, textcoords="offset points", fontsize=8, ha="center")
    ax.set(xscale="log", xlabel="size (bytes)", ylabel=measure)
    ax.margins(x=0.3, y=0.2)
    _calm(ax, [row["quality"] for row in points])
    ax.legend(fontsize=8, loc="best")


def _calm(ax, qualities) -> None:
    """Sizes as kB and MB on a few ticks; at least a tenth of the best in height: noise must not look like a cliff."""
    from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

    ax.xaxis.set_major_locator(LogLocator(base=10, subs=(1.0, 2.0, 5.0)))
    ax.xaxis.set_major_formatter(EngFormatter(unit="B"))
    ax.xaxis.set_minor_formatter(NullFormatter())
    low, high = ax.get_ylim()
    missing = 0.1 * max(abs(value) for value in qualities) - (high - low)
    if missing > 0:
        ax.set_ylim(low - missing / 2, high + missing / 2)


def _labels(points) -> dict:
    """Techniques by place (bytes, quality), each named once: two lessons share their baseline."""
    found = {}
    for row in points:
        found.setdefault((row["bytes"], row["quality"]), {})[row["technique"]] = None
    return found


def _takeaway(points, measures) -> str:
    parts = []
    for measure in measures:
        front = best([row for row in points if row["measure"] == measure])
        small, good = front[0], front[-1]
        part = f"{measure}: smallest is {small['technique']} ({small['bytes']:,.0f} bytes, {small['quality']:.4g})"
        if good is not small:
            part += f", best is {good['technique']} ({good['bytes']:,.0f} bytes, {good['quality']:.4g})"
        parts.append(part)
    return "Size against quality. " + "; ".join(parts) + "."


def _drawable(row) -> bool:
    """Whether size and quality are finite numbers, and the size fits a logarithmic axis."""
    pair = (row["bytes"], row["quality"])
    return all(isinstance(v, (int, float)) and math.isfinite(v) for v in pair) and row["bytes"] > 0


def _sign(measure) -> int:
    return -1 if any(word in measure.lower() for word in LOWER_IS_BETTER) else 1


def _number(field, value):
    if value is None:
        return None
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{field} is {value!r}; give a number, or None when it was not measured")
    return value


def _sorted(kept) -> list:
    good = [row for row in kept.values() if isinstance(row, dict) and all(field in row for field in FIELDS)]
    return sorted(good, key=lambda row: (row["lesson"], row["technique"], row["measure"]))


def _contents(entries):
    return [[row[field] for field in FIELDS] for row in entries], HEADER
