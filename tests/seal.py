"""seal.py FILE...: the text before a model file again, with the checksum of what the file is now (docs/formats.md, "model.h5")."""
import sys
import zlib


def seal(path):
    with open(path, 'r+b') as file:
        whole = file.read()
        name = whole.split(b' checksum ')[0]
        text = (b'bytes %d\n' % len(whole)).ljust(512 - len(name) - len(' checksum 12345678\n') - 1) + b'\n'
        file.seek(0)
        file.write(b'%s checksum %08x\n' % (name, zlib.crc32(whole[512:], zlib.crc32(text))) + text)


for each in sys.argv[1:] if __name__ == '__main__' else []:
    seal(each)
