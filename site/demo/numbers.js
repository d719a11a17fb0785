// Sums on maps and pixels. Nothing here touches the page, so node's own test runner can try it.

/** The size with the same shape whose longer side is at most `longest`; never larger than before. */
export function fitted(width, height, longest) {
  const scale = Math.min(1, longest / Math.max(width, height));
  return [width, height].map((side) => Math.max(1, Math.round(side * scale)));
}

/** RGB of RGBA, pixel after pixel. */
export function withoutAlpha(rgba) {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    rgb[to] = rgba[from];
    rgb[to + 1] = rgba[from + 1];
    rgb[to + 2] = rgba[from + 2];
  }
  return rgb;
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The last `most` values. */
export function recent(values, value, most = 30) {
  return [...values, value].slice(-most);
}

export function shareAbove(map, threshold) {
  let count = 0;
  for (const score of map) count += score > threshold;
  return count / map.length;
}

export function extent(map) {
  let [low, high] = [Infinity, -Infinity];
  for (const score of map) {
    if (score < low) low = score;
    if (score > high) high = score;
  }
  return [low, high];
}

/** Train ids and their shares of all pixels, largest first. */
export function sharesOf(classes) {
  const counts = new Map();
  for (const id of classes) counts.set(id, (counts.get(id) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]).map(([id, count]) => [id, count / classes.length]);
}

/** RGBA of alarms: clear up to the threshold, above it from orange to yellow. */
export function paintAlarms(map, threshold) {
  const high = extent(map)[1];
  const level = (score) => (score > threshold ? 1 + Math.floor((254 * (score - threshold)) / (high - threshold)) : 0);
  return painted(map, level, (step) => [255, 110 + 0.57 * step, 0, step && 255]);
}

/** RGBA of scores: dark blue where they are lowest, light green where they are highest. */
export function paintScores(map) {
  const [low, high] = extent(map);
  const level = (score) => Math.floor((255 * (score - low)) / (high - low || 1));
  return painted(map, level, (step) => [10 + (step / 18) ** 2, 20 + 0.9 * step, 60 + 9 * Math.sqrt(step), 255]);
}

/** RGBA of classes, in the palette's colours. */
export function paintClasses(classes, palette) {
  return painted(classes, (id) => id, (id) => [...(palette[id] ?? [0, 0, 0]), 255]);
}

/** Give each value the colour of its level, 0 to 255. */
function painted(map, level, colour) {
  const colours = Array.from({ length: 256 }, (_, step) => colour(step)).flat();
  const table = new Uint32Array(Uint8ClampedArray.from(colours).buffer);
  const pixels = new Uint32Array(map.length);
  for (let place = 0; place < map.length; place += 1) pixels[place] = table[level(map[place])];
  return new Uint8ClampedArray(pixels.buffer);
}

/** A share in words: 0 %, less than 0.1 %, 0.4 %, 12 %. */
export function percent(share) {
  const value = 100 * share;
  if (value > 0 && value < 0.1) return "less than 0.1 %";
  return `${value > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)} %`;
}

/** How much of a file is here, and how long the rest may take. */
export function progressWords(what, loaded, total, seconds) {
  if (loaded === total) return `Starting the ${what} …`;
  const megabytes = (bytes) => (bytes / 1e6).toFixed(1);
  const left = loaded > 0 ? Math.ceil((seconds / loaded) * (total - loaded)) : 0;
  const hint = seconds > 1 && left > 0 ? `, about ${left} s left` : "";
  return `Loading the ${what}: ${megabytes(loaded)} of ${megabytes(total)} MB${hint}.`;
}

/** What the picture shows, for those who do not see it. */
export function describe(map, classes, width, threshold, names) {
  const largest = sharesOf(classes).slice(0, 3);
  const shown = largest.map(([id, share]) => `${names[id]} ${percent(share)}`).join(", ");
  const above = percent(shareAbove(map, threshold));
  return `${above} of the pixels lie above the threshold${mostOf(map, width, threshold)}. Largest classes: ${shown}.`;
}

/** Which ninth of the picture has most alarms, as the end of a sentence; empty if there are none. */
export function mostOf(map, width, threshold) {
  const counts = new Array(9).fill(0);
  const height = map.length / width;
  map.forEach((score, place) => {
    const row = Math.floor((3 * Math.floor(place / width)) / height);
    const column = Math.floor((3 * (place % width)) / width);
    if (score > threshold) counts[3 * row + column] += 1;
  });
  const most = Math.max(...counts);
  if (most === 0) return "";
  const place = counts.indexOf(most);
  if (place === 4) return ", most densely in the middle";
  const row = ["upper", "middle", "lower"][Math.floor(place / 3)];
  return `, most densely at the ${row} ${["left", "centre", "right"][place % 3]}`;
}
