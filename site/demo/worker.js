// The computation, away from the page: loads onnxruntime and a network, and runs it on one picture at a time.
import * as ort from "onnxruntime-web/wasm";
import { withoutAlpha } from "./numbers.js";

let isStarted = false;
let network; // the open one
let before = Promise.resolve();

// one after another, in the order of asking
self.onmessage = ({ data }) => (before = before.then(() => answer(data)));

/** Answer with maps, or with what went wrong; `ticket` tells the page to what. */
async function answer(asked) {
  try {
    const found = await scored(asked);
    const maps = [found.classes, ...Object.values(found.scores)];
    self.postMessage({ kind: "found", ...found }, maps.map((map) => map.buffer));
  } catch (error) {
    self.postMessage({ kind: "failed", ticket: asked.ticket, text: String(error?.message ?? error) });
  }
}

/** Run a file on RGBA pixels; scores and classes come back at the picture's size. */
async function scored({ ticket, program, file, width, height, pixels }) {
  if (!isStarted) await start(program);
  const isFirst = network?.address !== file.address; // which takes longer
  const session = await opened(file);
  const began = performance.now();
  const image = new ort.Tensor("uint8", withoutAlpha(pixels), [1, height, width, 3]);
  const { classes, ...scores } = await session.run({ image });
  const milliseconds = performance.now() - began;
  const maps = Object.entries(scores).map(([name, tensor]) => [name, tensor.data]);
  return {
    ticket,
    isFirst,
    file: file.address,
    width,
    height,
    milliseconds,
    threads: ort.env.wasm.numThreads,
    classes: classes.data,
    scores: Object.fromEntries(maps),
  };
}

/** Prepare onnxruntime; several threads need a page that is isolated from other origins. */
async function start(program) {
  const { wasm } = ort.env;
  wasm.wasmBinary = await fetched(program, "program");
  wasm.wasmPaths = { mjs: new URL(program.address.replace(".wasm", ".mjs"), self.location.href).href };
  wasm.numThreads = self.crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency) : 1;
  isStarted = true;
}

/** Open a network, in place of the one before: a phone has little memory. */
async function opened(file) {
  if (network?.address !== file.address) {
    const content = await fetched(file, "network");
    await network?.session.release();
    network = undefined;
    network = { address: file.address, session: await ort.InferenceSession.create(content) };
  }
  return network.session;
}

/** Fetch a file, telling the page how much is here. */
async function fetched({ address, bytes }, what) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address} could not be loaded (${response.status})`);
  const [content, began] = [new Uint8Array(bytes), performance.now()];
  let loaded = 0;
  for (const reader = response.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) break;
    content.set(value, loaded);
    loaded += value.length;
    const seconds = (performance.now() - began) / 1000;
    self.postMessage({ kind: "progress", what, loaded, total: bytes, seconds });
  }
  if (loaded !== bytes) throw new Error(`${address} was cut off`);
  return content;
}
