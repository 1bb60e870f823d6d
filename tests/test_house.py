"""The house: which room may import what, how long files are, and what the wheel carries."""

import ast
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from effkit import course
from effkit.course.leak_gates import leaks, published

ROOT = Path(__file__).resolve().parents[1]
ROOMS = {"check": set(), "lab": set(), "course": {"check"}, "grading": {"course", "check"}}
LIBRARIES = {
    "check": {"numpy", "torch", "IPython"},
    "course": {"jupytext", "nbformat", "nbclient", "yaml", "torch"},
}


def modules(room: str) -> list[Path]:
    return sorted((ROOT / "effkit" / room).rglob("*.py"))


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("room", ROOMS)
def test_arrows_between_rooms_are_those_of_the_design(room):
    assert modules(room), f"no module in effkit/{room}"
    for path in modules(room):
        others = {name.split(".")[1] for name in imported(path) if name.startswith("effkit.") and name.count(".")}
        others &= {*ROOMS, "cli"}
        assert others <= ROOMS[room] | {room}, f"{path.relative_to(ROOT)} imports {others - ROOMS[room] - {room}}"


@pytest.mark.parametrize("room", LIBRARIES)
def test_a_room_uses_only_its_libraries(room):
    for path in modules(room):
        outside = {name.split(".")[0] for name in imported(path)} - set(sys.stdlib_module_names) - {"effkit"}
        assert outside <= LIBRARIES[room], f"{path.relative_to(ROOT)} imports {outside - LIBRARIES[room]}"


def test_files_stay_under_300_lines():
    paths = [path for folder in ("effkit", "data") for path in (ROOT / folder).rglob("*.py")]
    assert not [path for path in paths if len(path.read_text(encoding="utf-8").splitlines()) >= 300]


def test_library_code_does_not_print():
    for room in ROOMS:
        for path in modules(room):
            calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                     if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print"]
            assert not calls, f"{path.relative_to(ROOT)}:{calls[0].lineno} prints"


def test_the_forge_is_named_in_one_place_of_the_code():
    url = re.search(r'^Repository = "(.+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.M).group(1)
    found = [path for path in (ROOT / "effkit").rglob("*.py") if url in path.read_text(encoding="utf-8")]
    assert not found


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """A folder into which the built wheel was unpacked."""
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)],
                   check=True, capture_output=True, timeout=300)
    with zipfile.ZipFile(next(out.glob("*.whl"))) as archive:
        archive.extractall(out / "unpacked")
    return out / "unpacked"


def test_the_wheel_carries_data_and_notebooks(wheel):
    assert (wheel / "effkit/_data/charlm/charlm.safetensors").is_file()
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        assert (wheel / "effkit/_notebooks" / notebook.name).read_bytes() == notebook.read_bytes()


def test_the_wheel_holds_no_answer(wheel):
    files = [path for path in wheel.rglob("*") if path.suffix in (".ipynb", ".py", ".md")]
    assert len(files) > 30
    assert not [path for path in files if {"solutions", "wrong_answers", "right_answers"} & set(path.parts)]
    found = [problem for lesson in course.lessons(ROOT) for path in files
             for problem in leaks(lesson, path.name, published(path))]
    # the builder's own code names the markers that it takes out
    assert not [problem for problem in found if ".py shows a marker" not in problem]
