# Other right answers of lesson 03: loops, numpy, other algorithms.  Each keeps full marks.

# %% exercise="absmax_quantize" name="one number at a time"
def absmax_quantize(x, bits=8):
    numbers = [float(v) for v in x.flatten()]
    if not all(math.isfinite(v) for v in numbers):
        raise ValueError("NaN or infinity")
    top = 2 ** (bits - 1) - 1
    scale = max(abs(v) for v in numbers) / top or 1.0
    codes = torch.tensor([round(v / scale) for v in numbers], dtype=torch.int8)
    return codes.reshape(x.shape), torch.tensor(scale, dtype=torch.float32)


def dequantize(codes, scale, zero_point=0):
    return codes.to(torch.float32) * scale - zero_point * scale


# %% exercise="absmax_quantize" name="numpy, and multiplying by the inverse"
def absmax_quantize(x, bits=8):
    import numpy as np

    values = x.double().numpy()
    if not np.isfinite(values).all():
        raise ValueError("NaN or infinity")
    top = 2 ** (bits - 1) - 1
    reach = np.abs(values).max()
    if reach == 0:
        return torch.zeros(x.shape, dtype=torch.int8), torch.tensor(1.0)
    codes = torch.as_tensor(np.rint(values * (top / reach)).astype(np.int8)).reshape(x.shape)
    return codes, torch.tensor(float(reach / top), dtype=torch.float32)


def dequantize(codes, scale, zero_point=0):
    return ((codes.long() - zero_point).double() * scale.double()).float()


# %% exercise="affine_quantize" name="rounds after adding the zero point"
def affine_quantize(x):
    if not bool(torch.isfinite(x).all()):
        raise ValueError("NaN or infinity")
    x = x.double()
    low, high = min(float(x.min()), 0.0), max(float(x.max()), 0.0)
    scale = (high - low) / 255 or 1.0
    zero_point = min(max(round(-low / scale), 0), 255)
    codes = torch.round(x / scale + zero_point).clamp(0, 255).to(torch.uint8)
    return codes, torch.tensor(scale, dtype=torch.float32), zero_point


# %% exercise="affine_quantize" name="one number at a time"
def affine_quantize(x):
    numbers = [float(v) for v in x.flatten()]
    if any(v != v or v in (math.inf, -math.inf) for v in numbers):
        raise ValueError("NaN or infinity")
    low, high = min([0.0, *numbers]), max([0.0, *numbers])
    scale = (high - low) / 255 if high > low else 1.0
    zero_point = int(round(-low / scale))
    codes = [min(max(round(v / scale) + zero_point, 0), 255) for v in numbers]
    return torch.tensor(codes, dtype=torch.uint8).reshape(x.shape), torch.tensor(scale), zero_point


# %% exercise="quantize_rows" name="row by row"
def quantize_rows(w, bits=8):
    top = 2 ** (bits - 1) - 1
    codes, scales = torch.zeros(w.shape, dtype=torch.int8), torch.ones(len(w), 1)
    for i, row in enumerate(w.tolist()):
        if not all(math.isfinite(v) for v in row):
            raise ValueError("NaN or infinity")
        step = max(abs(v) for v in row) / top or 1.0
        scales[i, 0] = step
        codes[i] = torch.tensor([round(v / step) for v in row], dtype=torch.int8)
    return codes, scales


# %% exercise="quantize_groups" name="group by group"
def quantize_groups(w, group, bits=4):
    top = 2 ** (bits - 1) - 1
    parts = w.float().split(group, dim=1)
    codes, scales = [], []
    for part in parts:
        if not torch.isfinite(part).all():
            raise ValueError("NaN or infinity")
        scale = part.abs().max(dim=1, keepdim=True).values / top
        scale[scale == 0] = 1
        codes.append(torch.round(part / scale).to(torch.int8))
        scales.append(scale)
    return torch.cat(codes, 1), torch.cat(scales, 1)


# %% exercise="pack4" name="arithmetic on Python numbers"
def pack4(codes):
    numbers = codes.flatten().tolist()
    if any(c < -8 or c > 7 for c in numbers):
        raise ValueError("4-bit codes lie in -8..7")
    numbers += [0] * (len(numbers) % 2)
    packed = [(low % 16) + 16 * (high % 16) for low, high in zip(numbers[::2], numbers[1::2])]
    return torch.tensor(packed, dtype=torch.uint8)


def unpack4(packed, shape):
    codes = []
    for byte in packed.tolist():
        codes += [(byte % 16 + 8) % 16 - 8, (byte // 16 + 8) % 16 - 8]
    return torch.tensor(codes[: math.prod(shape)], dtype=torch.int8).reshape(shape)


# %% exercise="pack4" name="numpy, with the sign bit flipped"
def pack4(codes):
    flat = codes.flatten().numpy()
    if flat.min() < -8 or flat.max() > 7:
        raise ValueError("4-bit codes lie in -8..7")
    import numpy as np

    nibbles = np.zeros(2 * math.ceil(len(flat) / 2), dtype=np.uint8)
    nibbles[: len(flat)] = flat.view(np.uint8) & 15
    return torch.from_numpy(nibbles[0::2] + 16 * nibbles[1::2])


def unpack4(packed, shape):
    nibbles = torch.stack([packed & 15, packed >> 4], 1).flatten()[: math.prod(shape)].to(torch.int8)
    return ((nibbles ^ 8) - 8).reshape(shape)


# %% exercise="int8_linear" name="float64 sums, which hold these integers exactly"
def int8_linear(x, codes, scale, bias=None):
    require_finite(x)
    top = x.abs().amax(1, keepdim=True)
    x_scale = torch.where(top > 0, top, 127.0) / 127
    y = (torch.round(x / x_scale).double() @ codes.double().T) * x_scale * scale.T
    return (y if bias is None else y + bias).float()


# %% exercise="int8_linear" name="int64, neuron by neuron"
def int8_linear(x, codes, scale, bias=None):
    x_codes, x_scale = quantize_rows(x)
    columns = [(x_codes.long() * row.long()).sum(1) * x_scale[:, 0] * step for row, step in zip(codes, scale[:, 0])]
    y = torch.stack(columns, dim=1)
    return y if bias is None else y + bias


# %% exercise="absmax_quantize" mutant="line 21: clamp() dropped in '(x / scale).round().clamp(-largest_code, largest_code)'" because="max|x| / (max|x| / 127) rounds to 127 for every scale that is a normal float32; only subnormal scales need the clamp"

# %% exercise="quantize_rows" mutant="line 20: clamp() dropped in '(w / scale).round().clamp(-largest_code, largest_code)'" because="max|w| / (max|w| / 127) rounds to 127 for every scale that is a normal float32; only subnormal scales need the clamp"

# %% exercise="affine_quantize" mutant="line 22: 0 -> -1 in '((x / scale).round() + zero_point).clamp(0, 255)'" because="round(low / scale) + round(-low / scale) is never below 0, as rounding half to even is symmetric"
