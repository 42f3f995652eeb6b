"""Pictures for pages: curves, bars and grids as SVG, whose colours are those of the page's style, and filters as PNG."""
import base64
import math
import struct
import zlib

import numpy

from .markup import Markup, tag

WIDTH, LEFT, RIGHT, TOP, BOTTOM = 720, 64, 16, 10, 38


def short(value):
    """A number for a label: four digits."""
    return f'{value:.4g}'


class Axis:
    """Values to pixels, evenly or by their logarithms, and where the ticks are."""

    def __init__(self, values, begin, end, logarithmic=False):
        values = [value for value in values if math.isfinite(value) and (value > 0 or not logarithmic)]
        self.logarithmic = logarithmic
        low, high = (min(values), max(values)) if values else (1.0, 1.0)
        low, high = (math.log10(low), math.log10(high)) if logarithmic else (low, high)
        if high <= low:
            low, high = low - (abs(low) or 1) / 2, high + (abs(high) or 1) / 2
        margin = (high - low) / 25
        self.low, self.high, self.begin, self.end = low - margin, high + margin, begin, end

    def __call__(self, value):
        value = math.log10(value) if self.logarithmic else value
        return round(self.begin + (self.end - self.begin) * (value - self.low) / (self.high - self.low), 2)

    def ticks(self):
        """Values and their labels."""
        if self.logarithmic and self.high - self.low >= 1:
            step = max(1, math.ceil((self.high - self.low) / 6))
            return [(10.0**k, f'1e{k}') for k in range(math.ceil(self.low), math.floor(self.high) + 1, step)]
        low, high = (10**self.low, 10**self.high) if self.logarithmic else (self.low, self.high)
        raw = (high - low) / 7
        unit = 10.0**math.floor(math.log10(raw))
        step = next(unit * factor for factor in (1, 2, 5, 10) if unit * factor >= raw)
        return [(k * step, short(k * step)) for k in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _frame(x, y, x_label, y_label, height):
    bottom = height - BOTTOM
    parts = []
    for value, label in x.ticks():
        parts += [tag('line', x1=x(value), x2=x(value), y1=TOP, y2=bottom, class_='grid'),
                  tag('text', label, x=x(value), y=bottom + 16, text_anchor='middle')]
    for value, label in y.ticks():
        parts += [tag('line', x1=LEFT, x2=WIDTH - RIGHT, y1=y(value), y2=y(value), class_='grid'),
                  tag('text', label, x=LEFT - 6, y=y(value) + 4, text_anchor='end')]
    middle = (TOP + bottom) / 2
    return parts + [tag('text', x_label, x=(LEFT + WIDTH - RIGHT) / 2, y=height - 4, text_anchor='middle'),
                    tag('text', y_label, x=12, y=middle, text_anchor='middle', transform=f'rotate(-90 12 {middle})')]


def curves(series, x_label, y_label, log_x=False, log_y=False, falling_x=False, mark=None, height=250):
    """Curves of points. series: of name, class of the style, and points (x, y), a single one is a larger mark, and without a name it is not in the key; those that an axis cannot
    have are left out. mark: an x with a line across, and what it says."""
    def has(value, logarithmic):
        return value is not None and math.isfinite(value) and (value > 0 or not logarithmic)

    series = [(name, kind, [point for point in points if has(point[0], log_x) and has(point[1], log_y)]) for name, kind, points in series]
    everything = [point for _, _, points in series for point in points]
    ends = (WIDTH - RIGHT, LEFT) if falling_x else (LEFT, WIDTH - RIGHT)
    x = Axis([point[0] for point in everything], *ends, log_x)
    y = Axis([point[1] for point in everything], height - BOTTOM, TOP, log_y)
    parts, key = _frame(x, y, x_label, y_label, height), []
    if mark and has(mark[0], log_x):
        parts.append(tag('line', x1=x(mark[0]), x2=x(mark[0]), y1=TOP, y2=height - BOTTOM, class_='mark'))
        key.append(tag('span', tag('span', class_='key across'), mark[1]))
    for name, kind, points in series:
        if len(points) > 1:
            parts.append(tag('polyline', points=' '.join(f'{x(a)},{y(b)}' for a, b in points), class_='curve ' + kind))
        radius = 5 if len(points) == 1 else 2
        parts += [tag('circle', tag('title', f'{name}: {short(a)}, {short(b)}'), cx=x(a), cy=y(b), r=radius, class_='dot ' + kind)
                  for a, b in points] if len(points) <= 400 else []
        key.append(tag('span', tag('span', class_='key ' + kind), name) if name else None)
    drawing = tag('svg', parts, viewBox=f'0 0 {WIDTH} {height}', role='img', aria_label=f'{y_label} against {x_label}')
    return tag('figure', tag('figcaption', key), drawing)


def bars(rows, unit):
    """Horizontal bars: rows of a name, a value, what is said beside it, and another value that is marked, or None."""
    line, left, right = 24, 190, 210
    largest = max([value for _, value, _, _ in rows] + [other for _, _, _, other in rows if other] + [1e-300])
    scale = (WIDTH - left - right) / largest
    parts = []
    for k, (name, value, said, other) in enumerate(rows):
        top = k * line
        parts += [tag('text', name, x=left - 8, y=top + 16, text_anchor='end'),
                  tag('rect', x=left, y=top + 3, width=round(max(value * scale, 1), 2), height=line - 7, class_='bar'),
                  tag('text', said, x=round(left + max(value, other or 0) * scale + 8, 2), y=top + 16)]
        if other is not None:
            place = round(left + other * scale, 2)
            parts.append(tag('line', x1=place, x2=place, y1=top, y2=top + line - 1, class_='mark'))
    return tag('figure', tag('svg', parts, viewBox=f'0 0 {WIDTH} {line * len(rows) + 4}', role='img', aria_label=unit))


def heat(values, shares, row_names, column_names):
    """A grid of numbers, each on as much colour as its share, 0..1, says; the diagonal in the colour of what is right."""
    count = len(column_names)
    side = min(52, (WIDTH - 130) // max(1, count))
    left, top = 120, 84
    size = 12 if side >= 34 else 9
    parts = []
    for j, name in enumerate(column_names):
        place = left + (j + 0.5) * side
        parts.append(tag('text', name[:14], x=place, y=top - 8, transform=f'rotate(-45 {place} {top - 8})'))
    for i, row in enumerate(values):
        middle = top + (i + 0.5) * side
        parts.append(tag('text', row_names[i][1][:16], x=left - 8, y=middle + 4, text_anchor='end'))
        for j, value in enumerate(row):
            kind = 'right' if row_names[i][0] == j else 'wrong'
            cell = tag('rect', tag('title', f'{row_names[i][1]} taken for {column_names[j]}: {value}'), x=left + j * side, y=top + i * side,
                       width=side - 1, height=side - 1, class_=kind, fill_opacity=round(0.06 + 0.74 * shares[i][j], 3))
            parts.append(cell)
            if side >= 18:
                parts.append(tag('text', value, x=left + (j + 0.5) * side, y=middle + size / 3, text_anchor='middle', font_size=size))
    drawing = tag('svg', parts, viewBox=f'0 0 {WIDTH} {top + side * len(values) + 4}', role='img', aria_label='confusion matrix')
    return tag('figure', drawing)


def grid(shares, numbers, side=26):
    """A pooling grid: a square a region, with its number, on as much colour as its share says."""
    rows, columns = numpy.shape(shares)
    parts = []
    for i in range(rows):
        for j in range(columns):
            parts.append(tag('rect', x=j * side, y=i * side, width=side - 1, height=side - 1, class_='region',
                             fill_opacity=round(0.06 + 0.74 * float(shares[i][j]), 3)))
            if numbers[i][j]:
                parts.append(tag('text', numbers[i][j], x=(j + 0.5) * side, y=(i + 0.5) * side + 4, text_anchor='middle'))
    return tag('svg', parts, viewBox=f'0 0 {columns * side} {rows * side}', width=columns * side, height=rows * side, role='img',
               aria_label='neurons by region')


def png(pixels):
    """The bytes of a PNG file: pixels height x width (grey) or height x width x 3, unsigned bytes."""
    def chunk(kind, data):
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))

    height, width = pixels.shape[:2]
    lines = numpy.concatenate([numpy.zeros((height, 1), numpy.uint8), pixels.reshape(height, -1)], 1)
    header = struct.pack('>IIBBBBB', width, height, 8, 2 if pixels.ndim == 3 else 0, 0, 0, 0)
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', header) + chunk(b'IDAT', zlib.compress(lines.tobytes(), 9)) + chunk(b'IEND', b'')


