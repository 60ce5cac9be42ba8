"""Many UUIDs at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np

_HYPHENS: Final = (8, 13, 18, 23)


def uuid_bytes(uuids: Sequence[str]) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The bytes of UUIDs in their usual lower-case form.

    Raises:
        ValueError: one is none.
    """
    import numpy as np

    text = "".join(uuids)
    if len(text) != 36 * len(uuids) or not text.isascii():
        raise ValueError("no UUID")
    letters = np.frombuffer(text.encode(), np.uint8).reshape(-1, 36)
    if not (letters[:, _HYPHENS] == ord("-")).all():
        raise ValueError("no UUID")
    digits = np.delete(letters, _HYPHENS, axis=1)
    values = np.where(digits >= ord("a"), digits - (ord("a") - 10), digits - ord("0"))
    decimal = (digits >= ord("0")) & (digits <= ord("9"))
    if not (decimal | ((digits >= ord("a")) & (digits <= ord("f")))).all() or set(map(len, uuids)) != {36}:
        raise ValueError("no UUID")
    return (values[:, ::2] << 4 | values[:, 1::2]).astype(np.uint8, copy=False)
