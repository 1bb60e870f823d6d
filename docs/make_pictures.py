"""Make the README's pictures from the lessons themselves: `.venv/bin/python docs/make_pictures.py`.

lesson.png is a screenshot of lesson 03 in JupyterLab with a wrong answer and its report; size_quality.png is the last
picture of the last lesson, after every lesson's solution was run with one common state folder.
"""

import base64
import os
import sys
import tempfile
from pathlib import Path

from nbclient import NotebookClient

from effkit import course

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
sys.path.insert(0, str(ROOT / "tests" / "browser"))

LESSON, EXERCISE, SLIP = "03_absmax_int8", "absmax_quantize", "truncates"


def size_quality() -> None:
    """Run every lesson's solution and keep the last picture of its "your row" cells."""
    with tempfile.TemporaryDirectory() as state:
        os.environ["EFFKIT_STATE"] = state
        for lesson in course.lessons(ROOT):
            notebook = course.master_notebook(lesson)
            NotebookClient(notebook, timeout=300, kernel_name="python3").execute()
    pictures = [output["data"]["image/png"] for cell in notebook.cells for output in cell.get("outputs", [])
                if "image/png" in output.get("data", {})]
    (DOCS / "size_quality.png").write_bytes(base64.b64decode(pictures[-1]))


def lesson_screenshot() -> None:
    """A wrong answer in JupyterLab and what the check says of it."""
    from notebook_page import NotebookPage
    from server import chromium, jupyterlab

    slip = next(answer for answer in course.bank(ROOT, LESSON, "wrong")
                if (answer.exercise, answer.name) == (EXERCISE, SLIP))
    with tempfile.TemporaryDirectory() as home, jupyterlab(Path(home)) as lab, chromium() as browser:
        notebook = NotebookPage(browser, lab.url, lab.folder / f"{LESSON}.ipynb")
        for index in range(5):
            notebook.run(index)
        place, test = notebook.index("exercise", EXERCISE), notebook.index("test", EXERCISE)
        notebook.write(place, slip.source)
        notebook.run(place)
        notebook.run(test)
        notebook.cell(test).locator(".effkit-report").scroll_into_view_if_needed()
        notebook.page.wait_for_timeout(500)
        notebook.page.screenshot(path=str(DOCS / "lesson.png"))
        notebook.close()


if __name__ == "__main__":
    size_quality()
    lesson_screenshot()
