"""Expressions, templates and setters as parameters of a stage."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from visionkit.expr import ExprError, Expression, Setter, Template


class Params(BaseModel):
    model_config = ConfigDict(frozen=True)

    label: Template = Template.parse("{class_name} {score:.2f}")
    where: Expression | None = None
    set: dict[str, Setter] = {}


def test_takes_a_text_or_an_instance() -> None:
    params = Params(label="{track_id}", where="score > 0.5", set={"plate": "vote(text)"})
    assert params.label == Template.parse("{track_id}")
    assert params.where == Expression.parse("score > 0.5")
    assert params.set["plate"].reducer == "vote"
    assert Params(label=params.label).label is params.label
    assert Params.model_validate_json('{"label": "{a}"}').label == Template.parse("{a}")
    assert hash(Params().label) == hash(Template.parse("{class_name} {score:.2f}"))


def test_writes_its_text() -> None:
    params = Params(where="score > 0.5")
    expected = {"label": "{class_name} {score:.2f}", "where": "score > 0.5", "set": {}}
    assert params.model_dump(mode="json") == expected
    assert Params.model_validate_json(params.model_dump_json()) == params


def test_json_schema_is_a_string() -> None:
    properties = Params.model_json_schema()["properties"]
    assert properties["label"] == {"type": "string", "title": "Label", "default": "{class_name} {score:.2f}"}
    assert properties["where"]["anyOf"] == [{"type": "string"}, {"type": "null"}]
    assert Params.model_json_schema(mode="serialization")["properties"]["label"]["type"] == "string"


@pytest.mark.parametrize(
    ("params", "where", "offset"),
    [
        ({"label": "a {"}, ("label",), 2),
        ({"where": "n = 3"}, ("where",), 2),
        ({"set": {"p": "vote("}}, ("set", "p"), 5),
    ],
)
def test_a_mistake_carries_its_offset(params: dict[str, object], where: tuple[str, ...], offset: int) -> None:
    with pytest.raises(ValidationError) as caught:
        Params.model_validate(params)
    (error,) = caught.value.errors()
    assert error["loc"] == where
    problem = error["ctx"]["error"]
    assert isinstance(problem, ExprError)
    assert problem.offset == offset


@pytest.mark.parametrize("value", [3, {"a": None}, ["a"], True])
def test_anything_else_is_refused(value: object) -> None:
    with pytest.raises(ValidationError, match=r"must be a text, got .*; put quotes around it"):
        Params.model_validate({"label": value})
