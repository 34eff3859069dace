"""Networks run in what the processor is fastest in."""

from __future__ import annotations

from pathlib import Path

import pytest

from fotofinish.vision import networks


@pytest.mark.parametrize(
    ("flags", "fastest_first"),
    [
        ("avx512f avx512_vnni amx_bf16 amx_int8", ["bf16", "int8", "f32"]),
        ("avx512f avx512_vnni avx512_bf16", ["int8", "f32"]),
        ("avx2 avx_vnni", ["int8", "f32"]),
        ("avx2 fma", ["f32"]),
        ("asimd", ["f32"]),
    ],
)
def test_what_is_emulated_is_not_chosen(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, flags: str, fastest_first: list[str]
) -> None:
    (tmp_path / "cpuinfo").write_text(f"flags\t: fpu {flags}\n")
    monkeypatch.setattr(networks, "PROCESSOR", tmp_path / "cpuinfo")
    assert networks.fast_precisions() == fastest_first
    assert networks.fast_precision() == fastest_first[0]


def test_without_a_list_of_flags_networks_run_in_f32(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(networks, "PROCESSOR", tmp_path / "none")
    assert networks.fast_precisions() == ["f32"]
