"""Runs last: what the others asked of the studio is all that it can be asked."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from conftest import asked, operations

from reverie import Reverie

#: What no notebook needs: figures for Prometheus, and who of a queue's workers paints what. What workers ask
#: themselves is not in the document.
LEFT_OUT = {"getMetrics", "listWorkers"}
#: Asked only of pictures of a method whose networks do not ship.
NEEDS_WEIGHTS = {"getAttention"}


def test_every_operation_was_asked_for(studio: Reverie, request: pytest.FixtureRequest) -> None:
    files = {item.path.name for item in request.session.items}
    if request.config.option.keyword or files != {file.name for file in Path(__file__).parent.glob("test_*.py")}:
        pytest.skip("only some of the tests run")
    known = operations(httpx.get(studio.address + "/openapi.json").json())
    reached = {
        name
        for name, (method, path) in known.items()
        if any(verb == method and path.fullmatch(address) for verb, address in asked)
    }
    assert set(known) - reached == LEFT_OUT | NEEDS_WEIGHTS
