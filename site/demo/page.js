// The page: takes pictures, asks the worker for maps, and shows them. Nothing leaves the device.
import {
  describe, extent, fitted, median, paintAlarms, paintClasses, paintScores, percent, progressWords, recent, sharesOf,
} from "./numbers.js";

const SEEN = 512; // longer side of what the file sees, in pixels; it shrinks that to the network's size itself
const SHOWN = 1280; // longer side of what is shown

const demo = document.getElementById("demo");
const part = (name) => document.getElementById(`demo-${name}`);
const here = (file) => new URL(file, import.meta.url).href;
const about = await (await fetch(here("about.json"))).json();

const canvas = part("canvas");
const picture = document.createElement("canvas"); // as it came, without anything over it
const layer = document.createElement("canvas"); // what goes over it, at the maps' size
const seen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

let worker; // started with the first picture
let ticket = 0; // of the newest picture that was sent; answers to older ones are dropped
let found = null; // the worker's answer to the shown picture
let camera = null; // a stream while it runs
let runs = []; // milliseconds of the last pictures in the worker
let turns = []; // milliseconds from one picture of the camera to the next
let painted = 0; // when the last of them was shown
let said = 0; // when the live sentence last changed

const choice = () => about.choices[part("choice").value];
const view = () => demo.querySelector("input[name=demo-view]:checked").value;

// ---- pictures ----

/** Take a file that was chosen, pasted or dropped, or an image of the strip. */
async function takeFile(file, name) {
  stopCamera();
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return trouble(`${name} is no picture that this browser can read. Try a JPEG or a PNG.`);
  }
  trouble("");
  take(bitmap, bitmap.width, bitmap.height);
  bitmap.close();
}

/** Show a picture, and ask for its maps. What is clear in it becomes white. */
function take(source, width, height) {
  [picture.width, picture.height] = fitted(width, height, SHOWN);
  drawOnWhite(picture.getContext("2d"), source);
  [seen.canvas.width, seen.canvas.height] = fitted(width, height, SEEN);
  drawOnWhite(seen, source);
  if (!camera) {
    found = null;
    paint();
    part("words").textContent = "Computing …";
  }
  ask();
}

function drawOnWhite(context, source) {
  const { width, height } = context.canvas;
  context.fillStyle = "white";
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(source, 0, 0, width, height);
}

async function startCamera() {
  if (!navigator.mediaDevices?.getUserMedia) {
    return trouble("This browser gives this page no camera: it needs an address with https, or localhost. Pictures work.");
  }
  const wanted = { facingMode: "environment", width: { ideal: 640 } };
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ video: wanted });
    stopCamera(); // if it was asked for twice
    camera = stream;
    part("video").srcObject = stream;
    await part("video").play();
  } catch (error) {
    stopCamera();
    const reasons = { NotAllowedError: "permission was refused", NotFoundError: "there is none" };
    return trouble(`No camera here: ${reasons[error.name] ?? error.message}. Pictures still work.`);
  }
  camera.getVideoTracks()[0].onended = () => {
    stopCamera();
    trouble("The camera is gone. Pictures still work.");
  };
  trouble("");
  [runs, turns, painted] = [[], [], 0];
  part("camera").textContent = "Stop the camera";
  frame();
}

function stopCamera() {
  camera?.getTracks().forEach((track) => track.stop());
  camera = null;
  part("camera").textContent = "Use the camera";
}

/** Take what the camera shows now; the answer to it asks for the next. */
function frame() {
  const video = part("video");
  if (camera && video.videoWidth) take(video, video.videoWidth, video.videoHeight);
  else if (camera) requestAnimationFrame(frame);
}

// ---- the worker ----

/** Send the newest picture to the worker. */
function ask() {
  if (typeof WebAssembly !== "object" || typeof Worker !== "function") {
    part("words").textContent = "Nothing is computed.";
    return trouble("This browser has no WebAssembly, so pictures are only shown.");
  }
  if (!worker) {
    worker = new Worker(here("worker.js"), { type: "module" });
    worker.onmessage = ({ data }) => hear(data);
    worker.onerror = () => fail("the worker did not start");
  }
  const { width, height } = seen.canvas;
  const pixels = seen.getImageData(0, 0, width, height).data;
  const [program, file] = [about.program, about.networks[choice().network]];
  ticket += 1;
  worker.postMessage({ ticket, program, file, width, height, pixels }, [pixels.buffer]);
}

function hear(data) {
  if (data.kind === "progress") return showProgress(data);
  if (data.ticket !== ticket) return;
  if (data.kind === "failed") return fail(data.text);
  part("loading").hidden = true;
  part("controls").hidden = false;
  found = data;
  stretch();
  paint();
  if (!data.isFirst) showSpeed();
  else if (!camera) ask(); // once more, for the time alone
  demo.dispatchEvent(new CustomEvent("found", { detail: data })); // for who wants the numbers
  if (camera) requestAnimationFrame(frame);
}

