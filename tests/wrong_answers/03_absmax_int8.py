# The usual slips of lesson 03.  Every cell runs and returns the right types; `says` is a phrase of the diagnosis it must meet.

# %% exercise="absmax_quantize" name="truncates" score=2.391304 says="truncate toward zero"
def absmax_quantize(x, bits=8):
    require_finite(x)
    x = x.float()
    scale = x.abs().amax() / (2 ** (bits - 1) - 1)
    scale = torch.where(scale > 0, scale, 1.0)
    return (x / scale).to(torch.int8), scale


def dequantize(codes, scale, zero_point=0):
    return (codes.float() - zero_point) * scale


# %% exercise="absmax_quantize" name="maximum without abs" score=3.26087 says="largest magnitude"
def absmax_quantize(x, bits=8):
    require_finite(x)
    x = x.float()
    largest_code = 2 ** (bits - 1) - 1
    scale = x.amax() / largest_code
    scale = torch.where(scale > 0, scale, 1.0)
    return (x / scale).round().clamp(-largest_code, largest_code).to(torch.int8), scale


def dequantize(codes, scale, zero_point=0):
    return (codes.float() - zero_point) * scale


# %% exercise="absmax_quantize" name="scale is the inverse step" score=1.521739 says="multiplies x"
def absmax_quantize(x, bits=8):
    require_finite(x)
    x = x.float()
    top = x.abs().amax()
    scale = (2 ** (bits - 1) - 1) / torch.where(top > 0, top, 1.0)
    return (x * scale).round().to(torch.int8), scale


def dequantize(codes, scale, zero_point=0):
    return (codes.float() - zero_point) / scale


# %% exercise="absmax_quantize" name="128 levels" score=1.956522 says="the largest code is 127"
def absmax_quantize(x, bits=8):
    require_finite(x)
    x = x.float()
    scale = x.abs().amax() / 2 ** (bits - 1)
    scale = torch.where(scale > 0, scale, 1.0)
    return (x / scale).round().to(torch.int8), scale


def dequantize(codes, scale, zero_point=0):
    return (codes.float() - zero_point) * scale


# %% exercise="absmax_quantize" name="ignores bits" score=4.130435 says="ignore bits"
def absmax_quantize(x, bits=8):
    require_finite(x)
    x = x.float()
    scale = x.abs().amax() / 127
    scale = torch.where(scale > 0, scale, 1.0)
    return (x / scale).round().to(torch.int8), scale


def dequantize(codes, scale, zero_point=0):
    return (codes.float() - zero_point) * scale


# %% exercise="absmax_quantize" name="halves away from zero" score=4.130435 says="halves away from zero"
def absmax_quantize(x, bits=8):
    require_finite(x)
    x = x.float()
    scale = x.abs().amax() / (2 ** (bits - 1) - 1)
    scale = torch.where(scale > 0, scale, 1.0)
    return (torch.sign(x) * torch.floor(x.abs() / scale + 0.5)).to(torch.int8), scale


def dequantize(codes, scale, zero_point=0):
    return (codes.float() - zero_point) * scale


# %% exercise="absmax_quantize" name="int8 codes kept in float32" score=1.956522 says="float codes"
def absmax_quantize(x, bits=8):
    require_finite(x)
    x = x.float()
    scale = x.abs().amax() / (2 ** (bits - 1) - 1)
    scale = torch.where(scale > 0, scale, 1.0)
    return (x / scale).round(), scale


def dequantize(codes, scale, zero_point=0):
    return (codes.float() - zero_point) * scale


# %% exercise="absmax_quantize" name="zero tensor divides by zero" score=4.565217 says="scale of a zero tensor is 0"
def absmax_quantize(x, bits=8):
    require_finite(x)
    x = x.float()
    scale = x.abs().amax() / (2 ** (bits - 1) - 1)
    return (x / scale).round().to(torch.int8), scale


def dequantize(codes, scale, zero_point=0):
    return (codes.float() - zero_point) * scale


# %% exercise="absmax_quantize" name="stays in float16" score=4.565217 says="float16"
def absmax_quantize(x, bits=8):
    require_finite(x)
    scale = x.abs().amax() / (2 ** (bits - 1) - 1)
    scale = torch.where(scale > 0, scale, torch.ones_like(scale))
    return (x / scale).round().to(torch.int8), scale


def dequantize(codes, scale, zero_point=0):
    return (codes.float() - zero_point) * scale


