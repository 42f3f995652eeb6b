"""What networks do, by the definition in docs/formats.md, from their files: for judge_NAME.py."""
import numpy

from judge import require


def pool(positions, g, overlap, shared=0):
    """which positions, rows or columns, each of g regions has"""
    if shared:
        return [range(max(0, positions * k // g - overlap), min(positions, -(-positions * (k + 1) // g) + overlap)) for k in range(g)]
    return [range(max(0, part[0] - overlap), min(positions, part[-1] + 1 + overlap))
            for part in numpy.array_split(range(positions), g)]


def patches(images, group):
    """rows x columns x n x f"""
    g = dict(group.attrs)
    r = int(g.get('reduce', 1))
    n, channels, height, width = images.shape
    height, width = height // r, width // r
    x = images[:, :, :height * r, :width * r].astype(float).reshape(n, channels, height, r, width, r).mean((3, 5))
    ph, pw, stride = (int(g[k]) for k in ('patch_height', 'patch_width', 'stride'))
    rows, columns = (height - ph) // stride + 1, (width - pw) // stride + 1
    p = numpy.array([[x[:, :, i * stride:i * stride + ph, j * stride:j * stride + pw].reshape(n, -1)
                      for j in range(columns)] for i in range(rows)])
    p = (p - g['pixel_shift']) / g['pixel_scale']
    if g['patch_normalize'] > 0:
        variance = p.var(-1, keepdims=True) + g['patch_normalize'] / g['pixel_scale'] ** 2
        p = (p - p.mean(-1, keepdims=True)) / numpy.sqrt(variance)
    if 'preprocess' in group:
        p = (p - group['preprocess/mean'][:]) @ group['preprocess/transform'][:]
    return p


def scores_of(file, images, path):
    """of an open model: n x classes, and the sum of |weights|; filters are those of unit length that their branch's patches allow.
    images: what patches are cut of, or a list of pairs: the images and None, the map of each stage and its responses"""
    b, c = file.attrs['activation'][1:]
    filters, weights = file['/neurons/filter'][:], file['/neurons/weight'][:]
    regions, classes = file['/neurons/region'][:], file['/neurons/class'][:]
    inputs = images if isinstance(images, list) else [(images, None)]
    groups = [file[f'/branch/{k}'] for k in range(file.attrs['branches'])] if file.attrs['branches'] > 1 else [file]
    result, region = numpy.zeros((len(inputs[0][0]), len(file.attrs['classes']))), 0
    for group in groups:
        a = 0 if group.attrs.get('lift', 0) == 1 else file.attrs['activation'][0]
        images = inputs[group.attrs.get('of_stage', 0) or -1][group.attrs.get('responses', 0)]
        p, g, overlap = patches(images, group), int(group.attrs['pool']), int(group.attrs.get('pool_overlap', 0))
        shared = group.attrs.get('pool_shared', 0)
        for rows in pool(p.shape[0], g, overlap, shared):
            for columns in pool(p.shape[1], g, overlap, shared):
                x = p[numpy.ix_(rows, columns)].reshape(-1, len(images), p.shape[-1])
                for k in numpy.flatnonzero(regions == region):
                    own = filters[k, :p.shape[-1]]
                    require(abs((own**2).sum() - 1) <= 1e-12 and not filters[k, p.shape[-1]:].any(), path, 'filter', k)
                    u = x @ own
                    result[:, classes[k]] += weights[k] * (a * u * u + b * u + c).mean(0)
                region += 1
    return result, abs(weights).sum()
