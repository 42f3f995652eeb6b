"""python3 -m psdnet export MODEL FILE.onnx [-double]: a network as an ONNX model of standard operators."""
import os
import sys

from . import load


def main():
    words = [word for word in sys.argv[1:] if word != '-double']
    if len(words) != 3 or words[0] != 'export' or not words[2].endswith('.onnx'):
        sys.exit(__doc__)
    try:
        from .onnx_export import export
    except ImportError as error:
        sys.exit(f'psdnet: error: export: {error} (Debian: python3-onnx)')
    try:
        if os.path.exists(words[2]) and os.path.samefile(words[1], words[2]):
            sys.exit(f'psdnet: error: {words[2]} is the model itself')
        unfinished = f'{words[2]}.tmp.{os.getpid()}'
        export(load(words[1]), unfinished, '-double' in sys.argv)
        os.replace(unfinished, words[2])
    except (OSError, ValueError) as error:
        sys.exit(f'psdnet: error: {error}')


main()
