"""Walk through a site in a browser and note, page by page, what a reader would stumble over."""

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import urldefrag, urljoin, urlsplit

LOOK = """() => ({
  title: document.title,
  ids: [...document.querySelectorAll('[id]')].map(element => element.id),
  links: [...document.querySelectorAll('a[href]')].map(link => link.href),
  without_alt: [...document.images].filter(image => !image.alt.trim()).map(image => image.src.slice(0, 99)),
  broken_pictures: [...document.images].filter(image => image.complete && !image.naturalWidth).length,
  formulas: document.querySelectorAll('.math').length,
  not_set: [...document.querySelectorAll('.math:not(:has(mjx-container)), mjx-merror')].map(m => m.innerText),
  text: (() => {
    const copy = (document.querySelector('article') ?? document.body).cloneNode(true);
    copy.querySelectorAll('pre, code, script, style, mjx-container').forEach(element => element.remove());
    return copy.textContent;
  })(),
})"""
"""What one page holds."""

WIDE = """() => document.scrollingElement.scrollWidth - document.documentElement.clientWidth"""
"""How many pixels the page can be moved sideways."""

BROKEN = """() => {
  const lines = name => {
    const text = document.createRange();
    text.selectNodeContents(name);
    return new Set([...text.getClientRects()].map(box => Math.round(box.top))).size;
  };
  const names = [...document.querySelectorAll('article .sig-name, article code.literal .pre')];
  return names.filter(name => /^[\\w.]{1,30}$/.test(name.innerText) && lines(name) > 1)
    .map(name => name.innerText);
}"""
"""Names of the library that are broken inside, though they are short enough for a phone."""

CUT = """() => [...document.querySelectorAll('article .cell_input pre, article div[class*=highlight-] pre')]
  .filter(code => code.scrollWidth > code.clientWidth + 1).map(code => code.innerText.slice(0, 60))"""
"""Code whose lines do not wrap, by how it begins."""

PALE = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
  const seen = {};
  const channels = colour => {
    if (!(colour in seen)) {
      canvas.clearRect(0, 0, 1, 1);
      canvas.fillStyle = colour;
      canvas.fillRect(0, 0, 1, 1);
      seen[colour] = [...canvas.getImageData(0, 0, 1, 1).data];
    }
    return seen[colour];
  };
  const over = (top, below) => {
    const share = top[3] / 255;
    return [0, 1, 2].map(i => top[i] * share + below[i] * (1 - share));
  };
  const behind = new Map([[null, [255, 255, 255]]]);
  const background = element => {
    if (!behind.has(element)) {
      const layer = channels(getComputedStyle(element).backgroundColor);
      const covers = layer[3] === 255;
      behind.set(element, covers ? layer.slice(0, 3) : over(layer, background(element.parentElement)));
    }
    return behind.get(element);
  };
  const luminance = colour => {
    const linear = colour.map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
  };
  const found = {};
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    const element = text.parentElement;
    if (!text.textContent.trim() || !element.checkVisibility({opacityProperty: true})) continue;
    const ground = background(element);
    const colour = over(channels(getComputedStyle(element).color), ground);
    const [light, dark] = [luminance(colour), luminance(ground)].sort((a, b) => b - a);
    const contrast = (light + 0.05) / (dark + 0.05);
    if (contrast < 4.5) {
      const what = `${element.tagName} .${element.className} in .${element.parentElement.className}`;
      found[what] ??= `${contrast.toFixed(2)} ${text.textContent.trim().slice(0, 40)}`;
    }
  }
  return found;
}"""
"""Texts whose contrast with what is behind them is below 4.5 (WCAG 2, level AA), by the kind of element."""


def serve(folder):
    """Serve a folder on this machine; return the server, to be shut down, and its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=folder))
    Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}/"


class _Quiet(SimpleHTTPRequestHandler):
    """Says nothing of each request."""

    def log_message(self, *arguments):
        """Keep the tests' output clean."""


def crawl(browser, address, visit):
    """Visit every page that can be reached from the home page or is the search; return notes by address.

    Args:
        browser: of playwright.
        address: of the site, ending in a slash.
        visit: takes a loaded page and returns further notes.
    """
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    notes, troubles, waiting = {}, [], [f"{address}search.html", f"{address}index.html"]
    page.on("console", lambda said: troubles.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("request", lambda asked: None if _is_ours(asked.url, address) else troubles.append(asked.url))
    page.on("response", lambda got: troubles.append(f"{got.status} {got.url}") if got.status >= 400 else None)
    while waiting:
        here = waiting.pop()
        troubles.clear()
        page.goto(here, wait_until="load")
        page.wait_for_function("!window.MathJax?.startup || MathJax.startup.promise.then(() => true)")
        noted = page.evaluate(LOOK)
        notes[here] = noted | visit(page) | {"troubles": list(troubles)}
        pages = {urldefrag(link).url for link in noted["links"] if is_page(link, address)}
        waiting += sorted(pages - notes.keys() - set(waiting))
    page.close()
    return notes


def _is_ours(link, address):
    """Tell whether a request stays on this machine."""
    return link.startswith((address, "data:", "blob:"))


def is_page(link, address):
    """Tell whether a link leads to a page of the site."""
    return link.startswith(address) and urlsplit(link).path.endswith((".html", "/"))


def broken_links(notes, address, exists):
    """Return links inside the site that lead nowhere, as pairs of page and link.

    Args:
        notes: of ``crawl``.
        address: of the site.
        exists: tells whether there is a file below the site's folder.
    """
    broken = []
    for here, noted in notes.items():
        for link in {urljoin(here, link) for link in noted["links"]}:
            target, anchor = urldefrag(link)
            if not target.startswith(address):
                continue
            known = notes.get(target, {}).get("ids")
            missing = anchor and known is not None and anchor not in known
            if missing or not exists(target.removeprefix(address)):
                broken.append((here, link))
    return broken
