"""What a BCF file says, whichever version it is written in."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from uuid import NAMESPACE_URL, UUID, uuid5
from xml.etree.ElementTree import Element

from plugins.review.model.drawing.types import Note

#: Versions that are read and written.
VERSIONS = ("2.1", "3.0")
#: Stands where a schema wants a value and there is none.
NOTHING = "–"

_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def guid_of(text: str) -> str:
    """A BCF guid: lower case; one made from it where a program wrote something else."""
    found = text.strip().strip("{}").lower()
    return found if _GUID.fullmatch(found) else str(uuid5(NAMESPACE_URL, f"bcf:{text}"))


def derived(guid: str, name: str) -> str:
    """A guid that is always the same for a thing that belongs to another."""
    return str(uuid5(UUID(guid_of(guid)), name))


@dataclass(slots=True)
class TopicComment:
    """An entry of a topic's thread; dates ISO 8601."""

    guid: str
    date: str
    author: str
    text: str = ""
    viewpoint: str = ""
    modified: str = ""
    modified_author: str = ""


@dataclass(slots=True)
class Viewpoint:
    """A view: ``info`` is its VisualizationInfo in the form of BCF 3.0; ``bitmaps`` by the name it refers to."""

    guid: str
    info: Element | None = None
    snapshot: bytes = b""
    snapshot_name: str = ""
    index: int | None = None
    bitmaps: dict[str, bytes] = field(default_factory=dict)


@dataclass(slots=True)
class Document:
    """A document a topic refers to: inside the file (``data``) or elsewhere (``url``)."""

    guid: str
    name: str = ""
    data: bytes | None = None
    url: str = ""
    description: str = ""
    document_guid: str = ""


@dataclass(slots=True)
class Snippet:
    """Data of another program carried with a topic."""

    kind: str
    reference: str
    schema: str
    data: bytes | None = None
    external: bool = False


@dataclass(slots=True)
class ModelFile:
    """A model the topic speaks of; ``data`` where it comes inside the file."""

    name: str = ""
    date: str = ""
    reference: str = ""
    ifc_project: str = ""
    spatial_element: str = ""
    external: bool = True
    data: bytes | None = None


@dataclass(slots=True)
class Topic:
    """One topic; dates ISO 8601 with time."""

    guid: str
    title: str
    kind: str = ""
    status: str = ""
    priority: str = ""
    index: int | None = None
    labels: list[str] = field(default_factory=list)
    created: str = ""
    author: str = ""
    modified: str = ""
    modified_author: str = ""
    due: str = ""
    assignee: str = ""
    stage: str = ""
    description: str = ""
    server_id: str = ""
    links: list[str] = field(default_factory=list)
    snippet: Snippet | None = None
    documents: list[Document] = field(default_factory=list)
    related: list[str] = field(default_factory=list)
    files: list[ModelFile] = field(default_factory=list)
    comments: list[TopicComment] = field(default_factory=list)
    viewpoints: list[Viewpoint] = field(default_factory=list)


@dataclass(slots=True)
class BcfFile:
    """A BCF file. ``notes``: what in it could not be read."""

    version: str
    project_id: str = ""
    project_name: str = ""
    topics: list[Topic] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
