"""A network as a graph of its layers, and what can be rewritten in it without changing the result."""

import operator

import torch
from torch import fx, nn
from torch.nn import functional as F
from torch.nn.utils.fusion import fuse_conv_bn_eval

from course_lib.models import IsoMaxPlus, Network, flush_subnormal, watched_scales
from course_lib.models.espnetv2 import Pyramid

CONVOLUTIONS = (nn.Conv2d, nn.ConvTranspose2d)


class _Tracer(fx.Tracer):
    """Follows a network down to torch's own layers; ours that stand for one operation are not opened."""

    traced_func_name = "features"  # instead of forward

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Tell where to stop."""
        ours = (nn.BatchNorm2d, IsoMaxPlus, Pyramid)
        return isinstance(m, ours) or super().is_leaf_module(m, module_qualified_name)


class _Shapes(fx.Interpreter):
    """Runs a graph and notes the shape that each node makes; torch's own ``ShapeProp`` loads sympy, 40 MB."""

    def run_node(self, n: fx.Node) -> torch.Tensor:
        """Run one node."""
        made = super().run_node(n)
        n.meta["shape"] = getattr(made, "shape", None)  # None of a pair
        return made


def traced_features(network: Network) -> fx.GraphModule:
    """Return the graph from images to features; layers are shared with the network.

    The encoder's map at each stride of ``scale_modules`` passes through a module ``scale_<stride>`` that does
    nothing: there it can be watched, and nobody overwrites it.

    Args:
        network: in evaluation mode; dropout, which then does nothing, is left out.
    """
    with watched_scales(network, [*network.scale_modules]) as maps:
        graph = fx.GraphModule(network, _Tracer().trace(network))
    for stride, made in maps.items():
        graph.add_submodule(f"scale_{stride}", nn.Identity())
        with graph.graph.inserting_after(made.node):
            passed = graph.graph.call_module(f"scale_{stride}", (made.node,))
        made.node.replace_all_uses_with(passed, lambda user, passed=passed: user is not passed)
    for node in graph.graph.nodes:
        if isinstance(_layer(graph, node), (nn.Dropout, nn.Dropout2d)):
            node.replace_all_uses_with(node.args[0])
    return _tidy(graph)


def fold_batch_norms(graph: fx.GraphModule) -> int:
    """Multiply each batch normalisation into the convolution before it; return how many were.

    One behind anything else, such as two branches put side by side, stays.

    Args:
        graph: of ``traced_features``; convolutions are replaced, not changed.
    """
    folded = 0
    for node in graph.graph.nodes:
        norm, before = _layer(graph, node), node.args[0] if node.args else None
        if not isinstance(norm, nn.BatchNorm2d) or len(before.users) > 1:
            continue
        convolution = _layer(graph, before)
        if isinstance(convolution, CONVOLUTIONS):
            transposed = isinstance(convolution, nn.ConvTranspose2d)
            fused = fuse_conv_bn_eval(convolution, norm, transpose=transposed)
            flush_subnormal(fused)  # a dead channel is a product of small numbers
            graph.set_submodule(before.target, fused)
            node.replace_all_uses_with(before)
            folded += 1
    _tidy(graph)
    return folded


def work_in_place(graph: fx.GraphModule, image: torch.Tensor) -> int:
    """Let activations and sums overwrite their operand where nobody else reads it; return how many do.

    Args:
        graph: of ``traced_features``.
        image: any (1, 3, H, W) with sides larger than the network's ``size_multiple``: it shows where the two
            parts of a sum have one shape.
    """
    _Shapes(graph).run(image)
    changed = 0
    for node in graph.graph.nodes:
        layer = _layer(graph, node)
        if isinstance(layer, (nn.ReLU, nn.ReLU6)) and _is_free(graph, node.args[0]):
            graph.set_submodule(node.target, type(layer)(inplace=True))
        elif node.target is F.relu and _is_free(graph, node.args[0]):
            node.kwargs = {"inplace": True}
        elif node.target is operator.add:
            first, second = node.args
            own = [part for part in node.args if _is_free(graph, part)]
            shape = node.meta["shape"]
            free = [part for part in own if part.meta["shape"] == shape]
            if first is second or not free:
                continue
            node.args = (first, second) if first is free[0] else (second, first)
            node.target = operator.iadd
        else:
            continue
        changed += 1
    _tidy(graph)
    return changed


def _is_free(graph: fx.GraphModule, node: fx.Node) -> bool:
    """Tell whether a node makes a tensor of its own that only one other reads."""
    if not isinstance(node, fx.Node) or len(node.users) > 1:  # a part of a sum may be a number
        return False
    makes_its_own = isinstance(_layer(graph, node), (*CONVOLUTIONS, nn.BatchNorm2d))
    return makes_its_own or node.target in (torch.cat, operator.add)


def _layer(graph: fx.GraphModule, node: fx.Node) -> nn.Module | None:
    """Return the layer that a node calls, None if it calls none."""
    is_call = isinstance(node, fx.Node) and node.op == "call_module"
    return graph.get_submodule(node.target) if is_call else None


def _tidy(graph: fx.GraphModule) -> fx.GraphModule:
    """Drop what is not used any more, and write the code of the graph anew."""
    graph.graph.eliminate_dead_code()
    graph.delete_all_unused_submodules()
    graph.recompile()
    return graph
