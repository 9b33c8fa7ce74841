"""How a key is compared shows nothing of the keys: by structure, for a time is no proof."""

from __future__ import annotations

import ast
import inspect

import pytest

from mlstack.web import api_keys
from mlstack.web.api_keys import ApiKeys
from mlstack.web.problems import Unauthorized

_KEYS = ["first-key-0123456789", "second-key-0123456789"]


def test_every_key_is_compared_in_constant_time() -> None:
    """Digests of one length, each by compare_digest, none left out once one has matched."""
    (check,) = (
        node
        for node in ast.walk(ast.parse(inspect.getsource(api_keys)))
        if isinstance(node, ast.FunctionDef) and node.name == "check"
    )

    compared = [node for node in ast.walk(check) if isinstance(node, ast.ListComp)]
    calls = [node.elt for node in compared if isinstance(node.elt, ast.Call)]

    assert [ast.unparse(call.func) for call in calls] == ["hmac.compare_digest"]
    assert [ast.unparse(node.generators[0].iter) for node in compared] == ["digests"]
    assert not [
        node for node in ast.walk(check) if isinstance(node, ast.Compare) and "key" in ast.unparse(node)
    ]


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> ApiKeys:
    """Two keys."""
    monkeypatch.setenv("API_KEYS", ",".join(_KEYS))
    return ApiKeys()


@pytest.mark.parametrize("key", _KEYS)
def test_each_key_is_valid(keys: ApiKeys, key: str) -> None:
    keys.check("/predict", key.encode())


@pytest.mark.parametrize(
    "key", [None, b"", b"first-key-012345678", b"first-key-0123456789\n", b"FIRST-KEY-0123456789"]
)
def test_anything_else_is_refused_in_the_same_words(keys: ApiKeys, key: bytes | None) -> None:
    with pytest.raises(Unauthorized, match="expected a valid key in the header X-API-Key"):
        keys.check("/predict", key)
