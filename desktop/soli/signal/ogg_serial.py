"""The serial number of an Ogg stream, which encoders draw at random: given one that follows from the sound, files are alike.

Every page carries the number and a CRC-32 over all its bytes (RFC 3533). The checksum starts at zero and is linear: a changed
number changes it by the checksum of the change alone, so that the sound need not be read.
"""

from pathlib import Path

_POLYNOMIAL = 0x104C11DB7
_HEADER_LENGTH = 27
_SERIAL, _CHECKSUM = slice(14, 18), slice(22, 26)


def set_serial(path: Path, serial: int) -> None:
    """Give the one stream in the Ogg file `path` the number `serial` (32 bits). Raises ValueError for what is no such file."""
    wanted = (serial & 0xFFFFFFFF).to_bytes(4, "little")
    shifts: dict[int, int] = {}
    with path.open("r+b") as file:
        at = 0
        while header := file.read(_HEADER_LENGTH):
            if len(header) < _HEADER_LENGTH or header[:4] != b"OggS":
                raise ValueError("no page of an Ogg stream")
            size = _HEADER_LENGTH + header[26] + sum(file.read(header[26]))
            if size not in shifts:
                shifts[size] = _power(8 * (size - _SERIAL.stop) + 32)
            change = int.from_bytes(header[_SERIAL], "big") ^ int.from_bytes(wanted, "big")
            checksum = int.from_bytes(header[_CHECKSUM], "little") ^ _product(change, shifts[size])
            file.seek(at + _SERIAL.start)
            file.write(wanted)
            file.seek(at + _CHECKSUM.start)
            file.write(checksum.to_bytes(4, "little"))
            at += size
            file.seek(at)


def _product(a: int, b: int) -> int:
    """The product of two polynomials over GF(2), as bits, modulo that of the checksum."""
    total = 0
    while b:
        if b & 1:
            total ^= a
        b >>= 1
        a <<= 1
        if a >> 32:
            a ^= _POLYNOMIAL
    return total


def _power(exponent: int) -> int:
    """The monomial x to `exponent`, modulo the polynomial of the checksum."""
    result, square = 1, 2
    while exponent:
        if exponent & 1:
            result = _product(result, square)
        square = _product(square, square)
        exponent >>= 1
    return result
