"""What surrounds the network in a file: pixels in, maps at the image's size out; thresholds; facts."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from course_lib import inference, runtime

if TYPE_CHECKING:
    from onnx import ModelProto

FACTS = "course"
"""The key in a file's metadata under which all that is known of it stands, as JSON."""

CLASSES = "classes"
"""The name of the map of train ids."""

ALARM = "_alarm"
"""What stands behind the name of a score's map in the name of its alarms."""


def joined(size: Sequence[int], network: Path, scores: Path, names: Sequence[str]) -> "ModelProto":
    """Return one model of four in a row.

    Args:
        size: height and width at which the network sees an image.
        network: a file from ``images`` to maps.
        scores: a file from these maps to a map for each of the names and to one of train ids, in this order.
        names: of the scores.
    """
    import onnx
    from onnx.compose import add_prefix, merge_models

    first, second = onnx.load(network), onnx.load(scores)
    version = first.ir_version
    between = [
        (made.name, read.name) for made, read in zip(first.graph.output, second.graph.input, strict=True)
    ]
    first, second = (
        add_prefix(model, f"{part}/", rename_inputs=False, rename_outputs=False)
        for part, model in (("network", first), ("scores", second))
    )
    for model in (first, second):
        model.ir_version = version
    whole = merge_models(_before(size, version), first, [("images", "images")])
    whole = merge_models(whole, second, between)
    last, pairs = _after(names, size, version)
    found = merge_models(whole, last, [*pairs, ("whole", "whole")])
    onnx.checker.check_model(found, full_check=True)
    return found


AXIS = """
  {0}_length = Cast <to = 11> ({0}_sides)
  {0}_scale = Div ({0}_length, {0}_wanted)
  {0}_reach = Max ({0}_scale, one)
  {0}_targets = Range (nought, {0}_wanted, one)
  {0}_shifted = Add ({0}_targets, half)
  {0}_centres = Mul ({0}_shifted, {0}_scale)
  {0}_column = Unsqueeze ({0}_centres, last)
  {0}_sources = Range (nought, {0}_length, one)
  {0}_middles = Add ({0}_sources, half)
  {0}_apart = Sub ({0}_column, {0}_middles)
  {0}_distance = Abs ({0}_apart)
  {0}_relative = Div ({0}_distance, {0}_reach)
  {0}_slope = Sub (one, {0}_relative)
  {0}_triangle = Relu ({0}_slope)
  {0}_sum = ReduceSum <keepdims = 1> ({0}_triangle, last)
  {0}_share = Div ({0}_triangle, {0}_sum)
  {0}_large = Mul ({0}_share, unit)
  {0}_shifted_large = Add ({0}_large, half)
  {0}_weights = Floor ({0}_shifted_large)
"""
"""With which weights the pixels of an axis, {0}, make the new ones: triangles as wide as it shrinks."""

BEFORE = """
<ir_version: {version}, opset_import: ["" : {opset}]>
before (uint8[1, height, width, 3] image) => (float[1, 3, {height}, {width}] images, int64[4] whole)
<double nought = {{0.0}}, double one = {{1.0}}, double half = {{0.5}}, double unit = {{4194304.0}},
 double rows_wanted = {{{height}.0}}, double columns_wanted = {{{width}.0}}, int64[1] last = {{-1}},
 float most = {{255.0}},
 int64 first_side = {{1}}, int64 second_side = {{2}}, int64[1] from = {{1}}, int64[1] to = {{3}},
 int64[2] ones = {{1, 1}}>
{{
  shape = Shape (image)
  rows_sides = Gather (shape, first_side)
  columns_sides = Gather (shape, second_side)
{rows}{columns}
  planes = Transpose <perm = [0, 3, 1, 2]> (image)
  numbers = Cast <to = 11> (planes)
  columns_turned = Transpose <perm = [1, 0]> (columns_weights)
  narrow = MatMul (numbers, columns_turned)
  narrow_units = Div (narrow, unit)
  narrow_half = Add (narrow_units, half)
  narrow_rounded = Floor (narrow_half)
  small = MatMul (rows_weights, narrow_rounded)
  small_units = Div (small, unit)
  small_half = Add (small_units, half)
  small_rounded = Floor (small_half)
  steps = Cast <to = 1> (small_rounded)
  images = Div (steps, most)
  sides = Slice (shape, from, to)
  whole = Concat <axis = 0> (ones, sides)
}}
"""
"""Pixels of any size to numbers in [0, 1] at one size; and the size that they had."""


