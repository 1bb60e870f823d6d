# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
#   effkit:
#     number: 2
#     slug: floating_point
#     title: Floating point
#     part: Quantization
#     minutes: 75
#     prerequisites: []
#     papers:
#       - {title: FP8 Formats for Deep Learning, authors: Micikevicius et al., year: 2022, arxiv: "2209.05433"}
#       - {title: Mixed Precision Training, authors: Micikevicius et al., year: 2017, arxiv: "1710.03740"}
#       - title: A Study of BFLOAT16 for Deep Learning Training
#         authors: Kalamkar et al.
#         year: 2019
#         arxiv: "1905.12322"
#     lectures: ["L4: floating point numbers, reduced-precision types, post-training quantization"]
#     claim: A number format is a budget of bits, and every bit buys either range or precision.
#     budget_seconds: 20
# ---

# %% [markdown]
# # 02 · Floating point
#
# **A number format is a budget of bits, and every bit buys either range or precision.**
#
# In this lesson you build the number formats that models are stored and trained in: half precision, bfloat16, two
# kinds of 8-bit float and a 4-bit float. You write one decoder and one encoder that work for all of them. Then you
# use them to see how gradients vanish, how sums stop growing, and how few bits a language model really needs.

# %% role="setup"
import math
from typing import NamedTuple

import torch

from effkit import check, lab


class Format(NamedTuple):
    """A floating-point format: one sign bit, then `exponent` bits, then `mantissa` bits.

    With `ieee=True` the largest exponent is kept for infinities and NaN. Without it there are no infinities;
    then a format of 8 bits has one NaN pattern per sign (all other bits one) and a smaller format has none.
    """

    exponent: int
    mantissa: int
    ieee: bool

    @property
    def bits(self):
        """Bits of one number, the sign included."""
        return 1 + self.exponent + self.mantissa


FP16 = Format(5, 10, True)
BF16 = Format(8, 7, True)
E4M3 = Format(4, 3, False)
E5M2 = Format(5, 2, True)
E2M1 = Format(2, 1, False)
FORMATS = {"fp16": FP16, "bf16": BF16, "E4M3": E4M3, "E5M2": E5M2, "E2M1": E2M1}


def largest(fmt):
    """The largest finite value of a format, a float."""
    has_single_nan = not fmt.ieee and fmt.bits == 8
    top = 2**fmt.exponent - 1 - (2 ** (fmt.exponent - 1) - 1) - fmt.ieee
    return (2 - 2.0**-fmt.mantissa * (1 + has_single_nan)) * 2.0**top


def cast(x, fmt):
    """Round `x` to the values of `fmt`, with the two functions that you are going to write. Returns float64."""
    return decode(encode(x, fmt), fmt)


# %% [markdown]
# ## See it first
#
# Take numbers of every size, from a millionth of a millionth up to a hundred million. Store each one in a narrow
# format and read it back. How large is the error, compared with the number itself? PyTorch knows four of our formats
# already, so the picture needs no theory.

# %% experiment="windows"
bins, per_bin = 240, 60
x = torch.logspace(-12, 8, bins * per_bin, dtype=torch.float64).float()
types = {"fp16": torch.float16, "bf16": torch.bfloat16, "E4M3": torch.float8_e4m3fn, "E5M2": torch.float8_e5m2}
fig, ax = lab.figure(width=7)
for (name, dtype), colour in zip(types.items(), lab.COLOURS[1:]):
    error = ((x.to(dtype).double() - x.double()).abs() / x.double()).clamp(max=1)
    ax.loglog(x.view(bins, per_bin)[:, 0], error.view(bins, per_bin).amax(dim=1), label=name, color=colour)
ax.set_xlabel("size of the number |x|")
ax.set_ylabel("largest relative error")
ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
lab.show(fig, "Every format has a window. Inside it the relative error is flat; outside, the number is lost (error 1).")

# %% [markdown]
# Look at three things.
#
# - **The floor is flat.** Inside its window a format has the same *relative* error everywhere. That is what
#   "floating" means: the point moves with the number.
# - **A lower floor costs bits of the mantissa; a wider window costs bits of the exponent.** fp16 and bf16 both have
#   16 bits and spend them in opposite ways.
# - **The left wall is a ramp, the right wall is a cliff.** Small numbers lose their digits one by one. Large numbers
#   are gone at once.
#
# You are about to build the floor, the ramp and the cliff.

# %% [markdown]
# ## 1 · From bits to numbers
#
# A floating-point number is a sign, an exponent and a mantissa, packed side by side in one integer, the *code*:
#
# ```
#   bit:     e+m      e+m-1 ... m      m-1 ... 0
#            sign s    exponent E      mantissa M
# ```
#
# Here $e$ is the number of exponent bits and $m$ the number of mantissa bits (`fmt.exponent` and `fmt.mantissa`).
# Read the exponent field as a whole number $E$ between $0$ and $2^e-1$, and the mantissa field as a whole number $M$
# between $0$ and $2^m-1$. E4M3, for example, has $e=4$, $m=3$ and, with the sign, 8 bits.

# %% [markdown]
# ### The rule for most numbers
#
# $$ x = (-1)^s \cdot 2^{E-\text{bias}} \cdot \left(1 + \frac{M}{2^m}\right), \qquad \text{bias} = 2^{e-1}-1 $$
#
# The lecture's slide writes this as $(-1)^s\,M\,2^E$ with the exponent shifted by a bias. The slide leaves out one
# good trick. A number in scientific notation begins with a digit that is not zero, and in base 2 there is only one
# such digit. So the leading 1 need not be stored: it is *hidden*, and a mantissa of 3 bits works like one of 4.
#
# The code `0 0111 010` of E4M3 has $E=7$ and $M=2$. The bias is $2^3-1=7$, so the value is $2^0\cdot(1+2/8)=1.25$.

# %% [markdown]
# ### The rule for the smallest numbers
#
# With a hidden 1 there would be no way to write zero. So $E=0$ means something else: no hidden 1, and the exponent
# stays at the smallest normal one, $1-\text{bias}$:
#
# $$ x = (-1)^s \cdot 2^{1-\text{bias}} \cdot \frac{M}{2^m} \qquad \text{if } E = 0 $$
#
# These are the *subnormal* numbers. They fill the gap between zero and the smallest normal number with even steps,
# and they are the ramp in the picture above. $M=0$ gives zero, with a sign of its own: there is a $+0$ and a $-0$.

# %% [markdown]
# ### The rule for the largest exponent
#
# Two conventions are in use, and `fmt.ieee` says which.
#
# | | $E$ = all ones | example |
# |---|---|---|
# | `ieee=True` | $M=0$ is infinity, any other $M$ is NaN | fp16, bf16, E5M2 |
# | `ieee=False`, 8 bits | ordinary numbers; only the code with every bit of $E$ and $M$ set is NaN | E4M3 |
# | `ieee=False`, fewer bits | ordinary numbers, no NaN at all | E2M1 |
#
# The authors of the FP8 paper gave up infinities in E4M3, and the largest number rose by nearly a factor of two.
#
# **Your turn.** Write `decode`. Take the code apart with shifts (`>>`) and masks (`&`), and compute in float64, so
# that every value is exact.


# %% exercise="decode" minutes=15 level=1
def decode(codes: torch.Tensor, fmt: Format) -> torch.Tensor:
    """The value of every bit pattern (Micikevicius et al. 2022, section 3).

    Args:
        codes: (...) int64, each from 0 to 2**fmt.bits - 1.
        fmt: the format that the codes are written in.

    Returns:
        (...) float64, the exact values: subnormal numbers, both zeros, infinities and NaN included.

    >>> decode(torch.tensor([56, 58, 193]), E4M3)
    tensor([ 1.0000,  1.2500, -2.2500], dtype=torch.float64)
    """
    ### BEGIN SOLUTION
    bias = 2 ** (fmt.exponent - 1) - 1
    ones = 2**fmt.exponent - 1
    sign = 1 - 2 * (codes >> (fmt.exponent + fmt.mantissa))
    exponent = (codes >> fmt.mantissa) & ones
    fraction = (codes & (2**fmt.mantissa - 1)).double() / 2**fmt.mantissa
    normal = torch.ldexp(1 + fraction, exponent - bias)
    value = torch.where(exponent == 0, fraction * 2.0 ** (1 - bias), normal)
    if fmt.ieee:
        special = torch.where(fraction == 0, math.inf, math.nan)
        value = torch.where(exponent == ones, special, value)
    elif fmt.bits == 8:
        value = torch.where((codes & 127) == 127, math.nan, value)
    return sign * value
    ### END SOLUTION


