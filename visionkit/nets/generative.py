"""Networks that make pictures: an autoencoder, a variational one, and the two halves of a GAN.

Pictures are (B, 3, S, S) float32 in 0..1, S a multiple of 8.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, cast

from visionkit.lazy import torch

if TYPE_CHECKING:
    from torch import Generator, Tensor, nn

WIDTHS = (32, 64, 128)


def autoencoder(size: int = 32, code: int = 64) -> nn.ModuleDict:
    """``encoder`` and ``decoder``: a picture through ``code`` numbers and back.

    (Hinton & Salakhutdinov, Reducing the Dimensionality of Data with Neural Networks, Science 313, 2006.)
    """
    return torch.nn.ModuleDict({"encoder": _down(size, code), "decoder": _up(size, code)})


def vae(size: int = 32, code: int = 64) -> nn.ModuleDict:
    """The same, but the ``encoder`` gives mean and log-variance of normally distributed codes: such can be drawn.

    (Kingma & Welling, Auto-Encoding Variational Bayes, 2014, arXiv:1312.6114.)
    """
    return torch.nn.ModuleDict({"encoder": _down(size, 2 * code), "decoder": _up(size, code)})


def gan(size: int = 32, code: int = 64) -> nn.ModuleDict:
    """A ``decoder`` that makes pictures, and the ``critic`` that teaches it (Radford et al. 2016, arXiv:1511.06434).

    Spectral norms in the critic (Miyato et al. 2018, arXiv:1802.05957) keep the two in balance.
    """
    return torch.nn.ModuleDict({"decoder": _up(size, code), "critic": _down(size, 1, spectral=True)})


def codes_of(net: nn.ModuleDict, pictures: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and log-variance of a VAE's codes, each (B, code)."""
    mean, log_variance = net["encoder"](pictures).chunk(2, dim=1)
    return mean, log_variance.clamp(-10, 10)


def draw(net: nn.ModuleDict, count: int, random: Generator) -> Tensor:
    """Pictures (count, 3, S, S) from codes drawn with a CPU generator, of a VAE or a GAN."""
    first = next(net["decoder"].parameters())
    codes = torch.randn((count, first.shape[1]), generator=random)
    return cast("Tensor", net["decoder"](codes.to(first.device)))


def _down(size: int, out: int, *, spectral: bool = False) -> nn.Sequential:
    """Three halvings and a linear layer: (B, 3, S, S) → (B, out)."""
    nn = torch.nn
    guard = nn.utils.parametrizations.spectral_norm if spectral else (lambda layer: layer)
    layers: list[nn.Module] = []
    for before, after in pairwise((3, *WIDTHS)):
        layers += [guard(nn.Conv2d(before, after, 4, 2, 1)), nn.LeakyReLU(0.2, inplace=True)]
    return nn.Sequential(*layers, nn.Flatten(), guard(nn.Linear(WIDTHS[-1] * (size // 8) ** 2, out)))


def _up(size: int, code: int) -> nn.Sequential:
    """The way back, (B, code) → (B, 3, S, S); scaled up before each convolution, which leaves no chequered pattern."""
    nn = torch.nn
    widths = (*reversed(WIDTHS), WIDTHS[0])
    small = (widths[0], size // 8, size // 8)
    layers: list[nn.Module] = [nn.Linear(code, widths[0] * (size // 8) ** 2), nn.Unflatten(1, small)]
    for before, after in pairwise(widths):
        layers += [nn.Upsample(scale_factor=2), nn.Conv2d(before, after, 3, padding=1, bias=False)]
        layers += [nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, nn.Conv2d(widths[-1], 3, 3, padding=1), nn.Sigmoid())