# %% exercise="absmax_quantize" name="zero point subtracted in uint8" score=4.565217 says="wraps round to 201"
def absmax_quantize(x, bits=8):
    require_finite(x)
    x = x.float()
    scale = x.abs().amax() / (2 ** (bits - 1) - 1)
    scale = torch.where(scale > 0, scale, 1.0)
    return (x / scale).round().to(torch.int8), scale


def dequantize(codes, scale, zero_point=0):
    return (codes - zero_point) * scale


# %% exercise="affine_quantize" name="range from min to max without zero" score=3.111111 says="until it includes 0"
def affine_quantize(x):
    require_finite(x)
    x = x.float()
    low, high = x.amin(), x.amax()
    scale = (high - low) / 255
    scale = torch.where(scale > 0, scale, 1.0)
    zero_point = int((-low / scale).round().clamp(0, 255))
    return ((x / scale).round() + zero_point).clamp(0, 255).to(torch.uint8), scale, zero_point


# %% exercise="affine_quantize" name="256 steps" score=0.888889 says="255 steps"
def affine_quantize(x):
    require_finite(x)
    x = x.float()
    low, high = x.amin().clamp(max=0), x.amax().clamp(min=0)
    scale = (high - low) / 256
    scale = torch.where(scale > 0, scale, 1.0)
    zero_point = int((-low / scale).round().clamp(0, 255))
    return ((x / scale).round() + zero_point).clamp(0, 255).to(torch.uint8), scale, zero_point


# %% exercise="affine_quantize" name="zero point as a float tensor" score=2.222222 says="it is a code"
def affine_quantize(x):
    require_finite(x)
    x = x.float()
    low, high = x.amin().clamp(max=0), x.amax().clamp(min=0)
    scale = (high - low) / 255
    scale = torch.where(scale > 0, scale, 1.0)
    zero_point = -low / scale
    return (x / scale + zero_point).round().clamp(0, 255).to(torch.uint8), scale, zero_point


# %% exercise="affine_quantize" name="does not add the zero point" score=1.333333 says="forget to add the zero point"
def affine_quantize(x):
    require_finite(x)
    x = x.float()
    low, high = x.amin().clamp(max=0), x.amax().clamp(min=0)
    scale = (high - low) / 255
    scale = torch.where(scale > 0, scale, 1.0)
    return (x / scale).round().clamp(0, 255).to(torch.uint8), scale, int((-low / scale).round())


# %% exercise="affine_quantize" name="truncates" score=2.222222 says="truncate toward zero"
def affine_quantize(x):
    require_finite(x)
    x = x.float()
    low, high = x.amin().clamp(max=0), x.amax().clamp(min=0)
    scale = (high - low) / 255
    scale = torch.where(scale > 0, scale, 1.0)
    zero_point = int((-low / scale).round())
    return ((x / scale).trunc() + zero_point).clamp(0, 255).to(torch.uint8), scale, zero_point


# %% exercise="affine_quantize" name="no clamp" score=3.555556 says="clamp to 0..255"
def affine_quantize(x):
    require_finite(x)
    x = x.float()
    low, high = x.amin().clamp(max=0), x.amax().clamp(min=0)
    scale = (high - low) / 255
    scale = torch.where(scale > 0, scale, 1.0)
    zero_point = int((-low / scale).round())
    return ((x / scale).round() + zero_point).to(torch.int32).to(torch.uint8), scale, zero_point


# %% exercise="affine_quantize" name="sign of the zero point" score=1.333333 says="sign of your zero point"
def affine_quantize(x):
    require_finite(x)
    x = x.float()
    low, high = x.amin().clamp(max=0), x.amax().clamp(min=0)
    scale = (high - low) / 255
    scale = torch.where(scale > 0, scale, 1.0)
    zero_point = int((low / scale).round())
    return ((x / scale).round() - zero_point).clamp(0, 255).to(torch.uint8), scale, zero_point


# %% exercise="quantize_rows" name="a scale per column" score=0.3 says="one scale per column"
def quantize_rows(w, bits=8):
    require_finite(w)
    w = w.float()
    scale = w.abs().amax(dim=0, keepdim=True) / (2 ** (bits - 1) - 1)
    scale = torch.where(scale > 0, scale, 1.0)
    return (w / scale).round().to(torch.int8), scale


# %% exercise="quantize_rows" name="one scale for all" score=0.3 says="one scale for the whole matrix"
def quantize_rows(w, bits=8):
    require_finite(w)
    w = w.float()
    scale = w.abs().amax() / (2 ** (bits - 1) - 1)
    scale = torch.where(scale > 0, scale, 1.0).expand(len(w), 1).clone()
    return (w / scale).round().to(torch.int8), scale


