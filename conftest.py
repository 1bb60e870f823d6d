"""For all tests: one thread each, nothing from a hub, and no word in the user's own state folder."""

import os
import tempfile

import pytest

_STATE = tempfile.TemporaryDirectory(prefix="effkit-state-")
os.environ["EFFKIT_STATE"] = _STATE.name
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")


@pytest.fixture(autouse=True, scope="session")
def _one_thread():
    import torch

    torch.set_num_threads(1)
