"""Our keyed hash against the standard library's."""

from __future__ import annotations

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fotofinish.storage.keyed_hash import hmac_sha256


@given(key=st.binary(min_size=1, max_size=64), messages=st.lists(st.binary(), max_size=3))
def test_it_is_the_hmac_of_the_standard_library(key: bytes, messages: list[bytes]) -> None:
    sign = hmac_sha256(key)
    for message in messages:
        assert sign(message) == hmac.digest(key, message, "sha256").hex()


@pytest.mark.parametrize("key", [b"", b"x" * 65])
def test_a_key_longer_than_a_block_or_empty_is_refused(key: bytes) -> None:
    with pytest.raises(ValueError, match="64 bytes"):
        hmac_sha256(key)
