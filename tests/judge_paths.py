"""judge_paths.py DATA MODEL: with any option that -help says names a file, given the images or the model, the command leaves both as
they are; so a new option for an output cannot be forgotten where names are compared. Copies of both are used."""
import os
import re
import shutil
import subprocess
import sys

data, model = sys.argv[1:]
small = ['-patch', '3', '-pool', '2', '-beta_rel', '0.1', '-max_it', '5']
commands = {
    'train': ['-data', 'victim', '-model', 'judged.h5'] + small,
    'path': ['-data', 'victim', '-model', 'judged.h5', '-beta_count', '2'] + small,
    'predict': ['-data', 'victim', '-model', 'victim.h5', '-output', 'judged.csv'],
    'evaluate': ['-data', 'victim', '-model', 'victim.h5'],
    'certify': ['-data', 'victim', '-model', 'victim.h5', '-max_it', '5'],
    'plan': ['-data', 'victim', '-rates', '1,1,1,1'] + small[:-2],
}


def read(path):
    with open(path, 'rb') as file:
        return file.read()


def psdnet(*arguments):
    return subprocess.run([os.environ['PSDNET'], *arguments], capture_output=True, text=True, timeout=120)


shutil.copytree(data, 'victim')
shutil.copy(model, 'victim.h5')
victims = {path: read(path) for path in ('victim/train.h5', 'victim.h5')}
tried = set()
for command, options in commands.items():
    listed = psdnet(command, '-help').stdout
    for name, text in re.findall(r'^  (-\w+)(?: <[^>]*>)?\s+(.*)$', listed, re.M):
        if not re.search(r'\bfile\b', text, re.I):
            continue
        for path, before in victims.items():
            if path != 'victim/train.h5' and path not in options:
                continue  # nothing that this command reads
            given = list(options)
            if name in given:
                given[given.index(name) + 1] = path
            else:
                given += [name, path]
            ended = psdnet(command, *given)
            assert read(path) == before, (command, name, path, ended.stderr)
            assert ended.returncode in (0, 1, 2), (command, name, path, ended)
        tried.add((command, name))
expected = {('train', '-model'), ('train', '-report'), ('train', '-history_file'), ('train', '-checkpoint'), ('path', '-table'),
            ('predict', '-output'), ('predict', '-model'), ('plan', '-report')}
assert expected <= tried, expected - tried