# %% exercise="quantize_rows" name="drops the axis" score=0.6 says="keep the axis"
def quantize_rows(w, bits=8):
    require_finite(w)
    w = w.float()
    scale = w.abs().amax(dim=1) / (2 ** (bits - 1) - 1)
    scale = torch.where(scale > 0, scale, 1.0)
    return (w / scale[:, None]).round().to(torch.int8), scale


# %% exercise="quantize_rows" name="zero row divides by zero" score=2.4 says="a row of zeros gets scale 0"
def quantize_rows(w, bits=8):
    require_finite(w)
    w = w.float()
    scale = w.abs().amax(dim=1, keepdim=True) / (2 ** (bits - 1) - 1)
    return (w / scale).round().to(torch.int8), scale


# %% exercise="quantize_rows" name="one zero row resets every scale" score=2.4 says="scale 1 for all rows"
def quantize_rows(w, bits=8):
    require_finite(w)
    w = w.float()
    scale = w.abs().amax(dim=1, keepdim=True) / (2 ** (bits - 1) - 1)
    if (scale == 0).any():
        scale = torch.ones_like(scale)
    return (w / scale).round().to(torch.int8), scale


# %% exercise="quantize_rows" name="maximum without abs" score=0.9 says="largest magnitude"
def quantize_rows(w, bits=8):
    require_finite(w)
    w = w.float()
    top = 2 ** (bits - 1) - 1
    scale = w.amax(dim=1, keepdim=True) / top
    scale = torch.where(scale > 0, scale, 1.0)
    return (w / scale).round().clamp(-top, top).to(torch.int8), scale


# %% exercise="quantize_rows" name="truncates" score=1.2 says="truncate toward zero"
def quantize_rows(w, bits=8):
    require_finite(w)
    w = w.float()
    scale = w.abs().amax(dim=1, keepdim=True) / (2 ** (bits - 1) - 1)
    scale = torch.where(scale > 0, scale, 1.0)
    return (w / scale).to(torch.int8), scale


# %% exercise="quantize_rows" name="ignores bits" score=2.1 says="ignore bits"
def quantize_rows(w, bits=8):
    require_finite(w)
    w = w.float()
    scale = w.abs().amax(dim=1, keepdim=True) / 127
    scale = torch.where(scale > 0, scale, 1.0)
    return (w / scale).round().to(torch.int8), scale


# %% exercise="quantize_groups" name="groups down the columns" score=0.3 says="run down the columns"
def quantize_groups(w, group, bits=4):
    require_finite(w)
    rows, columns = w.shape
    blocks = F.pad(w.float().T, (0, -rows % group)).reshape(-1, group)
    codes, scale = quantize_rows(blocks, bits)
    return codes.reshape(columns, -1)[:, :rows].T.contiguous(), scale.reshape(columns, -1).T.contiguous()


# %% exercise="quantize_groups" name="every second column" score=0.9 says="run of neighbouring columns"
def quantize_groups(w, group, bits=4):
    rows, columns = w.shape
    padded = F.pad(w, (0, -columns % group))
    blocks = padded.reshape(rows, group, -1).transpose(1, 2)
    codes, scale = quantize_rows(blocks.reshape(-1, group), bits)
    codes = codes.reshape(rows, -1, group).transpose(1, 2).reshape(rows, -1)
    return codes[:, :columns].contiguous(), scale.reshape(rows, -1)


# %% exercise="quantize_groups" name="keeps the padding" score=1.2 says="return the padding"
def quantize_groups(w, group, bits=4):
    rows, columns = w.shape
    blocks = F.pad(w, (0, -columns % group)).reshape(-1, group)
    codes, scale = quantize_rows(blocks, bits)
    return codes.reshape(rows, -1), scale.reshape(rows, -1)


