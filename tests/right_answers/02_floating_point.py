# %% exercise="decode" name="one code at a time"
def decode(codes, fmt):
    def value_of(code):
        s, rest = divmod(code, 2 ** (fmt.exponent + fmt.mantissa))
        E, M = divmod(rest, 2**fmt.mantissa)
        if fmt.ieee and E == 2**fmt.exponent - 1:
            value = math.nan if M else math.inf
        elif not fmt.ieee and fmt.bits == 8 and rest == 127:
            value = math.nan
        else:
            low = 2 - 2 ** (fmt.exponent - 1) - fmt.mantissa
            value = math.ldexp(M, low) if E == 0 else math.ldexp(2**fmt.mantissa + M, low + E - 1)
        return -value if s else value

    values = [value_of(int(code)) for code in codes.flatten()]
    return torch.tensor(values, dtype=torch.float64).reshape(codes.shape)


# %% exercise="decode" name="a table of all values in numpy"
def decode(codes, fmt):
    import numpy as np

    m, half = fmt.mantissa, 2 ** (fmt.exponent + fmt.mantissa)
    rest = np.arange(half)
    E, M = rest // 2**m, rest % 2**m
    table = np.ldexp((M + (E > 0) * 2**m).astype(np.float64), np.maximum(E, 1) + 1 - 2 ** (fmt.exponent - 1) - m)
    if fmt.ieee:
        table[half - 2**m] = np.inf
        table[half - 2**m + 1:] = np.nan
    elif fmt.bits == 8:
        table[-1] = np.nan
    return torch.from_numpy(np.concatenate([table, -table]))[codes]


# %% exercise="encode" name="search in the sorted list of values"
def encode(x, fmt):
    m, half = fmt.mantissa, 2 ** (fmt.exponent + fmt.mantissa)
    if x.isnan().any() and not (fmt.ieee or fmt.bits == 8):
        raise ValueError("this format has no NaN")
    rest = torch.arange(half)
    E, M = rest // 2**m, rest % 2**m
    values = torch.ldexp((M + (E > 0) * 2**m).double(), E.clamp(min=1) + 1 - 2 ** (fmt.exponent - 1) - m)
    last = half - 2**m if fmt.ieee else half - 1 - (fmt.bits == 8)
    values = values[:last + 1]
    middle = (values[1:] + values[:-1]) / 2
    size = x.double().abs()
    below = torch.searchsorted(middle, size, right=False)
    above = torch.searchsorted(middle, size, right=True)
    code = torch.where(below % 2 == 0, below, above)
    code = torch.where(x.isnan(), half - 1, code)
    return code + half * torch.signbit(x)


# %% exercise="encode" name="with fractions, one number at a time"
def encode(x, fmt):
    from fractions import Fraction

    bias, m, half = 2 ** (fmt.exponent - 1) - 1, fmt.mantissa, 2 ** (fmt.exponent + fmt.mantissa)
    last = half - 2**m if fmt.ieee else half - 1 - (fmt.bits == 8)

    def code_of(v):
        if math.isnan(v):
            if not fmt.ieee and fmt.bits != 8:
                raise ValueError("this format has no NaN")
            return half - 1
        sign = half if math.copysign(1, v) < 0 else 0
        if math.isinf(v):
            return sign + last
        k = max(math.frexp(v)[1] - 1, 1 - bias) if v else 1 - bias
        n = round(abs(Fraction(v)) / Fraction(2) ** (k - m))
        return sign + min((k + bias - 1) * 2**m + n, last)

    return torch.tensor([code_of(v) for v in x.double().flatten().tolist()], dtype=torch.int64).reshape(x.shape)


# %% exercise="to_bfloat16" name="unsigned integers in numpy"
def to_bfloat16(x):
    import numpy as np

    bits = x.contiguous().numpy().view(np.uint32).astype(np.uint64)
    upper, lower = bits >> 16, bits & 0xFFFF
    up = (lower > 0x8000) | ((lower == 0x8000) & (upper % 2 == 1))
    rounded = ((upper + up) << 16).astype(np.uint32)
    rounded = np.where(np.isnan(x.numpy()), np.uint32(0x7FC00000), rounded)
    return torch.from_numpy(np.asarray(rounded, dtype=np.uint32).view(np.float32).reshape(tuple(x.shape)))


# %% exercise="to_bfloat16" name="comparing the half that is dropped"
def to_bfloat16(x):
    bits = x.view(torch.int32).long() & 0xFFFFFFFF
    low, kept = bits % 65536, bits - bits % 65536
    up = (low > 32768) | ((low == 32768) & (kept // 65536 % 2 == 1))
    rounded = kept + 65536 * up
    rounded = torch.where(rounded >= 2**31, rounded - 2**32, rounded).to(torch.int32).view(torch.float32)
    return torch.where(x.isnan(), math.nan, rounded)


# %% exercise="loss_scale" name="doubling and halving"
def loss_scale(grads, fmt):
    values = [abs(v) for v in grads.flatten().tolist()]
    if not all(map(math.isfinite, values)):
        raise ValueError("an infinite gradient")
    peak, scale = max(values), 1.0
    if peak == 0:
        return 1.0
    while 2 * scale * peak <= largest(fmt):
        scale *= 2
    while scale * peak > largest(fmt):
        scale /= 2
    return scale


# %% exercise="loss_scale" name="logarithm of the quotient"
def loss_scale(grads, fmt):
    if grads.isnan().any() or grads.isinf().any():
        raise ValueError("an infinite gradient")
    peak = grads.double().abs().max().item()
    return 2.0 ** math.floor(math.log2(largest(fmt) / peak)) if peak else 1.0


# %% exercise="model_bytes" name="ceil of a quotient"
def model_bytes(parameters, bits, group=None, scale_bits=16):
    groups = math.ceil(parameters / group) if group else 0
    return math.ceil((parameters * bits + groups * scale_bits) / 8)


# %% exercise="model_bytes" name="with divmod"
def model_bytes(parameters, bits, group=None, scale_bits=16):
    total = bits * parameters
    if group is not None:
        groups, left = divmod(parameters, group)
        total += scale_bits * (groups + (left > 0))
    whole, left = divmod(total, 8)
    return whole + (left > 0)


# %% exercise="encode" mutant="line 23: 2 -> 3 in '2 * largest(fmt)'" because="any bound beyond the overflow threshold does: it only keeps infinity out of frexp"
