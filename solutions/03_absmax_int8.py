# ---
# jupyter:
#   effkit:
#     number: 3
#     slug: absmax_int8
#     title: Absmax int8
#     part: Quantization
#     minutes: 90
#     prerequisites:
#       - broadcasting in PyTorch
#       - what a linear layer computes
#     papers:
#       - title: Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference
#         authors: Jacob et al.
#         year: 2017
#         arxiv: "1712.05877"
#       - title: "LLM.int8(): 8-bit Matrix Multiplication for Transformers at Scale"
#         authors: Dettmers et al.
#         year: 2022
#         arxiv: "2208.07339"
#     lectures:
#       - "L4: Post-Training Quantization, Int8 quantization"
#       - "L1: Compression by quantization, Linear quantization"
#       - "L0: Linear Quantization"
#     claim: A weight needs no more than a small integer, as long as it shares its scale with few neighbours.
#     budget_seconds: 30
# ---

# %% [markdown]
# # 03 · Absmax int8
#
# **A weight needs no more than a small integer, as long as it shares its scale with few neighbours.**
#
# A trained network stores every weight as a 32-bit floating point number. In this lesson you replace each one by an
# integer from −127 to 127 and one shared step size. The model becomes four times smaller and predicts the same. Then you go
# further, to 4 bits and below, and find out what breaks first.

# %% role="setup"
import math

import torch
import torch.nn.functional as F

from effkit import check, lab

torch.set_num_threads(1)  # our matrices are small: more threads would mostly wait for each other


def require_finite(x):
    """Raise ValueError when x holds a NaN or an infinity: no scale fits such a tensor."""
    if not torch.isfinite(x).all():
        raise ValueError(f"cannot quantize a tensor of shape {tuple(x.shape)}: it holds NaN or infinity")


def spread(scale, group, columns):
    """Repeat each group's scale over its columns: (rows, groups) -> (rows, columns)."""
    return scale.repeat_interleave(group, dim=1)[:, :columns]


# %% [markdown]
# ## See it first
#
# Think of a ruler that reaches from minus the largest weight to plus the largest weight. With `bits` bits the ruler has
# $2^{bits} - 1$ marks. Now move every weight of a trained digit classifier to its nearest mark. Below you see what one
# neuron looks for in an 8 × 8 image, and how well the *whole* model still reads digits, in float and on
# three rulers. The classifier has linear layers 64 → 300 → 100 → 10, with ReLU between.

# %% experiment="first_look"
digits = lab.load("digits")
model = lab.digits_model()


def to_nearest_mark(weight, bits):
    marks = torch.linspace(-1, 1, 2**bits - 1) * weight.abs().max()
    return marks[torch.bucketize(weight, (marks[1:] + marks[:-1]) / 2)]


fig, axes = lab.figure(ncols=4, height=2.6)
reach = float(model[0].weight[7].detach().abs().max())
for ax, bits in zip(axes, (None, 8, 4, 2)):
    small = model if bits is None else lab.with_weights(model, lambda w, bits=bits: to_nearest_mark(w, bits))
    ax.imshow(small[0].weight[7].detach().reshape(8, 8), cmap="PuOr", vmin=-reach, vmax=reach)
    name = "32-bit float" if bits is None else f"{2**bits - 1} marks ({bits} bits)"
    ax.set_title(f"{name}\naccuracy {lab.accuracy(small, digits.x_test, digits.y_test):.3f}", fontsize=9)
    ax.set(xlabel="pixel column", ylabel="pixel row", xticks=[], yticks=[])
lab.show(fig, "Weights of one neuron on ever coarser rulers: 8 bits look and work like floats, 2 bits do not.")

# %% [markdown]
# Why do 8 bits, and even the visibly coarser 4 bits, cost nothing? And why does almost everything disappear at 2 bits?
#
# ## One scale for a whole tensor
#
# **The idea.** An integer code $q$ and a step $s$ stand for the number $q \cdot s$. We choose the step so that the
# largest magnitude in the tensor gets the largest code: *absmax* quantization.
#
# For a tensor $x$ of any shape and a width of $b$ bits:
#
# $$q_{max} = 2^{b-1} - 1, \qquad s = \frac{\max_i |x_i|}{q_{max}}, \qquad
# q_i = \mathrm{round}\left(\frac{x_i}{s}\right), \qquad \hat x_i = q_i \, s$$
#
# Here $s$ is one number, $q$ has the shape of $x$, and $\hat x$ is what you get back. With $b = 8$ the largest code is
# 127. An int8 could also hold −128, but we never use it: the range stays symmetric, so that $-x$ gets exactly the codes
# $-q$.
#
# Keep one convention in mind: **the scale is the step**, so $x \approx q \cdot s$. Many papers and slides, the lecture
# included, use the inverse, $127 / \max|x|$, the number you *multiply by* to get a code. Mixing the two up is a common bug.
#
# The brackets in the lecture's formula look like those of the floor function, but its worked example rounds to the nearest
# integer, and so do we. When a value lies exactly between two codes, we take the even one, which is what `torch.round` does:
# 2.5 becomes 2 and 3.5 becomes 4.
#
# How large can the error be? The nearest mark is at most half a step away, so $|x_i - \hat x_i| \le s / 2$ for every
# element. The checks below use this bound.

# %% [markdown]
# ### Exercise 1: quantize and dequantize
#
# Write `absmax_quantize` and its inverse `dequantize`. Three corners need care:
#
# * A tensor of zeros has no largest magnitude. Give it scale 1, so that nothing divides by zero.
# * NaN and infinity cannot be quantized. Call the given `require_finite(x)`, which raises `ValueError`.
# * `x` may be a float16 or bfloat16 tensor. Compute in float32 all the same, and return a float32 scale.
#
# `dequantize` also takes a `zero_point`, an integer code that stands for zero. It is 0 for now; the next exercise
# gives it work. In general $\hat x = (q - z) \, s$.

# %% exercise="absmax_quantize" minutes=15 level=1
def absmax_quantize(x: torch.Tensor, bits: int = 8) -> tuple[torch.Tensor, torch.Tensor]:
    """Quantize a tensor to symmetric integers that share one scale.

    x: (...) any shape with at least one element, any float dtype.
    bits: 2 to 8; codes lie in -(2**(bits-1) - 1) .. 2**(bits-1) - 1.

    Returns (codes, scale): codes int8 (...), scale a 0-d float32 tensor (the step), so that x is about codes * scale.
    Rounds to the nearest code, halves to the even code. A tensor of zeros gets scale 1.
    Raises ValueError when x holds NaN or infinity. Source: Dettmers et al. 2022, section 2.

    >>> codes, scale = absmax_quantize(torch.tensor([-127.0, 2.5, 3.5]))
    >>> codes.tolist(), scale.item()
    ([-127, 2, 4], 1.0)
    """
    ### BEGIN SOLUTION
    require_finite(x)
    x = x.float()
    largest_code = 2 ** (bits - 1) - 1
    scale = x.abs().amax() / largest_code
    scale = torch.where(scale > 0, scale, 1.0)
    codes = (x / scale).round().clamp(-largest_code, largest_code).to(torch.int8)
    return codes, scale
    ### END SOLUTION


def dequantize(codes: torch.Tensor, scale: torch.Tensor, zero_point: int = 0) -> torch.Tensor:
    """Turn codes back into numbers: (codes - zero_point) * scale.

    codes: (...) int8 or uint8. scale: float32, any shape that broadcasts against codes: 0-d, (rows, 1), (rows, columns).
    zero_point: the code that stands for zero.

    Returns float32 (...).

    >>> dequantize(torch.tensor([0, 55, 255], dtype=torch.uint8), torch.tensor(0.5), 55).tolist()
    [-27.5, 0.0, 100.0]
    """
    ### BEGIN SOLUTION
    return (codes.float() - zero_point) * scale
    ### END SOLUTION


# %% [markdown] hints="absmax_quantize"
# <details><summary>Hint 1: a nudge</summary>
#
# Find the largest magnitude first; the step is that magnitude divided by the largest code. For `dequantize`, ask what 0 − 55
# is in an unsigned byte.
# </details>
#
# <details><summary>Hint 2: the formula with shapes</summary>
#
# `largest_code` is a Python integer, $2^{b-1}-1$. `scale` = max|x| / `largest_code`, shape `()`. `codes` = round(x / scale),
# the shape of x, converted to `torch.int8` *after* rounding. Replace a zero scale by 1 *before* you divide by it.
# </details>
#
# <details><summary>Hint 3: a skeleton</summary>
#
# ```python
# require_finite(x)
# x = x.float()
# largest_code = ...
# scale = x.abs().amax() / ...
# scale = torch.where(scale > 0, scale, ...)
# codes = (x / scale).round()...            # clamp, then convert to int8
#
# # dequantize: leave the integer type before you subtract
# return (codes.float() - ...) * ...
# ```
# </details>

