"""HTML and SVG as nested calls: tag('p', 'a < b', class_='note'). Text is escaped unless tag itself has made it."""
import re

VOID = ('meta', 'br', 'img', 'line', 'polyline')  # elements without content
# what neither HTML nor XML can have
FORBIDDEN = re.compile('[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]')


class Markup(str):
    """Text that is markup already."""


def escape(text):
    """Any value as text between tags or in quotation marks."""
    if isinstance(text, Markup):
        return text
    text = FORBIDDEN.sub('\ufffd', str(text))
    for character, entity in ('&', '&amp;'), ('<', '&lt;'), ('>', '&gt;'), ('"', '&quot;'):
        text = text.replace(character, entity)
    return Markup(text)


def join(parts):
    """Parts one after the other, lists of any depth among them; None is left out."""
    if isinstance(parts, (list, tuple)):
        return Markup(''.join(join(part) for part in parts))
    return Markup('') if parts is None else escape(parts)


def tag(name, /, *content, **attributes):
    """An element. Attributes: class_ is class, stroke_width is stroke-width; None is left out."""
    text = ''.join(f' {key.rstrip("_").replace("_", "-")}="{escape(value)}"' for key, value in attributes.items() if value is not None)
    return Markup(f'<{name}{text} />' if name in VOID else f'<{name}{text}>{join(content)}</{name}>')


def table(head, rows, class_=None):
    """A table of a row of headings and rows of cells; the first cell of a row is its heading."""
    lines = [tag('tr', tag('th', row[0], scope='row'), [tag('td', cell) for cell in row[1:]]) for row in rows]
    heading = tag('thead', tag('tr', [tag('th', cell, scope='col') for cell in head])) if head else None
    return tag('div', tag('table', heading, tag('tbody', lines), class_=class_), class_='wide')
