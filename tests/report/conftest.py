import pytest

from tests.report.oe_study import make_tables


@pytest.fixture
def tables():
    return make_tables()
