"""python3 -m psdnet report FILE... -output run.html [-images IMAGES.npy]: a run, of the files that it has written, as a page to look at.
python3 -m psdnet export -model m.h5 [-onnx m.onnx [-double]] [-numpy DIR]: a network for other programs.

psdnet report and psdnet export come here. A mistake is one line on standard error and status 1. Outputs appear whole under their names
or not at all, and never replace an input.
"""
import os
import shutil
import sys

import numpy

from . import inputs, report
from .arrays_export import export as export_arrays
from .network import load


class Mistake(Exception):
    """Of the user; its text is the line."""


def _separate(target, sources):
    """No output is an input, whatever names and links lead there."""
    for source in sources:
        if os.path.realpath(target) == os.path.realpath(source) or (os.path.exists(target) and os.path.samefile(target, source)):
            raise Mistake(f'{target} would replace {source}, which is read')


def _whole(target, write):
    """write(path) makes a file under a temporary name, which then gets its own: through a symbolic link, what that points to."""
    target = os.path.realpath(target)
    if os.path.isdir(target):
        raise Mistake(f'{target} is a directory')
    unfinished = f'{target}.tmp.{os.uname().nodename}.{os.getpid()}'
    try:
        write(unfinished)
        if os.path.exists(target):
            shutil.copymode(target, unfinished)
        os.replace(unfinished, target)
    finally:
        if os.path.exists(unfinished):
            os.remove(unfinished)


def _whole_folder(target, write):
    """The same of a directory, which is a new one."""
    if os.path.lexists(target):
        raise Mistake(f'{target} is there already, expected the name of a new directory')
    unfinished = f'{target.rstrip("/")}.tmp.{os.uname().nodename}.{os.getpid()}'
    os.mkdir(unfinished)
    try:
        write(unfinished)
        os.rename(unfinished, target)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _report(files, options):
    if not files or '-output' not in options:
        raise Mistake('report: expected files and -output')
    _separate(options['-output'], files + [options[name] for name in ('-images',) if name in options])
    given = inputs.read(files)
    if '-images' in options:
        if not given.model:
            raise Mistake('report: images are given and no model, whose neurons look at them')
        given = given._replace(images=numpy.load(options['-images']))
    text = report.page(given)

    def write(path):
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)

    _whole(options['-output'], write)
    print(f"report   {options['-output']}")


def _to_onnx(network, options):
    try:
        from .onnx_export import export
    except ImportError as error:
        raise Mistake(f'export: {error} (Debian: python3-onnx)') from None
    _separate(options['-onnx'], [options['-model']])
    _whole(options['-onnx'], lambda path: export(network, path, '-double' in options))


def _export(files, options):
    if files or '-model' not in options or not {'-onnx', '-numpy'} & set(options):
        raise Mistake('export: expected -model, and -onnx or -numpy')
    network = load(options['-model'])
    if '-onnx' in options:
        _to_onnx(network, options)
    if '-numpy' in options:
        _whole_folder(options['-numpy'], lambda folder: export_arrays(network, folder))
    print('network ', ' '.join(options[name] for name in ('-onnx', '-numpy') if name in options))


# a command: what it does, its options that have a value, and its switches
COMMANDS = {'report': (_report, ('-output', '-images'), ()), 'export': (_export, ('-model', '-onnx', '-numpy'), ('-double',))}


def _parse(words, with_value, switches):
    """Files, and options by their names."""
    files, options, words = [], {}, list(words)
    while words:
        word = words.pop(0)
        if not word.startswith('-'):
            files.append(word)
        elif word in switches:
            options[word] = True
        elif word not in with_value:
            raise Mistake(f'unknown option {word}')
        elif not words or not words[0]:
            raise Mistake(f'{word}: expected a value, found none')
        else:
            options[word] = words.pop(0)
    return files, options


def main(words):
    """Runs a command; its exit status."""
    if not words or words[0] not in COMMANDS or {'-help', '--help', '-h'} & set(words):
        print(__doc__.strip())
        return 0 if {'-help', '--help', '-h'} & set(words) else 1
    run, with_value, switches = COMMANDS[words[0]]
    try:
        run(*_parse(words[1:], with_value, switches))
    except (Mistake, OSError, ValueError) as error:
        text = f'{error.filename}: {error.strerror}' if getattr(error, 'filename', None) else str(error)
        print('psdnet: error: ' + ' '.join(text.split()), file=sys.stderr)
        return 1
    return 0