# %% test="absmax_quantize" points=5
with check.test("absmax_quantize") as t:
    i8 = torch.int8
    with t.case("the lecture's worked example: codes"):
        x = torch.tensor([0.5, 20, -0.0001, -0.01, -0.1])
        codes, scale = absmax_quantize(x)
        check.mistake(isinstance(codes, torch.Tensor) and codes.dtype.is_floating_point, "you return float codes; convert them to torch.int8, one byte each")
        check.equal(codes, torch.tensor([3, 127, 0, 0, -1], dtype=i8), given={"x": x}, mistakes={
            "you truncate toward zero; round to the nearest instead": torch.tensor([3, 127, 0, 0, 0], dtype=i8),
            "you round down (floor); round to the nearest instead": torch.tensor([3, 127, -1, -1, -1], dtype=i8),
            "you divide by 128 levels, so the largest value wraps round to -128; the largest code is 127":
                torch.tensor([3, -128, 0, 0, -1], dtype=i8),
        })
    with t.case("the lecture's worked example: the scale is the step"):
        x = torch.tensor([0.5, 20, -0.0001, -0.01, -0.1])
        codes, scale = absmax_quantize(x)
        check.close(scale, torch.tensor(20 / 127), rtol=1e-6, why="a few float32 roundings", given={"x": x}, mistakes={
            "you return 127 / max|x|, which multiplies x; return the step max|x| / 127": torch.tensor(127 / 20),
            "you divide by 128; the largest code is 127": torch.tensor(20 / 128),
            "you divide by 127.5; the largest code is 127": torch.tensor(20 / 127.5),
        })
    with t.case("halves go to the even code, and the largest magnitude may be negative"):
        x = torch.tensor([-127.0, 2.5, 3.5, -2.5, 64.0])
        codes, scale = absmax_quantize(x)
        check.equal(codes, torch.tensor([-127, 2, 4, -2, 64], dtype=i8), given={"x": x}, mistakes={
            "you take the largest value, not the largest magnitude; take abs() first":
                torch.tensor([-127, 5, 7, -5, 127], dtype=i8),
            "you take the largest value, not the largest magnitude, so a negative one wraps round; take abs() first":
                torch.tensor([4, 5, 7, -5, 127], dtype=i8),
            "you round halves away from zero; halves go to the even code": torch.tensor([-127, 3, 4, -3, 64], dtype=i8),
            "you round halves up; halves go to the even code": torch.tensor([-127, 3, 4, -2, 64], dtype=i8),
            "you truncate toward zero; round to the nearest instead": torch.tensor([-127, 2, 3, -2, 64], dtype=i8),
            "you round down (floor); round to the nearest instead": torch.tensor([-127, 2, 3, -3, 64], dtype=i8),
        })
    with t.case("four bits reach from -7 to 7"):
        x = torch.tensor([7.0, -7.0, 3.2, -0.6])
        codes, scale = absmax_quantize(x, 4)
        check.equal(codes, torch.tensor([7, -7, 3, -1], dtype=i8), given={"x": x, "bits": 4}, mistakes={
            "you use 2**(bits-1) as the largest code; it is 2**(bits-1) - 1": torch.tensor([8, -8, 4, -1], dtype=i8),
            "you ignore bits and always use 127": torch.tensor([127, -127, 58, -11], dtype=i8),
            "you use 2**bits - 1 as the largest code; one bit is the sign": torch.tensor([15, -15, 7, -1], dtype=i8),
        })
        check.equal(scale, torch.tensor(1.0), given={"x": x, "bits": 4})
    with t.case("a tensor of zeros gets zero codes and scale 1"):
        codes, scale = absmax_quantize(torch.zeros(2, 3))
        check.equal(scale, torch.tensor(1.0), mistakes={
            "your scale of a zero tensor is 0 and you divide by it; use 1": torch.tensor(0.0),
            "your scale of a zero tensor is NaN; use 1": torch.tensor(float("nan")),
        })
        check.equal(codes, torch.zeros(2, 3, dtype=i8))
    with t.case("NaN and infinity raise ValueError", weight=0.5):
        for bad in (float("nan"), float("inf"), -float("inf")):
            check.raises(ValueError, absmax_quantize, torch.tensor([1.0, bad]))
    with t.case("dequantize multiplies by the step, and gives float32"):
        codes = torch.tensor([3, 127, 0, -1], dtype=i8)
        check.equal(dequantize(codes, torch.tensor(0.5)), torch.tensor([1.5, 63.5, 0.0, -0.5]), given={"codes": codes}, mistakes={
            "you divide by the scale; the scale is the step, so multiply": torch.tensor([6.0, 254.0, 0.0, -2.0]),
        })
    with t.case("dequantize subtracts the zero point"):
        codes = torch.tensor([0, 1, 55, 255], dtype=torch.uint8)
        expected = torch.tensor([-27.5, -27.0, 0.0, 100.0])
        check.equal(dequantize(codes, torch.tensor(0.5), 55), expected, given={"codes": codes, "zero_point": 55}, mistakes={
            "you subtract inside uint8, where 0 - 55 wraps round to 201; convert to float first":
                torch.tensor([100.5, 101.0, 0.0, 100.0]),
            "you subtract the zero point after scaling; it is a code, so subtract it from the codes":
                torch.tensor([-55.0, -54.5, -27.5, 72.5]),
            "you add the zero point; subtract it": torch.tensor([27.5, 28.0, 55.0, 155.0]),
            "you ignore the zero point": torch.tensor([0.0, 0.5, 27.5, 127.5]),
        })
    ### BEGIN HIDDEN TESTS
    with t.hidden("fresh tensors of any shape and width, on an exact grid"):
        g = check.rng()
        for shape in ((), (9,), (4, 5), (2, 3, 4)):
            bits = int(torch.randint(2, 9, (), generator=g))
            top, step = 2 ** (bits - 1) - 1, 2.0 ** int(torch.randint(-6, 7, (), generator=g))
            quarters = torch.randint(-4 * top, 4 * top + 1, shape, generator=g, dtype=torch.float64)
            quarters.view(-1)[0] = -4 * top
            expected = torch.tensor([round(v / 4) for v in quarters.flatten().tolist()], dtype=i8).reshape(shape)
            x = (quarters / 4 * step).float()
            codes, scale = absmax_quantize(x, bits)
            check.equal(codes, expected, given={"x": x, "bits": bits})
            check.equal(scale, torch.tensor(step), given={"x": x, "bits": bits})
    with t.hidden("any float tensor: no error exceeds half a step, one byte a code"):
        x = torch.randn(40, 25, generator=check.rng()) * 3
        x[0, 0] = -20
        expected = x.abs().max() / 127
        codes, scale = absmax_quantize(x)
        check.equal(check.stored_bytes(codes), 1000)
        check.close(scale, expected, rtol=1e-6, why="a few float32 roundings")
        check.close(codes.double() * expected.double(), x.double(), atol=float(expected) * 0.5001, why="scale / 2")
    with t.hidden("a float16 tensor is computed in float32"):
        x = (torch.tensor([-127.0, 100.25, 31.75, 0.75]) / 256).half()
        codes, scale = absmax_quantize(x)
        check.mistake(scale.dtype == torch.float16, "you keep the float16 of x; convert x to float32 before you divide")
        check.equal(scale, torch.tensor(1 / 256), given={"x": x})
        check.equal(codes, torch.tensor([-127, 100, 32, 1], dtype=i8), given={"x": x})
    with t.hidden("dequantize broadcasts a scale per row"):
        codes = torch.randint(-127, 128, (3, 4), generator=check.rng(), dtype=i8)
        scale = torch.tensor([[0.5], [2.0], [0.25]])
        expected = torch.tensor([[c * s for c in row] for row, (s,) in zip(codes.tolist(), scale.tolist())])
        check.equal(dequantize(codes, scale), expected)
    ### END HIDDEN TESTS
t.score

# %% [markdown]
# ### Predict: what does one bit buy?
#
# To compare widths we need one number for "how wrong". The signal-to-noise ratio (SNR) of a rounded tensor is
#
# $$\mathrm{SNR} = 10 \log_{10} \frac{\sum_i x_i^2}{\sum_i (x_i - \hat x_i)^2} \quad \text{in decibels (dB)}.$$
#
# Ten dB more means ten times less squared error. When you add one bit, the number of marks doubles, so the step halves.
# Commit to a number first.

# %% predict="bits_vs_error"
lab.predict("bits_vs_error", "By how many dB does the SNR of the weights grow with each further bit?", unit="dB", answer=None)

# %% [markdown]
# The experiment rounds all weights of the trained digits model with your functions, at every width from 2 to 8 bits. The
# baseline is the float model. There are two controls. Gaussian random numbers in place of the weights tell us whether the
# effect has anything to do with training. A matrix of plus and minus ones lies on every ruler already, so there more bits
# should buy nothing.

# %% experiment="bits_vs_error"
def per_tensor(bits):
    return lambda w: dequantize(*absmax_quantize(w.detach(), bits))


def weights_of(model):
    return torch.cat([layer.weight.detach().flatten() for layer in model if hasattr(layer, "weight")])


widths = list(range(2, 9))
noise = [torch.randn(n, generator=torch.Generator().manual_seed(n)) for n in (19200, 30000, 1000)]
signs = torch.randn(100, 100, generator=torch.Generator().manual_seed(0)).sign()
trained_db, noise_db, accuracies, sign_errors = [], [], [], []
for bits in widths:
    small = lab.with_weights(model, per_tensor(bits))
    trained_db.append(float(lab.snr_db(weights_of(model), weights_of(small))))
    noise_db.append(float(lab.snr_db(torch.cat(noise), torch.cat([per_tensor(bits)(n) for n in noise]))))
    accuracies.append(lab.accuracy(small, digits.x_test, digits.y_test))
    sign_errors.append(float((per_tensor(bits)(signs) - signs).abs().max()))
baseline = lab.accuracy(model, digits.x_test, digits.y_test)

fig, axes = lab.figure(ncols=2)
axes[0].plot(widths, trained_db, "o-", color=lab.COLOURS[0], label="trained weights")
axes[0].plot(widths, noise_db, "s--", color=lab.COLOURS[1], label="control: Gaussian noise")
axes[0].set(xlabel="bits per weight", ylabel="SNR of the weights (dB)")
axes[0].legend()
axes[1].plot(widths, accuracies, "o-", color=lab.COLOURS[0], label="rounded")
axes[1].axhline(baseline, color="grey", linestyle=":", label="float32 baseline")
axes[1].set(xlabel="bits per weight", ylabel="test accuracy (fraction)")
axes[1].legend()
lab.show(fig, "The SNR climbs on a straight line; the accuracy is flat until the noise is too loud, then falls off a cliff.")
lab.table([[b, f"{d:.1f}", f"{n:.1f}", f"{a:.3f}", f"{e:.0e}"]
           for b, d, n, a, e in zip(widths, trained_db, noise_db, accuracies, sign_errors)],
          ["bits", "trained: SNR (dB)", "noise: SNR (dB)", "accuracy", "largest error of the ±1 matrix"],
          "One scale per tensor.")

# %% experiment="bits_vs_error_outcome"
lab.reveal("bits_vs_error", round((trained_db[-1] - trained_db[2]) / (widths[-1] - widths[2]), 2), unit="dB")

# %% [markdown]
# **Explain it.** Halving the step halves every error, so the squared error falls by a factor of four, and
# $10 \log_{10} 4$ is a little more than 6. The measured slope lies slightly above, because $q_{max}$ is not quite a power of
# two: from 7 to 127 it grows by more than a factor of 16. Training plays no part: noise gives the same slope. And
# why is the SNR at 2 bits close to 0 dB, an error as large as the signal? (Look at the first picture again: which code do
# nearly all weights have there?)
#
# The second panel shows why quantization works: a network hardly reacts to small noise in its weights.

# %% [markdown]
# ## A range that is not symmetric
#
# **The idea.** After a ReLU all numbers are positive. A symmetric ruler then wastes half of its marks on values that
# never occur. An *affine* quantizer lays the ruler from the smallest to the largest value and remembers which code
# stands for zero: the *zero point* $z$. The codes are unsigned bytes, 0 to 255:
#
# $$l = \min(0, \min_i x_i), \quad h = \max(0, \max_i x_i), \quad s = \frac{h - l}{255}, \quad
# z = \mathrm{round}\left(\frac{-l}{s}\right), \quad q_i = \mathrm{clamp}\left(\mathrm{round}\left(\frac{x_i}{s}\right) + z,\ 0,\ 255\right)$$
#
# Here $l$, $h$ and $s$ are numbers, $z$ is an integer code, and $q$ has the shape of $x$. Note the 0 in $l$ and $h$. The
# range is stretched until it includes zero, because zero must be *exact*: padding, masked positions and dead ReLUs are
# all zeros, and there are many of them.
#
# The clamp matters too. When both ends of the range lie exactly between two codes, the sum can reach 256, and an
# unsigned byte would silently turn that into 0.

