# %% exercise="decode" name="zero minus bias for subnormals" score=2 says="subnormal numbers use the exponent 1 - bias"
def decode(codes, fmt):
    bias = 2 ** (fmt.exponent - 1) - 1
    s = codes >> (fmt.exponent + fmt.mantissa)
    E = (codes >> fmt.mantissa) & (2**fmt.exponent - 1)
    M = (codes & (2**fmt.mantissa - 1)).double() / 2**fmt.mantissa
    value = torch.where(E == 0, M, 1 + M) * 2.0 ** (E - bias).double()
    if fmt.ieee:
        value = torch.where(E == 2**fmt.exponent - 1, torch.where(M == 0, math.inf, math.nan), value)
    elif fmt.bits == 8:
        value = torch.where(codes % 128 == 127, math.nan, value)
    return (1.0 - 2.0 * s) * value


# %% exercise="decode" name="no subnormals" score=1.6 says="has no hidden 1: zero itself"
def decode(codes, fmt):
    bias = 2 ** (fmt.exponent - 1) - 1
    s = codes >> (fmt.exponent + fmt.mantissa)
    E = (codes >> fmt.mantissa) & (2**fmt.exponent - 1)
    M = (codes & (2**fmt.mantissa - 1)).double() / 2**fmt.mantissa
    value = (1 + M) * 2.0 ** (E - bias).double()
    if fmt.ieee:
        value = torch.where(E == 2**fmt.exponent - 1, torch.where(M == 0, math.inf, math.nan), value)
    elif fmt.bits == 8:
        value = torch.where(codes % 128 == 127, math.nan, value)
    return (1.0 - 2.0 * s) * value


# %% exercise="decode" name="bias without minus one" score=0.8 says="you use 2**(e-1)"
def decode(codes, fmt):
    bias = 2 ** (fmt.exponent - 1)
    s = codes >> (fmt.exponent + fmt.mantissa)
    E = (codes >> fmt.mantissa) & (2**fmt.exponent - 1)
    M = (codes & (2**fmt.mantissa - 1)).double() / 2**fmt.mantissa
    value = torch.where(E == 0, M * 2.0 ** (1 - bias), (1 + M) * 2.0 ** (E - bias).double())
    if fmt.ieee:
        value = torch.where(E == 2**fmt.exponent - 1, torch.where(M == 0, math.inf, math.nan), value)
    elif fmt.bits == 8:
        value = torch.where(codes % 128 == 127, math.nan, value)
    return (1.0 - 2.0 * s) * value


# %% exercise="decode" name="IEEE rule for every format" score=2.4 says="IEEE rule to E4M3"
def decode(codes, fmt):
    bias = 2 ** (fmt.exponent - 1) - 1
    s = codes >> (fmt.exponent + fmt.mantissa)
    E = (codes >> fmt.mantissa) & (2**fmt.exponent - 1)
    M = (codes & (2**fmt.mantissa - 1)).double() / 2**fmt.mantissa
    value = torch.where(E == 0, M * 2.0 ** (1 - bias), (1 + M) * 2.0 ** (E - bias).double())
    value = torch.where(E == 2**fmt.exponent - 1, torch.where(M == 0, math.inf, math.nan), value)
    return (1.0 - 2.0 * s) * value


# %% exercise="decode" name="all ones are NaN in every format" score=3.2 says="E2M1 has no NaN"
def decode(codes, fmt):
    bias = 2 ** (fmt.exponent - 1) - 1
    s = codes >> (fmt.exponent + fmt.mantissa)
    E = (codes >> fmt.mantissa) & (2**fmt.exponent - 1)
    M = (codes & (2**fmt.mantissa - 1)).double() / 2**fmt.mantissa
    value = torch.where(E == 0, M * 2.0 ** (1 - bias), (1 + M) * 2.0 ** (E - bias).double())
    if fmt.ieee:
        value = torch.where(E == 2**fmt.exponent - 1, torch.where(M == 0, math.inf, math.nan), value)
    else:
        value = torch.where((E == 2**fmt.exponent - 1) & (M == 1 - 2.0**-fmt.mantissa), math.nan, value)
    return (1.0 - 2.0 * s) * value


