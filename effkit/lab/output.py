"""Showing: one house style for plots, figures with a takeaway that is caption and alternative text, small tables."""

import base64
import html
import io
import sys

COLOURS = ["#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000", "#F0E442"]
"""The colours of Okabe and Ito, which colour-blind readers can tell apart; blue first, yellow last."""

STYLE = {
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.alpha": 0.25, "font.size": 10,
    "axes.titlesize": 11, "legend.frameon": False, "lines.linewidth": 1.8, "lines.markersize": 5,
    "figure.constrained_layout.use": True, "figure.facecolor": "white",
}  # fmt: skip


def figure(ncols=1, height=3.2, width=None):
    """An empty figure in the house style: (fig, ax), or (fig, array of ax) when `ncols` > 1.  Sizes in inches.

    >>> fig, ax = figure()
    >>> len(ax.lines)
    0
    """
    from cycler import cycler
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    with rc_context({**STYLE, "axes.prop_cycle": cycler(color=COLOURS)}):
        fig = Figure(figsize=(width or min(4.2 * ncols + 0.6, 11), height))
        return fig, fig.subplots(1, ncols)


def show(fig, takeaway: str) -> None:
    """Display `fig` here as a picture with the one-line `takeaway` under it, which is also its alternative text.

    ValueError when the takeaway is empty or an axis lacks its label.

    >>> fig, ax = figure()
    >>> _ = ax.set(xlabel="bits", ylabel="SNR (dB)")
    >>> show(fig, "Each bit buys about 6 dB.")  # outside a notebook nothing is displayed
    """
    takeaway = " ".join(takeaway.split())
    if not takeaway:
        raise ValueError("the takeaway is empty; say in one line what the figure shows")
    _need_labels(fig)
    png = _png(fig)
    bundle = {"text/html": _figure_html(png, takeaway), "image/png": png, "text/plain": f"[figure] {takeaway}"}
    display(bundle, {"image/png": {"alt": takeaway}})
    _close(fig)


def table(rows, header, caption: str, once: str = "") -> None:
    """Display a small table here: `rows` of values, `header` of str, `caption` one line.

    Within one run of a cell, a later table of the same name `once` takes the place of the earlier one.

    ValueError when a row has not as many values as the header.

    >>> table([("int8", 4.0)], ("format", "ratio"), "int8 is four times smaller than float32.")
    """
    rows = [[_cell(value) for value in row] for row in rows]
    for row in rows:
        if len(row) != len(header):
            raise ValueError(f"row {row} has {len(row)} values, the header {tuple(header)} has {len(header)}")
    bundle = {"text/html": _table_html(rows, header, caption), "text/plain": _table_text(rows, header, caption)}
    display(bundle, once=once)


def display(bundle: dict, metadata: dict | None = None, once: str = "") -> None:
    """Show one output, a dict of mime type -> text, in the notebook, which picks one; elsewhere do nothing.

    Outputs of the same name `once` within one run of a cell replace each other: only the last is left.
    """
    try:
        from IPython import get_ipython
        from IPython.display import display as ipython_display
    except ImportError:
        return
    shell = get_ipython()
    if shell is None:
        return
    if not once:
        ipython_display(bundle, raw=True, metadata=metadata)
        return
    name = f"effkit-{once}-{shell.execution_count}"
    ipython_display(bundle, raw=True, metadata=metadata, display_id=name, update=_shown.get(once) == name)
    _shown[once] = name


_shown: dict[str, str] = {}


def _need_labels(fig) -> None:
    for index, ax in enumerate(fig.axes):
        if ax.axison and not hasattr(ax, "_colorbar") and not (ax.get_xlabel() and ax.get_ylabel()):
            raise ValueError(f"axes {index} lack a label; call ax.set(xlabel=..., ylabel=...) with the units")


def _png(fig) -> str:
    buffer = io.BytesIO()
    fig.savefig(buffer, format="png", dpi=110, metadata={"Software": None})
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def _close(fig) -> None:
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close(fig)


def _figure_html(png: str, takeaway: str) -> str:
    text = html.escape(takeaway, quote=True)
    image = f'<img alt="{text}" src="data:image/png;base64,{png}" style="max-width:100%">'
    return f'<figure style="margin:0.5em 0">{image}<figcaption style="font-style:italic">{text}</figcaption></figure>'


def _cell(value) -> str:
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: "–"}[value]
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _table_html(rows, header, caption) -> str:
    head = _row_html(header, 'th scope="col"')
    body = "".join(_row_html(row, "td") for row in rows)
    top = f"<caption>{html.escape(caption)}</caption><thead>{head}</thead>"
    return f"<table>{top}<tbody>{body}</tbody></table>"


def _row_html(cells, tag) -> str:
    parts = [f'<{tag} style="text-align:left">{html.escape(str(cell))}</{tag[:2]}>' for cell in cells]
    return f"<tr>{''.join(parts)}</tr>"


def _table_text(rows, header, caption) -> str:
    lines = [[str(name) for name in header], *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    padded = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines]
    return "\n".join([caption, *padded])
