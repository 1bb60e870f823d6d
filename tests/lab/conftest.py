"""Fixtures of the lab's tests: a state folder of their own, and the real data sets where they are."""

import os
from pathlib import Path

import pytest
import torch

BESIDE = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.fixture(autouse=True)
def own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("EFFKIT_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def real_data(monkeypatch):
    """$EFFKIT_DATA, or the folder shared/data beside the checkout; skips when neither is there."""
    folder = Path(os.environ.get("EFFKIT_DATA") or BESIDE)
    if not folder.is_dir():
        pytest.skip(f"no real data: EFFKIT_DATA is not set and {BESIDE} is missing")
    monkeypatch.setenv("EFFKIT_DATA", str(folder))
    return folder


@pytest.fixture
def shown(monkeypatch):
    """What the lab displays, as a list of bundles mime type -> text."""
    bundles = []

    def catch(bundle, metadata=None, once=""):
        bundles.append(bundle)

    for module in ("output", "predictions", "rows"):
        monkeypatch.setattr(f"effkit.lab.{module}.display", catch)
    return bundles
