"""Text of others made harmless to look at: a policy can write nothing on a terminal but characters that show."""

from kmslint.typed import Final

_BLANK_LETTERS: Final = "\u115f\u1160\u3164\uffa0"
"""Letters by category that draw nothing: they could hide a difference between two names.

SOURCE: Unicode Character Database, Hangul fillers (property Default_Ignorable_Code_Point).
"""


def visible(text: str) -> str:
    r"""`text` on one line, with every character that does not show as itself written as an escape.

    Control characters (line ends, ANSI escapes), bidirectional overrides, zero-width and other format characters, unpaired
    surrogates, private and unassigned characters and blanks other than the space become `\n`, `\x1b`, `\u202e` and the like.

    >>> visible("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    if text.isprintable() and (text.isascii() or not any(letter in text for letter in _BLANK_LETTERS)):
        return text
    return "".join(char if char.isprintable() and char not in _BLANK_LETTERS else _escape(char) for char in text)


def cells(text: str) -> int:
    """How many columns of a terminal visible text takes: wide characters two, combining marks none."""
    if text.isascii():
        return len(text)
    import unicodedata

    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(unicodedata.combining(char) > 0 for char in text)


def _escape(char: str) -> str:
    named = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}.get(char)
    if named:
        return named
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