# %% [markdown] hints="decode"
# <details><summary>Hint 1: where to begin</summary>
#
# Cut the code into three whole numbers first and print them for the code 58 of E4M3: you should see s = 0, E = 7,
# M = 2. Only then turn them into a value. Handle the normal numbers, then `E == 0`, then the special codes.
#
# </details>
# <details><summary>Hint 2: the formulas with shapes</summary>
#
# All of these have the shape of `codes`:
#
# - `s = codes >> (e + m)`, `E = (codes >> m) & (2**e - 1)`, `M = codes & (2**m - 1)`;
# - a normal number is `(1 + M / 2**m) * 2.0 ** (E - bias)`, a subnormal one `M / 2**m * 2.0 ** (1 - bias)`.
#
# Make `M` a float64 with `.double()` before you divide; `torch.ldexp(a, k)` is a times 2**k.
#
# </details>
# <details><summary>Hint 3: a skeleton</summary>
#
# ```python
# value = torch.where(E == 0, subnormal, normal)
# if fmt.ieee:
#     value = torch.where(E == ..., torch.where(M == 0, math.inf, math.nan), value)
# elif fmt.bits == 8:
#     value = torch.where(..., math.nan, value)
# return (1 - 2 * s) * value      # a product keeps the sign of zero
# ```
#
# </details>

# %% test="decode" points=4
with check.test("decode") as t:
    with t.case("the worked example of E4M3"):
        codes = torch.tensor([0b0_0111_000, 0b0_0111_010, 0b1_1000_001])
        expected = torch.tensor([1.0, 1.25, -2.25], dtype=torch.float64)
        check.equal(decode(codes, E4M3), expected, given={"codes": codes}, mistakes={
            "the bias is 2**(e-1) - 1; you use 2**(e-1), so every value is half of what it should be": expected / 2,
            "the hidden 1 in front of the mantissa is missing": torch.tensor([0, 0.25, -0.25], dtype=torch.float64),
            "the sign bit has no effect": expected.abs()})
    with t.case("subnormal numbers have no hidden 1, and the exponent 1 - bias"):
        codes = torch.tensor([0, 1, 7, 8, 0x81])
        expected = torch.tensor([0, 1, 7, 8, -1], dtype=torch.float64) * 2.0**-9
        check.equal(decode(codes, E4M3), expected, given={"codes": codes}, mistakes={
            "subnormal numbers use the exponent 1 - bias, not 0 - bias: "
            "the largest subnormal and the smallest normal number must be neighbours":
                torch.tensor([0, 0.5, 3.5, 8, -0.5], dtype=torch.float64) * 2.0**-9,
            "a code with E = 0 has no hidden 1: zero itself becomes a small number":
                torch.tensor([4, 4.5, 7.5, 8, -4.5], dtype=torch.float64) * 2.0**-9})
    with t.case("both zeros"):
        codes = torch.tensor([0, 0x80])
        expected = torch.tensor([0.0, -0.0], dtype=torch.float64)
        got = decode(codes, E5M2)
        check.mistake(bool((got == 0).all()) and not bool(torch.signbit(got)[1]),
                      "the minus sign of -0.0 is lost; multiply by the sign instead of subtracting from 0")
        check.equal(got, expected, given={"codes": codes}, signed_zero=True)
    with t.case("E4M3 goes up to 448 and has one NaN per sign"):
        codes = torch.tensor([0x77, 0x78, 0x7E, 0xFE, 0x7F, 0xFF])
        nan, inf = math.nan, math.inf
        expected = torch.tensor([240, 256, 448, -448, nan, nan], dtype=torch.float64)
        check.equal(decode(codes, E4M3), expected, given={"codes": codes}, mistakes={
            "you apply the IEEE rule to E4M3, whose largest value would then be 240; only one mantissa is NaN there":
                torch.tensor([240, inf, nan, nan, nan, nan], dtype=torch.float64),
            "the code with all ones of an 8-bit format without infinities is NaN, not a number":
                torch.tensor([240, 256, 448, -448, 480, -480], dtype=torch.float64)})
    with t.case("E5M2 has infinities and NaN"):
        codes = torch.tensor([0x7B, 0x7C, 0xFC, 0x7D, 0x7E, 0x7F])
        expected = torch.tensor([57344, inf, -inf, nan, nan, nan], dtype=torch.float64)
        check.equal(decode(codes, E5M2), expected, given={"codes": codes}, mistakes={
            "in an IEEE format the largest exponent is not a number: M = 0 is infinity, every other M is NaN":
                torch.tensor([57344, 65536, -65536, 81920, 98304, 114688], dtype=torch.float64),
            "you apply the rule of E4M3 to an IEEE format; there M = 0 is infinity and every other M is NaN":
                torch.tensor([57344, 65536, -65536, 81920, 98304, nan], dtype=torch.float64)})
    with t.case("all sixteen numbers of E2M1"):
        codes = torch.arange(16)
        half = [0, 0.5, 1, 1.5, 2, 3, 4, 6]
        expected = torch.tensor(half + [-v for v in half], dtype=torch.float64)
        check.equal(decode(codes, E2M1), expected, given={"codes": codes}, mistakes={
            "E2M1 has no NaN: a format of fewer than 8 bits without infinities spends every code on a number":
                torch.tensor(half[:7] + [nan] + [-v for v in half[:7]] + [nan], dtype=torch.float64)})
    with t.case("any shape, always float64"):
        check.like(decode(torch.tensor([[0, 1, 2], [3, 4, 5]]), E2M1), shape=(2, 3), dtype=torch.float64, name="values")
        check.like(decode(torch.tensor(3), FP16), shape=(), dtype=torch.float64, name="values")
    ### BEGIN HIDDEN TESTS
    with t.hidden("every code of fp16 and bf16, against the processor's own reading"):
        codes = torch.arange(65536)
        for fmt, dtype in ((FP16, torch.float16), (BF16, torch.bfloat16)):
            expected = (codes - 65536 * (codes > 32767)).to(torch.int16).view(dtype).double()
            check.equal(decode(codes, fmt), expected, given={"fmt": fmt}, signed_zero=True)
    with t.hidden("every code of E4M3 and E5M2, against torch"):
        codes = torch.arange(256)
        for fmt, dtype in ((E4M3, torch.float8_e4m3fn), (E5M2, torch.float8_e5m2)):
            expected = codes.to(torch.uint8).view(dtype).double()
            check.equal(decode(codes, fmt), expected, given={"fmt": fmt}, signed_zero=True)
    with t.hidden("formats that nobody has named, by the definition"):
        shapes = ((3, 2, False), (3, 4, False), (4, 3, True), (2, 3, True), (3, 5, False))
        for fmt in (Format(*shape) for shape in shapes):
            expected = []
            for code in range(2**fmt.bits):
                digits = format(code, f"0{fmt.bits}b")
                E, M = int(digits[1:1 + fmt.exponent], 2), int(digits[1 + fmt.exponent:], 2)
                low = 2 - 2 ** (fmt.exponent - 1)
                value = math.ldexp(M + (E > 0) * 2**fmt.mantissa, low + max(E - 1, 0) - fmt.mantissa)
                if fmt.ieee and "0" not in digits[1:1 + fmt.exponent]:
                    value = math.nan if M else math.inf
                if not fmt.ieee and fmt.bits == 8 and "0" not in digits[1:]:
                    value = math.nan
                expected.append(-value if digits[0] == "1" else value)
            check.equal(decode(torch.arange(2**fmt.bits), fmt), torch.tensor(expected, dtype=torch.float64),
                        given={"fmt": fmt}, signed_zero=True)
    ### END HIDDEN TESTS
t.score

# %% [markdown]
# With `decode` you can list every number that a format has. Look at the positive numbers of the three smallest
# formats: the steps double at every power of two, and the two kinds of 8-bit float make opposite bargains.

# %% experiment="number_lines"
fig, ax = lab.figure(height=2.6, width=8)
names = ["E2M1", "E4M3", "E5M2"]
for row, name in enumerate(names):
    values = decode(torch.arange(2 ** (FORMATS[name].bits - 1)), FORMATS[name])
    values = values[values.isfinite() & (values > 0)]
    ax.scatter(values, torch.full_like(values, row), marker="|", s=300, linewidths=0.7, color=lab.COLOURS[row + 1])
ax.set_xscale("log", base=2)
ax.set_yticks(range(len(names)), names)
ax.set_ylim(-0.6, len(names) - 0.4)
ax.set_xlabel("positive finite values (logarithmic)")
ax.set_ylabel("format")
lab.show(fig, "E5M2 reaches further in both directions; E4M3 stands twice as dense where both have numbers.")

# %% experiment="format_facts"
rows = []
for name, fmt in FORMATS.items():
    values = decode(torch.arange(2**fmt.bits), fmt)
    finite = values[values.isfinite()]
    tiny = finite[finite > 0].min().item()
    rows.append([name, fmt.bits, f"{finite.max().item():.5g}", f"{tiny:.3g}", f"{2.0**-fmt.mantissa:.3g}",
                 finite.unique().numel(), int(values.isnan().sum())])
lab.table(rows, ["format", "bits", "largest", "smallest above 0", "step at 1", "different values", "NaN codes"],
          "The five formats in numbers, by your own decode")

# %% [markdown]
# ## 2 · From numbers to bits
#
# Encoding goes the other way, and now something must give: most numbers lie *between* two values of the format. The
# rule is **to the nearest value; on a tie, to the one whose mantissa is even**. Why not always up on a tie? Because
# then sums of many rounded numbers would drift upwards. With "ties to even" half of the ties go up and half go down.
#
# You need no search. The values between $2^k$ and $2^{k+1}$ are evenly spaced, so rounding is division by that spacing,
# `torch.round` (which does ties to even), and you have the answer as a whole number of steps.

