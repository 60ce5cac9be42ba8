"""Names of buildings as drawings write them, and what the texts beside them say."""

from __future__ import annotations

import re

from plugins.review.model.indicators.rule_sets import first_word, words

_WORDS = re.compile(r"号楼|楼|栋|幢|座|号|#|＃|\b(?:building|block|blk|tower)\b|[\s_]+|^[-.]+|[-.]+$", re.IGNORECASE)
_STOREYS = re.compile(
    r"(?<![-−\d.])(\d{1,3})\s*(?:F(?![a-z])|层|storeys?\b|stories\b)|[砼混砖钢框]\s*(\d{1,2})(?!\d)", re.IGNORECASE
)


def name_key(name: str) -> str:
    """What two spellings of a building's name have in common: ``2号楼``, ``2#``, ``BLK_2`` → ``2``."""
    plain = name.translate(str.maketrans("０１２３４５６７８９", "0123456789"))
    return _WORDS.sub("", plain.replace("_", " ")).casefold() or plain.strip().casefold()


def storeys_in(text: str) -> int | None:
    """Storeys above the ground that a text states (``18F/-1F``, ``6层``, ``砼22``); None if it states none."""
    hits = [int(one or other) for one, other in _STOREYS.findall(text)]
    return max(hits) if hits else None


def use_in(*texts: str) -> str:
    """The use that texts name first in the table of uses; ancillary words only if nothing else is named."""
    return first_word(texts, words("uses"), lambda use: use["words"])


def use_of_class(code: str) -> str:
    """The main use of a land class by code or name, "" if the table does not know it. The longest prefix decides."""
    plain = code.strip()
    best, found = 0, ""
    for use, entry in words("uses").items():
        for prefix in entry["classes"]:
            if plain.upper().startswith(prefix) and len(prefix) > best:
                best, found = len(prefix), use
    return found or use_in(plain)
