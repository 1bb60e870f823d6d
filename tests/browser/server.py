"""Start a real JupyterLab on loopback and a real Chromium that drives it."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]


class Lab(NamedTuple):
    """A running server: its address and the folder it serves."""

    url: str
    folder: Path


@contextmanager
def jupyterlab(home: Path) -> Iterator[Lab]:
    """A JupyterLab that serves a folder of fresh student notebooks, without tokens, on loopback alone."""
    folder = home / "lessons"
    folder.mkdir()
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        shutil.copy(notebook, folder)
    port = _free_port()
    with open(home / "server.log", "w") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={port}",
             "--IdentityProvider.token=", f"--ServerApp.root_dir={folder}"],
            cwd=folder, env=_environment(home), stdout=log, stderr=log)
        try:
            _wait(f"http://127.0.0.1:{port}/api", server, home / "server.log")
            yield Lab(f"http://127.0.0.1:{port}", folder)
        finally:
            server.terminate()
            server.wait(timeout=20)


@contextmanager
def chromium() -> Iterator:
    """The system's Chromium, driven by playwright."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


def _environment(home: Path) -> dict[str, str]:
    settings = home / "settings" / "@jupyterlab"
    _write(settings / "notebook-extension" / "tracker.jupyterlab-settings", {"windowingMode": "none"})
    _write(settings / "apputils-extension" / "notification.jupyterlab-settings",
           {"checkForUpdates": False, "fetchNews": "false"})
    return os.environ | {"JUPYTERLAB_SETTINGS_DIR": str(home / "settings"), "EFFKIT_STATE": str(home / "state"),
                         "JUPYTER_CONFIG_DIR": str(home / "config"), "JUPYTER_RUNTIME_DIR": str(home / "runtime")}


def _write(path: Path, content: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content), encoding="utf-8")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait(url: str, server: subprocess.Popen, log: Path) -> None:
    for _ in range(120):
        if server.poll() is not None:
            break
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.5)
    raise RuntimeError(f"JupyterLab did not start:\n{log.read_text()[-2000:]}")