# %% [markdown]
# ### Exercise 2: affine_quantize
#
# The corners are those of exercise 1: zeros get scale 1 (and zero point 0), NaN and infinity raise, and all arithmetic is float32.
# Return the zero point as a Python `int`, not as a tensor and not as a float.

# %% exercise="affine_quantize" minutes=12 level=2
def affine_quantize(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, int]:
    """Quantize a tensor to unsigned bytes over a range that includes zero.

    x: (...) any shape with at least one element, any float dtype.

    Returns (codes, scale, zero_point): codes uint8 (...), scale a 0-d float32 tensor (the step), zero_point an int in
    0..255, so that x is about (codes - zero_point) * scale, and 0 comes back as exactly 0.
    A tensor of zeros gets scale 1 and zero point 0. Raises ValueError when x holds NaN or infinity.
    Source: Jacob et al. 2017, equation 1.

    >>> codes, scale, zero_point = affine_quantize(torch.tensor([-55.0, 0.0, 200.0]))
    >>> codes.tolist(), scale.item(), zero_point
    ([0, 55, 255], 1.0, 55)
    """
    ### BEGIN SOLUTION
    require_finite(x)
    x = x.float()
    low, high = x.amin().clamp(max=0), x.amax().clamp(min=0)
    scale = (high - low) / 255
    scale = torch.where(scale > 0, scale, 1.0)
    zero_point = int((-low / scale).round())
    codes = ((x / scale).round() + zero_point).clamp(0, 255).to(torch.uint8)
    return codes, scale, zero_point
    ### END SOLUTION


# %% [markdown] hints="affine_quantize"
# <details><summary>Hint 1: a nudge</summary>
#
# Find the two ends of the range first, and pull each of them to zero when it lies on the wrong side. Which code must the
# lower end get?
# </details>
#
# <details><summary>Hint 2: the formula with shapes</summary>
#
# `low` = min(x) but at most 0, `high` = max(x) but at least 0, both of shape `()`. There are 255 *steps* between 256 codes.
# The zero point is how many steps zero lies above `low`. Add it after rounding, then clamp to 0..255, then convert to uint8.
# </details>
#
# <details><summary>Hint 3: a skeleton</summary>
#
# ```python
# require_finite(x)
# x = x.float()
# low, high = x.amin().clamp(max=0), ...
# scale = (high - low) / ...                # replace a zero scale by 1
# zero_point = int((...).round())
# codes = ((x / scale).round() + ...)...    # clamp, then convert to uint8
# ```
# </details>

# %% test="affine_quantize" points=4
with check.test("affine_quantize") as t:
    u8 = torch.uint8
    with t.case("the lecture's vector"):
        x = torch.tensor([0.5, 20, -0.0001, -0.01, -0.1])
        codes, scale, zero_point = affine_quantize(x)
        check.equal(codes, torch.tensor([7, 255, 1, 1, 0], dtype=u8), given={"x": x}, mistakes={
            "you truncate toward zero; round to the nearest instead": torch.tensor([7, 254, 1, 1, 0], dtype=u8),
            "you forget to add the zero point to the codes": torch.tensor([6, 254, 0, 0, 0], dtype=u8),
            "you forget to add the zero point to the codes, and negative ones wrap round": torch.tensor([6, 254, 0, 0, 255], dtype=u8),
            "you subtract the zero point from the codes; add it": torch.tensor([5, 253, 0, 0, 0], dtype=u8),
        })
        check.close(scale, torch.tensor(20.1 / 255), rtol=1e-6, why="a few float32 roundings", given={"x": x}, mistakes={
            "you divide the range by 256; between 256 codes there are 255 steps": torch.tensor(20.1 / 256),
            "you build the symmetric scale max|x| / 127; here the range is high - low": torch.tensor(20 / 127),
        })
    with t.case("the zero point is a Python int"):
        x = torch.tensor([-55.75, 3.2, 199.25])
        codes, scale, zero_point = affine_quantize(x)
        check.mistake(isinstance(zero_point, (float, torch.Tensor)),
                      f"your zero point is a {type(zero_point).__name__}; it is a code, so return a Python int")
        check.equal(zero_point, 56, given={"x": x}, mistakes={
            "the sign of your zero point is wrong; it counts the steps from low up to zero": -56,
            "you cut off the fraction of the zero point; round it to the nearest": 55,
        })
    with t.case("an all-positive tensor: the range still includes zero"):
        x = torch.tensor([51.0, 103.3, 255.0])
        codes, scale, zero_point = affine_quantize(x)
        check.mistake(abs(float(scale) - 0.8) < 1e-4, "you lay the range from min to max; stretch it until it includes 0")
        check.equal((codes, int(zero_point)), (torch.tensor([51, 103, 255], dtype=u8), 0), given={"x": x})
    with t.case("an all-negative tensor has zero point 255"):
        x = torch.tensor([-255.0, -51.0, -103.3])
        codes, scale, zero_point = affine_quantize(x)
        check.mistake(abs(float(scale) - 0.8) < 1e-4, "you lay the range from min to max; stretch it until it includes 0")
        check.equal((codes, int(zero_point)), (torch.tensor([0, 204, 152], dtype=u8), 255), given={"x": x})
    with t.case("a tensor of zeros gets scale 1 and zero point 0", weight=0.5):
        codes, scale, zero_point = affine_quantize(torch.zeros(3))
        check.equal((codes, int(zero_point)), (torch.zeros(3, dtype=u8), 0))
        check.equal(scale, torch.tensor(1.0), mistakes={"your scale of a zero tensor is 0; use 1": torch.tensor(0.0)})
    with t.case("NaN and infinity raise ValueError", weight=0.5):
        for bad in (float("nan"), float("inf"), -float("inf")):
            check.raises(ValueError, affine_quantize, torch.tensor([1.0, bad]))
    ### BEGIN HIDDEN TESTS
    with t.hidden("fresh ranges on an exact grid"):
        g = check.rng()
        for shape in ((6,), (3, 4), (2, 2, 3)):
            low = int(torch.randint(-254, 0, (), generator=g))
            step = 2.0 ** int(torch.randint(-6, 7, (), generator=g))
            whole = torch.randint(low + 1, low + 255, shape, generator=g, dtype=torch.float64)
            offset = (torch.randint(-1, 2, shape, generator=g) / 4).double()
            whole.view(-1)[:2], offset.view(-1)[:2] = torch.tensor([low, low + 255.0]), 0
            expected = torch.tensor([int(v) - low for v in whole.flatten().tolist()], dtype=u8).reshape(shape)
            x = ((whole + offset) * step).float()
            codes, scale, zero_point = affine_quantize(x)
            check.equal((codes, int(zero_point)), (expected, -low), given={"x": x})
            check.equal(scale, torch.tensor(step), given={"x": x})
    with t.hidden("any float tensor: no error exceeds half a step, zero is exact, one byte a code"):
        x = torch.randn(500, generator=check.rng()) + 1
        x[0] = 0
        expected = float(x.max() - x.min()) / 255
        codes, scale, zero_point = affine_quantize(x)
        check.equal(check.stored_bytes(codes), 500)
        check.equal(int(codes[0]), zero_point)
        check.close((codes.double() - zero_point) * expected, x.double(), atol=expected * 0.5001, why="scale / 2")
    with t.hidden("both ends on a half: nothing wraps round"):
        x = torch.tensor([-127.5, 127.5, 0.0])
        codes, scale, zero_point = affine_quantize(x)
        check.mistake(int(codes[1]) < int(codes[2]), "a code above 255 wraps round to a small one; clamp to 0..255 before uint8")
        check.that(zero_point in (127, 128), "the zero point of a symmetric range is 127 or 128", given={"x": x})
        check.close((codes.float() - zero_point) * scale, x, atol=0.5, why="scale / 2")
    with t.hidden("a float16 tensor is computed in float32"):
        x = (torch.tensor([-55.0, 200.0, 0.75]) / 256).half()
        codes, scale, zero_point = affine_quantize(x)
        check.mistake(scale.dtype == torch.float16, "you keep the float16 of x; convert x to float32 before you divide")
        check.equal((codes, int(zero_point)), (torch.tensor([0, 255, 56], dtype=u8), 55), given={"x": x})
        check.equal(scale, torch.tensor(1 / 256), given={"x": x})
    ### END HIDDEN TESTS
t.score

# %% [markdown]
# ### Predict: what do we lose after a ReLU?
#
# Take the activations of the first hidden layer of the digits model, once before the ReLU (both signs) and once after it
# (no negative values). Quantize both with 8 bits, symmetric and affine, and divide the mean squared errors. The values
# before the ReLU are the negative control: there the symmetric ruler should waste little.

# %% predict="after_relu"
lab.predict("after_relu", "After the ReLU: how many times larger is the squared error of the symmetric quantizer?",
            unit="times", answer=None)

# %% experiment="after_relu"
def mean_squared(x, back):
    return float((x - back).double().pow(2).mean())


with torch.no_grad():
    before = model[0](digits.x_test)
rows, ratios = [], {}
for name, x in (("before the ReLU (control)", before), ("after the ReLU", before.relu())):
    symmetric = mean_squared(x, dequantize(*absmax_quantize(x)))
    affine = mean_squared(x, dequantize(*affine_quantize(x)))
    ratios[name] = symmetric / affine
    rows.append([name, f"{symmetric:.2e}", f"{affine:.2e}", f"{symmetric / affine:.2f}"])
lab.table(rows, ["activations", "symmetric: squared error", "affine: squared error", "ratio"],
          "Mean squared error of 8-bit activations, first hidden layer.")
lab.reveal("after_relu", round(ratios["after the ReLU"], 2), unit="times")

# %% [markdown]
# **Explain it.** How many bits is the sign worth when there is no sign? What does a factor of four in the squared error
# correspond to in dB, and in bits?
#
# Affine codes have a price: in a matrix product the zero point causes extra terms. So the usual choice is symmetric for
# weights, which spread evenly around zero, and affine only for activations that do not.

