"""A network that several processes train together; with a single process, the network as it is."""

from contextlib import AbstractContextManager, nullcontext

import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from course_lib.models import Network
from course_lib.training import ranks


class AllLogits(nn.Module):
    """Calls ``network.all_logits``: torch shares the work of modules alone."""

    def __init__(self, network: Network) -> None:
        """Wrap a network."""
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> list[Tensor]:
        """(N, 3, H, W) to logits (N, C, H, W) of each head."""
        return self.network.all_logits(images)


def share_statistics(network: Network) -> Network:
    """Let batch normalisation see the images of all processes, on CUDA; the names of the weights stay.

    Elsewhere torch has no such layer: each process then normalises by its own images.
    """
    on_cuda = next(network.parameters()).device.type == "cuda"
    if ranks.count() == 1 or not on_cuda:
        return network
    return nn.SyncBatchNorm.convert_sync_batchnorm(network)


def shared(network: Network) -> nn.Module:
    """Return a module that gives the logits of all heads; its gradients are the mean over all processes.

    Args:
        network: on its device; all processes begin with the weights of the first, and take over its running
            statistics before each step.
    """
    module = AllLogits(network)
    if ranks.count() == 1:
        return module
    for name in network.idle_names:  # else torch would wait for their gradients
        network.get_submodule(name).requires_grad_(False)
    return DistributedDataParallel(module)


def unshared(module: nn.Module) -> AbstractContextManager:
    """Return a context in which gradients add up in each process, without being exchanged."""
    return module.no_sync() if isinstance(module, DistributedDataParallel) else nullcontext()


def same_buffers(network: Network) -> None:
    """Give all processes the running statistics of the first, as they are after a step."""
    if ranks.count() > 1:
        for buffer in network.buffers():
            dist.broadcast(buffer, src=0)
