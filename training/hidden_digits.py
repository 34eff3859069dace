"""Train the network that sees whether digits of a number are hidden: `fotofinish/vision/hidden.py`.

On drawn bibs alone: before four of five is an arm, a hand, another runner or a thing, and over an
end of every third; all are photographed as cameras and JPEG files do. Writes an ONNX file and
prints its SHA-256, for `fotofinish/vision/registry.py`. On two cores drawing takes 16 minutes,
training 18, and 9 GB of memory are needed.

    pip install torch==2.13.0 onnx
    apt-get install fonts-urw-base35 fonts-liberation2 fonts-roboto-unhinted fonts-lato \\
        fonts-open-sans fonts-freefont-ttf fonts-dejavu-extra fonts-croscore fonts-texgyre
    python -m training.hidden_digits fotofinish/vision/hidden_digits.onnx
"""

from __future__ import annotations

import argparse
import hashlib
import math
import multiprocessing
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from fotofinish.arrays import Floats, Pixels
from fotofinish.bibs.plausibility import LIKELY_HIDDEN
from fotofinish.vision.hidden import COLUMNS, DEVIATION, MEAN, ROWS
from training.photos import WINDOWS_A_SCENE, windows

FONTS = (
    "NimbusSans-Bold.otf",
    "NimbusSansNarrow-Bold.otf",
    "NimbusRoman-Bold.otf",
    "Arimo-Bold.ttf",
    "DejaVuSans-Bold.ttf",
    "DejaVuSansCondensed-Bold.ttf",
    "FreeSansBold.ttf",
    "Lato-Black.ttf",
    "Lato-Bold.ttf",
    "LiberationSans-Bold.ttf",
    "LiberationSans-Regular.ttf",
    "OpenSans-Bold.ttf",
    "OpenSans-CondBold.ttf",
    "RobotoCondensed-Bold.ttf",
    "Roboto-Black.ttf",
    "Roboto-Bold.ttf",
    "texgyreheroscn-bold.otf",
    "texgyreheros-bold.otf",
)
FONT_FOLDERS = (Path("/usr/share/fonts"), Path("/usr/share/texmf/fonts"))
SCENES, LEAST_SCENES, SCENES_A_PART = 100_000, 4_000, 500
EPOCHS, BATCH, RATE, VALIDATION = 7, 128, 3e-3, 8_000
# the network that is kept is a mean of all steps, in which each weighs this much of the next
MEAN_DECAY = 0.999
# what labels are worth, since a digit that is half hidden may be read or not
SURE = 0.97
CHANNELS = (16, 32, 64, 96)


class Network(nn.Module):
    """Seven convolutions that halve the picture four times, and one weight for each place."""

    def __init__(self) -> None:
        super().__init__()
        one, two, three, four = CHANNELS
        steps = [(3, one, 2), (one, two, 2), (two, two, 1), (two, three, 2), (three, three, 1)]
        steps += [(three, four, 2), (four, four, 1)]
        self.features = nn.Sequential(
            *(
                nn.Sequential(
                    nn.Conv2d(ins, outs, 3, stride, 1, bias=False),
                    nn.BatchNorm2d(outs),
                    nn.ReLU(),
                )
                for ins, outs, stride in steps
            )
        )
        self.forgetting = nn.Dropout(0.4)
        self.verdict = nn.Linear(four * math.ceil(ROWS / 16) * math.ceil(COLUMNS / 16), 1)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Pictures (NxCxHxW, normalised) to log-odds (N)."""
        features = self.features(pictures).flatten(1)
        return self.verdict(self.forgetting(features))[:, 0]


class Chance(nn.Module):
    """The network with its log-odds made chances."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Pictures (NxCxHxW, normalised) to chances (N)."""
        return torch.sigmoid(self.network(pictures))


