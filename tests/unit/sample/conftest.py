"""The sample town is made once for all tests of it."""

from __future__ import annotations

import pytest

from sample_projects.build import SEED
from sample_projects.town import Sample, make_sample


@pytest.fixture(scope="session")
def sample() -> Sample:
    return make_sample(SEED)
