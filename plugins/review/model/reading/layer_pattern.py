"""Patterns of layer names: ``MJ-{building}-{floor}[-{coefficient}][-{counts}]`` and what they say of a layer."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence

#: Parts a pattern may name in braces.
PARTS = ("building", "floor", "level", "coefficient", "counts", "kind")

_XREF = re.compile(r"^.*(?:\||\$\d+\$)")
_SEPARATORS = str.maketrans(dict.fromkeys("_ \t ‐‑‒–—―−", "-") | {"∶": ":", "〜": "~", "∼": "~"})
_DIGITS = {char: number for number, char in enumerate("零一二三四五六七八九十")}
_NUMBER = r"(?:\d{1,3}|[一二三四五六七八九十]{1,3})"
_MARKED = (
    rf"(?:[FL]\d{{1,3}}F?|B\d{{1,2}}F?|-\d{{1,2}}F|\d{{1,3}}F|(?:地上|地下|负|-)?{_NUMBER}层|首层|"
    r"地下室|地下车库|地库|地下|夹层\d*|机房层?|屋面层?|屋顶层?|设备层\d*|RF\d*|WF|WD|JF\d*)"
)
_FLOOR = rf"{_MARKED}(?:[-~至到、,+&](?:{_MARKED}|\d{{1,3}}F?))*|\d{{1,3}}[-~至到]\d{{1,3}}(?:F|层)"


def normalise(name: str) -> str:
    """A layer's name as it is compared: half width, upper case, one kind of separator, without an xref's name."""
    return _XREF.sub("", unicodedata.normalize("NFKC", name).strip().translate(_SEPARATORS)).upper()


def compile_pattern(pattern: str, words: Mapping[str, Sequence[str]]) -> re.Pattern[str]:
    """A pattern as a regular expression on normalised names.

    Args:
        pattern: a layer name with ``{part}`` (one of :data:`PARTS`), ``*`` (anything) and ``[what may be missing]``.
        words: how ``coefficient`` and ``counts`` are written (``full`` … ``not_counts``).

    Raises:
        ValueError: an unknown part or brackets that do not match.
    """
    rates = _any_of(*(words.get(key, ()) for key in ("none", "full", "half")))
    counts = _any_of(*(words.get(key, ()) for key in ("not_counts", "counts")))
    shapes = {
        "building": r".+?", "floor": _FLOOR, "level": r"-?\d{1,3}", "coefficient": rates, "counts": counts,
        "kind": rf"(?!(?:{rates}|{counts})(?:-|$))(?!-).+?",
    }  # fmt: skip
    out: list[str] = []
    seen: dict[str, int] = {}
    depth = 0
    for piece in re.findall(r"\{[^}]*\}|[\[\]*]|[^{}\[\]*]+|.", pattern):
        if piece == "[":
            out.append("(?:")
            depth += 1
        elif piece == "]":
            out.append(")?")
            depth -= 1
        elif piece == "*":
            out.append(".*?")
        elif piece.startswith("{"):
            part = piece[1:-1]
            if part not in shapes:
                raise ValueError(f"{{{part}}}")
            seen[part] = seen.get(part, 0) + 1
            out.append(f"(?P<{part}{seen[part]}>{shapes[part]})")
        else:
            out.append("-+?".join(re.escape(piece) for piece in normalise_literal(piece).split("-")))
        if depth < 0:
            raise ValueError("]")
    if depth:
        raise ValueError("[")
    return re.compile("".join(out))


def normalise_literal(text: str) -> str:
    """A literal piece of a pattern as names are compared; its separators at both ends are kept."""
    return unicodedata.normalize("NFKC", text).translate(_SEPARATORS).upper()


def literal_start(pattern: str) -> str:
    """What every name that fits begins with: lets most names be told apart without the regular expression."""
    return normalise_literal(re.split(r"[\[{*]", pattern, maxsplit=1)[0]).split("-")[0]


def parts_of(match: re.Match[str]) -> dict[str, str]:
    """Part → what it matched; of a part named twice the first that matched."""
    found: dict[str, str] = {}
    for group, text in match.groupdict().items():
        if text:
            found.setdefault(group.rstrip("0123456789"), text.strip("-" if not group.startswith("level") else " "))
    return found


def _any_of(*groups: Sequence[str]) -> str:
    words = sorted({normalise_literal(word) for group in groups for word in group}, key=lambda w: (-len(w), w))
    return "(?:" + "|".join(re.escape(word) for word in words) + ")" if words else r"(?!)"


def read_floors(text: str) -> tuple[int | None, int]:
    """(lowest floor, how many alike): ``F02~17`` → (2, 16), ``B01`` → (-1, 1), ``RF`` → (None, 1).

    Floors below ground count downwards: ``B01-B02`` → (-1, 2).
    """
    numbers: list[int | None] = []
    pieces = re.split(r"(?<=[\d层F])([-~至到、,+&])", text)
    below = False
    for index in range(0, len(pieces), 2):
        number = _floor(pieces[index], below)
        below = number is not None and number < 0
        if index and pieces[index - 1] in "-~至到" and number is not None and numbers and numbers[-1] is not None:
            low, high = sorted((numbers[-1], number))
            numbers += [n for n in range(low, high + 1) if n not in (0, numbers[-1])]
        else:
            numbers.append(number)
    known = sorted({n for n in numbers if n is not None}, key=abs)
    return (known[0], len(known)) if known else (None, 1)


def _floor(text: str, below: bool) -> int | None:
    if text in ("首层",):
        return 1
    if text in ("地下室", "地下车库", "地库", "地下"):
        return -1
    number = re.fullmatch(rf"(?P<sign>B|-|负|地下)?(?:[FL]|地上)?(?P<n>{_NUMBER})(?:F|层)?", text)
    if number is None:
        return None
    value = _chinese(number["n"])
    return (-value if number["sign"] or below else value) or None


def _chinese(text: str) -> int:
    """``十二`` → 12; plain digits as they are."""
    if text.isdigit():
        return int(text)
    tens, mark, ones = text.partition("十")
    if not mark:
        return int("".join(str(_DIGITS[char]) for char in text))
    return (_DIGITS[tens] if tens else 1) * 10 + (_DIGITS[ones] if ones else 0)