# %% exercise="decode" name="no special codes" score=2 says="is NaN, not a number"
def decode(codes, fmt):
    bias = 2 ** (fmt.exponent - 1) - 1
    s = codes >> (fmt.exponent + fmt.mantissa)
    E = (codes >> fmt.mantissa) & (2**fmt.exponent - 1)
    M = (codes & (2**fmt.mantissa - 1)).double() / 2**fmt.mantissa
    value = torch.where(E == 0, M * 2.0 ** (1 - bias), (1 + M) * 2.0 ** (E - bias).double())
    return (1.0 - 2.0 * s) * value


# %% exercise="decode" name="minus zero lost" score=2.4 says="minus sign of -0.0 is lost"
def decode(codes, fmt):
    bias = 2 ** (fmt.exponent - 1) - 1
    s = codes >> (fmt.exponent + fmt.mantissa)
    E = (codes >> fmt.mantissa) & (2**fmt.exponent - 1)
    M = (codes & (2**fmt.mantissa - 1)).double() / 2**fmt.mantissa
    value = torch.where(E == 0, M * 2.0 ** (1 - bias), (1 + M) * 2.0 ** (E - bias).double())
    if fmt.ieee:
        value = torch.where(E == 2**fmt.exponent - 1, torch.where(M == 0, math.inf, math.nan), value)
    elif fmt.bits == 8:
        value = torch.where(codes % 128 == 127, math.nan, value)
    return torch.where(s == 1, 0 - value, value)


# %% exercise="encode" name="truncates" score=1.714286 says="truncate toward zero"
def encode(x, fmt):
    if not fmt.ieee and fmt.bits != 8 and x.isnan().any():
        raise ValueError("no NaN here")
    bias, sign = 2 ** (fmt.exponent - 1) - 1, 2 ** (fmt.exponent + fmt.mantissa)
    size = x.double().abs().clamp(max=2 * largest(fmt))
    k = torch.frexp(size.clamp(min=2.0 ** (1 - bias))).exponent.long() - 1
    n = torch.ldexp(size, fmt.mantissa - k).long()
    limit = sign - 2**fmt.mantissa if fmt.ieee else sign - 1 - (fmt.bits == 8)
    code = ((k + bias - 1) * 2**fmt.mantissa + n).clamp(max=limit)
    return torch.where(x.isnan(), sign - 1, code) + sign * torch.signbit(x)


# %% exercise="encode" name="ties away from zero" score=2.571429 says="ties away from zero"
def encode(x, fmt):
    if not fmt.ieee and fmt.bits != 8 and x.isnan().any():
        raise ValueError("no NaN here")
    bias, sign = 2 ** (fmt.exponent - 1) - 1, 2 ** (fmt.exponent + fmt.mantissa)
    size = x.double().abs().clamp(max=2 * largest(fmt))
    k = torch.frexp(size.clamp(min=2.0 ** (1 - bias))).exponent.long() - 1
    n = (torch.ldexp(size, fmt.mantissa - k) + 0.5).long()
    limit = sign - 2**fmt.mantissa if fmt.ieee else sign - 1 - (fmt.bits == 8)
    code = ((k + bias - 1) * 2**fmt.mantissa + n).clamp(max=limit)
    return torch.where(x.isnan(), sign - 1, code) + sign * torch.signbit(x)


# %% exercise="encode" name="subnormals flushed to zero" score=3.142857 says="flush subnormal numbers"
def encode(x, fmt):
    if not fmt.ieee and fmt.bits != 8 and x.isnan().any():
        raise ValueError("no NaN here")
    bias, sign = 2 ** (fmt.exponent - 1) - 1, 2 ** (fmt.exponent + fmt.mantissa)
    size = x.double().abs().clamp(max=2 * largest(fmt))
    k = torch.frexp(size).exponent.long() - 1
    n = torch.round(torch.ldexp(size, fmt.mantissa - k)).long()
    limit = sign - 2**fmt.mantissa if fmt.ieee else sign - 1 - (fmt.bits == 8)
    code = ((k + bias - 1) * 2**fmt.mantissa + n).clamp(max=limit)
    code = torch.where(size < 2.0 ** (1 - bias), 0, code)
    return torch.where(x.isnan(), sign - 1, code) + sign * torch.signbit(x)


