"""Text that people type: Crockford's base 32, without the letters that look like digits. Pure."""

import unicodedata
from base64 import b32encode

SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_FROM_RFC_4648 = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", SYMBOLS.encode())
_FORGIVEN = str.maketrans("OIL", "011", "- \t\r\n")
_MAX_TEXT_LENGTH = 200


def encode(raw: bytes) -> str:
    """Return the symbols of some bytes; every five bytes are eight."""
    return b32encode(raw).translate(_FROM_RFC_4648).decode()


def grouped(symbols: str, size: int) -> str:
    """Return symbols as they are shown: in groups, with dashes between."""
    return "-".join([symbols[at : at + size] for at in range(0, len(symbols), size)])


def meant(text: str) -> str:
    """Return what was meant: upper case, without what only separates (dashes, spaces, invisible marks).

    O is 0, I and L are 1, digits of other scripts count. Empty for a text of more than 200 characters.
    """
    if len(text) > _MAX_TEXT_LENGTH:
        return ""
    plain = text if text.isascii() else "".join(map(_plain, text))
    return plain.upper().translate(_FORGIVEN)


def _plain(character: str) -> str:
    if character.isspace() or unicodedata.category(character) in {"Pd", "Cf"}:
        return "-"
    digit = unicodedata.decimal(character, None)
    return character if digit is None else str(digit)
