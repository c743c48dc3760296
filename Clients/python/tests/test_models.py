"""Models: fetched from a hub that has a small one, handed in, verified, removed."""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

from reverie import BadParameter, NotFound, Reverie, ReverieError


@pytest.fixture(scope="module")
def hub() -> Iterator[Any]:
    """The hub of the page's tests: it has one small CLIP, which it sends slowly."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [*sys.path, str(ROOT / "Tests/StudioTests/Clients")])
        module: Any = importlib.import_module("stories.hub")
    with module.Hub() as hub:
        hub.weights = module.WEIGHTS
        yield hub


@pytest.fixture(scope="module")
def library(program: list[str], hub: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reverie]:
    """A studio that fetches from this hub into a folder of its own."""
    folder = tmp_path_factory.mktemp("library")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REVERIE_MODELS", str(folder / "models"))
        patch.setenv("HF_ENDPOINT", hub.address)
        with Reverie(start=True, command=program, data=folder / "data") as studio:
            yield studio


def test_a_known_model_is_fetched_stopped_and_gone_on_with(library: Reverie, hub: Any) -> None:
    known = {one.id: one for one in library.known_models()}
    assert known[hub.name].kind == "clip"
    assert not known[hub.name].is_installed
    library.fetch_model(hub.name, wait=False)
    while not (fetch := library.fetches()[0]).done:
        time.sleep(0.05)
    assert (fetch.id, fetch.state, fetch.problem) == (hub.name, "running", None)
    library.stop_fetch(hub.name)
    while (fetch := library.fetches()[0]).state == "running":
        time.sleep(0.05)
    assert fetch.state == "cancelled"
    library.fetch_model(hub.name)
    assert hub.resumed
    assert library.fetches() == []
    assert [one.id for one in library.models()] == [hub.name]
    # A cell that runs again does no harm.
    library.fetch_model(hub.name)
    library.remove_model(hub.name)
    assert library.models() == []


def test_what_cannot_be_fetched_says_so(library: Reverie, hub: Any, tmp_path: Path) -> None:
    for name in ("castle", "../castle"):
        with pytest.raises(NotFound):
            library.fetch_model(name)
    with pytest.raises(NotFound):
        library.stop_fetch("openai-rn50")
    # The hub has no such file.
    with pytest.raises(ReverieError, match=r"was not fetched: .*fetch_model\('dalle-mini-vqgan'\)"):
        library.fetch_model("dalle-mini-vqgan")
    assert [(one.id, one.state) for one in library.fetches()] == [("dalle-mini-vqgan", "failed")]
    # It can be handed in then.
    file = tmp_path / "dalle-mini-vqgan.safetensors"
    file.write_bytes(hub.weights.read_bytes())
    assert library.add_model(file).id == "dalle-mini-vqgan"
    library.remove_model("dalle-mini-vqgan")


def test_a_file_is_handed_in_verified_and_removed(library: Reverie, hub: Any, tmp_path: Path) -> None:
    file = tmp_path / "My CLIP.safetensors"
    file.write_bytes(hub.weights.read_bytes())
    model = library.add_model(file)
    assert (model.id, model.kind, model.bytes) == ("my-clip", "clip", file.stat().st_size)
    # 62,750 numbers of four bytes.
    assert model.memory == 4 * 62_750
    with pytest.raises(BadParameter, match="my-clip"):
        library.add_model(file)
    verdict = library.verify_model(model.id)
    assert (verdict.sound, verdict.problems) == (True, [])
    library.remove_model(model.id)
    with pytest.raises(NotFound):
        library.verify_model(model.id)
    file.write_bytes(b"no weights")
    with pytest.raises(BadParameter):
        library.add_model(file)
    assert library.models() == []
