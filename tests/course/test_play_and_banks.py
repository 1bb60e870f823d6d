"""Playing a lesson: solution, stubs and replaced answers; and reading the banks of answers."""

import pytest

from effkit import course


def test_the_solution_earns_everything_and_the_stubs_nothing(doubling):
    solved, untouched = course.play(doubling), course.play(doubling, untouched=True)
    assert {name: test.earned for name, test in solved.items()} == {"double": 2, "fourfold": 1.5}
    assert {name: test.earned for name, test in untouched.items()} == {"double": 0, "fourfold": 0}


def test_an_answer_replaces_one_exercise_for_those_that_use_it_too(doubling):
    tests = course.play(doubling, {"double": "def double(x):\n    return x"})
    assert tests["double"].earned == 0
    assert tests["double"].results[0].diagnosis == "you return the input as it is"
    assert tests["fourfold"].earned == 0


def test_an_answer_that_cannot_be_defined_fails_its_cases_with_its_own_error(doubling):
    tests = course.play(doubling, {"double": "import no_such_module"})
    assert tests["double"].earned == 0
    assert "no_such_module" in tests["double"].results[0].message


def test_plays_on_one_stage_do_not_see_each_other(doubling):
    stage = course.Stage(doubling)
    stage.play({"double": "left_over = 1\ndef double(x):\n    return x"})
    assert stage.play()["double"].earned == 2
    assert "left_over" not in stage.names


def test_an_unknown_exercise_is_refused(doubling):
    with pytest.raises(KeyError, match="no exercise 'treble'; it has double, fourfold"):
        course.play(doubling, {"treble": ""})


def bank_file(root, folder, text):
    path = root / "tests" / folder / "90_doubling.py"
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")


def test_a_bank_is_read_below_a_preface(tmp_path):
    bank_file(tmp_path, "wrong_answers", '"""Wrong answers."""\n\n'
              '# %% exercise="double" name="same" score=0 says="as it"\n'
              "def double(x):\n    return x\n")
    answer, = course.bank(tmp_path, "90_doubling", "wrong")
    assert answer == ("double", "same", "def double(x):\n    return x", 0, "as it", 3)


@pytest.mark.parametrize("header", [
    'exercise="double" name="a" says="b"', 'exercise="double" name="a" score="1" says="b"', 'exercise="double"'])
def test_a_bank_header_that_lacks_something_is_named_with_its_line(tmp_path, header):
    bank_file(tmp_path, "wrong_answers", f"# %% {header}\npass\n")
    with pytest.raises(course.SourceError, match=r"tests/wrong_answers/90_doubling\.py:1: "):
        course.bank(tmp_path, "90_doubling", "wrong")


def test_a_missing_bank_is_empty(tmp_path):
    assert course.bank(tmp_path, "90_doubling", "right") == ()
