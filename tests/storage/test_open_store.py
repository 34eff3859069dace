"""Which storage addresses are taken, and what is said about the others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fotofinish.errors import SettingsError
from fotofinish.settings import Settings
from fotofinish.storage.folder import FolderStore
from fotofinish.storage.links import open_linker
from fotofinish.storage.stores import open_store

KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "hush-hush"}
OURS = ("AWS_", "GOOGLE_", "AZURE_")
ENDPOINT = "endpoint=https://s3.example.org"


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(OURS)]:
        monkeypatch.delenv(name)


def settings_for(url: str | None, folder: Path) -> Settings:
    return Settings(storage_url=url, data_dir=folder, secret_key="k" * 43)


def test_without_an_address_it_is_a_folder_in_the_data_folder(tmp_path: Path) -> None:
    store = open_store(settings_for(None, tmp_path))
    assert isinstance(store, FolderStore)
    assert store.root == tmp_path / "storage"


def test_a_folder_is_given_as_a_file_address(tmp_path: Path) -> None:
    store = open_store(settings_for(f"file://{tmp_path}/mine%20and%20yours", tmp_path / "data"))
    assert isinstance(store, FolderStore)
    assert store.root == tmp_path / "mine and yours"


@pytest.mark.parametrize(
    ("url", "begins"),
    [
        ("s3://photos", "https://s3.us-east-1.amazonaws.com/photos/imgs/1/large/a.jpg?"),
        ("s3://photos?region=eu-west-3", "https://s3.eu-west-3.amazonaws.com/photos/imgs/"),
        (f"s3://photos?{ENDPOINT}&region=auto", "https://s3.example.org/photos/imgs/1/large/"),
        ("s3://photos?endpoint=http://10.0.0.7:9000/", "http://10.0.0.7:9000/photos/imgs/1/large/"),
        (
            "s3://photos?endpoint=https://s3.example.org/v1/s3",
            "https://s3.example.org/v1/s3/photos",
        ),
        (
            "s3://photos?endpoint=http://minio:9000&public_endpoint=https://photos.example.org",
            "https://photos.example.org/photos/imgs/1/large/",
        ),
    ],
)
def test_links_to_s3_point_at_the_endpoint(
    url: str, begins: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    settings = settings_for(url, tmp_path)
    (link,) = open_linker(settings, open_store(settings)).links(["imgs/1/large/a.jpg"])
    assert link.startswith(begins)


def test_the_address_decides_over_an_endpoint_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**KEYS, "AWS_ENDPOINT_URL_S3": "https://elsewhere.example.org"}.items():
        monkeypatch.setenv(name, value)
    settings = settings_for(f"s3://photos?{ENDPOINT}", tmp_path)
    (link,) = open_linker(settings, open_store(settings)).links(["a.jpg"])
    assert link.startswith("https://s3.example.org/photos/a.jpg?")


@pytest.mark.parametrize(
    ("url", "environment", "says"),
    [
        ("ftp://host/photos", KEYS, "file:///path"),
        ("photos", KEYS, "s3://bucket"),
        ("file://relative/path", KEYS, "three slashes"),
        ("file:///", KEYS, "three slashes"),
        ("s3://", KEYS, "s3://bucket"),
        ("s3://photos/folder", KEYS, "nothing but a bucket"),
        ("s3://AKIDEXAMPLE:hush-hush@photos", KEYS, "nothing but a bucket"),
        ("s3://photos?endpiont=https://s3.example.org", KEYS, "unknown parameter 'endpiont'"),
        (f"s3://photos?{ENDPOINT}&{ENDPOINT}", KEYS, "given twice"),
        ("s3://photos?endpoint=s3.example.org", KEYS, "https://s3.example.org"),
        ("s3://photos?endpoint=http://host:port", KEYS, "http://host:9000"),
        ("s3://photos?region=eu west", KEYS, "eu-central-1"),
        (f"s3://photos?{ENDPOINT}", {}, "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
        ("s3://photos", {"AWS_ACCESS_KEY_ID": "A"}, "AWS_SECRET_ACCESS_KEY is missing"),
        ("s3://photos", {"AWS_SECRET_ACCESS_KEY": "hush-hush"}, "AWS_ACCESS_KEY_ID is missing"),
        ("gs://", {}, "gs://bucket"),
        ("gs://photos/folder", {}, "nothing after it"),
        ("gs://photos", {"GOOGLE_APPLICATION_CREDENTIALS": "/no/such/file"}, "GOOGLE_APPLICATION"),
        ("az://", {}, "az://container"),
        ("az://photos", {}, "AZURE_STORAGE_ACCOUNT_NAME"),
    ],
)
def test_an_address_that_does_not_fit_is_refused_with_how_to_mend_it(
    url: str,
    environment: dict[str, str],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as refusal:
        open_store(settings_for(url, tmp_path))
    assert says in refusal.value.message
    assert "hush-hush" not in refusal.value.message


def test_azure_links_are_signed_by_its_own_rules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_NAME", "fotofinish")
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", "aHVzaC1odXNoLWh1c2gtaHVzaA==")
    settings = settings_for("az://photos", tmp_path)
    linker = open_linker(settings, open_store(settings))
    first, second = linker.links(["a.jpg", "b.jpg"])
    assert first.startswith("https://fotofinish.blob.core.windows.net/photos/a.jpg?")
    assert "/photos/b.jpg?" in second
    assert "sig=" in first
    day = settings.preview_ttl
    kept = linker.lasting_links([("a.webp", 1), ("b.webp", 1)], now=day)
    assert linker.lasting_links([("b.webp", 1)], now=day + 1) == kept[1:]
    assert "/photos/a.webp?" in kept[0]
    assert linker.lasting_links([("a.webp", 2)], now=day)[0].startswith(kept[0].partition("?")[0])