def drawn(scenes: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Pictures (NxHxWx3, uint8) and labels of so many scenes, drawn on all cores."""
    fonts = _fonts()
    parts = [(seed, SCENES_A_PART, fonts) for seed in range(math.ceil(scenes / SCENES_A_PART))]
    size = SCENES_A_PART * WINDOWS_A_SCENE
    pictures = torch.empty(len(parts) * size, ROWS, COLUMNS, 3, dtype=torch.uint8)
    labels = torch.empty(len(pictures))
    with multiprocessing.Pool() as pool:
        for done, (some, whether) in enumerate(pool.imap(_part, parts)):
            here = slice(done * size, (done + 1) * size)
            pictures[here] = torch.from_numpy(some)
            labels[here] = torch.from_numpy(whether)
            print(f"\r{(done + 1) * SCENES_A_PART:,} scenes drawn", end="", flush=True)
    print()
    return pictures, labels


def _part(given: tuple[int, int, list[Path]]) -> tuple[Pixels, Floats]:
    cv2.setNumThreads(1)
    pictures, labels = zip(*windows(*given), strict=True)
    return np.stack(pictures), np.array(labels, dtype=np.float32)


def _fonts() -> list[Path]:
    files = [path for folder in FONT_FOLDERS for path in sorted(folder.rglob("*"))]
    by_name = {path.name: path for path in files if path.name in FONTS}
    if missing := set(FONTS) - set(by_name):
        raise SystemExit(f"Fonts are missing (see --help): {', '.join(sorted(missing))}")
    return [by_name[name] for name in sorted(FONTS)]


def train(pictures: torch.Tensor, labels: torch.Tensor) -> Network:
    """A network; the last windows are kept apart to say how good it is."""
    torch.manual_seed(0)
    network = Network().to(memory_format=torch.channels_last)
    ours = len(pictures) - VALIDATION
    steps = EPOCHS * (ours // BATCH)
    optimiser = torch.optim.AdamW(network.parameters(), RATE, weight_decay=5e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=steps)
    mean = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(MEAN_DECAY), use_buffers=True)
    for epoch in range(EPOCHS):
        network.train()
        for chosen in _batches(ours):
            with torch.autocast("cpu", torch.bfloat16):  # half the time where there is AMX
                odds = network(_normalised(_varied(pictures[chosen])))
            wanted = labels[chosen] * (2 * SURE - 1) + (1 - SURE)
            loss = functional.binary_cross_entropy_with_logits(odds.float(), wanted)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            mean.update_parameters(network)
        verdict = _verdict(mean.module, pictures[ours:], labels[ours:])
        print(f"epoch {epoch + 1} of {EPOCHS}: {verdict}", flush=True)
    return mean.module.eval()


def _batches(count: int) -> Iterator[torch.Tensor]:
    order = torch.randperm(count)
    for start in range(0, count - BATCH + 1, BATCH):
        yield order[start : start + BATCH]


def _varied(pictures: torch.Tensor) -> torch.Tensor:
    """In other light each, and now and then with colours swapped, since they say little."""
    if torch.rand(()) < 0.3:
        pictures = pictures[..., torch.randperm(3)]
    contrast, light = torch.rand(2, len(pictures), 1, 1, 1)
    return (pictures.float() - 128) * (0.7 + 0.6 * contrast) + 98 + 60 * light


def _normalised(pictures: torch.Tensor) -> torch.Tensor:
    return (pictures.permute(0, 3, 1, 2).float() - MEAN[0]) / DEVIATION[0]


@torch.no_grad()
def _verdict(network: Network, pictures: torch.Tensor, labels: torch.Tensor) -> str:
    network.eval()
    odds = torch.cat([network(_normalised(some)) for some in pictures.split(500)])
    likely = (torch.sigmoid(odds) >= LIKELY_HIDDEN).float()
    found, wrong = likely[labels == 1].mean(), likely[labels == 0].mean()
    return f"{found:.1%} of the hidden ends found, {wrong:.2%} of the whole ones taken for hidden"


def main() -> None:
    """Draw, train, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path, help="the ONNX file to write")
    parser.add_argument("--scenes", type=int, default=SCENES, help="how many bibs to draw")
    given = parser.parse_args()
    if given.scenes < LEAST_SCENES:
        parser.error(f"--scenes must be {LEAST_SCENES:,} or more")
    network = train(*drawn(given.scenes))
    torch.onnx.export(
        Chance(network),
        (torch.zeros(2, 3, ROWS, COLUMNS),),
        given.out,
        input_names=["pictures"],
        output_names=["chances"],
        dynamic_axes={"pictures": {0: "pictures"}, "chances": {0: "pictures"}},
        dynamo=False,
    )
    print(f"{given.out}: SHA-256 {hashlib.sha256(given.out.read_bytes()).hexdigest()}")


if __name__ == "__main__":
    main()
