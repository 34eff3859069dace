"""What a presigned link costs: ours against boto3, in microseconds, in one run.

Signing asks nobody, so this measures the processor alone. The goal: 60 links in under 300 µs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from uuid import UUID

import boto3
from botocore.config import Config
from rich.console import Console
from rich.table import Table

from fotofinish.storage.local_links import LocalLinks
from fotofinish.storage.s3_place import s3_place
from fotofinish.storage.sigv4 import S3Presigner

ENDPOINT = "https://s3.example.org"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example-secret"}
OBJECTS = [f"imgs/456/large/{UUID(int=number << 64)}.jpg" for number in range(60)]
TTL = 3600


def main() -> dict[str, float]:
    """Microseconds a link by each way, and how many times faster than boto3 ours are."""
    now = time.time()
    presigner = S3Presigner(s3_place(f"s3://photos?endpoint={ENDPOINT}", KEYS), TTL)
    local = LocalLinks(b"example" * 6, "https://photos.example.org", TTL)
    times = {
        "boto3": microseconds_a_link(boto3_links(), rounds=5),
        "ours, S3": microseconds_a_link(lambda keys: presigner.links(keys, now), rounds=200),
        "ours, local": microseconds_a_link(lambda keys: local.links(keys, now), rounds=200),
    }
    table = Table(title="A signed link", title_justify="left")
    for heading in ("way", "µs a link", "µs for 60", "times faster than boto3"):
        table.add_column(heading, justify="left" if heading == "way" else "right")
    for way, cost in times.items():
        table.add_row(way, f"{cost:.1f}", f"{cost * 60:,.0f}", f"{times['boto3'] / cost:.1f}")
    Console().print(table)
    return {
        "boto3_us": times["boto3"],
        "s3_us": times["ours, S3"],
        "local_us": times["ours, local"],
        "s3_ratio": times["boto3"] / times["ours, S3"],
        "local_ratio": times["boto3"] / times["ours, local"],
    }


def boto3_links() -> Callable[[Sequence[str]], list[str]]:
    """What the obvious stack does, with its client made once."""
    client = boto3.client(
        "s3",
        endpoint_url=ENDPOINT,
        region_name="us-east-1",
        aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )

    def links(keys: Sequence[str]) -> list[str]:
        return [
            client.generate_presigned_url(
                "get_object", Params={"Bucket": "photos", "Key": key}, ExpiresIn=TTL
            )
            for key in keys
        ]

    return links


def microseconds_a_link(links: Callable[[Sequence[str]], list[str]], *, rounds: int) -> float:
    """The best of nine series, as a shared machine only ever makes things slower."""
    series = []
    for _ in range(9):
        begin = time.perf_counter()
        for _ in range(rounds):
            links(OBJECTS)
        series.append(time.perf_counter() - begin)
    return min(series) / rounds / len(OBJECTS) * 1e6


if __name__ == "__main__":
    main()
