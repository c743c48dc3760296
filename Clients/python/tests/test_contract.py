"""The models against the studio's own document."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from reverie import Reverie, models

ANSWERS: dict[str, type[BaseModel]] = {
    model.__name__: model
    for model in (
        models.Changed,
        models.Collections,
        models.Description,
        models.Estimate,
        models.File,
        models.HandedIn,
        models.Health,
        models.Job,
        models.JobPage,
        models.Kind,
        models.Models,
        models.Parameters,
        models.Picture,
        models.PicturePage,
        models.Presets,
        models.Problem,
        models.Progress,
        models.Status,
        models.Trace,
        models.Verdict,
    )
}
#: Schemas that are written, not read; or that the studio declares, not this client.
OTHERS = {
    "Argument", "Cancellation", "Enlargement", "Film", "Move", "NewCollection", "NewFilm", "NewJob", "Part",
    "PictureChange", "PictureChanges", "PictureList", "Prompt", "Request", "Workers",
}  # fmt: skip


@pytest.fixture(scope="module")
def schemas(studio: Reverie) -> dict[str, Any]:
    document: dict[str, Any] = httpx.get(studio.address + "/openapi.json").json()
    schemas: dict[str, Any] = document["components"]["schemas"]
    return schemas


def test_every_schema_has_its_model(schemas: dict[str, Any]) -> None:
    assert set(schemas) == set(ANSWERS) | OTHERS


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_model_is_as_declared(name: str, schemas: dict[str, Any]) -> None:
    ours = ANSWERS[name].model_json_schema(by_alias=True)
    compare(resolved(ours, ours.get("$defs", {})), resolved(schemas[name], schemas), name)


def compare(ours: dict[str, Any], theirs: dict[str, Any], place: str) -> None:
    """Whatever the studio may say, the model can read; and what the model counts on is promised."""
    if not theirs or not ours:
        return
    if theirs.get("properties"):
        assert set(ours.get("properties", {})) == set(theirs["properties"]), place
        assert set(ours.get("required", [])) <= set(theirs["required"]), place
        for name, schema in theirs["properties"].items():
            compare(ours["properties"][name], schema, f"{place}.{name}")
        return
    assert kinds(theirs) <= kinds(ours), place
    for values in ("enum", "const"):
        if values in ours and values in theirs:
            assert ours[values] == theirs[values], place
    if "items" in theirs:
        compare(ours["items"], theirs["items"], place + "[]")
    for one in theirs.get("anyOf", []):
        if one.get("properties") or one.get("items"):
            compare(next(mine for mine in ours["anyOf"] if kinds(mine) == kinds(one)), one, place)


def kinds(schema: dict[str, Any]) -> set[str]:
    """The types of a schema's values. Whole numbers are numbers, too."""
    if "anyOf" in schema:
        return set().union(*(kinds(one) for one in schema["anyOf"]))
    found = schema.get("type", ["object", "array", "string", "integer", "number", "boolean", "null"])
    found = {found} if isinstance(found, str) else set(found)
    return found | {"integer"} if "number" in found else found


def resolved(schema: Any, among: dict[str, Any]) -> Any:
    """A schema with all that it refers to; of what refers to itself, as far as is compared."""
    if isinstance(schema, list):
        return [resolved(one, among) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        # What a request holds is declared by the studio: here it is an object.
        return {"type": "object"} if name in OTHERS - {"Argument"} else resolved(among[name], among)
    return {name: resolved(value, among) for name, value in schema.items() if name != "$defs"}
