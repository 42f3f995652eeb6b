#!/usr/bin/python3
"""make_options.py PSDNET: options.md, on standard output, from what the command PSDNET says with -help.

A subcommand's options are those of psdnet train where the two print the same; what differs has a table of its own.
"""
import re
import subprocess
import sys
import textwrap

HEAD = '''# Options

This page is made from `psdnet SUBCOMMAND -help` by `docs/make_options.py`; `.ci/docs` demands that it
is up to date. [guide.md](guide.md) explains how options go together,
[formats.md](formats.md) has the files they name.

Options are PETSc's: one dash, from the command line, `-options_file FILE` or the environment variable
PETSC_OPTIONS. All are read strictly: an unknown option, or a value of the wrong kind or out of range, is an
error. PETSc's own options, such as `-log_view` and `-info`, work as well.

'''
LIKE = 'train'  # the subcommand that others are described by
ROW = re.compile(r'^  (-\w+)(?: <(.*?)>)?  +(\S.*)$')
KIND = re.compile(r'(integer|number)\b')
DEFAULT = re.compile(r' (?:\[([^]]+)\]|\(default: ([^)]+)\))$')
CHOICE = re.compile(r' \(one of ([^)]+)\)$')
SWITCH = {'true': 'on', 'false': 'off'}


def say(psdnet, *arguments):
    return subprocess.run([psdnet, *arguments, '-help'], check=True, capture_output=True, text=True).stdout


def row(line):
    """option, default and meaning as Markdown, of a line of -help; the kinds of values that -help has between < and > are no default"""
    name, value, meaning = ROW.match(line).groups()
    default, choice = DEFAULT.search(meaning), CHOICE.search(meaning)
    if default:
        meaning = meaning[:default.start()]
    elif choice:
        meaning = meaning[:choice.start()]
    option, value = f'`{name}`', SWITCH.get(value, value or '')
    if choice:
        option += ' ' + choice.group(1).replace('|', ', ')
    elif KIND.match(value):
        option += ' ' + value
    if default:
        value = default.group(1) or default.group(2)
    elif KIND.match(value):
        value = ''
    return option, value, meaning.replace('|', r'\|')


def read(psdnet, subcommand):
    """usage, summary, and rows by the titles of their groups"""
    usage, summary, *lines = say(psdnet, subcommand).splitlines()
    groups, title = {}, 'Progress'
    for line in lines:
        if ROW.match(line):
            groups.setdefault(title, []).append(row(line))
        elif line.strip():
            title = line.strip()
    return usage.replace('usage: ', ''), summary, groups


def cut(title):
    """a title and what follows it in brackets"""
    name, _, remark = title.partition(' (')
    return name, remark.rstrip(')')


def table(rows):
    lines = ['| option | default | meaning |', '|---|---|---|']
    return '\n'.join(lines + [f'| {option} | {default} | {meaning} |'.replace('|  |', '| |') for option, default, meaning in rows]) + '\n\n'


def group(title, rows, like):
    """a heading and a table, or what there is to say beyond the rows of the same title in `like`"""
    name, remark = cut(title)
    same = [entry for entry in rows if entry in like.get(title, [])]
    if not same:
        return f'### {name}\n\n' + (textwrap.fill(f'{remark[0].upper()}{remark[1:]}.', 110) + '\n\n' if remark else '') + table(rows)
    left_out = [entry[0].split()[0] for entry in like[title] if entry[0] not in [own[0] for own in rows]]
    others = [entry for entry in rows if entry not in same]
    text = f'**{name}** as for `{LIKE}`'
    text += f', without {", ".join(left_out)}' if left_out else ''
    return text + (', and with\n\n' + table(others) if others else '.\n\n')


def page(psdnet):
    subcommands = re.findall(r'^  (\w+) ', say(psdnet), re.M)
    described = {name: read(psdnet, name) for name in subcommands}
    text = HEAD
    for name, (usage, summary, groups) in described.items():
        text += f'## {name}\n\n{summary[0].upper()}{summary[1:]}:\n\n    {usage}\n\n'
        like = {} if name == LIKE else described[LIKE][2]
        for title, rows in groups.items():
            text += group(title, rows, like)
    return text.rstrip() + '\n'


sys.stdout.write(page(sys.argv[1]))
