"""One JupyterLab and one Chromium for all browser tests."""

from collections.abc import Iterator

import pytest
from server import CHROMIUM, Lab, chromium, jupyterlab


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A JupyterLab that serves the student notebooks."""
    with jupyterlab(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture(scope="session")
def browser() -> Iterator:
    """The system's Chromium."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with chromium() as running:
        yield running