def tile_pixels(pattern):
    """A pattern, channels x height x width, as pixels: 0 is grey, and the largest number is as far from it as there is room. Three channels
    are red, green and blue; of other numbers of channels each is grey, side by side in a square."""
    pattern = pattern / (abs(pattern).max() or 1)
    pixels = numpy.rint(127.5 + 127.5 * pattern).astype(numpy.uint8)
    channels, height, width = pixels.shape
    if channels == 3:
        return pixels.transpose(1, 2, 0)
    across = math.ceil(math.sqrt(channels))
    square = numpy.full((-(-channels // across) * across, height, width), 128, numpy.uint8)
    square[:channels] = pixels
    return square.reshape(-1, across, height, width).transpose(0, 2, 1, 3).reshape(-1, across * width)


def _picture(pixels, said, kind):
    data = base64.b64encode(png(pixels)).decode()
    return tag('img', src='data:image/png;base64,' + data, alt=said, class_=kind)


def tile(pattern, said):
    """A pattern as a picture in the page. said: for those who do not see it."""
    return _picture(tile_pixels(pattern), said, 'tile')


def photo(pixels, said):
    """A part of an image, channels x height x width of bytes: in colours where there are three channels, else the mean of them."""
    shown = pixels.transpose(1, 2, 0) if len(pixels) == 3 else numpy.rint(pixels.mean(0)).astype(numpy.uint8)
    return _picture(shown, said, 'photo')


def percent(share):
    """A share in percent; of none there is none."""
    return Markup('&#8211;') if share is None else f'{100 * share:.2f} %'
