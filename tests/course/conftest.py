from pathlib import Path

import pytest

from effkit import course

FIXTURE = Path(__file__).parent / "fixtures" / "90_doubling.py"
URL = "https://github.com/someone/fork"


@pytest.fixture(scope="session")
def doubling():
    """The tiny lesson of the fixtures."""
    return course.read(FIXTURE)


@pytest.fixture
def checkout(tmp_path):
    """A checkout that holds the tiny lesson, a README with markers and a project URL."""
    (tmp_path / "solutions").mkdir()
    (tmp_path / "solutions" / FIXTURE.name).write_text(FIXTURE.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(f'[project.urls]\nRepository = "{URL}"\n', encoding="utf-8")
    (tmp_path / "README.md").write_text("top\n<!-- lessons:begin -->\n<!-- lessons:end -->\nend\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def changed(tmp_path):
    """Write the tiny lesson with one text replaced; gives the path."""
    def write(old, new):
        text = FIXTURE.read_text(encoding="utf-8")
        assert old in text
        path = tmp_path / FIXTURE.name
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        return path
    return write