# %% exercise="encode" name="infinity before rounding" score=3.428571 says="round first"
def encode(x, fmt):
    if not fmt.ieee and fmt.bits != 8 and x.isnan().any():
        raise ValueError("no NaN here")
    bias, sign = 2 ** (fmt.exponent - 1) - 1, 2 ** (fmt.exponent + fmt.mantissa)
    size = x.double().abs().clamp(max=2 * largest(fmt))
    k = torch.frexp(size.clamp(min=2.0 ** (1 - bias))).exponent.long() - 1
    n = torch.round(torch.ldexp(size, fmt.mantissa - k)).long()
    limit = sign - 2**fmt.mantissa if fmt.ieee else sign - 1 - (fmt.bits == 8)
    code = torch.where(size > largest(fmt), limit, (k + bias - 1) * 2**fmt.mantissa + n)
    return torch.where(x.isnan(), sign - 1, code) + sign * torch.signbit(x)


# %% exercise="encode" name="saturates everywhere" score=3.142857 says="saturate in an IEEE format"
def encode(x, fmt):
    if not fmt.ieee and fmt.bits != 8 and x.isnan().any():
        raise ValueError("no NaN here")
    bias, sign = 2 ** (fmt.exponent - 1) - 1, 2 ** (fmt.exponent + fmt.mantissa)
    size = x.double().abs().clamp(max=largest(fmt))
    k = torch.frexp(size.clamp(min=2.0 ** (1 - bias))).exponent.long() - 1
    n = torch.round(torch.ldexp(size, fmt.mantissa - k)).long()
    code = (k + bias - 1) * 2**fmt.mantissa + n
    return torch.where(x.isnan(), sign - 1, code) + sign * torch.signbit(x)


# %% exercise="encode" name="E4M3 overflows to NaN" score=3.428571 says="becomes NaN in your code"
def encode(x, fmt):
    if not fmt.ieee and fmt.bits != 8 and x.isnan().any():
        raise ValueError("no NaN here")
    bias, sign = 2 ** (fmt.exponent - 1) - 1, 2 ** (fmt.exponent + fmt.mantissa)
    size = x.double().abs().clamp(max=2 * largest(fmt))
    k = torch.frexp(size.clamp(min=2.0 ** (1 - bias))).exponent.long() - 1
    n = torch.round(torch.ldexp(size, fmt.mantissa - k)).long()
    limit = sign - 2**fmt.mantissa if fmt.ieee else sign - 1
    code = ((k + bias - 1) * 2**fmt.mantissa + n).clamp(max=limit)
    return torch.where(x.isnan(), sign - 1, code) + sign * torch.signbit(x)


# %% exercise="encode" name="sign by comparing with zero" score=3.714286 says="ask torch.signbit"
def encode(x, fmt):
    if not fmt.ieee and fmt.bits != 8 and x.isnan().any():
        raise ValueError("no NaN here")
    bias, sign = 2 ** (fmt.exponent - 1) - 1, 2 ** (fmt.exponent + fmt.mantissa)
    size = x.double().abs().clamp(max=2 * largest(fmt))
    k = torch.frexp(size.clamp(min=2.0 ** (1 - bias))).exponent.long() - 1
    n = torch.round(torch.ldexp(size, fmt.mantissa - k)).long()
    limit = sign - 2**fmt.mantissa if fmt.ieee else sign - 1 - (fmt.bits == 8)
    code = ((k + bias - 1) * 2**fmt.mantissa + n).clamp(max=limit)
    return torch.where(x.isnan(), sign - 1, code) + sign * (x < 0)


