"""Checksums are those of zlib, whoever makes them."""

import sys
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supersoniq.storage.checksums import crc32, fastest_crc32


@given(st.binary(max_size=300), st.integers(0, 2**32 - 1))
def test_it_is_the_checksum_of_zlib(data: bytes, start: int) -> None:
    assert crc32(data, start) == zlib.crc32(data, start)
    assert crc32(memoryview(data)[1:], start) == zlib.crc32(data[1:], start)


@given(st.binary(max_size=300), st.integers(0, 300))
def test_it_goes_on_where_it_has_stopped(data: bytes, cut: int) -> None:
    assert crc32(data[cut:], crc32(data[:cut], 0)) == zlib.crc32(data)


def test_zlib_makes_it_where_there_is_nothing_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "isal.isal_zlib", None)
    assert fastest_crc32() is zlib.crc32
