"""Both ends of a student's way in a real browser: the first picture, a wrong answer's report, the green check."""

from pathlib import Path

import pytest
from notebook_page import NotebookPage

from effkit import course

ROOT = Path(__file__).resolve().parents[2]
LESSONS = course.lessons(ROOT)

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.id)
def test_a_student_sees_a_picture_a_diagnosis_and_a_green_check(lesson, lab, browser):
    notebook = NotebookPage(browser, lab.url, lab.folder / f"{lesson.id}.ipynb")
    setup, exercise = notebook.index("setup"), lesson.exercises[0]
    wrong = next(answer for answer in course.bank(ROOT, lesson.id, "wrong") if answer.exercise == exercise)
    right = next(cell.source for cell in lesson.cells if cell.role == "exercise" and cell.name == exercise)

    for index in range(5):
        notebook.run(index)
    assert setup < 5
    pictures = [notebook.cell(index).locator("img[alt]") for index in range(5)]
    assert sum(picture.count() for picture in pictures) >= 1, "no picture within the first five cells"

    place, test = notebook.index("exercise", exercise), notebook.index("test", exercise)
    notebook.run(place)
    assert "not written yet" in notebook.run(test).inner_text().lower()

    notebook.write(place, wrong.source)
    notebook.run(place)
    assert wrong.says.lower() in notebook.run(test).inner_text().lower()

    notebook.write(place, right)
    notebook.run(place)
    report = notebook.run(test)
    assert "all cases pass" in report.inner_text()
    assert report.locator("[aria-label='fail']").count() == 0 < report.locator("[aria-label='pass']").count()
    notebook.close()