# %% exercise="encode" name="through float32" score=3.428571 says="you round twice"
def encode(x, fmt):
    if not fmt.ieee and fmt.bits != 8 and x.isnan().any():
        raise ValueError("no NaN here")
    bias, sign = 2 ** (fmt.exponent - 1) - 1, 2 ** (fmt.exponent + fmt.mantissa)
    size = x.float().double().abs().clamp(max=2 * largest(fmt))
    k = torch.frexp(size.clamp(min=2.0 ** (1 - bias))).exponent.long() - 1
    n = torch.round(torch.ldexp(size, fmt.mantissa - k)).long()
    limit = sign - 2**fmt.mantissa if fmt.ieee else sign - 1 - (fmt.bits == 8)
    code = ((k + bias - 1) * 2**fmt.mantissa + n).clamp(max=limit)
    return torch.where(x.isnan(), sign - 1, code) + sign * torch.signbit(x)


# %% exercise="to_bfloat16" name="truncates" score=0.75 says="you truncate"
def to_bfloat16(x):
    rounded = x.view(torch.int32) & -0x10000
    return torch.where(x.isnan(), x, rounded.view(torch.float32))


# %% exercise="to_bfloat16" name="adds one half" score=1.875 says="adding 0x8000"
def to_bfloat16(x):
    rounded = (x.view(torch.int32) + 0x8000) & -0x10000
    return torch.where(x.isnan(), x, rounded.view(torch.float32))


# %% exercise="to_bfloat16" name="last bit forgotten" score=1.875 says="must be added too"
def to_bfloat16(x):
    rounded = (x.view(torch.int32) + 0x7FFF) & -0x10000
    return torch.where(x.isnan(), x, rounded.view(torch.float32))


# %% exercise="to_bfloat16" name="NaN not kept apart" score=2.25 says="keep NaN apart"
def to_bfloat16(x):
    bits = x.view(torch.int32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) & -0x10000).view(torch.float32)


# %% exercise="to_bfloat16" name="lower half not cleared" score=0.75 says="clear them with a mask"
def to_bfloat16(x):
    bits = x.view(torch.int32)
    rounded = bits + 0x7FFF + ((bits >> 16) & 1)
    return torch.where(x.isnan(), x, rounded.view(torch.float32))


# %% exercise="to_bfloat16" name="subnormals flushed to zero" score=2.25 says="flush subnormal numbers"
def to_bfloat16(x):
    bits = x.view(torch.int32)
    rounded = ((bits + 0x7FFF + ((bits >> 16) & 1)) & -0x10000).view(torch.float32)
    rounded = torch.where(x.abs() < 2.0**-126, 0 * x, rounded)
    return torch.where(x.isnan(), x, rounded)


# %% exercise="loss_scale" name="no absolute value" score=2.333333 says="not at the largest absolute value"
def loss_scale(grads, fmt):
    if not grads.isfinite().all():
        raise ValueError("not finite")
    peak = float(grads.max())
    return 2.0 ** math.floor(math.log2(largest(fmt) / peak)) if peak > 0 else 1.0


# %% exercise="loss_scale" name="rounds up" score=1 says="always round the exponent up"
def loss_scale(grads, fmt):
    if not grads.isfinite().all():
        raise ValueError("not finite")
    peak = float(grads.abs().max())
    return 2.0 ** math.ceil(math.log2(largest(fmt) / peak)) if peak > 0 else 1.0


# %% exercise="loss_scale" name="rounds to the nearest" score=1.666667 says="round the exponent to the nearest"
def loss_scale(grads, fmt):
    if not grads.isfinite().all():
        raise ValueError("not finite")
    peak = float(grads.abs().max())
    return 2.0 ** round(math.log2(largest(fmt) / peak)) if peak > 0 else 1.0


# %% exercise="loss_scale" name="strictly below the largest" score=2.666667 says="not 'less than'"
def loss_scale(grads, fmt):
    if not grads.isfinite().all():
        raise ValueError("not finite")
    peak = float(grads.abs().max())
    return 2.0 ** (math.ceil(math.log2(largest(fmt) / peak)) - 1) if peak > 0 else 1.0


