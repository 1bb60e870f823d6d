"""Gradients of a student's function, the same whether it runs here or behind a proxy."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch

from effkit.check.failure import Failure


class ValueAndGrad(NamedTuple):
    """``value`` of the function, gradients of its ``inputs`` (None for whole numbers) and of named ``parameters``."""

    value: torch.Tensor
    inputs: tuple[torch.Tensor | None, ...]
    parameters: dict[str, torch.Tensor]


def value_and_grad(f: Callable, *inputs: Any, cotangent: torch.Tensor | None = None,
                   parameters: Sequence[str] = ()) -> ValueAndGrad:
    """``f(*inputs)`` and the gradient of ``(cotangent * f(*inputs)).sum()``.

    Floating tensors among ``inputs`` ``(...)`` are copied and get gradients of their shape, other inputs None.
    ``cotangent`` has the shape of the value (ones by default). ``parameters`` names parameters of the module ``f``.
    A gradient that autograd does not reach is zero. Raises ``Failure`` when the result is no tensor, has another shape
    than ``cotangent`` or carries no gradient at all.

    >>> value_and_grad(lambda x: x * x, torch.tensor([3.0])).inputs
    (tensor([6.]),)
    """
    copies = tuple(_leaf(value) for value in inputs)
    owner = f if isinstance(f, torch.nn.Module) else getattr(f, "__self__", None)
    named = {name: owner.get_parameter(name) for name in parameters}
    with torch.enable_grad():
        value = f(*copies)
    wanted = [c for c in copies if isinstance(c, torch.Tensor) and c.requires_grad] + list(named.values())
    grads = iter(_gradients(value, wanted, cotangent))
    of_inputs = tuple(next(grads) if isinstance(c, torch.Tensor) and c.requires_grad else None for c in copies)
    return ValueAndGrad(value.detach(), of_inputs, {name: next(grads) for name in named})


def _leaf(value: Any) -> Any:
    if isinstance(value, torch.Tensor) and (value.is_floating_point() or value.is_complex()):
        return value.detach().clone().requires_grad_()
    return value


def _gradients(value: Any, wanted: list[torch.Tensor], cotangent: torch.Tensor | None) -> list[torch.Tensor]:
    if not isinstance(value, torch.Tensor):
        raise Failure(f"a tensor that carries gradients is expected; your function returned a {type(value).__name__}")
    if not value.requires_grad:
        raise Failure("no gradient flows from the result back to the inputs; "
                      "look for .detach(), .item(), torch.no_grad or a rounding that cuts the graph")
    cotangent = torch.ones_like(value) if cotangent is None else cotangent
    if cotangent.shape != value.shape:
        raise Failure(f"the result has shape {tuple(value.shape)}; {tuple(cotangent.shape)} is expected")
    grads = torch.autograd.grad(value, wanted, cotangent, allow_unused=True)
    return [torch.zeros_like(w) if g is None else g.detach() for g, w in zip(grads, wanted)]