def _before(size: Sequence[int], version: int) -> "ModelProto":
    """Return the model from pixels of any size to numbers in [0, 1] at one size, and to the size before.

    Resizing is that of Pillow to the bit: along the rows, then along the columns, each rounded to 8 bits.
    Weights are in units of 2 ** -22; float64 holds their sums exactly. It is written as two products of
    matrices, since runtimes do not agree on what ``Resize`` does where an image shrinks.
    Pillow 13 takes the columns of upright images first; a fifth of their values is then off by 1 of 255.
    """
    import onnx
    from onnx.compose import add_prefix

    height, width = size
    axes = {axis: AXIS.format(axis) for axis in ("rows", "columns")}
    text = BEFORE.format(version=version, opset=inference.OPSET, height=height, width=width, **axes)
    model = onnx.parser.parse_model(text)
    return add_prefix(model, "before/", rename_inputs=False, rename_outputs=False)


def _after(
    names: Sequence[str], size: Sequence[int], version: int
) -> tuple["ModelProto", list[tuple[str, str]]]:
    """Return the model from maps (1, 1, h, w) to maps (H, W), and which of them is made where."""
    from onnx import TensorProto, helper

    whole = helper.make_tensor_value_info("whole", TensorProto.INT64, [4])
    inputs, outputs, nodes, pairs = [whole], [], [], []
    for number, name in enumerate((*names, CLASSES)):
        kind, mode = (TensorProto.UINT8, "nearest") if name == CLASSES else (TensorProto.FLOAT, "linear")
        small, big = f"after/{number}/small", f"after/{number}/big"
        nodes.append(helper.make_node("Resize", [small, "", "", "whole"], [big], mode=mode))
        nodes.append(helper.make_node("Squeeze", [big, "after/axes"], [name]))
        inputs.append(helper.make_tensor_value_info(small, kind, [1, 1, "rows", "columns"]))
        outputs.append(helper.make_tensor_value_info(name, kind, ["height", "width"]))
        pairs.append((found_name(number), small))
    axes = helper.make_tensor("after/axes", TensorProto.INT64, [2], [0, 1])
    return _model("after", nodes, inputs, outputs, [axes], version), pairs


def found_name(number: int) -> str:
    """Return what the graph of the scores calls its maps, one after another; classes are the last."""
    return f"found_{number}"


def _model(
    name: str, nodes: list, inputs: list, outputs: list, constants: list, version: int
) -> "ModelProto":
    """Return a model of the operators' version that all parts have."""
    from onnx import helper

    graph = helper.make_graph(nodes, name, inputs, outputs, constants)
    opset = helper.make_operatorsetid("", inference.OPSET)
    return helper.make_model(graph, opset_imports=[opset], ir_version=version)


def write_half(exported: Path, path: Path) -> None:
    """Write a file of a network with weights in half precision; what goes in and out stays float32."""
    import onnx
    from onnx import TensorProto, helper
    from onnxruntime.transformers.float16 import convert_float_to_float16
    from onnxruntime.transformers.onnx_model import OnnxModel

    model = convert_float_to_float16(onnx.load(exported), keep_io_types=["images"])
    for output in model.graph.output:  # the converter keeps no type of one that the network itself reads, too
        inside, output.name = output.name, output.name + "_full"
        model.graph.node.append(helper.make_node("Cast", [inside], [output.name], to=TensorProto.FLOAT))
        output.type.tensor_type.elem_type = TensorProto.FLOAT
    del model.graph.value_info[:]  # the converter leaves types there of before
    half = OnnxModel(model)
    half.topological_sort()  # the converter appends nodes that come first
    onnx.save(half.model, path)


def with_thresholds(path: Path, thresholds: Mapping[str, float], about: dict) -> None:
    """Give a file an alarm for each score: uint8 (H, W), 1 where the map is above a threshold.

    Args:
        path: of the file, which is replaced.
        thresholds: by the name of a score.
        about: how they were chosen; it stands in the file, beside them.
    """
    import onnx
    from onnx import TensorProto, helper

    model = onnx.load(path)
    for name, threshold in thresholds.items():
        above, limit, alarm = f"alarm/{name}/above", f"alarm/{name}/threshold", name + ALARM
        model.graph.initializer.append(helper.make_tensor(limit, TensorProto.FLOAT, [], [threshold]))
        model.graph.node.append(helper.make_node("Greater", [name, limit], [above]))
        model.graph.node.append(helper.make_node("Cast", [above], [alarm], to=TensorProto.UINT8))
        shape = ["height", "width"]
        model.graph.output.append(helper.make_tensor_value_info(alarm, TensorProto.UINT8, shape))
    facts = json.loads({entry.key: entry.value for entry in model.metadata_props}[FACTS])
    write(model, path, facts | {"thresholds": dict(thresholds), "threshold_from": about})


def write(model: "ModelProto", path: Path, facts: dict) -> None:
    """Write a model with facts about it, as a whole."""
    import onnx

    onnx.helper.set_model_props(model, {FACTS: json.dumps(facts)})
    path.parent.mkdir(parents=True, exist_ok=True)
    runtime.write_atomically(path, model.SerializeToString())