# %% [markdown]
# ### The spacing
#
# For $|x|$ between $2^k$ and $2^{k+1}$ the step is $2^{k-m}$. Below the smallest normal number the step no longer
# shrinks, so $k$ is never less than $1-\text{bias}$:
#
# $$ k = \bigl\lfloor\log_2 \max(|x|,\, 2^{1-\text{bias}})\bigr\rfloor, \qquad
# n = \operatorname{round}\!\left(\frac{|x|}{2^{k-m}}\right) $$
#
# $n$ is a whole number, at most $2^{m+1}$. A normal number has $n = 2^m + M$: the hidden 1 is the $2^m$. So the code
# without its sign is
#
# $$ (k+\text{bias}-1)\cdot 2^m + n $$
#
# This one line does three jobs. A normal number gets $E=k+\text{bias}$. A subnormal number ($k=1-\text{bias}$ and
# $n<2^m$) gets $E=0$. And when rounding reaches the next power of two ($n=2^{m+1}$), the carry runs into the exponent
# by itself, and the result is right. That is why the fields stand in this order.

# %% [markdown]
# ### The edges
#
# - **Too large, IEEE format:** infinity, but only if the *rounded* value lies beyond the largest one. The fp16
#   maximum is 65504; 65519 is nearer to it than to the next step and stays finite, while 65520 becomes infinite.
# - **Too large, other format:** *saturate*, that is, use the largest finite value. Infinite inputs saturate too.
#   (Libraries disagree here: some give NaN. Our rule is the one that PyTorch uses for E4M3.)
# - **NaN** becomes a NaN code, any of them, where the format has one; otherwise there is nothing to return: raise
#   `ValueError`.
# - **The sign** is kept, for $-0.0$ and for small negative numbers that round to zero as well.
# - **Round once.** If `x` is float64, do not pass through float32 on the way. An experiment below shows why.
#
# `largest(fmt)` from the setup cell gives the largest finite value.


# %% exercise="encode" minutes=20 level=2
def encode(x: torch.Tensor, fmt: Format) -> torch.Tensor:
    """The code of the nearest value of a format, ties to the even mantissa.

    Args:
        x: (...) float32 or float64, any values.
        fmt: the format to write in.

    Returns:
        (...) int64 codes from 0 to 2**fmt.bits - 1. What rounds beyond the largest finite value becomes infinity (ieee)
        or the largest finite value (not ieee). NaN gets any NaN code. The sign is kept, that of zeros too.

    Raises:
        ValueError: when `x` holds NaN and the format has no NaN (not ieee, and not 8 bits).

    >>> encode(torch.tensor([1.0, 1.25, -2.25, 1000.0]), E4M3)
    tensor([ 56,  58, 193, 126])
    """
    ### BEGIN SOLUTION
    if not fmt.ieee and fmt.bits != 8 and x.isnan().any():
        raise ValueError(f"x holds NaN, and {fmt} has no code for it")
    bias = 2 ** (fmt.exponent - 1) - 1
    sign_bit = 2 ** (fmt.exponent + fmt.mantissa)
    size = x.double().abs().clamp(max=2 * largest(fmt))
    power = torch.frexp(size.clamp(min=2.0 ** (1 - bias))).exponent - 1
    steps = torch.round(torch.ldexp(size, fmt.mantissa - power)).long()
    if fmt.ieee:
        limit = sign_bit - 2**fmt.mantissa
    else:
        limit = sign_bit - 1 - (fmt.bits == 8)
    code = ((power + bias - 1) * 2**fmt.mantissa + steps).clamp(max=limit)
    code = torch.where(x.isnan(), sign_bit - 1, code)
    return code + sign_bit * torch.signbit(x)
    ### END SOLUTION


# %% [markdown] hints="encode"
# <details><summary>Hint 1: where to begin</summary>
#
# Work on `x.double().abs()` and add the sign bit at the very end. First make the numbers inside the window right, then
# the subnormal ones (one `clamp`), then the edges. `torch.signbit` sees the sign of -0.0; `x < 0` does not.
#
# </details>
# <details><summary>Hint 2: the formulas with shapes</summary>
#
# All have the shape of `x`.
#
# - `torch.frexp(v)` gives `v = f * 2**p` with f in [0.5, 1), so floor(log2(v)) is exactly `p - 1`. Here v is the size of
#   x, but at least `2.0 ** (1 - bias)`. (`torch.log2` can be a hair off near powers of two.)
# - Steps: `n = round(size * 2**(m - k))`. Code: `(k + bias - 1) * 2**m + n`.
# - To get infinities out of the way, limit the size to twice `largest(fmt)` before you begin.
#
# </details>
# <details><summary>Hint 3: a skeleton</summary>
#
# ```python
# size = ...                          # float64, no sign, nothing infinite
# k = torch.frexp(size.clamp(min=...)).exponent.long() - 1
# n = torch.round(torch.ldexp(size, fmt.mantissa - k)).long()
# code = (... + n).clamp(max=limit)     # limit: the code of infinity, or of the largest finite value
# code = torch.where(x.isnan(), ..., code)
# return code + 2 ** (fmt.exponent + fmt.mantissa) * torch.signbit(x)
# ```
#
# </details>

