"""BCF 2.1 and 3.0: issues of a review to and from other programs."""

from __future__ import annotations

from plugins.review.model.exchange.bcf_export import export_bcf as export_bcf
from plugins.review.model.exchange.bcf_import import import_bcf as import_bcf