# %% [markdown]
# ## Who shares a scale with whom?
#
# **The idea.** One large weight stretches the ruler for everybody who shares it. So let fewer weights share. A linear
# layer has a weight matrix $W$ of shape (out, in), and its rows belong to different output neurons. With a scale
# per row, a neuron with large weights no longer harms its neighbours. This is *per-channel* (or row-wise) quantization:
#
# $$s_o = \frac{\max_i |W_{oi}|}{q_{max}}, \qquad q_{oi} = \mathrm{round}\left(\frac{W_{oi}}{s_o}\right)$$
#
# with $q$ of shape (out, in) and $s$ of shape (out, 1). The last axis of length 1 is there so that
# `codes * scale` broadcasts. Without it, a square matrix would be scaled along the wrong axis, and no error would tell you.
#
# Why rows and not columns? Look at the product $y_o = \sum_i W_{oi} x_i \approx \sum_i q_{oi} \, s_o \, x_i$. The scale
# $s_o$ does not depend on $i$, so it can be pulled out of the sum, which then runs over integers alone. A scale per
# column would have to stay inside.

# %% [markdown]
# ### Exercise 3: quantize_rows
#
# A row may be all zeros (a pruned neuron) while others are not. That row, and only that row, gets scale 1.

# %% exercise="quantize_rows" minutes=8 level=1
def quantize_rows(w: torch.Tensor, bits: int = 8) -> tuple[torch.Tensor, torch.Tensor]:
    """Quantize each row of a matrix to symmetric integers with a scale of its own.

    w: (out, in), any float dtype. bits: 2 to 8, the largest code is 2**(bits-1) - 1.

    Returns (codes, scale): codes int8 (out, in), scale float32 (out, 1), so that w is about codes * scale.
    Halves go to the even code. A row of zeros gets scale 1. Raises ValueError when w holds NaN or infinity.
    Source: Dettmers et al. 2022, section 2.2 (vector-wise quantization).

    >>> codes, scale = quantize_rows(torch.tensor([[127.0, -3.2], [0.5, 63.5]]))
    >>> codes.tolist(), scale.tolist()
    ([[127, -3], [1, 127]], [[1.0], [0.5]])
    """
    ### BEGIN SOLUTION
    require_finite(w)
    w = w.float()
    largest_code = 2 ** (bits - 1) - 1
    scale = w.abs().amax(dim=1, keepdim=True) / largest_code
    scale = torch.where(scale > 0, scale, 1.0)
    codes = (w / scale).round().clamp(-largest_code, largest_code).to(torch.int8)
    return codes, scale
    ### END SOLUTION


# %% [markdown] hints="quantize_rows"
# <details><summary>Hint 1: a nudge</summary>
#
# It is exercise 1 with one change: the maximum runs over one axis instead of all of them. Which axis must disappear, and
# how do you keep a 1 in its place?
# </details>
#
# <details><summary>Hint 2: the formula with shapes</summary>
#
# w (out, in) → maximum over `dim=1` with `keepdim=True` → scale (out, 1) → `w / scale` broadcasts to (out, in).
# `torch.where` replaces zero scales one by one.
# </details>
#
# <details><summary>Hint 3: a skeleton</summary>
#
# ```python
# require_finite(w)
# w = w.float()
# largest_code = ...
# scale = w.abs().amax(dim=..., keepdim=...) / ...
# scale = torch.where(..., scale, 1.0)
# codes = (w / scale)...
# ```
# </details>

# %% test="quantize_rows" points=3
with check.test("quantize_rows") as t:
    i8 = torch.int8
    with t.case("every row has its own step"):
        w = torch.tensor([[127.0, -2.2, 3.6], [-63.5, 10.3, 0.25]])
        codes, scale = quantize_rows(w)
        check.mistake(tuple(scale.shape) == (2,), "your scale has shape (out,); keep the axis: (out, 1), or it broadcasts along columns")
        check.mistake(tuple(scale.shape) == (1, 3), "you take one scale per column; take one per row (the maximum runs over dim=1)")
        check.equal(scale, torch.tensor([[1.0], [0.5]]), given={"w": w}, mistakes={
            "you use one scale for the whole matrix; take the maximum of each row": torch.tensor([[1.0], [1.0]]),
            "you use one scale for the whole matrix; take the maximum of each row (0-d scale)": torch.tensor(1.0),
            "you take the largest value, not the largest magnitude; take abs() first": torch.tensor([[1.0], [10.3 / 127]]),
            "you return 127 / max|w|; return the step max|w| / 127": torch.tensor([[1.0], [2.0]]),
            "you divide by 128; the largest code is 127": torch.tensor([[127 / 128], [63.5 / 128]]),
        })
        check.equal(codes, torch.tensor([[127, -2, 4], [-127, 21, 0]], dtype=i8), given={"w": w}, mistakes={
            "you truncate toward zero; round to the nearest instead": torch.tensor([[127, -2, 3], [-127, 20, 0]], dtype=i8),
            "you round halves away from zero; halves go to the even code": torch.tensor([[127, -2, 4], [-127, 21, 1]], dtype=i8),
        })
    with t.case("a row of zeros harms nobody"):
        w = torch.tensor([[0.0, 0.0], [2.54, -1.0], [0.5, 0.0]])
        codes, scale = quantize_rows(w)
        check.mistake(bool((scale == 0).any()), "a row of zeros gets scale 0 and you divide by it; give that row scale 1")
        check.equal(codes, torch.tensor([[0, 0], [127, -50], [127, 0]], dtype=i8), given={"w": w}, mistakes={
            "you use scale 1 for all rows when one row is zero": torch.tensor([[0, 0], [3, -1], [0, 0]], dtype=i8),
        })
        check.equal(scale[0], torch.tensor([1.0]), given={"w": w})
    with t.case("three bits reach from -3 to 3", weight=0.5):
        w = torch.tensor([[3.0, -1.2], [-12.0, 5.0]])
        codes, scale = quantize_rows(w, 3)
        check.equal(codes, torch.tensor([[3, -1], [-3, 1]], dtype=i8), given={"w": w, "bits": 3}, mistakes={
            "you ignore bits and always use 127": torch.tensor([[127, -51], [-127, 53]], dtype=i8),
            "you use 2**(bits-1) as the largest code; it is 2**(bits-1) - 1": torch.tensor([[4, -2], [-4, 2]], dtype=i8),
        })
    with t.case("NaN and infinity raise ValueError", weight=0.5):
        for bad in (float("nan"), float("inf"), -float("inf")):
            check.raises(ValueError, quantize_rows, torch.tensor([[1.0, 2.0], [bad, 1.0]]))
    ### BEGIN HIDDEN TESTS
    with t.hidden("fresh matrices on an exact grid, each row with its own step"):
        g = check.rng()
        for rows, columns in ((1, 7), (5, 5), (4, 9)):
            bits = int(torch.randint(2, 9, (), generator=g))
            top = 2 ** (bits - 1) - 1
            quarters = torch.randint(-4 * top, 4 * top + 1, (rows, columns), generator=g, dtype=torch.float64)
            quarters[:, -1] = -4 * top
            step = 2.0 ** torch.randint(-6, 7, (rows, 1), generator=g)
            expected = torch.tensor([[round(v / 4) for v in row] for row in quarters.tolist()], dtype=i8)
            w = (quarters / 4 * step).float()
            codes, scale = quantize_rows(w, bits)
            check.equal(codes, expected, given={"w": w, "bits": bits})
            check.equal(scale, step.float(), given={"w": w, "bits": bits})
    with t.hidden("a float16 matrix: float32 scales, one byte a code, no error above half a step"):
        w = torch.randn(12, 10, generator=check.rng()).half()
        expected = w.float().abs().amax(1, keepdim=True) / 127
        codes, scale = quantize_rows(w)
        check.mistake(scale.dtype == torch.float16, "you keep the float16 of w; convert w to float32 before you divide")
        check.close(scale, expected, rtol=1e-6, why="a few float32 roundings")
        check.equal(check.stored_bytes(codes), 120)
        check.close(codes.double() * expected.double(), w.double(), atol=0.5001 * expected.double(), why="scale / 2")
    ### END HIDDEN TESTS
t.score

# %% [markdown]
# ## Smaller groups: 4 bits
#
# **The idea.** With 8 bits one scale per row is enough. With 4 bits there are only 15 codes, and even within a row the
# largest weight is too greedy. So we cut each row into groups of, say, 32 neighbours along the *input* axis, and each group
# gets its own scale. The 4-bit files of llama.cpp work this way.
#
# For $W$ of shape (out, in) and groups of $g$ columns there are $G = \lceil in / g \rceil$ groups in a row:
#
# $$s_{oj} = \frac{1}{q_{max}} \max_{i = jg}^{\min(jg + g, in) - 1} |W_{oi}|, \qquad q_{oi} = \mathrm{round}\left(\frac{W_{oi}}{s_{o \lfloor i/g \rfloor}}\right)$$
#
# with codes of shape (out, in) and scales of shape (out, G). When $g$ does not divide the number of columns, the last
# group of each row is simply shorter. It never continues in the next row.
#
# A group is nothing but a row of a reshaped matrix. If you pad each row with zeros to a multiple of $g$, the exercise becomes
# a few lines around `quantize_rows`: zeros never change a maximum of magnitudes.

# %% [markdown]
# ### Exercise 4: quantize_groups
#
# To undo it, the scales must be spread over their columns again. The setup cell gives you `spread(scale, group, columns)`
# for that, so `dequantize(codes, spread(scale, group, columns))` restores the matrix.

# %% exercise="quantize_groups" minutes=12 level=2 uses="quantize_rows"
def quantize_groups(w: torch.Tensor, group: int, bits: int = 4) -> tuple[torch.Tensor, torch.Tensor]:
    """Quantize a matrix with one scale for every `group` neighbouring columns of a row.

    w: (out, in), any float dtype. group: columns that share a scale; the last group of a row may be shorter.
    bits: 2 to 8, the largest code is 2**(bits-1) - 1.

    Returns (codes, scale): codes int8 (out, in) without any padding, scale float32 (out, ceil(in / group)).
    Halves go to the even code. A group of zeros gets scale 1. Raises ValueError when w holds NaN or infinity.
    Source: the Q4_0 format of llama.cpp is the same idea with groups of 32.

    >>> codes, scale = quantize_groups(torch.tensor([[7.0, -2.2, 0.5]]), group=2)
    >>> codes.tolist(), [round(s, 3) for s in scale[0].tolist()]
    ([[7, -2, 7]], [1.0, 0.071])
    """
    ### BEGIN SOLUTION
    rows, columns = w.shape
    blocks = F.pad(w, (0, -columns % group)).reshape(-1, group)
    codes, scale = quantize_rows(blocks, bits)
    return codes.reshape(rows, -1)[:, :columns].contiguous(), scale.reshape(rows, -1)
    ### END SOLUTION


