"""What a picture costs in the browser, with one thread, beside onnxruntime in Python with one thread.

Call pytest -s tests/benchmarks/benchmark_demo.py. A scene of 128 x 256 pixels through files of the page "Try
it", and through the same with 8 bits. Written to results/benchmarks/demo.csv.
"""

import itertools
import shutil
import statistics
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import numpy as np
import pandas as pd
import torch
from playwright.sync_api import sync_playwright

import road_scenes
from course_lib.deployment import DeployedFile
from course_lib.runtime import PROJECT_ROOT
from course_tools import demo

ROUNDS = 20
NAMES = ("detector", "erfnet")
ASK = """async ({file, program, width, height, values}) => {
  globalThis.worker ??= new Worker("demo/worker.js", {type: "module"});
  const answer = new Promise((resolve, reject) => worker.onmessage = ({data}) => {
    if (data.kind === "found") resolve(data.milliseconds);
    if (data.kind === "failed") reject(data.text);
  });
  const pixels = new Uint8ClampedArray(values);
  worker.postMessage({ticket: 1, program, file, width, height, pixels});
  return answer;
}"""
"""Sends a picture to a worker of the page's code, and returns the milliseconds that it took."""


def facts(path):
    """Return what the worker has to know of a file."""
    return {"address": path.name, "bytes": path.stat().st_size}


def test_milliseconds_in_the_browser(tmp_path):
    torch.set_num_threads(1)
    folder = tmp_path / "demo"
    assert demo.build(PROJECT_ROOT / "site" / "demo", folder), "needs npm"
    (tmp_path / "index.html").write_text("<title>speed</title>")
    scene = road_scenes.draw_anomaly("fs_static", 1003).image
    opaque = np.dstack([scene, np.full(scene.shape[:2], 255, np.uint8)]).ravel().tolist()
    picture = {"width": scene.shape[1], "height": scene.shape[0], "values": opaque}
    picture["program"] = facts(folder / f"{demo.PROGRAM}.wasm")
    handler = partial(SimpleHTTPRequestHandler, directory=tmp_path)  # without the headers that allow threads
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    rows = []
    with sync_playwright() as playwright:
        options = {"executable_path": shutil.which("chromium"), "args": ["--no-sandbox", "--disable-gpu"]}
        browser = playwright.chromium.launch(**options)
        for name, precision in itertools.product(NAMES, ("fp32", "int8")):
            path = folder / f"{name}_{precision}.onnx"
            demo.export(demo.EXPORTED[name], path, precision)
            file, page = DeployedFile(path), browser.new_page()
            page.goto(f"http://127.0.0.1:{server.server_port}/")
            ways = {
                "browser": lambda page=page, path=path: page.evaluate(ASK, picture | {"file": facts(path)}),
                "python": lambda file=file: milliseconds(lambda: file.decide(scene)),
            }
            taken = {way: [run() for run in [ask] * 3][2:] for way, ask in ways.items()}
            for _ in range(ROUNDS):
                for way, ask in ways.items():
                    taken[way].append(ask())
            page.close()
            row = {"file": path.stem, "megabytes": path.stat().st_size / 1e6}
            row |= {f"{way} ms": statistics.median(found) for way, found in taken.items()}
            rows.append(row | {"ratio": row["browser ms"] / row["python ms"]})
            print(rows[-1], flush=True)
        browser.close()
    server.shutdown()
    results = PROJECT_ROOT / "results" / "benchmarks"
    results.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).to_csv(results / "demo.csv", index=False, float_format="%.4g")


def milliseconds(call):
    """Return how long a call takes."""
    began = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - began)
