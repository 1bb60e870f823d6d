"""What experiments use: data, models, training, measuring, predicting, plotting.

The room imports torch and numpy at once and everything else (scikit-learn, datasets, matplotlib, widgets) when it is
first needed; it imports nothing of effkit's other rooms.
"""

from effkit.lab.measure import Timing, clock, multiply_adds, nbytes, parameters
from effkit.lab.models import digits_model, map_linear, mlp, train, with_weights
from effkit.lab.output import COLOURS, figure, show, table
from effkit.lab.predictions import predict, reveal
from effkit.lab.quality import accuracy, perplexity, snr_db
from effkit.lab.rows import size_quality_plot, your_row
from effkit.lab.sets import available, load

__all__ = [
    "COLOURS", "Timing", "accuracy", "available", "clock", "digits_model", "figure", "load", "map_linear", "mlp",
    "multiply_adds", "nbytes", "parameters", "perplexity", "predict", "reveal", "show", "size_quality_plot", "snr_db",
    "table", "train", "with_weights", "your_row",
]  # fmt: skip
