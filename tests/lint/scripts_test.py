"""lint.scripts: what bootstrap's helpers promise about the recordings and about the symbols they hide."""

import csv
import gzip
import io
import pathlib
import struct
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "scripts"))
import hide_symbols
import make_recordings

WIDE = "Date,MSFT,AAPL\n2020-03-06,1.50,2.0\n2020-03-09,,2.125\n"


class Recordings(unittest.TestCase):
    def rows(self, text):
        return list(make_recordings.to_long(csv.reader(io.StringIO(text))))

    def test_rows_go_by_session_then_token_with_the_source_dates_and_digits(self):
        self.assertEqual(
            self.rows(WIDE),
            [
                ("2020-03-06", "AAPL", "2.0"),
                ("2020-03-06", "MSFT", "1.50"),
                ("2020-03-09", "AAPL", "2.125"),  # the empty cell gives no row
            ],
        )

    def test_a_table_of_another_shape_is_refused(self):
        for text in ("Day,A\n2020-03-06,1\n", "Date,A\n2020-03-06,1,2\n", "Date,A\n2020-03-06,1\n2020-03-05,1\n"):
            with self.subTest(text), self.assertRaises(ValueError):
                self.rows(text)

    def test_the_same_table_gives_the_same_bytes(self):
        with tempfile.TemporaryDirectory() as folder:
            source, one, two = (pathlib.Path(folder) / name for name in ("wide.csv.gz", "one.csv.gz", "two.csv.gz"))
            source.write_bytes(gzip.compress(WIDE.encode()))
            self.assertEqual(make_recordings.convert(source, one), (3, "2020-03-06", "2020-03-09"))
            make_recordings.convert(source, two)
            self.assertEqual(one.read_bytes(), two.read_bytes())
            self.assertEqual(one.read_bytes()[4:8], bytes(4))  # no time in the gzip header
            self.assertEqual(gzip.decompress(one.read_bytes()).count(b"\n"), 4)


class HiddenSymbols(unittest.TestCase):
    def image(self, names):
        """An ELF file of two sections: the dynamic symbols, all defined, and their names."""
        table = b"\0" + b"".join(name + b"\0" for name in names)
        symbols, at = bytearray(24), 1
        for name in names:
            symbols += hide_symbols.SYMBOL.pack(at, 0x12, 0, 7, 0x1000, 16)
            at += len(name) + 1
        symbols_at, names_at = 64, 64 + len(symbols)
        header = bytearray(64)
        header[:6] = b"\x7fELF\x02\x01"
        struct.pack_into("<Q", header, 40, names_at + len(table))
        struct.pack_into("<HH", header, 58, hide_symbols.SECTION.size, 2)
        sections = hide_symbols.SECTION.pack(0, hide_symbols.SHT_DYNSYM, 0, 0, symbols_at, len(symbols), 1, 0, 8, 24)
        sections += hide_symbols.SECTION.pack(0, 3, 0, 0, names_at, len(table), 0, 0, 1, 0)
        return bytearray(header + symbols + table + sections)

    def test_names_of_c_and_simdjson_are_hidden_and_the_librarys_own_stay(self):
        own = b"_ZN7parquet5WriteEv"
        image = self.image([b"EVP_sha256", own, b"_ZN8simdjson5parseEv"])
        self.assertEqual(hide_symbols.hide(image), 2)
        others = [image[64 + 24 * i + 5] for i in (1, 2, 3)]
        self.assertEqual(others, [hide_symbols.STV_HIDDEN, 0, hide_symbols.STV_HIDDEN])
        self.assertEqual(hide_symbols.SYMBOL.unpack_from(image, 64 + 48), (12, 0x12, 0, 7, 0x1000, 16))

    def test_something_else_than_elf_is_refused(self):
        with self.assertRaises(ValueError):
            hide_symbols.hide(bytearray(100))


if __name__ == "__main__":
    unittest.main()
