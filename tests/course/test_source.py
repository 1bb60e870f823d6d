"""A lesson source is read into cells that know role, name and line; every broken rule is named with its place."""

import pytest

from effkit import course


def test_a_lesson_knows_its_facts_cells_exercises_and_points(doubling):
    assert (doubling.id, doubling.title) == ("90_doubling", "Doubling")
    assert doubling.exercises == ("double", "fourfold")
    assert doubling.points == {"double": 2, "fourfold": 1.5}
    assert doubling.cell("exercise", "fourfold").options["uses"] == "double"


def test_a_cell_knows_the_line_of_its_header(doubling):
    lines = doubling.path.read_text(encoding="utf-8").splitlines()
    for cell in doubling.of("exercise", "test", "hints", "answer", "experiment"):
        assert f'{cell.role}="{cell.name}"' in lines[cell.line - 1]


BROKEN = [
    ('role="setup"', 'role="set-up"', "the role 'set-up' is unknown"),
    ('# %% experiment="see"', "# %%", "a code cell without a role"),
    ('test="double" points=2', 'test="dubble" points=2', "without an exercise before it"),
    ('test="double" points=2', 'test="double"', "points is None"),
    ('test="double" points=2', 'test="double" points=2 mark=1', "unknown option 'mark'"),
    ('test="double" points=2', 'test=double points=2', "cannot read the cell header"),
    ('exercise="fourfold" minutes=1', 'exercise="double" minutes=1', "stands already in line"),
    ('uses="double"', 'uses="treble"', "uses names 'treble'"),
    ('[markdown] hints="double"', 'hints="double"', "needs a markdown cell"),
    ('exercise="double" minutes', 'exercise="double" test="double" minutes', "has 2 roles"),
    ("# # 90 · Doubling", "# # Doubling", "the title of the header"),
    ("number: 90", "number: ninety", "number is 'ninety'"),
    ("number: 90", "number: 91", "make '91_doubling'"),
    ("lectures: []", "lectures: [", "the header is not YAML"),
]


@pytest.mark.parametrize(("old", "new", "says"), BROKEN)
def test_a_broken_rule_is_named_with_file_and_line(changed, old, new, says):
    path = changed(old, new)
    with pytest.raises(course.SourceError, match=r"90_doubling\.py:\d+: ") as caught:
        course.read(path)
    assert says in str(caught.value)
    assert str(caught.value).count(";") >= 2, "what is wrong; the rule; how to mend"


def test_the_line_of_a_broken_cell_is_that_of_its_header(changed):
    path = changed('test="double" points=2', 'test="double" points=0')
    with pytest.raises(course.SourceError) as caught:
        course.read(path)
    assert "points=0" in path.read_text(encoding="utf-8").splitlines()[caught.value.line - 1]


def test_no_solutions_folder_is_said_in_one_sentence(tmp_path):
    with pytest.raises(FileNotFoundError, match="no lesson sources in"):
        course.lessons(tmp_path)
