"""Comparisons: what passes, and the sentence that each difference gets."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from effkit import check

INT8 = torch.tensor([3, 127], dtype=torch.int8)


@pytest.mark.parametrize("got, expected", [
    (torch.tensor([1.0, float("nan")]), torch.tensor([1.0, float("nan")])),
    (torch.tensor([0.0]), torch.tensor([-0.0])),
    (torch.zeros(0, 3), torch.zeros(0, 3)),
    (INT8.clone(), INT8),
    (3, 3), (3, 3.0), (np.float64(2.5), 2.5), (np.int64(4), 4), ("a", "a"), (None, None), (True, True),
    ((1, torch.ones(2)), (1, torch.ones(2))),
    ({"a": [1, 2.0]}, {"a": [1, 2.0]}),
    (torch.tensor([2**62 + 1]), torch.tensor([2**62 + 1])),
    (torch.tensor([1.5, 2]).to(torch.bfloat16), torch.tensor([1.5, 2]).to(torch.bfloat16)),
    (torch.tensor([1 + 2j]), torch.tensor([1 + 2j])),
])
def test_equal_values_pass(got, expected):
    check.equal(got, expected)


@pytest.mark.parametrize("got, expected, sentence", [
    (None, torch.ones(2), "returned None"),
    (np.ones(2), torch.ones(2), "numpy ndarray"),
    (1.0, torch.tensor(1.0), "Python number 1"),
    ((torch.ones(2), 1), torch.ones(2), "tuple of 2 items"),
    (torch.ones(2), INT8, "dtype torch.float32; torch.int8 is expected"),
    (torch.ones(2, 3), torch.ones(3, 2), "shape (2, 3); (3, 2) is expected"),
    (torch.tensor(1.0), 1.0, "0-d tensor; a Python float is expected: call .item()"),
    (torch.ones(2), 1.0, "tensor of shape (2,); a Python float"),
    (8.0, 8, "float 8; a Python int is expected"),
    (True, 1, "bool True; a Python int is expected"),
    (1, True, "int 1; a Python bool is expected"),
    (torch.tensor([1.0, float("nan")]), torch.ones(2), "1 of 2 values are NaN, the first at index 1"),
    (torch.tensor([[1, 2], [3, 5]]), torch.tensor([[1, 2], [3, 4]]), "expected 4, got 5 at index (1, 1) (1 of 4"),
    ((1, 2), (1, 2, 3), "2 items; 3 are expected"),
    ([1, 2], (1, 2), "is a list; a tuple is expected"),
    ((1, torch.ones(2)), (1, torch.zeros(2)), "item 1 of the result: expected 0, got 1 at index 0"),
    ({"a": 1}, {"b": 1}, "lacks the key 'b'"),
    ({"a": 1, "c": 2}, {"a": 1}, "has the key 'c'"),
    (torch.tensor([2**62 + 1]), torch.tensor([2**62]), "expected 4611686018427387904, got 4611686018427387905"),
    ("a", "b", "expected 'b', got 'a'"),
    (float("inf"), 1.0, "expected 1, got inf"),
])
def test_each_difference_has_its_own_sentence(got, expected, sentence):
    with pytest.raises(check.Failure) as caught:
        check.equal(got, expected)
    assert sentence in caught.value.message


def test_signed_zero_is_told_apart_when_asked():
    with pytest.raises(check.Failure):
        check.equal(torch.tensor([0.0]), torch.tensor([-0.0]), signed_zero=True)
    check.equal(torch.tensor([-0.0]), torch.tensor([-0.0]), signed_zero=True)


def test_close_states_the_bound_and_its_reason():
    with pytest.raises(check.Failure) as caught:
        check.close(torch.tensor([1.0, 1.5]), torch.ones(2), atol=0.25, why="scale / 2")
    assert "the error there is 0.5, allowed is 0.25 (scale / 2)" in caught.value.message


def test_close_takes_a_bound_per_value_and_agrees_on_infinities():
    inf = float("inf")
    check.close(torch.tensor([1.0, 5.0, inf]), torch.tensor([1.1, 9.0, inf]), atol=torch.tensor([0.2, 4.0, 0.0]))
    with pytest.raises(check.Failure):
        check.close(torch.tensor([inf]), torch.tensor([1.0]), atol=inf)
    with pytest.raises(check.Failure):
        check.close(torch.tensor([-inf]), torch.tensor([inf]), atol=1.0)


def test_close_without_a_bound_is_an_authors_error():
    with pytest.raises(ValueError, match="needs a bound"):
        check.close(1.0, 1.0)


def test_close_checks_dtype_unless_told_not_to():
    with pytest.raises(check.Failure, match="dtype"):
        check.close(torch.ones(1, dtype=torch.float64), torch.ones(1), atol=1.0)
    check.close(torch.ones(1, dtype=torch.float64), torch.ones(1), atol=1.0, dtype=False)


def test_a_known_mistake_is_named_even_in_another_dtype():
    mistakes = {"you truncate": torch.tensor([2.0, 0.0])}
    with pytest.raises(check.Failure) as caught:
        check.equal(torch.tensor([2, 0]), torch.tensor([3, 0]), mistakes=mistakes)
    assert caught.value.diagnosis == "you truncate"


def test_mistakes_may_be_functions_and_flags_and_never_accuse_the_right_value():
    with pytest.raises(check.Failure) as caught:
        check.equal(5, 4, mistakes={"right value": 4, "not this": False, "made late": lambda: 5})
    assert caught.value.diagnosis == "made late"


def test_raises_passes_on_the_error_and_returns_its_message():
    def fail(x):
        raise ValueError(f"x is {x}")

    assert check.raises(ValueError, fail, 3) == "x is 3"
    with pytest.raises(check.Failure, match="ValueError must be raised here; your function returned 3"):
        check.raises(ValueError, int, "3")
    with pytest.raises(ZeroDivisionError):
        check.raises(ValueError, lambda: 1 / 0)


def test_like_looks_at_type_shape_and_dtype():
    check.like(INT8, shape=(2,), dtype=torch.int8)
    for wrong in (None, 3, np.ones(2), INT8.float(), INT8[:1]):
        with pytest.raises(check.Failure, match="codes"):
            check.like(wrong, shape=(2,), dtype=torch.int8, name="codes")


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(width=32), max_size=8), st.integers(0, 7))
def test_equal_holds_for_a_value_and_itself_and_fails_after_any_change(values, index):
    x = torch.tensor(values, dtype=torch.float32)
    check.equal(x.clone(), x)
    if values:
        y = x.clone()
        y[index % len(values)] = 12345.678 if y[index % len(values)] != 12345.678 else 0.0
        with pytest.raises(check.Failure):
            check.equal(y, x)