# %% test="encode" points=4
with check.test("encode") as t:
    with t.case("values that the format has get their own code"):
        x = torch.tensor([1.0, 1.25, -2.25, 448.0, 0.0])
        check.equal(encode(x, E4M3), torch.tensor([56, 58, 193, 126, 0]), given={"x": x}, mistakes={
            "the sign bit is missing from the code": torch.tensor([56, 58, 65, 126, 0]),
            "zero must get the code 0: frexp(0) gives the power 0, as if zero stood near 1; clamp x first":
                torch.tensor([56, 58, 193, 126, 40])})
    with t.case("to the nearest value, with a carry into the exponent"):
        x = torch.tensor([1.1, 1.9, 1.95, -3.9])
        check.equal(encode(x, E4M3), torch.tensor([57, 63, 64, 200]), given={"x": x}, mistakes={
            "you truncate toward zero; round to the nearest value instead": torch.tensor([56, 63, 63, 199]),
            "when the mantissa rounds up to the next power of two, the exponent must grow by one":
                torch.tensor([57, 63, 56, 192])})
    with t.case("a tie goes to the even mantissa"):
        x = torch.tensor([1.0625, 1.1875, -1.0625, 1.4375])
        check.equal(encode(x, E4M3), torch.tensor([56, 58, 184, 60]), given={"x": x}, mistakes={
            "you round ties away from zero; ties go to the even mantissa": torch.tensor([57, 58, 185, 60]),
            "you truncate toward zero, or round ties toward zero; ties go to the even mantissa":
                torch.tensor([56, 57, 184, 59])})
    with t.case("subnormal numbers, in even steps down to zero"):
        x = torch.tensor([0.5, 0.75, 1.5, 4.0, 7.6]) * 2.0**-9
        check.equal(encode(x, E4M3), torch.tensor([0, 1, 2, 4, 8]), given={"x": x}, mistakes={
            "you flush subnormal numbers to zero; below the smallest normal number the step stays the same":
                torch.tensor([0, 0, 0, 0, 0])})
        x = torch.tensor([0.2, 0.3, 0.8])
        check.equal(encode(x, E2M1), torch.tensor([0, 1, 2]), given={"x": x}, mistakes={
            "you flush subnormal numbers to zero; below the smallest normal number the step stays the same":
                torch.tensor([0, 0, 0])})
    with t.case("E4M3 saturates at 448"):
        x = torch.tensor([464.0, 465.0, 1e9, -math.inf])
        check.equal(encode(x, E4M3), torch.tensor([126, 126, 126, 254]), given={"x": x}, mistakes={
            "what is too large for E4M3 becomes NaN in your code; it should saturate at 448":
                torch.tensor([126, 127, 127, 255])})
        x = torch.tensor([5.1, 7.0, -math.inf])
        check.equal(encode(x, E2M1), torch.tensor([7, 7, 15]), given={"x": x})
    with t.case("E5M2 overflows to infinity, but only after rounding"):
        x = torch.tensor([61439.0, 61440.0, 1e9, -math.inf])
        check.equal(encode(x, E5M2), torch.tensor([123, 124, 124, 252]), given={"x": x}, mistakes={
            "you saturate in an IEEE format; what rounds beyond its largest value becomes infinity":
                torch.tensor([123, 123, 123, 251]),
            "you make infinity of everything above the largest value; round first, "
            "for a number less than half a step above it rounds down to it": torch.tensor([124, 124, 124, 252])})
    with t.case("NaN becomes a NaN code where there is one"):
        x = torch.tensor([math.nan, 1.0])
        code = encode(x, E4M3)
        check.like(code, shape=(2,), dtype=torch.int64, name="codes")
        check.that(int(code[0]) in (127, 255) and int(code[1]) == 56, "NaN in E4M3 is the code 127 or 255",
                   given={"got": code})
        code = encode(x, E5M2)
        check.that(int(code[0]) % 128 > 124 and int(code[1]) == 60, "NaN in E5M2 has E = 31 and M > 0",
                   given={"got": code})
    with t.case("NaN is refused where there is none"):
        check.raises(ValueError, encode, torch.tensor([1.0, math.nan]), E2M1)
    with t.case("the sign of zero is kept"):
        x = torch.tensor([-0.0, -1e-30, 1e-30])
        check.equal(encode(x, E4M3), torch.tensor([128, 128, 0]), given={"x": x}, mistakes={
            "the sign of -0.0 is lost: x < 0 is false for it; ask torch.signbit": torch.tensor([0, 128, 0]),
            "the sign of numbers that round to zero is lost; take the sign from x, not from the rounded value":
                torch.tensor([0, 0, 0])})
    with t.case("any shape, always int64"):
        check.like(encode(torch.ones(2, 3), E5M2), shape=(2, 3), dtype=torch.int64, name="codes")
        check.like(encode(torch.tensor(2.0, dtype=torch.float64), FP16), shape=(), dtype=torch.int64, name="codes")
    with t.case("float64 is rounded once"):
        x = torch.tensor([1 + 2.0**-11 + 2.0**-40, 1 + 2.0**-11, 1 + 1.5 * 2.0**-11], dtype=torch.float64)
        check.equal(encode(x, FP16), torch.tensor([15361, 15360, 15361]), given={"x - 1": x - 1}, mistakes={
            "you round twice: float64 to float32 first, which makes a tie of a number that lies above it":
                torch.tensor([15360, 15360, 15361])})
    ### BEGIN HIDDEN TESTS
    with t.hidden("random numbers of every size, against torch's own casts"):
        g = check.rng()
        x = torch.randn(20000, generator=g) * 2.0 ** torch.randint(-24, 16, (20000,), generator=g)
        for fmt, dtype in ((FP16, torch.float16), (BF16, torch.bfloat16)):
            expected = x.to(dtype).view(torch.int16).long() & 65535
            check.equal(encode(x, fmt), expected, given={"fmt": fmt})
        for fmt, dtype in ((E4M3, torch.float8_e4m3fn), (E5M2, torch.float8_e5m2)):
            inside = x[x.abs() <= largest(fmt)]
            expected = inside.to(dtype).view(torch.uint8).long()
            check.equal(encode(inside, fmt), expected, given={"fmt": fmt})
    with t.hidden("around every midpoint of two neighbours, by the definition"):
        shapes = (E2M1, E4M3, E5M2, (3, 2, False), (3, 4, False), (4, 3, True), (3, 5, False))
        for fmt in (Format(*shape) for shape in shapes):
            m, low = fmt.mantissa, 2 - 2 ** (fmt.exponent - 1)
            value = [math.ldexp(c % 2**m + (c >= 2**m) * 2**m, low + max(c // 2**m - 1, 0) - m)
                     for c in range(2 ** (fmt.bits - 1))] + [math.inf]
            top = (2**fmt.exponent - 1) * 2**m if fmt.ieee else 2 ** (fmt.bits - 1) - 1 - (fmt.bits == 8)
            inputs, expected = [value[top] * 4, math.inf], [top, top]
            for code in range(top):
                middle = (value[code] + value[code + 1]) / 2
                inputs += [math.nextafter(middle, 0), middle, math.nextafter(middle, math.inf)]
                expected += [code, code + code % 2, code + 1]
            x, sign = torch.tensor(inputs, dtype=torch.float64), 2 ** (fmt.bits - 1)
            check.equal(encode(x, fmt), torch.tensor(expected), given={"fmt": fmt})
            check.equal(encode(-x, fmt), torch.tensor(expected) + sign, given={"fmt": fmt, "x": "all negative"})
    with t.hidden("NaN among other numbers, in every format"):
        x = torch.tensor([[math.nan, 2.0], [-1.0, math.nan]])
        for fmt in (FP16, BF16, Format(4, 3, True), Format(3, 4, False)):
            got = encode(x, fmt)
            check.like(got, shape=(2, 2), dtype=torch.int64, name="codes")
            body = got[[0, 1], [0, 1]] & (2 ** (fmt.bits - 1) - 1)
            infinity = 2 ** (fmt.bits - 1) - 2**fmt.mantissa if fmt.ieee else 2 ** (fmt.bits - 1) - 2
            check.that(bool((body > infinity).all()) and int(got.max()) < 2**fmt.bits, "this is no NaN code",
                       given={"fmt": fmt, "got": got})
        for fmt in (Format(3, 2, False), Format(3, 5, False)):
            check.raises(ValueError, encode, x, fmt)
    ### END HIDDEN TESTS
t.score

# %% [markdown]
# Two properties show that the pair fits together. Every code survives a round trip, and rounding never turns the
# order of two numbers around.

# %% experiment="round_trip"
rows = []
for name, fmt in FORMATS.items():
    values = decode(torch.arange(2 ** (fmt.bits - 1)), fmt)
    values = values[values.isfinite()]
    x = torch.linspace(-largest(FP16), largest(FP16), 20001, dtype=torch.float64)
    kept = bool((encode(values, fmt) == torch.arange(len(values))).all())
    rounded = cast(x, fmt)
    ordered = bool((rounded[1:] >= rounded[:-1]).all())
    rows.append([name, len(values), "yes" if kept else "no", "yes" if ordered else "no"])
lab.table(rows, ["format", "codes tried", "every code survives", "order is kept"], "decode and encode fit together")

# %% [markdown]
# ## 3 · bfloat16 with integers alone
#
# Your encoder is general, and slow. For one format there is a trick so cheap that processors without any bfloat16
# hardware can afford it. bfloat16 was *made* as the upper half of a float32: the same sign, the same 8 bits of
# exponent, and the first 7 of the 23 bits of mantissa. To convert, you drop the lower 16 bits.
#
# Dropping is truncation, though. To round to the nearest, add something before you drop, and let the carry do the work:
#
# $$ \text{bits} + \mathtt{0x7FFF} + \text{lsb}, \qquad \text{lsb} = (\text{bits} \gg 16) \mathbin{\&} 1 $$
#
# `lsb` is the last bit that stays. The lower half counts from `0x0000` to `0xFFFF`, and `0x8000` is the tie. Adding
# `0x7FFF` carries for everything above the tie, and for the tie itself exactly when `lsb` is 1, that is, when the
# mantissa that stays is odd. Ties to even, without one comparison.

# %% [markdown]
# One thing goes wrong. A NaN has all exponent bits set and *some* bit of the mantissa. The addition may carry out of
# the mantissa and produce infinity, or even zero. So NaN must be treated apart.
#
# **Your turn.** Write `to_bfloat16` with integer arithmetic on the bits. `x.view(torch.int32)` shows you the bits of
# a float32 tensor, and `.view(torch.float32)` goes back; neither changes a bit. Calling `.bfloat16()` would spoil the
# fun.


# %% exercise="to_bfloat16" minutes=10 level=2
def to_bfloat16(x: torch.Tensor) -> torch.Tensor:
    """Round float32 numbers to bfloat16 by integer arithmetic on their bits, ties to even.

    Args:
        x: (...) float32, any values.

    Returns:
        (...) float32 that hold only values of bfloat16. NaN stays NaN (of any payload), infinities stay, what rounds
        beyond the largest value becomes infinity, and subnormal numbers and the signs of zeros are kept.

    >>> to_bfloat16(torch.tensor([1.0, 3.14159274, -0.1]))
    tensor([ 1.0000,  3.1406, -0.1001])
    """
    ### BEGIN SOLUTION
    bits = x.view(torch.int32)
    lsb = (bits >> 16) & 1
    rounded = (bits + 0x7FFF + lsb) & -0x10000
    return torch.where(x.isnan(), x, rounded.view(torch.float32))
    ### END SOLUTION


# %% [markdown] hints="to_bfloat16"
# <details><summary>Hint 1: where to begin</summary>
#
# Write the truncating version first: view as int32, clear the lower 16 bits with a mask, view back. Then add the right
# number before you clear them.
#
# </details>
# <details><summary>Hint 2: the formula</summary>
#
# `rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) & mask`, all of the shape of `x` and of type int32. As an int32, the
# mask `0xFFFF0000` is the number `-0x10000`. Negative numbers need no special care: the sign is just the top bit.
#
# </details>
# <details><summary>Hint 3: a skeleton</summary>
#
# ```python
# bits = x.view(torch.int32)
# lsb = ...
# rounded = (bits + ... + lsb) & ...
# return torch.where(x.isnan(), ..., rounded.view(torch.float32))
# ```
#
# </details>

# %% test="to_bfloat16" points=3
with check.test("to_bfloat16") as t:
    with t.case("to the nearest value"):
        x = torch.tensor([1 + 2.0**-9, 1 + 3 * 2.0**-9, -1 - 3 * 2.0**-9, 3.140625])
        check.equal(to_bfloat16(x), torch.tensor([1, 1 + 2.0**-7, -1 - 2.0**-7, 3.140625]), given={"x": x}, mistakes={
            "you truncate: dropping the lower 16 bits rounds toward zero; add 0x7FFF + lsb first":
                torch.tensor([1, 1, -1, 3.140625]),
            "the lower 16 bits are still there, so the result is no bfloat16; clear them with a mask":
                (x.view(torch.int32) + 0x7FFF + ((x.view(torch.int32) >> 16) & 1)).view(torch.float32)})
    with t.case("a tie goes to the even mantissa"):
        x = torch.tensor([1 + 2.0**-8, 1 + 3 * 2.0**-8, -1 - 2.0**-8])
        check.equal(to_bfloat16(x), torch.tensor([1, 1 + 2.0**-6, -1]), given={"x": x}, mistakes={
            "you round ties away from zero (adding 0x8000); add 0x7FFF and the last bit that stays":
                torch.tensor([1 + 2.0**-7, 1 + 2.0**-6, -1 - 2.0**-7]),
            "you truncate, or round ties toward zero; the last bit that stays, (bits >> 16) & 1, must be added too":
                torch.tensor([1, 1 + 2.0**-7, -1])})
    with t.case("the carry runs into the exponent, and at the top into infinity"):
        x = torch.tensor([1.999, 3.4028234663852886e38, -3.4028234663852886e38, math.inf, -math.inf])
        check.equal(to_bfloat16(x), torch.tensor([2, math.inf, -math.inf, math.inf, -math.inf]), given={"x": x})
    with t.case("subnormal numbers and both zeros"):
        x = torch.tensor([0, -(2**31), 0x00018000, 0x00028000, 0x00007FFF], dtype=torch.int32).view(torch.float32)
        expected = torch.tensor([0, -(2**31), 0x00020000, 0x00020000, 0], dtype=torch.int32).view(torch.float32)
        check.equal(to_bfloat16(x), expected, given={"x": x}, signed_zero=True, mistakes={
            "you flush subnormal numbers to zero; the integer trick needs no exception for them": 0 * x})
    with t.case("NaN stays NaN, whatever its payload"):
        x = torch.tensor([0x7F800001, 0x7FFFFFFF, -1, 0x7FC00000], dtype=torch.int32).view(torch.float32)
        got = to_bfloat16(x)
        check.like(got, shape=(4,), dtype=torch.float32, name="rounded")
        check.mistake(bool(got.isinf().any()) or bool((got == 0).any()),
                      "the addition carries out of the mantissa of a NaN and makes infinity or zero of it; "
                      "keep NaN apart")
        check.that(bool(got.isnan().all()), "every NaN must stay NaN", given={"got": got})
    with t.case("any shape, always float32"):
        check.like(to_bfloat16(torch.ones(2, 3)), shape=(2, 3), dtype=torch.float32, name="rounded")
        check.like(to_bfloat16(torch.tensor(2.0)), shape=(), dtype=torch.float32, name="rounded")
    ### BEGIN HIDDEN TESTS
    with t.hidden("random bit patterns, against torch's own cast"):
        bits = torch.randint(-(2**31), 2**31, (50000,), generator=check.rng()).to(torch.int32)
        x = bits.view(torch.float32)
        check.equal(to_bfloat16(x), x.to(torch.bfloat16).float(), signed_zero=True)
    with t.hidden("every tie of one binade, and its neighbours"):
        base = (torch.arange(128) << 16) + 0x40000000
        bits = torch.cat([base + low for low in (0, 1, 0x7FFF, 0x8000, 0x8001, 0xFFFF)]).to(torch.int32)
        x = torch.stack([bits.view(torch.float32), -bits.view(torch.float32)])
        check.equal(to_bfloat16(x), x.to(torch.bfloat16).float())
    ### END HIDDEN TESTS
t.score

# %% [markdown]
# Now you have two ways to bfloat16: a slow one that is obviously right, and a fast one. Do they agree, and at what
# price?

# %% experiment="two_ways"
g = torch.Generator().manual_seed(0)
x = torch.randn(200_000, generator=g) * 2.0 ** torch.randint(-130, 120, (200_000,), generator=g)
general, bitwise = cast(x, BF16).float(), to_bfloat16(x)
rows = [["decode(encode(x))", f"{lab.clock(lambda: cast(x, BF16), repeats=5).median * 1e3:.2f}", 0],
        ["integer arithmetic", f"{lab.clock(lambda: to_bfloat16(x), repeats=5).median * 1e3:.2f}",
         int((general != bitwise).sum())],
        ["torch's own cast", f"{lab.clock(lambda: x.bfloat16().float(), repeats=5).median * 1e3:.2f}",
         int((general != x.bfloat16().float()).sum())]]
lab.table(rows, ["way", "milliseconds", "values that differ from the first way"],
          f"{len(x)} numbers to bfloat16, three ways")

# %% [markdown]
# ## 4 · Loss scaling
#
# Gradients are small. Late in training many lie near a millionth. Will a narrow format keep them? The left wall of
# the first picture decides.
#
# We take 20,000 gradients from a normal distribution with a standard deviation of $10^{-6}$, and ask how many become
# *exactly* zero.

# %% predict="flushed"
lab.predict("flushed", "Gradients of size 1e-6 (normally distributed): how many percent become exactly 0 in fp16?",
            unit="%", answer=None)

# %% experiment="flushed"
g = torch.Generator().manual_seed(0)
gradients = 1e-6 * torch.randn(20_000, generator=g)


def zeros_percent(x):
    """How many percent of x are exactly zero."""
    return 100 * (x == 0).double().mean().item()


def zeros_by_format(x):
    """For float32 (the baseline) and four formats: how many percent of x become exactly zero."""
    formats = {name: FORMATS[name] for name in ("bf16", "fp16", "E5M2", "E4M3")}
    return {"float32": zeros_percent(x)} | {name: zeros_percent(cast(x, fmt)) for name, fmt in formats.items()}


lost, control = zeros_by_format(gradients), zeros_by_format(1e6 * gradients)
fig, ax = lab.figure(width=6)
place = torch.arange(len(lost))
ax.bar(place - 0.2, lost.values(), 0.38, label="gradients near 1e-6", color=lab.COLOURS[1])
ax.bar(place + 0.2, control.values(), 0.38, label="control: the same, near 1", color=lab.COLOURS[2])
for values, shift in ((lost.values(), -0.2), (control.values(), 0.2)):
    for i, value in enumerate(values):
        ax.text(i + shift, value + 1, f"{value:.1f}", ha="center", fontsize=8)
ax.set_ylim(0, 108)
ax.set_xticks(place, lost.keys())
ax.set_xlabel("format")
ax.set_ylabel("gradients that become 0 (%)")
ax.legend(loc="upper left")
lab.show(fig, f"fp16 flushes {lost['fp16']:.1f} % of the gradients to zero and E5M2 {lost['E5M2']:.0f} %, "
              f"though as many bits lose {lost['bf16']:.1f} % in bf16. The same numbers near 1 survive.")
lab.reveal("flushed", lost["fp16"], unit="%")

# %% [markdown]
# **Why?** Nothing is wrong with these gradients but their *place*. The control, the same numbers moved to the
# neighbourhood of 1, survives. Compare the smallest value above zero in your table of formats with $10^{-6}$: half of
# that value is the border below which a number rounds to zero. Can you compute the bar of fp16 from it? (How often is
# a normal variable that close to its mean?)
#
# The cure follows. **Move the gradients, not the window**: multiply the loss by a large number $S$ before the
# backward pass. By the chain rule every gradient grows by $S$; divide by $S$ again before the step, in float32. If
# $S$ is a power of two, scaling changes the exponents alone and costs no precision at all.

# %% [markdown]
# How large may $S$ be? As large as possible, so that few gradients underflow, but no gradient may overflow:
#
# $$ S = \max\,\{\,2^k : 2^k\cdot\max_i|g_i| \le \text{largest}(fmt),\ k \in \mathbb Z \} $$
#
# $k$ may be negative. If all gradients are zero, any scale would do, and we take 1.0. If a gradient is infinite or
# NaN already, no scale can help: training loops skip such a step, and your function raises `ValueError`. (Real loops
# do not look for the best $S$ at each step. They double it now and then and halve it after an overflow.)


# %% exercise="loss_scale" minutes=10 level=1
def loss_scale(grads: torch.Tensor, fmt: Format) -> float:
    """The largest power of two that overflows none of the gradients (Micikevicius et al. 2017, section 3.2).

    Args:
        grads: (...) float32 gradients.
        fmt: the format that will hold the scaled gradients.

    Returns:
        A Python float: the largest 2.0**k, k a whole number of either sign, with 2.0**k * max|g| <= largest(fmt);
        1.0 when every gradient is zero.

    Raises:
        ValueError: when a gradient is infinite or NaN.

    >>> loss_scale(torch.tensor([0.5, -1.0]), FP16)
    32768.0
    """
    ### BEGIN SOLUTION
    if not grads.isfinite().all():
        raise ValueError("a gradient is infinite or NaN; skip this step instead of scaling it")
    peak = float(grads.abs().max())
    if peak == 0:
        return 1.0
    _, exponent = math.frexp(largest(fmt) / peak)
    return 2.0 ** (exponent - 1)
    ### END SOLUTION


# %% [markdown] hints="loss_scale"
# <details><summary>Hint 1: where to begin</summary>
#
# Only one number of `grads` matters: the largest absolute value. Everything else is about one
# quotient, `largest(fmt) / peak`.
#
# </details>
# <details><summary>Hint 2: the formula</summary>
#
# k = floor(log2(largest(fmt) / peak)). Compute in Python floats (float64): in float32 the logarithm of a number just
# below a power of two is rounded up to a whole number. `math.frexp(q)` gives `q = f * 2**p` with f in [0.5, 1), so k
# is exactly `p - 1`.
#
# </details>
# <details><summary>Hint 3: a skeleton</summary>
#
# ```python
# if not grads.isfinite().all():
#     raise ValueError(...)
# peak = float(...)
# if peak == 0:
#     return ...
# return 2.0 ** math.floor(math.log2(...))
# ```
#
# </details>

# %% test="loss_scale" points=3
with check.test("loss_scale") as t:
    with t.case("the largest absolute value decides"):
        grads = torch.tensor([3e-6, -2.5e-5, 0.0, 1e-7])
        check.equal(loss_scale(grads, FP16), 2.0**31, given={"grads": grads}, mistakes={
            "you look at the largest gradient, not at the largest absolute value; the -2.5e-5 overflows": 2.0**34,
            "you always round the exponent up; round down, or the largest gradient overflows": 2.0**32,
            "the scale brings the mean of the gradients to the top, not the largest one": 2.0**33})
    with t.case("the exponent is rounded down, never to the nearest"):
        grads = torch.tensor([[1.1, -0.2]])
        check.equal(loss_scale(grads, FP16), 2.0**15, given={"grads": grads}, mistakes={
            "you round the exponent to the nearest whole number, which is up here; always round down": 2.0**16})
    with t.case("the largest finite value itself is allowed"):
        grads = torch.tensor([16376.0])
        check.equal(loss_scale(grads, FP16), 4.0, given={"grads": grads}, mistakes={
            "4 * 16376 is 65504, which fp16 can hold; the bound is 'at most', not 'less than'": 2.0})
    with t.case("one step more is too much"):
        grads = torch.tensor([16376.0009765625])
        check.equal(loss_scale(grads, FP16), 2.0, given={"grads": grads}, mistakes={
            "the logarithm is rounded up to a whole number here; round down, and compute it in float64, "
            "for float32 rounds it up by itself": 4.0})
    with t.case("large gradients need a scale below 1"):
        grads = torch.tensor([1e6, 3.0])
        check.equal(loss_scale(grads, FP16), 2.0**-4, given={"grads": grads}, mistakes={
            "the scale never falls below 1 in your code; gradients of 1e6 need a smaller one": 1.0})
    with t.case("each format has its own largest value"):
        grads = torch.tensor([1.0, -0.5])
        check.equal(loss_scale(grads, E4M3), 256.0, given={"grads": grads}, mistakes={
            "you use the largest value of fp16 for every format": 2.0**15})
        check.equal(loss_scale(grads, E2M1), 4.0, given={"grads": grads}, mistakes={
            "you use the largest value of fp16 for every format": 2.0**15})
    with t.case("all gradients zero"):
        check.equal(loss_scale(torch.zeros(3), E5M2), 1.0)
    with t.case("infinite gradients and NaN are refused"):
        check.raises(ValueError, loss_scale, torch.tensor([1.0, -math.inf]), FP16)
        check.raises(ValueError, loss_scale, torch.tensor([[math.nan, 0.0]]), BF16)
    ### BEGIN HIDDEN TESTS
    with t.hidden("fresh gradients of every size and format, by trying one power after the other"):
        g = check.rng()
        for size in (1e-30, 1e-9, 1e-3, 1.0, 1e5, 1e20):
            for fmt in (FP16, BF16, E4M3, E5M2, E2M1, Format(3, 2, False)):
                grads = size * torch.randn(4, 5, generator=g)
                peak, expected = max(abs(v) for v in grads.flatten().tolist()), 2.0**-200
                while 2 * expected * peak <= largest(fmt):
                    expected *= 2
                check.equal(loss_scale(grads, fmt), expected, given={"grads": grads, "fmt": fmt})
    ### END HIDDEN TESTS
t.score

# %% [markdown]
# Now rescue the gradients. The baseline is no scale. As a negative control we also use a scale that is *too small to
# matter*, 2, to see that it is the size of the scale that works, not the multiplication.

# %% predict="rescued"
lab.predict("rescued", "With your loss scale, how many percent of the same gradients become 0 in E5M2?",
            unit="%", answer=None)

# %% experiment="rescued"
scales = {n: loss_scale(gradients, FORMATS[n]) for n in ("fp16", "E5M2", "E4M3")}
rows, rescued = [], {}
for name, scale in scales.items():
    # float64 here: a scale as large as 2**140 (bf16 would have one) is too large for a float32 number
    before, weak, after = (zeros_percent(cast(gradients.double() * s, FORMATS[name])) for s in (1.0, 2.0, scale))
    restored = cast(gradients.double() * scale, FORMATS[name]) / scale
    rescued[name] = after
    rows.append([name, f"{before:.2f}", f"{weak:.2f}", f"2^{int(math.log2(scale))}", f"{after:.2f}",
                 f"{lab.snr_db(gradients.double(), restored):.1f}"])
header = ["format", "zero, no scale (%)", "zero, scale 2 (%)", "your scale", "zero, your scale (%)", "SNR unscaled (dB)"]
lab.table(rows, header, "Loss scaling moves the gradients into the window of the format")
lab.reveal("rescued", rescued["E5M2"], unit="%")

# %% [markdown]
# The last column is the signal-to-noise ratio of the gradients after division by the scale. **Question:** E5M2 has
# the wider window, and yet the ratio of E4M3 is better. What did the scale make unnecessary, and what can it not buy?
#

# %% [markdown]
# ## 5 · The sum that stops
#
# Range is one half of the story. The other is precision, and it bites where you do not expect it: in a plain sum. Let
# us count. Start at 0 and add 1 again and again, rounding to the format after each addition, as an accumulator of
# that format would.

# %% predict="stall"
lab.predict("stall", "A bf16 accumulator counts 1 + 1 + 1 + ... At which number does it stop growing?", answer=None)

# %% experiment="stall"
def count_up(fmt, terms):
    """Running sums (terms,) of ones in an accumulator of the given format."""
    total, path = torch.zeros((), dtype=torch.float64), []
    for _ in range(terms):
        total = cast(total + 1, fmt)
        path.append(total.item())
    return path


terms = 2600
paths = {name: count_up(FORMATS[name], terms) for name in ("fp16", "bf16")}
paths["E4M3"] = count_up(E4M3, 200)
paths["E4M3"] += paths["E4M3"][-1:] * (terms - 200)
paths["ones in bf16, sum in float32"] = torch.ones(terms, dtype=torch.bfloat16).float().cumsum(0).tolist()
fig, ax = lab.figure(width=6)
for (name, path), colour, style in zip(paths.items(), lab.COLOURS[1:], ("-", "-", "-", "--")):
    ax.plot(range(1, terms + 1), path, style, label=f"{name}: ends at {path[-1]:g}", color=colour)
ax.set_yscale("log", base=2)
ax.set_xscale("log", base=2)
ax.set_xlabel("ones added")
ax.set_ylabel("running sum")
ax.legend(loc="upper left", fontsize=9)
end = {name: path[-1] for name, path in paths.items()}
lab.show(fig, f"The sum stops at {end['fp16']:g} in fp16, at {end['bf16']:g} in bf16 and at {end['E4M3']:g} in E4M3; "
              "storing the ones in bf16 but adding them in float32 does no harm.")
lab.reveal("stall", end["bf16"])

# %% [markdown]
# **Why?** Between $2^k$ and $2^{k+1}$ the step of a format is $2^{k-m}$. When the step has grown to 2, adding 1 lands
# exactly on a tie, and the tie goes to the even neighbour: back to where the sum was. That happens at $2^{m+1}$,
# whatever the number of terms. The dashed line is the negative control. It uses the same bf16 ones and adds them in
# float32, and it does not stop: the *accumulator* is to blame, not the storage.
#
# This is why matrix units multiply 8- or 16-bit numbers and add in 32 bits. And if the accumulator has to be narrow,
# there is an old cure: add in blocks, then add the blocks, so that no addition has partners of very different size.

# %% experiment="blocks"
rows = []
for block in (1, 16, 64, terms):
    counts = [min(block, terms - start) for start in range(0, terms, block)]
    inner = {n: count_up(BF16, n)[-1] for n in set(counts)}
    total = torch.zeros((), dtype=torch.float64)
    for ones in counts:
        total = cast(total + inner[ones], BF16)
    rows.append([block, len(counts), f"{total.item():g}", f"{100 * (1 - total.item() / terms):.1f}"])
lab.table(rows, ["ones per block", "blocks", "sum in bf16", "lost (%)"],
          f"{terms} ones, added in blocks, everything in bf16")

# %% [markdown]
# One block of everything, and blocks of one, are the plain sum again (two controls in one table). Something in
# between keeps nearly all.

# %% [markdown]
# ## 6 · Rounding twice
#
# A chip that has no direct path from float32 to E4M3 may go through bfloat16. Each step rounds correctly. Is the
# result still correct?
#
# Rounding is not like adding: two correct roundings can make one wrong one. A number a little above a tie may first
# be rounded *onto* the tie, and then the tie rule sends it the wrong way.

# %% predict="twice"
lab.predict("twice", "float32 -> bf16 -> E4M3 instead of float32 -> E4M3: how many percent of the values differ?",
            unit="%", answer=None)

# %% experiment="twice"
x = torch.randn(100_000, generator=torch.Generator().manual_seed(0))
direct = encode(x, E4M3)
widths = list(range(3, 13))
differ = [100 * (encode(cast(x, Format(8, m, True)), E4M3) != direct).double().mean().item() for m in widths]
same = 100 * (encode(x.double(), E4M3) != direct).double().mean().item()
fig, ax = lab.figure()
ax.plot(widths, differ, "o-", color=lab.COLOURS[1], label="through a format with m bits of mantissa")
ax.axvline(BF16.mantissa, linestyle=":", color=lab.COLOURS[2], label="bf16")
ax.axhline(same, linestyle="--", color=lab.COLOURS[3], label="control: through float64")
ax.set_xlabel("mantissa bits of the format in between")
ax.set_ylabel("values that differ (%)")
ax.legend()
lab.show(fig, f"Through bf16, {differ[widths.index(7)]:.1f} % of the values end on the wrong neighbour; "
              "each further bit in between halves the harm.")
lab.reveal("twice", differ[widths.index(7)], unit="%")

# %% [markdown]
# **Why does each bit halve it?** The harm happens only when the first rounding lands exactly on a tie of the second.
# With one more bit in between there are twice as many places to land, and the ties stay the same. **And why is there
# nearly nothing at 3 bits?** Because then the first rounding is the second one already: the left end of the curve is
# a control too, like the dashed line. (The little that is left comes from the subnormal numbers of E4M3. Why?)
#
# A habit to take home: *round once, from the best number you have.*

# %% [markdown]
# ## 7 · How many bytes?
#
# Now the arithmetic that decides whether a model fits. $N$ parameters of $b$ bits take $N b / 8$ bytes. The lecture's
# example: a model with 65 billion parameters takes 260 GB at 4 **bytes** a parameter, 130 GB at 2 and 65 GB at 1.
# (The slide writes "4b"; in three of its four lines b means bytes. Only the last, 8.1 GB, is about bits. Also, GB
# here are $10^9$ bytes; your operating system may count in GiB of $2^{30}$.)
#
# Below 8 bits there is something more to store. A 4-bit format has a window so small that the numbers must be moved
# into it, like the gradients above, by a scale. One scale for the whole model is too coarse, so each *group* of, say,
# 32 parameters gets its own, usually of 16 bits:
#
# $$ \text{bits} = N\cdot b + \lceil N / g\rceil\cdot b_\text{scale}, \qquad
# \text{bytes} = \lceil \text{bits} / 8 \rceil $$
#
# The last group may be smaller than $g$ and still needs its scale. The bits are packed without gaps and rounded up to
# whole bytes once, at the end.


# %% exercise="model_bytes" minutes=5 level=1
def model_bytes(parameters: int, bits: int, group: int | None = None, scale_bits: int = 16) -> int:
    """Bytes that a quantized model takes, the scales of its groups included.

    Args:
        parameters: how many parameters there are, at least 0.
        bits: bits of one parameter.
        group: how many parameters share a scale; a smaller last group has one too. None: there are no scales.
        scale_bits: bits of one scale.

    Returns:
        A Python int: all bits together, rounded up once to whole bytes.

    >>> model_bytes(4096, 4, group=32)
    2304
    """
    ### BEGIN SOLUTION
    total = parameters * bits
    if group is not None:
        total += -(-parameters // group) * scale_bits
    return -(-total // 8)
    ### END SOLUTION


# %% [markdown] hints="model_bytes"
# <details><summary>Hint 1: where to begin</summary>
#
# Count everything in bits first. Turn bits into bytes in the last line only.
#
# </details>
# <details><summary>Hint 2: the formula</summary>
#
# total = parameters · bits + ceil(parameters / group) · scale_bits; bytes = ceil(total / 8). For whole numbers,
# ceil(a / b) is `-(-a // b)`.
#
# </details>
# <details><summary>Hint 3: a skeleton</summary>
#
# ```python
# total = ...
# if group is not None:
#     total += ... * scale_bits
# return -(-total // ...)
# ```
#
# </details>

# %% test="model_bytes" points=2
with check.test("model_bytes") as t:
    with t.case("the lecture's model with 65 billion parameters"):
        parameters = 65_000_000_000
        check.equal([model_bytes(parameters, bits) for bits in (32, 16, 8, 1)],
                    [260_000_000_000, 130_000_000_000, 65_000_000_000, 8_125_000_000], mistakes={
            "these are bits; a byte has 8 of them": [parameters * bits for bits in (32, 16, 8, 1)]})
    with t.case("4 bits with one 16-bit scale per 32 parameters are 4.5 bits each"):
        check.equal(model_bytes(4096, 4, group=32), 2304, mistakes={
            "the scales are missing: every group stores one": 2048,
            "you store one scale for the whole model; every group has its own": 2050,
            "these are bits; a byte has 8 of them": 18432})
    with t.case("the last group may be smaller and has a scale too"):
        check.equal(model_bytes(100, 4, group=32), 58, mistakes={
            "the smaller last group has a scale too: round the number of groups up": 56,
            "the scales are missing: every group stores one": 50})
    with t.case("the scale has the size that the caller says"):
        check.equal(model_bytes(6400, 4, group=64, scale_bits=8), 3300, mistakes={
            "you take every scale for 16 bits; use scale_bits": 3400,
            "you take every scale for 32 bits; use scale_bits": 3600})
    with t.case("rounded up to whole bytes"):
        check.equal([model_bytes(n, 3) for n in (1, 3, 8, 9)], [1, 2, 3, 4], mistakes={
            "you round down, and the last bits have no place": [0, 1, 3, 3]})
    with t.case("rounded once, for all bits together"):
        check.equal(model_bytes(3, 3, group=3, scale_bits=7), 2, mistakes={
            "you round weights and scales to bytes separately; add the bits first and round once": 3})
    ### BEGIN HIDDEN TESTS
    with t.hidden("fresh sizes, counted one bit at a time"):
        g = check.rng()
        for _ in range(40):
            n, bits, group, scale_bits = (int(torch.randint(1, high, (), generator=g)) for high in (400, 17, 70, 33))
            in_groups = sum(bits + (scale_bits if i % group == 0 else 0) for i in range(n))
            given = {"parameters": n, "bits": bits, "group": group, "scale_bits": scale_bits}
            check.equal(model_bytes(n, bits, group, scale_bits), len(range(0, in_groups, 8)), given=given)
            check.equal(model_bytes(n, bits), len(range(0, n * bits, 8)), given=given)
    ### END HIDDEN TESTS
t.score

# %% experiment="bytes_table"
rows = []
for label, bits, group, scale_bits in (("float32", 32, None, 0), ("bf16", 16, None, 0), ("E4M3", 8, None, 0),
                                       ("8 bits, groups of 32", 8, 32, 16), ("4 bits, groups of 32", 4, 32, 16),
                                       ("4 bits, 8-bit scale per 32", 4, 32, 8),
                                       ("4 bits, 32-bit scale per 64", 4, 64, 32)):
    size = model_bytes(65_000_000_000, bits, group, scale_bits)
    rows.append([label, f"{size / 1e9:.1f}", f"{size / 2**30:.1f}", f"{8 * size / 65e9:.3f}"])
lab.table(rows, ["storage", "GB", "GiB", "bits per parameter"],
          "A model of 65 billion parameters, stored in different ways")

# %% [markdown]
# Find the two rows of 4 bits that cost the same. A scale of twice the size for twice as many parameters is the same
# number of bits, but not the same quality: that is a topic of the next lesson.

# %% [markdown]
# ## 8 · When it does not help
#
# Fewer bits are fewer bytes, always. They are *not* always less time. A processor is quick in a format only if it has
# circuits for it; otherwise it widens each number first. Here is the same matrix product in several types, on the
# machine that you are using now.

# %% predict="speed"
lab.predict("speed", "On your processor, a product of two 256 x 256 matrices in fp16, compared with float32, is",
            choices=["at least twice as fast", "about the same", "slower"], answer=None)

# %% experiment="speed"
a, b = (torch.randn(256, 256, generator=torch.Generator().manual_seed(s)) for s in (0, 1))
b8 = b.to(torch.float8_e4m3fn)
(a16, b16), (a_bf, b_bf) = (a.half(), b.half()), (a.bfloat16(), b.bfloat16())
work = {"float32": (lambda: a @ b, 4), "bf16": (lambda: a_bf @ b_bf, 2), "fp16": (lambda: a16 @ b16, 2),
        "E4M3 weights, widened first": (lambda: a @ b8.float(), 1)}
rows, milliseconds, ratio = [], {}, {}
for name, (product, width) in work.items():
    milliseconds[name] = 1e3 * lab.clock(product).median
    ratio[name] = milliseconds["float32"] / milliseconds[name]
    rows.append([name, width * b.numel(), f"{milliseconds[name]:.2f}", f"{ratio[name]:.2f}"])
lab.table(rows, ["type", "bytes of the weights", "milliseconds", "speed-up over float32"],
          "Fewer bytes, but not always less time")
slow_or_same = "slower" if ratio["fp16"] < 0.8 else "about the same"
lab.reveal("speed", "at least twice as fast" if ratio["fp16"] >= 2 else slow_or_same)

# %% [markdown]
# The byte column is the same everywhere. The time column is a property of *your* processor. When someone reports a
# speed-up from a smaller format, ask for the machine. Where memory traffic is the bottleneck, as in generating text
# one token at a time, fewer bytes do buy time even when the arithmetic is done in float32.

# %% [markdown]
# ## 9 · On a real model
#
# How much precision does a trained language model need? We take a small character-level model (and a small pretrained
# story model, if it is on your machine), store the weights of every linear layer in each format, and measure two
# things: the signal-to-noise ratio of the weights, and the *perplexity* on text that the model has not seen. Lower
# perplexity is better; the number of symbols would mean pure guessing.
#
# The baseline is float32. The negative control sets all these weights to zero. E2M1 appears twice: as it is, and with
# one scale per matrix, which puts the largest weight at the largest value of the format.

# %% predict="weights"
lab.predict("weights", "Which of these formats raises the perplexity of the model by more than 5 %?",
            choices=["none of bf16, E4M3, E5M2", "only E5M2", "E5M2 and E4M3", "all three"], answer=None)

# %% experiment="weights"
def scaled_e2m1(w):
    """E2M1 with one scale for the whole tensor."""
    scale = w.abs().max() / largest(E2M1)
    return (cast(w / scale, E2M1) * scale).float()


ways = {"float32 (baseline)": lambda w: w} | {n: lambda w, f=f: cast(w, f).float() for n, f in FORMATS.items()}
ways |= {"E2M1 with a scale": scaled_e2m1, "all zero (control)": torch.zeros_like}
WEIGHT_BITS = {name: fmt.bits for name, fmt in FORMATS.items()}
WEIGHT_BITS |= {"float32 (baseline)": 32, "E2M1 with a scale": 4, "all zero (control)": 0}
HEADER = ["weights in", "bits", "SNR (dB)", "perplexity"]


def weights_of(model):
    """All weights of the linear layers in one flat tensor."""
    return torch.cat([m.weight.detach().flatten() for m in model.modules() if isinstance(m, torch.nn.Linear)])


def by_format(model, tokens):
    """Rows of (way, bits, SNR in dB, perplexity) for a language model."""
    rows = []
    for name, way in ways.items():
        changed = lab.with_weights(model, way)
        snr = lab.snr_db(weights_of(model), weights_of(changed))
        rows.append((name, WEIGHT_BITS[name], snr, lab.perplexity(changed, tokens, windows=32)))
    return rows


if lab.available("charlm") and lab.available("stdlib"):
    results = by_format(lab.load("charlm"), lab.load("stdlib").test)
    lab.table([[n, b, f"{s:.1f}", f"{p:.3f}"] for n, b, s, p in results],
              HEADER, "A character-level language model with its linear layers in each format")
    quality = {n: p / results[0][3] for n, _, _, p in results}
    worse = [n for n in ("bf16", "E4M3", "E5M2") if quality[n] > 1.05]
    names = {(): "none of bf16, E4M3, E5M2", ("E5M2",): "only E5M2", ("E4M3", "E5M2"): "E5M2 and E4M3"}
    lab.reveal("weights", names.get(tuple(worse), "all three"))
else:
    lab.table([["charlm"]], ["missing"], "The character model is not on this machine; this experiment is skipped")

# %% experiment="weights_picture"
if lab.available("charlm") and lab.available("stdlib"):
    shown = [r for r in results if math.isfinite(r[2])]
    fig, ax = lab.figure(width=7)
    for (name, bits, snr, ppl), colour in zip(shown, lab.COLOURS * 2):
        ax.scatter(snr, ppl, color=colour, label=f"{name}, {bits} bits")
    ax.axhline(results[0][3], linestyle="--", color="grey", label="float32, 32 bits")
    ax.set_yscale("log")
    ax.set_xlabel("signal-to-noise ratio of the weights (dB)")
    ax.set_ylabel("perplexity")
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    lab.show(fig, "Perplexity hardly moves until the weights are very noisy, and then it breaks.")

# %% [markdown]
# **Explain what you see.** Each bit of mantissa is worth about 6 dB, because it halves the rounding error: check it
# between bf16, E4M3 and E5M2, which have 7, 3 and 2 bits. (If fp16 shows an infinite ratio: the file of this model is
# stored in fp16, so there is nothing left to round.) The perplexity does not care for most of this. A trained network
# is built of sums over hundreds of noisy products, and independent errors cancel.
#
# E2M1 without a scale is the opposite lesson. Nearly all weights are smaller than half of its smallest value above
# zero, and the model is hardly better than the control with no weights at all. One scale rescues most of it. *A
# narrow format is only half of a quantizer. The scale is the other half.*
#
# The story model is a second opinion: smaller, trained by someone else, and more sensitive. Compare the two tables.

# %% experiment="stories"
if lab.available("stories260k"):
    stories = lab.load("stories260k")
    lab.table([[n, b, f"{s:.1f}", f"{p:.3f}"] for n, b, s, p in by_format(stories.model, stories.tokens)],
              HEADER, "A pretrained model of short stories with its linear layers in each format")
else:
    lab.table([["stories260k"]], ["missing"], "The story model is not on this machine; this experiment is skipped")

# %% [markdown]
# ## 10 · Your row
#
# Through the whole course you collect one table: what each technique costs and what it keeps. The model is the small
# digit classifier.

# %% experiment="row"
digits = lab.load("digits")
model = lab.digits_model(seed=0)
parameters = lab.parameters(model)
for name, bits in (("float32", 32), ("bf16", 16), ("E4M3", 8)):
    stored = model if bits == 32 else lab.with_weights(model, lambda w, name=name: cast(w, FORMATS[name]).float())
    lab.your_row(lesson="02_floating_point", technique=name, bytes=model_bytes(parameters, bits),
                 multiply_adds=lab.multiply_adds(stored, digits.x_test[:1]),
                 milliseconds=1e3 * lab.clock(stored, digits.x_test[:1]).median,
                 quality=lab.accuracy(stored, digits.x_test, digits.y_test), measure="accuracy")

# %% experiment="row_picture"
lab.size_quality_plot()

# %% [markdown]
# Bytes fall by a factor of four. The multiply-adds stay the same, and so does the time, because our "narrow" weights
# are widened to float32 before they are used.

# %% [markdown] answer="two_formats" points=2
# ## Reflect
#
# **Question 1.** FP8 training recipes keep weights and activations in E4M3 and gradients in E5M2. Both have 8 bits.
# Explain the choice with what you measured: what does each tensor need more, and why does a single scale per tensor
# not make the choice superfluous?
#
# ### BEGIN SOLUTION
# **Model answer.** Weights and activations of one tensor lie within a few powers of two of each other, so a window of
# moderate width is enough once a scale has put them there, and the extra mantissa bit of E4M3 halves the rounding
# error (about 6 dB). Gradients spread over many more powers of two: even with the largest gradient at the top of the
# window, the small ones must still lie inside it. E5M2 has twice as many exponents and keeps them. A scale moves the
# window, but it cannot widen it; that is why it does not replace exponent bits.
#
# **Rubric.** 1 point: E4M3 for precision and E5M2 for range, with a reason from the experiments (flushed gradients,
# SNR of the weights). 1 point: says that a scale shifts the window and cannot widen it (or: the ratio of the largest
# to the smallest value is what matters).
# ### END SOLUTION

# %% [markdown] answer="mean_of_many" points=2
# **Question 2.** A colleague computes the mean of 10,000 losses, all between 1 and 2, in bf16: she adds them one by
# one and divides by 10,000. The result is far too small. Explain what happened, estimate roughly what she got, and
# name two repairs.
#
# ### BEGIN SOLUTION
# **Model answer.** The running sum grows until half of its step exceeds the numbers that are added. bf16 has 7 bits
# of mantissa: between 256 and 512 the step is 2, and a number above 1 still moves the sum (by 2, which is too much);
# from 512 on the step is 4, and numbers up to 2 no longer change it (2 would be a tie). The sum stops at
# 512 or before, and the "mean" is about 0.05 or less. Repairs: accumulate in float32; add in blocks or pairwise;
# compensated (Kahan) summation. (A running mean in bf16 is none: its steps shrink and vanish too.)
#
# **Rubric.** 1 point: the sum stalls because the step of the accumulator outgrows the terms, with an estimate between
# 0.02 and 0.06. 1 point: two repairs that work. Storing the losses in float32 alone is not one of them, as long as
# the sum is bf16.
# ### END SOLUTION

# %% [markdown]
# ## Go on
#
# - [FP8 Formats for Deep Learning](https://arxiv.org/abs/2209.05433): E4M3 and E5M2, and the training runs behind them.
# - [Mixed Precision Training](https://arxiv.org/abs/1710.03740): loss scaling, and why a float32 copy of the weights
#   is kept.
# - [A Study of BFLOAT16](https://arxiv.org/abs/1905.12322): training in bfloat16 without loss scaling.
#
# Next lesson: **03 · absmax int8**. There the format is plain whole numbers, and everything rests on the scale.
