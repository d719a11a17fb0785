import assert from "node:assert/strict";
import { test } from "node:test";
import * as numbers from "./numbers.js";

test("a picture is fitted by its longer side, and never enlarged", () => {
  assert.deepEqual(numbers.fitted(1000, 500, 512), [512, 256]);
  assert.deepEqual(numbers.fitted(500, 1000, 512), [256, 512]);
  assert.deepEqual(numbers.fitted(256, 128, 512), [256, 128]);
  assert.deepEqual(numbers.fitted(9000, 1, 512), [512, 1]);
});

test("alpha is left out, the colours keep their order", () => {
  assert.deepEqual([...numbers.withoutAlpha([1, 2, 3, 255, 4, 5, 6, 0])], [1, 2, 3, 4, 5, 6]);
});

test("the median of an even number of values lies between the middle two", () => {
  assert.equal(numbers.median([30, 1, 2]), 2);
  assert.equal(numbers.median([10, 9, 2, 1]), 5.5);
});

test("only the last values count", () => {
  assert.deepEqual(numbers.recent([1, 2, 3], 4, 3), [2, 3, 4]);
  assert.deepEqual(numbers.recent([], 4), [4]);
});

test("a score at the threshold is not above it", () => {
  assert.equal(numbers.shareAbove([1, 2, 3, 4], 2), 0.5);
});

test("lowest and highest of negative scores", () => {
  assert.deepEqual(numbers.extent(new Float32Array([-3, -9, -4])), [-9, -3]);
});

test("classes are counted, the largest first", () => {
  assert.deepEqual(numbers.sharesOf(new Uint8Array([2, 10, 10, 10])), [[10, 0.75], [2, 0.25]]);
});

test("alarms are clear up to the threshold, and yellower the higher they are", () => {
  const [below, at, above, highest] = pixels(numbers.paintAlarms(new Float32Array([-1, 0, 1, 2]), 0));
  assert.equal(below[3] + at[3], 0);
  assert.equal(above[3], 255);
  assert.ok(above[1] < highest[1]);
});

test("no picture is all alarms or a constant that breaks the paint", () => {
  assert.equal(pixels(numbers.paintAlarms(new Float32Array([5, 5]), 5))[0][3], 0);
  assert.equal(pixels(numbers.paintScores(new Float32Array([5, 5])))[0][3], 255);
});

test("scores are brighter the higher they are", () => {
  const sums = pixels(numbers.paintScores(new Float32Array([-2, -1, 0]))).map(([r, g, b]) => r + g + b);
  assert.ok(sums[0] < sums[1] && sums[1] < sums[2]);
});

test("classes have the palette's colours", () => {
  const [first, second] = pixels(numbers.paintClasses(new Uint8Array([1, 0]), [[1, 2, 3], [4, 5, 6]]));
  assert.deepEqual([first, second], [[4, 5, 6, 255], [1, 2, 3, 255]]);
});

test("small shares keep a digit", () => {
  assert.deepEqual([0, 0.0004, 0.04, 0.126, 1].map(numbers.percent), ["0 %", "less than 0.1 %", "4.0 %", "13 %", "100 %"]);
});

test("a description names share, place and classes", () => {
  const map = new Float32Array(9).fill(0);
  map[6] = 3; // three rows of three: the last row's first
  const said = numbers.describe(map, new Uint8Array(9).fill(1), 3, 2, ["road", "sky"]);
  assert.equal(said, "11 % of the pixels lie above the threshold, most densely at the lower left. Largest classes: sky 100 %.");
  assert.match(numbers.describe(map, new Uint8Array(9), 3, 9, ["road"]), /^0 % of the pixels lie above the threshold\. /);
});

test("progress says how long the rest may take, once it can be known", () => {
  assert.equal(numbers.progressWords("program", 1e6, 14e6, 0.2), "Loading the program: 1.0 of 14.0 MB.");
  assert.equal(numbers.progressWords("program", 7e6, 14e6, 5), "Loading the program: 7.0 of 14.0 MB, about 5 s left.");
  assert.equal(numbers.progressWords("program", 14e6, 14e6, 5), "Starting the program …");
});

function pixels(rgba) {
  return Array.from({ length: rgba.length / 4 }, (_, place) => [...rgba.slice(4 * place, 4 * place + 4)]);
}