# %% exercise="loss_scale" name="never below one" score=2.333333 says="never falls below 1"
def loss_scale(grads, fmt):
    if not grads.isfinite().all():
        raise ValueError("not finite")
    peak, scale = float(grads.abs().max()), 1.0
    while peak > 0 and 2 * scale * peak <= largest(fmt):
        scale *= 2
    return scale


# %% exercise="loss_scale" name="fp16 for every format" score=2.333333 says="largest value of fp16 for every format"
def loss_scale(grads, fmt):
    if not grads.isfinite().all():
        raise ValueError("not finite")
    peak = float(grads.abs().max())
    return 2.0 ** math.floor(math.log2(65504 / peak)) if peak > 0 else 1.0


# %% exercise="loss_scale" name="logarithm in float32" score=2.666667 says="float32 rounds it up by itself"
def loss_scale(grads, fmt):
    if not grads.isfinite().all():
        raise ValueError("not finite")
    peak = grads.abs().max()
    if peak == 0:
        return 1.0
    return 2.0 ** math.floor(math.log2(largest(fmt)) - float(torch.log2(peak)))


# %% exercise="model_bytes" name="scales forgotten" score=0.857143 says="scales are missing"
def model_bytes(parameters, bits, group=None, scale_bits=16):
    return -(-parameters * bits // 8)


# %% exercise="model_bytes" name="last group forgotten" score=1.428571 says="smaller last group"
def model_bytes(parameters, bits, group=None, scale_bits=16):
    scales = parameters // group * scale_bits if group else 0
    return -(-(parameters * bits + scales) // 8)


# %% exercise="model_bytes" name="rounds down" score=1.428571 says="you round down"
def model_bytes(parameters, bits, group=None, scale_bits=16):
    scales = -(-parameters // group) * scale_bits if group else 0
    return (parameters * bits + scales) // 8


# %% exercise="model_bytes" name="rounds twice" score=1.428571 says="separately"
def model_bytes(parameters, bits, group=None, scale_bits=16):
    scales = -(-parameters // group) * scale_bits if group else 0
    return -(-parameters * bits // 8) + -(-scales // 8)


# %% exercise="model_bytes" name="one scale for all" score=0.857143 says="one scale for the whole model"
def model_bytes(parameters, bits, group=None, scale_bits=16):
    scales = scale_bits if group else 0
    return -(-(parameters * bits + scales) // 8)


# %% exercise="model_bytes" name="scales always 16 bits" score=1.142857 says="every scale for 16 bits"
def model_bytes(parameters, bits, group=None, scale_bits=16):
    scales = -(-parameters // group) * 16 if group else 0
    return -(-(parameters * bits + scales) // 8)


# %% exercise="model_bytes" name="bits for bytes" score=0 says="these are bits"
def model_bytes(parameters, bits, group=None, scale_bits=16):
    scales = -(-parameters // group) * scale_bits if group else 0
    return parameters * bits + scales


# %% exercise="encode" name="zero has no binade" score=3.428571 says="zero must get the code 0"
def encode(x, fmt):
    if not fmt.ieee and fmt.bits != 8 and x.isnan().any():
        raise ValueError("no NaN here")
    bias, sign = 2 ** (fmt.exponent - 1) - 1, 2 ** (fmt.exponent + fmt.mantissa)
    size = x.double().abs().clamp(max=2 * largest(fmt))
    k = (torch.frexp(size).exponent.long() - 1).clamp(min=1 - bias)
    n = torch.round(torch.ldexp(size, fmt.mantissa - k)).long()
    limit = sign - 2**fmt.mantissa if fmt.ieee else sign - 1 - (fmt.bits == 8)
    code = ((k + bias - 1) * 2**fmt.mantissa + n).clamp(max=limit)
    return torch.where(x.isnan(), sign - 1, code) + sign * torch.signbit(x)
