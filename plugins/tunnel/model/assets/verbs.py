"""The verbs of assets: ``tunnel import`` of anything, adopting, services, statuses, labels, statistics."""

from __future__ import annotations

import argparse

from planner_app.plugin_api.model import Verb, VerbContext, VerbResult
from plugins.tunnel.model.assets import import_verb, joining_verb, register_verbs, service_verbs
from plugins.tunnel.model.network import verbs as network


def _configure_import(parser: argparse.ArgumentParser) -> None:
    network.IMPORT.configure(parser)
    import_verb.configure(parser)


def run_import(context: VerbContext, arguments: argparse.Namespace) -> VerbResult:
    """``planner tunnel import``: EPANET files go to their reader, the rest is looked into."""
    if arguments.source.suffix.casefold() == ".inp":
        return network.IMPORT.run(context, arguments)
    return import_verb.run(context, arguments)


IMPORT = Verb("tunnel import", network.IMPORT.help, _configure_import, run_import)
VERBS = (
    IMPORT, register_verbs.ASSETS, register_verbs.STATUS, register_verbs.ADOPT, joining_verb.JOIN,
    service_verbs.SERVICES,
    service_verbs.LABELS,
)  # fmt: skip
