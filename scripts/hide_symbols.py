"""Copies a shared library and hides the foreign symbols it exports by accident.

usage: hide_symbols.py LIBRARY COPY

pyarrow's libparquet carries its own OpenSSL and simdjson and exports both. Linked beside Debian's, one of the two would
answer for the other, whichever came first: calls into another version's structures. In the copy's dynamic symbol table these
symbols are marked hidden, which makes the loader bind libparquet's own calls to them without a look-up, and keep only the last
letter of their names, so that the linker does not find them either (and no size, or it would wonder about equal names).
Hidden are: every name of C, and simdjson's of C++. Code and data stay as they are.
"""

import pathlib
import struct
import sys

STV_HIDDEN = 2
SHT_DYNSYM = 11
SECTION = struct.Struct("<IIQQQQIIQQ")  # name type flags address offset size link info alignment entry_size
SYMBOL = struct.Struct("<IBBHQQ")  # name info other section value size


def is_foreign(name):
    return not name.startswith(b"_Z") or b"simdjson" in name


def hide(image, foreign=is_foreign):
    """Changes the ELF64 `image` (a bytearray) in place; returns how many symbols it hid."""
    if image[:6] != b"\x7fELF\x02\x01":
        raise ValueError("not a little-endian 64-bit ELF file")
    table, = struct.unpack_from("<Q", image, 40)
    entry_size, count = struct.unpack_from("<HH", image, 58)
    sections = [SECTION.unpack_from(image, table + i * entry_size) for i in range(count)]
    symbols = next(s for s in sections if s[1] == SHT_DYNSYM)
    names = sections[symbols[6]][4]
    hidden = 0
    for at in range(symbols[4], symbols[4] + symbols[5], SYMBOL.size):
        name_at, _, other, section, _, _ = SYMBOL.unpack_from(image, at)
        if section == 0:  # undefined: another library's
            continue
        name = bytes(image[names + name_at : image.index(b"\0", names + name_at)])
        if name and foreign(name):
            struct.pack_into("<I", image, at, name_at + len(name) - 1)
            image[at + 5] = (other & ~3) | STV_HIDDEN
            struct.pack_into("<Q", image, at + 16, 0)
            hidden += 1
    return hidden


def main():
    source, copy = map(pathlib.Path, sys.argv[1:3])
    image = bytearray(source.read_bytes())
    print(f"{source.name}: {hide(image)} symbols hidden")
    copy.write_bytes(image)


if __name__ == "__main__":
    main()