# %% [markdown] hints="quantize_groups"
# <details><summary>Hint 1: a nudge</summary>
#
# If every row had a multiple of `group` columns, one `reshape` would turn groups into rows. Make it so, and cut the surplus off at
# the end.
# </details>
#
# <details><summary>Hint 2: the formula with shapes</summary>
#
# Padding needed: `-columns % group` zeros on the right of each row (Python's `%` of a negative number is never negative). Then
# (out, G·g) → `reshape(-1, group)` → (out·G, g) → `quantize_rows` → codes (out·G, g), scale (out·G, 1) → reshape both back.
# </details>
#
# <details><summary>Hint 3: a skeleton</summary>
#
# ```python
# rows, columns = w.shape
# blocks = F.pad(w, (0, ...)).reshape(-1, ...)
# codes, scale = quantize_rows(..., bits)
# return codes.reshape(rows, -1)[...].contiguous(), scale.reshape(...)
# ```
# </details>

# %% test="quantize_groups" points=3
with check.test("quantize_groups") as t:
    i8 = torch.int8
    with t.case("groups are neighbours within a row"):
        w = torch.tensor([[7.0, -3.2, 28.0, 6.0], [-3.5, 0.75, 1.75, 0.6]])
        codes, scale = quantize_groups(w, 2)
        check.mistake(tuple(scale.shape) == (1, 4), "your groups run down the columns; they run along the input axis of a row")
        check.equal(scale, torch.tensor([[1.0, 4.0], [0.5, 0.25]]), given={"w": w, "group": 2}, mistakes={
            "your groups take every second column; a group is a run of neighbouring columns":
                torch.tensor([[4.0, 6 / 7], [0.5, 0.75 / 7]]),
            "you use one scale per row; each group has its own": torch.tensor([[4.0], [0.5]]),
            "you use one scale per row; each group has its own (repeated scales)": torch.tensor([[4.0, 4.0], [0.5, 0.5]]),
            "you divide by 8, but the largest 4-bit code is 7": torch.tensor([[7 / 8, 3.5], [3.5 / 8, 1.75 / 8]]),
            "you use 8 bits although bits is 4": torch.tensor([[7.0, 28.0], [3.5, 1.75]]) / 127,
            "you return max|w| of each group; divide it by the largest code": torch.tensor([[7.0, 28.0], [3.5, 1.75]]),
        })
        check.equal(codes, torch.tensor([[7, -3, 7, 2], [-7, 2, 7, 2]], dtype=i8), given={"w": w, "group": 2}, mistakes={
            "you truncate toward zero; round to the nearest instead": torch.tensor([[7, -3, 7, 1], [-7, 1, 7, 2]], dtype=i8),
        })
    with t.case("the last group of each row may be shorter"):
        w = torch.tensor([[7.0, 1.0, 2.0, -14.0, 3.5], [1.75, 0.5, -0.3, 56.0, -7.0]])
        codes, scale = quantize_groups(w, 4)
        check.mistake(tuple(codes.shape) == (2, 8), "you return the padding too; cut the codes back to the columns of w")
        check.mistake(tuple(codes.shape) == (2, 4), "you drop the columns left over after the last whole group")
        check.equal(scale, torch.tensor([[2.0, 0.5], [8.0, 1.0]]), given={"w": w, "group": 4}, mistakes={
            "you cut the row into parts of nearly equal length; all groups but the last have exactly `group` columns":
                torch.tensor([[1.0, 2.0], [0.25, 8.0]]),
            "the leftover columns share the scale of the group before them; they form a group of their own":
                torch.tensor([[2.0], [8.0]]),
        })
        expected = torch.tensor([[4, 0, 1, -7, 7], [0, 0, 0, 7, -7]], dtype=i8)
        check.equal(codes, expected, given={"w": w, "group": 4})
    with t.case("a group of zeros gets scale 1", weight=0.5):
        codes, scale = quantize_groups(torch.tensor([[0.0, 0.0, 7.0, 1.0]]), 2)
        check.equal(scale, torch.tensor([[1.0, 1.0]]))
        check.equal(codes, torch.tensor([[0, 0, 7, 1]], dtype=i8))
    with t.case("NaN and infinity raise ValueError", weight=0.5):
        for bad in (float("nan"), float("inf"), -float("inf")):
            check.raises(ValueError, quantize_groups, torch.tensor([[1.0, 2.0, bad]]), 2)
    ### BEGIN HIDDEN TESTS
    with t.hidden("fresh matrices, group lengths and widths, on an exact grid"):
        g = check.rng()
        for rows, columns, group in ((3, 12, 4), (4, 10, 3), (2, 5, 8), (6, 6, 1)):
            bits = int(torch.randint(2, 9, (), generator=g))
            top, groups = 2 ** (bits - 1) - 1, math.ceil(columns / group)
            quarters = torch.randint(-4 * top, 4 * top + 1, (rows, columns), generator=g, dtype=torch.float64)
            quarters[:, ::group] = 4 * top
            step = 2.0 ** torch.randint(-6, 7, (rows, groups), generator=g)
            expected = torch.tensor([[round(v / 4) for v in row] for row in quarters.tolist()], dtype=i8)
            w = torch.tensor([[quarters[i, j].item() / 4 * step[i, j // group].item() for j in range(columns)] for i in range(rows)])
            codes, scale = quantize_groups(w, group, bits)
            check.equal(scale, step.float(), given={"w": w, "group": group, "bits": bits})
            check.equal(codes, expected, given={"w": w, "group": group, "bits": bits})
    with t.hidden("codes take one byte each, and no padding is kept"):
        w = torch.randn(8, 13, generator=check.rng())
        codes, scale = quantize_groups(w, 5)
        check.like(codes, shape=(8, 13), dtype=i8)
        check.equal(check.stored_bytes(codes), 8 * 13)
        check.like(scale, shape=(8, 3), dtype=torch.float32, name="scale")
    ### END HIDDEN TESTS
t.score

# %% [markdown]
# ### Predict: one loud neuron
#
# Large language models have a few channels whose values are much larger than all others. Our digits model has none, so we make one.
# Multiply the weights and the bias of hidden neuron 0 by 50, and divide the weights that read it by 50. ReLU passes
# positive factors through, so the *function stays the same*: the float accuracy cannot change. That is our control. Then
# round all weights to 4 bits.

# %% predict="loud_neuron"
lab.predict("loud_neuron", "Accuracy with 4 bits and one scale per tensor, after one neuron was made 50 times louder?",
            choices=["unchanged, about 0.97", "a little worse, about 0.9", "about half", "no better than guessing, about 0.1"],
            answer=None)

# %% experiment="loud_neuron"
import copy


def with_loud_neuron(model, factor=50.0):
    loud = copy.deepcopy(model)
    with torch.no_grad():
        loud[0].weight[0] *= factor
        loud[0].bias[0] *= factor
        loud[2].weight[:, 0] /= factor
    return loud


def rounded(w, bits, sharing):
    """w after rounding; sharing is "tensor", "row" or a group length."""
    w = w.detach()
    if sharing == "tensor":
        return dequantize(*absmax_quantize(w, bits))
    if sharing == "row":
        return dequantize(*quantize_rows(w, bits))
    codes, scale = quantize_groups(w, sharing, bits)
    return dequantize(codes, spread(scale, sharing, w.shape[1]))


def accuracy_of(model, bits, sharing):
    small = lab.with_weights(model, lambda w: rounded(w, bits, sharing))
    return lab.accuracy(small, digits.x_test, digits.y_test)


loud = with_loud_neuron(model)
sharings = {"tensor": "one scale per tensor", "row": "one per row", 16: "one per 16 weights"}
results = {(name, sharing): [accuracy_of(m, bits, sharing) for bits in widths]
           for name, m in (("plain", model), ("loud", loud)) for sharing in sharings}

fig, axes = lab.figure(ncols=2)
for ax, name in zip(axes, ("plain", "loud")):
    for colour, marker, sharing in zip(lab.COLOURS, "os^", sharings):
        ax.plot(widths, results[name, sharing], marker + "-", color=colour, label=sharings[sharing])
    ax.axhline(lab.accuracy(model if name == "plain" else loud, digits.x_test, digits.y_test),
               color="grey", linestyle=":", label="float32")
    ax.set(xlabel="bits per weight", ylabel="test accuracy (fraction)", ylim=(0, 1.05), title=f"the {name} model")
axes[0].legend(loc="lower right")
lab.show(fig, "The loud model computes the same function, yet one scale per tensor ruins it; a scale per row does not notice.")
lab.table([[f"{name}, {sharings[sharing]}"] + [f"{a:.3f}" for a in results[name, sharing]] for name, sharing in results],
          ["model and scales"] + [f"{b} bits" for b in widths], "Test accuracy after rounding all weights.")

# %% experiment="loud_neuron_outcome"
outcome = results["loud", "tensor"][widths.index(4)]
nearest = min((0.97, "unchanged, about 0.97"), (0.9, "a little worse, about 0.9"), (0.5, "about half"),
              (0.1, "no better than guessing, about 0.1"), key=lambda choice: abs(choice[0] - outcome))
lab.reveal("loud_neuron", nearest[1])

# %% [markdown]
# **Explain it.** With one scale per tensor, how large is the step compared with a typical weight of the other
# 299 neurons? Which code do they all get?
#
# An outlier does not need to be important to do damage. It only needs to share a scale.
#
# ### Cutting the ruler short
#
# Sharing less is one remedy. Another one is *clipping*: make the ruler shorter than the largest weight. The few weights
# beyond its end are cut, and all others get a finer step. We scan the ruler's length for the second layer, at 4 bits and, as a
# control, at 8 bits.

# %% experiment="clipping"
w = model[2].weight.detach()
lengths = [n / 20 for n in range(6, 21)]
fig, ax = lab.figure()
rows = []
for bits, colour, marker in ((4, lab.COLOURS[0], "o"), (8, lab.COLOURS[1], "s")):
    errors = []
    for length in lengths:
        end = length * float(w.abs().max())
        errors.append(mean_squared(w, dequantize(*absmax_quantize(w.clamp(-end, end), bits))))
    relative = [e / errors[-1] for e in errors]
    best = min(range(len(lengths)), key=errors.__getitem__)
    rows.append([bits, f"{lengths[best]:.2f}", f"{relative[best]:.3f}"])
    ax.semilogy(lengths, relative, marker + "-", color=colour, label=f"{bits} bits")
ax.axhline(1, color="grey", linestyle=":", label="absmax")
ax.set(xlabel="length of the ruler (fraction of max|w|)", ylabel="squared error (absmax = 1)")
ax.legend()
lab.show(fig, "With 4 bits a shorter ruler pays; with 8 bits cutting the ends soon does more harm than the finer step does good.")
lab.table(rows, ["bits", "best length", "squared error there (absmax = 1)"], "The best clipping point of the second layer.")

# %% [markdown]
# Weights are known in advance, so you can afford this scan. For activations there are two ways. *Static* quantization runs a
# few training examples (the calibration set, never the test set), notes the range, and keeps it. *Dynamic* quantization, which
# we use below, measures them as they come, here row by row: one more pass, but no surprises.

# %% [markdown]
# ## Two codes in a byte
#
# **The idea.** Your 4-bit codes still sit in an int8 each, so half of every byte is empty. PyTorch has no 4-bit integer that it can
# compute with, so we pack two codes into one byte ourselves. Savings on paper do not count in this course.
#
# A 4-bit code from −8 to 7 in *two's complement* is the code itself when it is not negative, and the code plus 16 otherwise. For
# instance −1 is 15, and −8 is 8. Such a half byte is called a *nibble*. Flatten the codes in row order and number them
# $c_0, c_1, c_2, \dots$ Then byte $j$ holds
#
# $$b_j = (c_{2j} \bmod 16) + 16 \, (c_{2j+1} \bmod 16)$$
#
# so the earlier code is in the low nibble. When $n$, the number of codes, is odd, the last high nibble is 0.
#
# Handy operations on whole tensors: `c & 15` keeps the low four bits (also of negative integers), `c << 4` multiplies by
# 16, `c >> 4` drops the low four bits, and `a | b` joins.

# %% [markdown]
# ### Exercise 5: pack4 and unpack4
#
# Write both directions. Codes outside −8..7 do not fit and must raise `ValueError` instead of being cut off silently.

# %% exercise="pack4" minutes=15 level=2
def pack4(codes: torch.Tensor) -> torch.Tensor:
    """Pack 4-bit codes two to a byte, the earlier one in the low nibble.

    codes: (...) int8 with n elements (n at least 1), every one in -8..7, read in row order.

    Returns uint8 (ceil(n / 2),). With an odd n the last high nibble is 0.
    Raises ValueError when a code lies outside -8..7.

    >>> pack4(torch.tensor([1, -1, 3], dtype=torch.int8)).tolist()
    [241, 3]
    """
    ### BEGIN SOLUTION
    if codes.min() < -8 or codes.max() > 7:
        raise ValueError(f"4-bit codes lie in -8..7, these in {int(codes.min())}..{int(codes.max())}")
    nibbles = codes.flatten().to(torch.uint8) & 15
    nibbles = F.pad(nibbles, (0, len(nibbles) % 2))
    return nibbles[0::2] | (nibbles[1::2] << 4)
    ### END SOLUTION


def unpack4(packed: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    """Undo pack4.

    packed: uint8 (ceil(n / 2),). shape: the shape of the codes, n elements in all.

    Returns int8 codes of that shape, every one in -8..7.

    >>> unpack4(torch.tensor([241, 3], dtype=torch.uint8), (1, 3)).tolist()
    [[1, -1, 3]]
    """
    ### BEGIN SOLUTION
    nibbles = torch.stack([packed & 15, packed >> 4], dim=1).flatten()[: math.prod(shape)]
    signed = torch.where(nibbles > 7, nibbles.to(torch.int8) - 16, nibbles.to(torch.int8))
    return signed.reshape(shape)
    ### END SOLUTION


# %% [markdown] hints="pack4"
# <details><summary>Hint 1: a nudge</summary>
#
# Slices with a step, `[0::2]` and `[1::2]`, separate the codes of even and odd number. What does a negative code look like
# after `& 15`? On the way back, which nibbles stand for negative codes?
# </details>
#
# <details><summary>Hint 2: the formula with shapes</summary>
#
# codes (...) → flatten (n,) → `& 15` → pad to an even length with `F.pad(..., (0, n % 2))` → low (m,), high (m,) →
# `low | (high << 4)`, shape (m,), uint8. Back: low = `packed & 15`, high = `packed >> 4`, stack along a *new last* axis so
# that flattening alternates them, keep the first n, subtract 16 from those above 7.
# </details>
#
# <details><summary>Hint 3: a skeleton</summary>
#
# ```python
# # pack4
# if codes.min() < ... or codes.max() > ...:
#     raise ValueError(...)
# nibbles = codes.flatten()...              # to uint8, low four bits
# nibbles = F.pad(nibbles, (0, ...))
# return nibbles[0::2] | ...
#
# # unpack4
# nibbles = torch.stack([..., ...], dim=1).flatten()[: ...]
# signed = torch.where(nibbles > ..., ..., nibbles.to(torch.int8))
# return signed.reshape(...)
# ```
# </details>

# %% test="pack4" points=3
with check.test("pack4") as t:
    i8, u8 = torch.int8, torch.uint8
    with t.case("two codes a byte, the earlier one low"):
        codes = torch.tensor([1, -1, -3, 2, 7, -8], dtype=i8)
        packed = pack4(codes)
        check.mistake(packed.numel() == 6, "you store one code per byte; two codes share a byte")
        check.mistake(packed.dtype != u8, f"you store {packed.dtype}; a packed byte is torch.uint8")
        check.equal(packed, torch.tensor([241, 45, 135], dtype=u8), given={"codes": codes}, mistakes={
            "you put the earlier code into the high nibble; it belongs into the low one": torch.tensor([31, 210, 120], dtype=u8),
            "you do not mask with & 15, so the sign of the low code floods the high nibble": torch.tensor([241, 253, 135], dtype=u8),
            "you add 8 to the codes; two's complement adds 16, and only to negative codes": torch.tensor([121, 165, 15], dtype=u8),
            "you pair each code with one half a tensor away; neighbours share a byte": torch.tensor([33, 127, 141], dtype=u8),
        })
    with t.case("an odd number of codes: the last high nibble is 0"):
        codes = torch.tensor([[-5], [6], [-2]], dtype=i8)
        packed = pack4(codes)
        check.mistake(packed.numel() == 1, "you lose the last code when their number is odd; pad before you pair")
        check.equal(packed, torch.tensor([107, 14], dtype=u8), given={"codes": codes}, mistakes={
            "you put the earlier code into the high nibble; it belongs into the low one": torch.tensor([182, 224], dtype=u8),
            "you pad in front; pad at the end": torch.tensor([176, 230], dtype=u8),
            "you add 8 to the codes; two's complement adds 16, and only to negative codes": torch.tensor([227, 6], dtype=u8),
        })
    with t.case("unpack4 restores signs and shape"):
        packed = torch.tensor([241, 45, 135], dtype=u8)
        codes = unpack4(packed, (2, 3))
        check.equal(codes, torch.tensor([[1, -1, -3], [2, 7, -8]], dtype=i8), given={"packed": packed, "shape": (2, 3)}, mistakes={
            "you do not restore the sign: nibbles above 7 stand for negative codes, subtract 16 from them":
                torch.tensor([[1, 15, 13], [2, 7, 8]], dtype=i8),
            "you read the high nibble first; the earlier code is in the low one": torch.tensor([[-1, 1, 2], [-3, -8, 7]], dtype=i8),
            "you put all low nibbles before all high ones; they alternate": torch.tensor([[1, -3, 7], [-1, 2, -8]], dtype=i8),
            "you subtract 8 from every nibble; two's complement subtracts 16, and only above 7":
                torch.tensor([[-7, 7, 5], [-6, -1, 0]], dtype=i8),
        })
    with t.case("codes that do not fit raise ValueError", weight=0.5):
        for bad in (8, -9, 127):
            check.raises(ValueError, pack4, torch.tensor([1, bad], dtype=i8))
    ### BEGIN HIDDEN TESTS
    with t.hidden("fresh codes of any shape, there"):
        g = check.rng()
        for shape in ((16,), (3, 5), (1,), (2, 3, 3), (4, 4)):
            codes = torch.randint(-8, 8, shape, generator=g, dtype=i8)
            nibbles = [c % 16 for c in codes.flatten().tolist()] + [0]
            pairs = range(0, codes.numel(), 2)
            expected = torch.tensor([nibbles[j] + 16 * nibbles[j + 1] for j in pairs], dtype=u8)
            packed = pack4(codes)
            check.equal(packed, expected, given={"codes": codes})
            check.equal(check.stored_bytes(packed), len(pairs))
    with t.hidden("fresh codes of any shape, and back"):
        g = check.rng()
        for shape in ((16,), (3, 5), (1,), (2, 3, 3), (4, 4)):
            codes = torch.randint(-8, 8, shape, generator=g, dtype=i8)
            nibbles = [c % 16 for c in codes.flatten().tolist()] + [0]
            packed = torch.tensor([nibbles[j] + 16 * nibbles[j + 1] for j in range(0, codes.numel(), 2)], dtype=u8)
            back = unpack4(packed, shape)
            check.equal(back, codes, given={"packed": packed, "shape": shape})
            check.equal(check.stored_bytes(back), codes.numel())
    ### END HIDDEN TESTS
t.score

# %% [markdown]
# ### What does a weight really cost?
#
# Scales need space too. A float32 scale for $g$ weights adds $32 / g$ bits to each of them. The next cell packs the second
# layer with your functions and counts the bytes of the tensors that are really there. It also checks that nothing was
# lost on the way.

# %% experiment="bytes_per_weight"
w = model[2].weight.detach()
rows = [["float32", f"{lab.nbytes(w):,}", "32.00", "∞", "–"]]
codes, scale = quantize_rows(w)
stored = lab.nbytes(codes) + lab.nbytes(scale)
rows.append(["8 bits, a scale per row", f"{stored:,}", f"{8 * stored / w.numel():.2f}",
             f"{lab.snr_db(w, dequantize(codes, scale)):.1f}", "–"])
for group in (300, 64, 32, 8, 2):
    codes, scale = quantize_groups(w, group)
    packed = pack4(codes)
    restored = dequantize(unpack4(packed, codes.shape), spread(scale, group, w.shape[1]))
    stored = lab.nbytes(packed) + lab.nbytes(scale)
    same = torch.equal(restored, rounded(w, 4, group))
    rows.append([f"4 bits, a scale per {group} weights", f"{stored:,}", f"{8 * stored / w.numel():.2f}",
                 f"{lab.snr_db(w, restored):.1f}", "yes" if same else "no"])
lab.table(rows, ["stored as", "bytes", "bits per weight", "SNR (dB)", "packing lost nothing"],
          "The second layer of the digits model. Compare the last row with 8 bits.")

# %% [markdown]
# Follow the column of bits downwards. With tiny groups the scales weigh more than the codes, and 4-bit weights take more space
# than plain int8, at a lower quality. Real formats therefore stop at groups of 32 to 128, and store 16-bit scales.

# %% [markdown]
# ## Computing with integers
#
# **The idea.** So far we saved memory only: the weights were turned back into floats before use. Now the matrix product
# itself runs on integers. Activations are quantized on the fly, one scale per row (per token), and the lecture's three
# steps follow: scale to integers, multiply and accumulate in a wider integer, undo the scales in float.
#
# Let $x$ have shape (n, in) with codes $q^x$ (n, in) and scales $s^x$ (n, 1), and let $W$ have codes $q^w$ (out, in) and scales
# $s^w$ (out, 1). Then
#
# $$y_{to} \approx \sum_i \left(q^x_{ti} s^x_t\right)\left(q^w_{oi} s^w_o\right) + b_o
# = s^x_t \, s^w_o \underbrace{\sum_i q^x_{ti} \, q^w_{oi}}_{\text{integers only}} + \; b_o$$
#
# with $y$ of shape (n, out) and the bias $b$ (out,). Both scales leave the sum because neither depends on $i$. The rescale at
# the end is an outer product: one factor per row of $x$ and one per row of $W$.
#
# **Accumulate wide.** A product of two codes is as large as 127 · 127, which already does not fit into an int8. The sum
# must be held in an int32. PyTorch will not warn you: multiply two int8 matrices and it returns an int8 matrix whose entries have
# wrapped round.

# %% [markdown]
# ### Predict: how soon does a sum overflow?

# %% predict="overflow"
lab.predict("overflow", "You add up products 127 * 127 in an int16 (largest value 32767). After how many terms is the sum wrong for the first time?",
            unit="terms", answer=None)

# %% experiment="overflow"
lengths = [1, 2, 3, 10, 100, 1000]


def dot(value, length, dtype):
    row = torch.full((1, length), value, dtype=torch.int8).to(dtype)
    return int(row @ row.T)


rows = []
for length in lengths:
    sums = [dot(127, length, dtype) for dtype in (torch.int8, torch.int16, torch.int32)]
    rows.append([length, f"{127 * 127 * length:,}"] + [f"{s:,}" + ("" if s == 127 * 127 * length else "  wrong") for s in sums])
lab.table(rows, ["terms", "true sum of 127 · 127", "int8", "int16", "int32"], "The same dot product in three accumulators.")
control = [dot(1, 100, dtype) for dtype in (torch.int8, torch.int16, torch.int32)]
lab.table([[100, 100] + control], ["terms", "true sum of 1 · 1", "int8", "int16", "int32"],
          "Control: a hundred small terms fit every accumulator, so a test with small numbers would not find the mistake.")
first_wrong = next(length for length in range(1, 100) if dot(127, length, torch.int16) != 127 * 127 * length)
lab.reveal("overflow", first_wrong, unit="terms")

# %% [markdown]
# **Explain it.** The wrong sums look like ordinary numbers, which makes the mistake hard to find. How long may a row be before
# an *int32* overflows? Divide $2^{31} - 1$ by $127^2$ and compare with the width of the largest models you know.

# %% [markdown]
# ### Exercise 6: int8_linear
#
# Use your own `quantize_rows` for the activations. The sum over `in` must be exact integer arithmetic; a float32 sum has only 24
# bits of precision, and long rows need more.

# %% exercise="int8_linear" minutes=15 level=3 uses="quantize_rows"
def int8_linear(
    x: torch.Tensor, codes: torch.Tensor, scale: torch.Tensor, bias: torch.Tensor | None = None
) -> torch.Tensor:
    """A linear layer with 8-bit weights and 8-bit activations (W8A8).

    x: (n, in) float32, quantized here to 8 bits with one scale per row.
    codes: int8 (out, in) and scale: float32 (out, 1), the weights as quantize_rows gives them.
    bias: float32 (out,) or None.

    Returns float32 (n, out): the integer product of the codes, accumulated exactly in int32, times both scales, plus bias.
    Raises ValueError when x holds NaN or infinity. Source: Jacob et al. 2017, section 2.2.

    >>> x = torch.tensor([[127.0, 2.0]])
    >>> int8_linear(x, torch.tensor([[127, 1]], dtype=torch.int8), torch.tensor([[0.5]]), torch.tensor([0.5])).tolist()
    [[8066.0]]
    """
    ### BEGIN SOLUTION
    x_codes, x_scale = quantize_rows(x)
    total = x_codes.to(torch.int32) @ codes.to(torch.int32).T
    y = total * x_scale * scale.T
    return y if bias is None else y + bias
    ### END SOLUTION


# %% [markdown] hints="int8_linear"
# <details><summary>Hint 1: a nudge</summary>
#
# Widen the codes before the product, not after it. Then ask of each scale: which axis of the (n, out) result does it belong to?
# </details>
#
# <details><summary>Hint 2: the formula with shapes</summary>
#
# x (n, in) → codes (n, in) int8, scale (n, 1). int32 (n, in) @ int32 (in, out) → total (n, out). Then times (n, 1), times
# the *transposed* weight scale (1, out), plus bias (out,).
# </details>
#
# <details><summary>Hint 3: a skeleton</summary>
#
# ```python
# x_codes, x_scale = ...
# total = x_codes.to(...) @ codes.to(...).T
# y = total * ... * ...
# return y if bias is None else ...
# ```
# </details>

# %% test="int8_linear" points=5
with check.test("int8_linear") as t:
    i8, i32 = torch.int8, torch.int32
    with t.case("two rows, two neurons, every scale in its place"):
        x = torch.tensor([[127.0, 2.0, -3.0], [63.5, -10.0, 20.0]])
        codes = torch.tensor([[127, 5, -7], [-100, 127, 9]], dtype=i8)
        scale, bias = torch.tensor([[0.5], [2.0]]), torch.tensor([1.0, -3.0])
        total = torch.tensor([[127 * 127 + 2 * 5 + 21, -12700 + 254 - 27], [127 * 127 - 100 - 280, -12700 - 2540 + 360]]).double()
        sx, sw = torch.tensor([[1.0], [0.5]]).double(), torch.tensor([[0.5, 2.0]]).double()
        expected = (total * sx * sw + bias).float()
        y = int8_linear(x, codes, scale, bias)
        check.close(y, expected, rtol=1e-6, why="a few float32 roundings", given={"x": x, "codes": codes}, mistakes={
            "you forget the bias": (total * sx * sw).float(),
            "you add the bias before you rescale; add it last, it has no scale": ((total + bias) * sx * sw).float(),
            "you forget the scale of the activations": (total * sw + bias).float(),
            "you forget the scale of the weights": (total * sx + bias).float(),
            "the weight scale runs down the rows of the result; it belongs to the columns: transpose it":
                (total * sx * sw.T + bias).float(),
            "you add up in int8, where the sum wraps round; convert the codes to int32 before the product":
                (total.to(i8) * sx * sw + bias).float(),
            "you divide by the scales; they are steps, so multiply": (total / sx / sw + bias).float(),
            "you use one scale for all rows of x; each row has its own":
                (torch.tensor([[16160.0, -12473.0], [64 * 127 - 50 - 140, -6400 - 1270 + 180]]).double() * sw + bias).float(),
        })
    with t.case("a sum of 1000 products of 127 and 127 does not overflow"):
        x, codes = torch.ones(1, 1000), torch.full((1, 1000), 127, dtype=i8)
        y = int8_linear(x, codes, torch.tensor([[1.0]]))
        check.close(y, torch.tensor([[127000.0]]), rtol=1e-6, why="a few float32 roundings", mistakes={
            "you add up in int8, where the sum wraps round; convert the codes to int32 before the product":
                torch.tensor([[-24 / 127]]),
            "you add up in int16, where the sum wraps round; convert the codes to int32 before the product":
                torch.tensor([[7144 / 127]]),
        })
    with t.case("the activations are rounded to 8 bits, row by row"):
        x = torch.tensor([[127.0, 0.4, 0.4], [1.27, 0.4, -0.4]])
        codes, scale = torch.tensor([[0, 1, 1]], dtype=i8), torch.tensor([[1.0]])
        y = int8_linear(x, codes, scale)
        check.close(y, torch.tensor([[0.0], [0.0]]), atol=1e-6, why="0.4 is less than half a step in row 0", given={"x": x}, mistakes={
            "you multiply float activations with the weights; quantize x first": torch.tensor([[0.8], [0.0]]),
        })
    with t.case("without a bias, and with x of zeros", weight=0.5):
        y = int8_linear(torch.zeros(2, 3), torch.ones(4, 3, dtype=i8), torch.ones(4, 1))
        check.equal(y, torch.zeros(2, 4))
    ### BEGIN HIDDEN TESTS
    with t.hidden("fresh codes of any shape"):
        g = check.rng()
        for rows, width, out in ((1, 4, 3), (5, 40, 7), (6, 300, 6)):
            a = torch.randint(-127, 128, (rows, width), generator=g, dtype=torch.int64)
            a[:, 0] = 127
            b = torch.randint(-127, 128, (out, width), generator=g, dtype=torch.int64)
            sx = 2.0 ** torch.randint(-5, 6, (rows, 1), generator=g)
            sw, bias = torch.rand(out, 1, generator=g) + 0.01, torch.randn(out, generator=g)
            total = torch.tensor([[sum(p * q for p, q in zip(r, c)) for c in b.tolist()] for r in a.tolist()]).double()
            product = total * sx.double() * sw.T.double()
            x, codes = (a * sx).float(), b.to(i8)
            swapped = (total * sx * sw + bias).float() if rows == out else None
            y = int8_linear(x, codes, sw, bias)
            bound = 4 * torch.finfo(torch.float32).eps * (product.abs() + bias.abs())
            check.close(y, (product + bias).float(), atol=bound.float(), why="4 float32 roundings", mistakes={
                "the weight scale runs down the rows of the result; it belongs to the columns: transpose it":
                    swapped,
            })
    with t.hidden("float activations: the error stays within half a step of x for every weight"):
        g = check.rng()
        x, codes = torch.randn(4, 50, generator=g), torch.randint(-127, 128, (6, 50), generator=g, dtype=torch.int64)
        scale = torch.rand(6, 1, generator=g) + 0.01
        weight = codes.double() * scale.double()
        expected = x.double() @ weight.T
        half_step = x.abs().amax(1, keepdim=True).double() / 127 / 2
        bound = half_step * weight.abs().sum(1) * 1.001
        y = int8_linear(x, codes.to(i8), scale)
        check.close(y.double(), expected, atol=bound, why="half a step of x times the sum of |w|")
    with t.hidden("a long row whose sum cancels is exact"):
        g = check.rng()
        a = torch.randint(100, 127, (1, 65536), generator=g, dtype=torch.int64)
        b = torch.randint(100, 127, (3, 65536), generator=g, dtype=torch.int64)
        x, weights = torch.cat([a, -a], 1), torch.cat([b, b], 1)
        x[0, 0], weights[:, 0], weights[:, 7] = 127, 127, 126
        expected = (x * weights).sum(1)[None]
        y = int8_linear(x.float(), weights.to(i8), torch.ones(3, 1))
        check.mistake(not torch.equal(y, expected.float()) and float((y - expected).abs().max()) < 1e4,
                      "you add up in float32, which cannot hold a long integer sum; convert the codes to int32 before the product")
        check.equal(y, expected.float())
    ### END HIDDEN TESTS
t.score

# %% [markdown]
# ### Predict: the whole model on integers
#
# Now every linear layer of the digits model becomes an `int8_linear`: 8-bit weights and activations, in short W8A8. The
# baseline is the float model. In the negative control every neuron uses its neighbour's weight scale. If that did no harm, our
# test would be blind.

# %% predict="w8a8"
lab.predict("w8a8", "By how many percentage points does the test accuracy fall with W8A8?", unit="points", answer=None)

# %% experiment="w8a8"
def integer_layer(linear, shift=0):
    codes, scale = quantize_rows(linear.weight.detach())
    scale, bias = scale.roll(shift, 0), linear.bias.detach() if linear.bias is not None else None
    return lambda x: int8_linear(x.flatten(0, -2), codes, scale, bias).reshape(*x.shape[:-1], -1)


integer_model = lab.map_linear(model, integer_layer)
control_model = lab.map_linear(model, lambda linear: integer_layer(linear, shift=1))
with torch.no_grad():
    logits = model(digits.x_test)
    rows = []
    for name, m in (("float32", model), ("W8A8", integer_model), ("control: scales moved by one row", control_model)):
        out = m(digits.x_test)
        rows.append([name, f"{lab.accuracy(m, digits.x_test, digits.y_test):.4f}", f"{float((out - logits).abs().max()):.3f}",
                     f"{lab.snr_db(logits, out):.1f}"])
lab.table(rows, ["model", "test accuracy", "largest change of a logit", "SNR of the logits (dB)"],
          f"Digits model; its logits range over {float(logits.max() - logits.min()):.0f}.")
loss = 100 * (baseline - lab.accuracy(integer_model, digits.x_test, digits.y_test))
lab.reveal("w8a8", round(loss, 2), unit="points")

# %% experiment="logits_scatter"
with torch.no_grad():
    exact, integer, control = (m(digits.x_test[:100]).flatten() for m in (model, integer_model, control_model))
fig, axes = lab.figure(ncols=2)
for ax, y, name, colour in zip(axes, (integer, control), ("W8A8", "control"), lab.COLOURS):
    ax.scatter(exact, y, s=4, color=colour)
    ax.plot([float(exact.min()), float(exact.max())], [float(exact.min()), float(exact.max())], color="grey", linewidth=1)
    ax.set(xlabel="logit of the float model", ylabel="logit of the integer model", title=name)
lab.show(fig, "W8A8 logits lie on the diagonal; with the neighbour's scales they scatter, so the agreement is no accident.")

# %% [markdown]
# **Explain it.** The error of each product is of either sign, and a logit sums a hundred of them. Do they add up, or do they
# mostly cancel?
#
# ## When it does not help
#
# Four times fewer bytes do not make a model four times faster. The extra steps (maxima, rounding, rescaling) take time, and an
# integer product needs a fast integer kernel. We time one layer in three ways: float32, your `int8_linear`, and PyTorch's own
# int8 kernel, which does the product alone.

# %% experiment="no_speed_up"
rows = []
for width in (64, 512):
    x, w = (torch.randn(n, width, generator=torch.Generator().manual_seed(n)) for n in (64, width))
    codes, scale = quantize_rows(w)
    x_codes, _ = quantize_rows(x)
    base = lab.clock(F.linear, x, w)
    for name, timing in (("float32 F.linear", base), ("your int8_linear", lab.clock(int8_linear, x, codes, scale)),
                         ("torch._int_mm, product only", lab.clock(torch._int_mm, x_codes, codes.T))):
        rows.append([f"{width} × {width}", name, f"{timing.median * 1e3:.3f}", f"{timing.low * 1e3:.3f} to {timing.high * 1e3:.3f}",
                     f"{base.median / timing.median:.2f}"])
lab.table(rows, ["layer", "how", "median (ms)", "10 % to 90 % (ms)", "speed-up over float32"],
          "64 rows through one layer. A speed-up below 1 is a slow-down. Times depend on your machine.")

# %% [markdown]
# Your version widens every code to 32 bits first, and PyTorch has no tuned int32 product. The special kernel shows what
# integer instructions can do. The lecture says the
# same of LLM.int8: the overhead slows small models down, and the gain is that the largest ones fit into memory at all. So
# measure before you promise a speed-up, and remember that memory is saved either way.
#
# ## On a real model
#
# A language model is a harder test: the character-level Transformer that ships with the course (it reads Python source code),
# and, if its files are on your machine, a small Llama trained by others on children's stories. We round the weights of all
# linear layers. The measure is *perplexity*: how many tokens the model hesitates between on average. Lower is better; the
# float model is the baseline.

# %% experiment="language_models"
def language_model_rows(model, tokens, windows):
    def quality(m):
        return lab.perplexity(m, tokens, windows=windows)

    base = quality(model)
    rows = [["float32", f"{base:.3f}", "–"]]
    for bits, sharing in ((8, "tensor"), (8, "row"), (4, "tensor"), (4, "row"), (4, 32), (3, "row"), (3, 32)):
        name = f"{bits} bits, " + (f"one scale per {sharing}" + (" weights" if sharing == 32 else ""))
        value = quality(lab.with_weights(model, lambda w, bits=bits, sharing=sharing: rounded(w, bits, sharing)))
        rows.append([name, f"{value:.3f}", f"{100 * (value / base - 1):+.1f} %"])
    value = quality(lab.map_linear(model, integer_layer))
    return rows + [["W8A8, int8_linear", f"{value:.3f}", f"{100 * (value / base - 1):+.1f} %"]]


header = ["linear layers", "perplexity", "change"]
if lab.available("charlm") and lab.available("stdlib"):
    lab.table(language_model_rows(lab.load("charlm"), lab.load("stdlib").test, 8), header, "The character model on Python source it has not read.")
if lab.available("stories260k"):
    stories = lab.load("stories260k")
    lab.table(language_model_rows(stories.model, stories.tokens, 8), header, "stories260k, a real pretrained Llama, on stories.")

# %% [markdown]
# Compare rows of equal bits. At 8 bits the sharing hardly matters. With fewer bits it matters more, and how much depends on the
# model: what barely hurts one can make another useless. At 3 bits even small groups leave a visible loss. What would
# help next is not a finer ruler, but marks in better places. The next lesson does that.

# %% [markdown]
# ## Your row
#
# Add this lesson to your own table: the digits model in float32, in int8 with a scale per row ("int8 (W8A8)"), and in packed
# 4-bit groups of 32 ("int4"). Bytes include scales and float32 biases, counted from
# real tensors. Int4 is timed unpacked.

# %% experiment="your_row"
def stored_bytes(model, pack):
    layers = [layer for layer in model if hasattr(layer, "weight")]
    return sum(lab.nbytes(layer.bias) + sum(lab.nbytes(part) for part in pack(layer.weight.detach())) for layer in layers)


def packed_groups(w):
    codes, scale = quantize_groups(w, 32)
    return pack4(codes), scale


def milliseconds(m):
    return round(lab.clock(m, digits.x_test).median * 1e3, 3)


multiply_adds = sum(layer.weight.numel() for layer in model if hasattr(layer, "weight"))
four_bit = lab.with_weights(model, lambda w: rounded(w, 4, 32))
for technique, m, pack in (("float32", model, lambda w: (w,)), ("int8 (W8A8)", integer_model, quantize_rows),
                           ("int4", four_bit, packed_groups)):
    with torch.no_grad():
        lab.your_row(lesson="03_absmax_int8", technique=technique, bytes=stored_bytes(model, pack), multiply_adds=multiply_adds,
                     milliseconds=milliseconds(m), quality=lab.accuracy(m, digits.x_test, digits.y_test), measure="accuracy")
lab.size_quality_plot()

# %% [markdown]
# ## Reflect
#
# Three to six sentences each.

# %% [markdown] answer="which_axis" points=2
# **Question 1.** A colleague wants to store one scale per *input* channel of $W$ (per column, shape (1, in)), because in her
# model the input channels differ more than the output neurons. Why does this not work in `int8_linear`? Is there a
# way to get the benefit all the same, without leaving integer arithmetic?
#
# ### BEGIN SOLUTION
# **Model answer.** In $y_{to} = \sum_i x_{ti} W_{oi}$ the index $i$ is summed over. A scale $s_i$ that depends on $i$ cannot be taken out of
# the sum, so every product would have to be rescaled before it is added, in floating point. Scales of the rows of $x$ and of the rows of $W$ depend on
# $t$ and $o$ only, and these indices survive the sum. One way out: multiply $s_i$ into the activations (or the layer
# before) and quantize the result. Another: groups along the input axis, one integer sum per group.
#
# **Rubric.** 1 point: the summed index, so the scale cannot be factored out. 1 point: one workable way out (fold the scale into
# the activations or the layer before, or sum group by group).
# ### END SOLUTION

# %% [markdown] answer="diagnose" points=2
# **Question 2.** A model of your own loses nothing with 8 bits per tensor, and is useless with 4 bits per tensor. List
# what you would measure, and what you would try first, in which order. Support your order with results from this lesson.
#
# ### BEGIN SOLUTION
# **Model answer.** First measure the SNR of each layer and the ratio of the largest to the typical magnitude, and
# quantize one layer at a time to see which one does the damage. Then a scale
# per row, which costs few bytes and cured the loud neuron. Then groups of 32 to 128 weights, which cost
# 16/g to 32/g bits more per weight. Then clipping, which helped much more at 4 bits than at 8. Keep the worst layer at 8 bits if all this fails.
#
# **Rubric.** 1 point: a measurement that locates the cause (per-layer SNR, max against typical, one layer at a time). 1 point: a
# sensible order (rows before groups before clipping or mixed widths) with a reason taken from a result of the lesson.
# ### END SOLUTION

# %% [markdown]
# ## Go on
#
# * [Jacob et al. 2017](https://arxiv.org/abs/1712.05877): how a phone runs a whole network without one floating point operation.
# * [Dettmers et al. 2022](https://arxiv.org/abs/2208.07339): what happens when outliers appear in *activations*, and how to treat them apart.
#
# Next lesson: **04 · K-means codebooks**, where the marks on the ruler no longer need to be evenly spaced.