# %% exercise="quantize_groups" name="drops the leftover columns" score=1.2 says="left over after the last whole group"
def quantize_groups(w, group, bits=4):
    require_finite(w)
    rows, columns = w.shape
    whole = max(columns // group, 1) * group
    blocks = F.pad(w, (0, max(whole - columns, 0)))[:, :whole].reshape(-1, group)
    codes, scale = quantize_rows(blocks, bits)
    return codes.reshape(rows, -1)[:, :columns].contiguous(), scale.reshape(rows, -1)


# %% exercise="quantize_groups" name="parts of equal length" score=1.8 says="nearly equal length"
def quantize_groups(w, group, bits=4):
    parts = torch.tensor_split(w, math.ceil(w.shape[1] / group), dim=1)
    done = [quantize_rows(part, bits) for part in parts]
    return torch.cat([codes for codes, _ in done], 1), torch.cat([scale for _, scale in done], 1)


# %% exercise="quantize_groups" name="8 as the largest code" score=0.9 says="largest 4-bit code is 7"
def quantize_groups(w, group, bits=4):
    require_finite(w)
    rows, columns = w.shape
    top = 2 ** (bits - 1)
    blocks = F.pad(w.float(), (0, -columns % group)).reshape(rows, -1, group)
    scale = blocks.abs().amax(2) / top
    scale = torch.where(scale > 0, scale, 1.0)
    codes = (blocks / scale[..., None]).round().clamp(-top, top - 1).to(torch.int8)
    return codes.reshape(rows, -1)[:, :columns].contiguous(), scale


# %% exercise="quantize_groups" name="one scale per row" score=1.2 says="one scale per row"
def quantize_groups(w, group, bits=4):
    codes, scale = quantize_rows(w, bits)
    return codes, scale.repeat(1, math.ceil(w.shape[1] / group))


# %% exercise="pack4" name="earlier code in the high nibble" score=0.272727 says="into the high nibble"
def pack4(codes):
    if codes.min() < -8 or codes.max() > 7:
        raise ValueError("4-bit codes lie in -8..7")
    nibbles = codes.flatten().to(torch.uint8) & 15
    nibbles = F.pad(nibbles, (0, len(nibbles) % 2))
    return (nibbles[0::2] << 4) | nibbles[1::2]


def unpack4(packed, shape):
    nibbles = torch.stack([packed >> 4, packed & 15], 1).flatten()[: math.prod(shape)].to(torch.int8)
    return torch.where(nibbles > 7, nibbles - 16, nibbles).reshape(shape)


# %% exercise="pack4" name="no mask" score=1.363636 says="floods the high nibble"
def pack4(codes):
    if codes.min() < -8 or codes.max() > 7:
        raise ValueError("4-bit codes lie in -8..7")
    flat = codes.flatten()
    flat = F.pad(flat, (0, len(flat) % 2)).to(torch.int16)
    return (flat[0::2] | (flat[1::2] << 4)).to(torch.uint8)


def unpack4(packed, shape):
    nibbles = torch.stack([packed & 15, packed >> 4], 1).flatten()[: math.prod(shape)].to(torch.int8)
    return torch.where(nibbles > 7, nibbles - 16, nibbles).reshape(shape)


# %% exercise="pack4" name="offset by 8" score=0.272727 says="two's complement adds 16"
def pack4(codes):
    if codes.min() < -8 or codes.max() > 7:
        raise ValueError("4-bit codes lie in -8..7")
    nibbles = (codes.flatten() + 8).to(torch.uint8)
    nibbles = F.pad(nibbles, (0, len(nibbles) % 2))
    return nibbles[0::2] | (nibbles[1::2] << 4)


def unpack4(packed, shape):
    nibbles = torch.stack([packed & 15, packed >> 4], 1).flatten()[: math.prod(shape)]
    return (nibbles.to(torch.int8) - 8).reshape(shape)


# %% exercise="pack4" name="loses the odd code" score=1.909091 says="lose the last code"
def pack4(codes):
    if codes.min() < -8 or codes.max() > 7:
        raise ValueError("4-bit codes lie in -8..7")
    nibbles = codes.flatten().to(torch.uint8) & 15
    pairs = len(nibbles) // 2
    return nibbles[0 : 2 * pairs : 2] | (nibbles[1 : 2 * pairs : 2] << 4)


def unpack4(packed, shape):
    nibbles = torch.stack([packed & 15, packed >> 4], 1).flatten()[: math.prod(shape)].to(torch.int8)
    return torch.where(nibbles > 7, nibbles - 16, nibbles).reshape(shape)


# %% exercise="pack4" name="one code a byte" score=0.272727 says="one code per byte"
def pack4(codes):
    if codes.min() < -8 or codes.max() > 7:
        raise ValueError("4-bit codes lie in -8..7")
    return codes.flatten().to(torch.uint8) & 15


def unpack4(packed, shape):
    nibbles = packed[: math.prod(shape)].to(torch.int8)
    return torch.where(nibbles > 7, nibbles - 16, nibbles).reshape(shape)


# %% exercise="pack4" name="signs are not restored" score=1.909091 says="do not restore the sign"
def pack4(codes):
    if codes.min() < -8 or codes.max() > 7:
        raise ValueError("4-bit codes lie in -8..7")
    nibbles = codes.flatten().to(torch.uint8) & 15
    nibbles = F.pad(nibbles, (0, len(nibbles) % 2))
    return nibbles[0::2] | (nibbles[1::2] << 4)


def unpack4(packed, shape):
    nibbles = torch.stack([packed & 15, packed >> 4], 1).flatten()[: math.prod(shape)]
    return nibbles.to(torch.int8).reshape(shape)


# %% exercise="pack4" name="low nibbles before high ones" score=1.909091 says="they alternate"
def pack4(codes):
    if codes.min() < -8 or codes.max() > 7:
        raise ValueError("4-bit codes lie in -8..7")
    nibbles = codes.flatten().to(torch.uint8) & 15
    nibbles = F.pad(nibbles, (0, len(nibbles) % 2))
    return nibbles[0::2] | (nibbles[1::2] << 4)


def unpack4(packed, shape):
    nibbles = torch.cat([packed & 15, packed >> 4])[: math.prod(shape)].to(torch.int8)
    return torch.where(nibbles > 7, nibbles - 16, nibbles).reshape(shape)


# %% exercise="int8_linear" name="adds up in int8" score=1.153846 says="add up in int8"
def int8_linear(x, codes, scale, bias=None):
    x_codes, x_scale = quantize_rows(x)
    y = (x_codes @ codes.T).float() * x_scale * scale.T
    return y if bias is None else y + bias


# %% exercise="int8_linear" name="adds up in int16" score=2.692308 says="add up in int16"
def int8_linear(x, codes, scale, bias=None):
    x_codes, x_scale = quantize_rows(x)
    y = (x_codes.to(torch.int16) @ codes.to(torch.int16).T).float() * x_scale * scale.T
    return y if bias is None else y + bias


# %% exercise="int8_linear" name="adds up in float32" score=4.230769 says="add up in float32"
def int8_linear(x, codes, scale, bias=None):
    x_codes, x_scale = quantize_rows(x)
    y = (x_codes.float() @ codes.float().T) * x_scale * scale.T
    return y if bias is None else y + bias


# %% exercise="int8_linear" name="float activations" score=2.692308 says="float activations"
def int8_linear(x, codes, scale, bias=None):
    require_finite(x)
    y = x @ (codes * scale).T
    return y if bias is None else y + bias


# %% exercise="int8_linear" name="one scale for all rows of x" score=3.461538 says="one scale for all rows of x"
def int8_linear(x, codes, scale, bias=None):
    require_finite(x)
    top = x.abs().amax()
    x_scale = torch.where(top > 0, top / 127, 1.0)
    x_codes = (x / x_scale).round().to(torch.int32)
    y = (x_codes @ codes.to(torch.int32).T) * x_scale * scale.T
    return y if bias is None else y + bias


# %% exercise="int8_linear" name="weight scale along the wrong axis" score=3.461538 says="it belongs to the columns"
def int8_linear(x, codes, scale, bias=None):
    x_codes, x_scale = quantize_rows(x)
    y = (x_codes.to(torch.int32) @ codes.to(torch.int32).T).float() * x_scale
    y = y * scale if len(x) == len(codes) else y * scale.T
    return y if bias is None else y + bias


# %% exercise="int8_linear" name="bias before the rescale" score=3.461538 says="add the bias before you rescale"
def int8_linear(x, codes, scale, bias=None):
    x_codes, x_scale = quantize_rows(x)
    total = (x_codes.to(torch.int32) @ codes.to(torch.int32).T).float()
    if bias is not None:
        total = total + bias
    return total * x_scale * scale.T


# %% exercise="int8_linear" name="no bias" score=3.461538 says="forget the bias"
def int8_linear(x, codes, scale, bias=None):
    x_codes, x_scale = quantize_rows(x)
    return (x_codes.to(torch.int32) @ codes.to(torch.int32).T) * x_scale * scale.T


# %% exercise="int8_linear" name="forgets the scale of x" score=1.923077 says="scale of the activations"
def int8_linear(x, codes, scale, bias=None):
    x_codes, x_scale = quantize_rows(x)
    y = (x_codes.to(torch.int32) @ codes.to(torch.int32).T) * scale.T
    return y if bias is None else y + bias
