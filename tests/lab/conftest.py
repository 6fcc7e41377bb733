import tempfile

import pytest

from lab import connect


@pytest.fixture(scope="session")
def conn():
    return connect()


@pytest.fixture
def state():
    with tempfile.TemporaryDirectory() as path:
        yield path