/** Say what went wrong; the next picture begins anew, with another worker. */
function fail(text) {
  worker.terminate();
  worker = null;
  forget();
  stopCamera();
  part("words").textContent = "Nothing was computed for this picture.";
  trouble(`It could not be computed: ${text}. Another picture tries again.`);
}

/** Drop what another network has found, and its times. */
function forget() {
  [found, runs, turns, painted] = [null, [], [], 0];
}

// ---- what is shown ----

function paint() {
  const context = canvas.getContext("2d");
  [canvas.width, canvas.height] = [picture.width, picture.height];
  context.drawImage(picture, 0, 0);
  canvas.hidden = false;
  if (!found) return;
  const { width, height, classes } = found;
  const [map, threshold] = [found.scores[choice().score], Number(part("threshold").value)];
  const painters = {
    alarms: () => paintAlarms(map, threshold),
    scores: () => paintScores(map),
    classes: () => paintClasses(classes, about.palette),
  };
  if (view() in painters) {
    [layer.width, layer.height] = [width, height];
    layer.getContext("2d").putImageData(new ImageData(painters[view()](), width, height), 0, 0);
    context.globalAlpha = part("opacity").value / 100;
    context.drawImage(layer, 0, 0, canvas.width, canvas.height);
  }
  if (camera && performance.now() - said < 2000) return; // nobody can hear a sentence for every frame
  said = performance.now();
  part("words").textContent = describe(map, classes, width, threshold, about.classes);
  showLegend(classes);
}

function showLegend(classes) {
  const entries = sharesOf(classes).map(([id, share]) => {
    const entry = document.createElement("li");
    const colour = document.createElement("span");
    colour.style.background = `rgb(${about.palette[id]})`;
    entry.append(colour, `${about.classes[id]} ${percent(share)}`);
    return entry;
  });
  part("legend").replaceChildren(...entries);
}

function showSpeed() {
  runs = recent(runs, found.milliseconds);
  if (camera && painted) turns = recent(turns, performance.now() - painted);
  painted = performance.now();
  const { size } = about.networks[choice().network];
  const alone = self.crossOriginIsolated ? "" : " (this page is not isolated from others, which more would need)";
  const threads = `${found.threads} ${found.threads === 1 ? "thread" : "threads"}${alone}`;
  part("speed").textContent =
    `${median(runs).toFixed(0)} ms an image, ${(1000 / median(turns.length ? turns : runs)).toFixed(1)} images a second ` +
    `(median of the last ${runs.length}). Inside the network ${size[0]} × ${size[1]} pixels; ` +
    `WebAssembly with SIMD, ${threads}.`;
}

function showProgress({ what, loaded, total, seconds }) {
  part("loading").hidden = false;
  part("progress").value = loaded / total;
  part("progress-words").textContent = progressWords(what, loaded, total, seconds);
}

function trouble(text) {
  part("trouble").textContent = text;
  part("loading").hidden = true;
}

/** Set threshold and warning to a network and score; ask anew if it is another network. */
function choose() {
  const { threshold, warning } = choice();
  Object.assign(part("threshold"), { min: threshold, max: threshold, value: threshold });
  part("warning").textContent = warning;
  const isAnother = found?.file !== about.networks[choice().network].address;
  if (isAnother) forget();
  stretch();
  slide();
  if (isAnother && ticket) ask();
}

/** Let the slider reach every score that was seen since the choice. */
function stretch() {
  if (!found) return;
  const [slider, [low, high]] = [part("threshold"), extent(found.scores[choice().score])];
  [slider.min, slider.max] = [Math.min(slider.min, low), Math.max(slider.max, high)];
}

/** Say where the sliders are, and paint anew. */
function slide() {
  part("threshold-value").textContent = Number(part("threshold").value).toFixed(2);
  part("opacity-value").textContent = `${part("opacity").value} %`;
  part("legend").hidden = view() !== "classes";
  if (ticket) paint();
}

// ---- what a visitor does ----

about.scenes.forEach(({ file, alt }) => {
  const image = Object.assign(new Image(), { src: here(file), alt });
  const button = Object.assign(document.createElement("button"), { type: "button" });
  button.append(image);
  button.onclick = () => takeFile(image, alt);
  part("scenes").append(button);
});
about.choices.forEach(({ label }, place) => part("choice").add(new Option(label, place)));
part("choice").onchange = choose;
part("file").onchange = ({ target }) => target.files[0] && takeFile(target.files[0], target.files[0].name);
part("camera").onclick = () => (camera ? stopCamera() : startCamera());
demo.oninput = ({ target }) => target.closest(".demo-sliders") && slide();
demo.ondragover = (event) => event.preventDefault();
demo.ondrop = (event) => takeFrom(event, event.dataTransfer);
document.onpaste = (event) => takeFrom(event, event.clipboardData);
addEventListener("pagehide", stopCamera);

/** Take the file of a drop or a paste; what holds none, such as a text, is not ours. */
function takeFrom(event, { files }) {
  if (!files.length) return;
  event.preventDefault();
  takeFile(files[0], files[0].name);
}

choose();
part("words").textContent = "Choose a scene or a picture of yours.";
part("stage").hidden = false;
