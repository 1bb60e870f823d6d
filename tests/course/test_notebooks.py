"""The built notebooks: valid, reproducible, without answers, and the same as nbgrader's own release of the master."""

import nbformat
import pytest

from effkit import course

URL = "https://github.com/someone/fork"


@pytest.fixture(scope="module")
def student(doubling):
    return course.student_notebook(doubling, URL)


@pytest.fixture(scope="module")
def master(doubling):
    return course.master_notebook(doubling, URL)


def test_notebooks_are_valid_with_unique_ids(student, master):
    for notebook in (student, master):
        nbformat.validate(notebook)
        assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)


def test_a_build_is_the_same_byte_for_byte(doubling, student):
    again = course.student_notebook(course.read(doubling.path), URL)
    assert course.write(again) == course.write(student)


def test_the_student_gets_no_solution_and_no_hidden_test(student):
    text = course.write(student)
    for secret in ("BEGIN SOLUTION", "BEGIN HIDDEN", "x * 2.0", "double(double(x))", "are refused", "Because every"):
        assert secret not in text
    assert text.count("raise NotImplementedError()") == 2
    assert text.count("YOUR ANSWER HERE") == 1


def test_points_stand_in_the_call(student):
    cell = next(cell for cell in student.cells if cell.id == "90-test-double")
    assert 'check.test("double", points=2)' in cell.source


def test_badge_and_install_line_come_from_the_url(student):
    link = "colab.research.google.com/github/someone/fork/blob/main/notebooks/90_doubling.ipynb"
    assert link in student.cells[0].source
    assert f"git+{URL}" in student.cells[1].source


def test_a_forge_that_colab_cannot_open_gets_no_badge(doubling):
    assert "colab" not in course.student_notebook(doubling, "https://example.org/a/b").cells[0].source


def test_nbgrader_metadata_say_what_each_cell_is(master):
    known = [cell.metadata.nbgrader for cell in master.cells if "nbgrader" in cell.metadata]
    found = {meta.grade_id: meta for meta in known}
    assert list(found) == ["setup", "double", "test_double", "fourfold", "test_fourfold", "answer_why"]
    kinds = {name: (meta.grade, meta.solution, meta.locked, meta.get("points")) for name, meta in found.items()}
    assert kinds["setup"] == (False, False, True, None)
    assert kinds["double"] == (False, True, False, None)
    assert kinds["test_fourfold"] == (True, False, True, 1.5)
    assert kinds["answer_why"] == (True, True, False, 1)


def test_nbgrader_makes_the_same_release_of_the_master(student, master):
    pytest.importorskip("nbgrader")
    from nbgrader.preprocessors import (
        CheckCellMetadata,
        ClearHiddenTests,
        ClearOutput,
        ClearSolutions,
        ComputeChecksums,
        LockCells,
    )

    release, resources = nbformat.from_dict(master), {}
    for step in (LockCells, ClearSolutions, ClearOutput, CheckCellMetadata, ComputeChecksums, ClearHiddenTests):
        release, resources = step().preprocess(release, resources)
    for cell in release.cells:
        for key in ("checksum", "cell_type"):
            cell.metadata.get("nbgrader", {}).pop(key, None)
    assert course.write(release) == course.write(student)


def test_build_writes_once_then_finds_nothing_stale(checkout):
    assert {path.name for path in course.build(checkout, check=True)} == {"90_doubling.ipynb", "README.md"}
    assert not (checkout / "notebooks").exists()
    course.build(checkout)
    assert course.build(checkout, check=True) == []
    assert "[Doubling](notebooks/90_doubling.ipynb)" in (checkout / "README.md").read_text(encoding="utf-8")


def test_build_removes_what_it_built_of_a_lesson_that_is_gone_and_nothing_else(checkout):
    course.build(checkout)
    gone, own = checkout / "notebooks" / "91_gone.ipynb", checkout / "notebooks" / "mine.ipynb"
    gone.write_text((checkout / "notebooks" / "90_doubling.ipynb").read_text(encoding="utf-8"), encoding="utf-8")
    own.write_text('{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}', encoding="utf-8")
    assert course.build(checkout) == [gone]
    assert own.exists() and not gone.exists()


def test_an_unpaired_marker_is_named_with_file_and_line(changed):
    lesson = course.read(changed("    ### END SOLUTION\n", ""))
    with pytest.raises(course.SourceError, match=r"90_doubling\.py:\d+: BEGIN SOLUTION without an END SOLUTION"):
        course.student_notebook(lesson, URL)
