"""The page "Try it" in a browser: from a picture to the overlay, and all that may be in the way."""

import json
import shutil
import threading
from functools import partial

import numpy as np
import pytest
from crawl import WIDE, serve
from PIL import Image
from playwright.sync_api import expect
from small_data import ROOT

from course_lib.deployment import DeployedFile
from course_tools import demo, pages
from course_tools.commands.site import server

pytestmark = [  # of Sphinx and its extensions, about each other
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
]
LONG = 60_000  # milliseconds; machines are busy
ANSWER = """wanted => { window.answer = new Promise((resolve, reject) => {
  setTimeout(() => reject(document.getElementById("demo").innerText), 120000);
  document.getElementById("demo").addEventListener("found", ({detail}) => {
    if (Object.entries(wanted).some(([name, value]) => detail[name] !== value)) return;
    const scores = Object.entries(detail.scores).map(([name, map]) => [name, [...map]]);
    resolve({...detail, classes: [...detail.classes], scores: Object.fromEntries(scores)});
  });
}) }"""
"""Lets the page keep all numbers of the worker's next answer, or of the next with given values."""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A site of the home page and this one alone."""
    folder = tmp_path_factory.mktemp("site")
    for name in ("_static", "_templates", "demo"):
        shutil.copytree(ROOT / "site" / name, folder / "site" / name)
    shutil.copy(ROOT / "site" / "conf.py", folder / "site")
    text = (ROOT / "site" / "try_it.md").read_text(encoding="utf-8")
    text = text.replace("](lessons/", "](https://example.org/").replace("](deploy.md)", "](index.md)")
    (folder / "site" / "try_it.md").write_text(text, encoding="utf-8")
    (folder / "site" / "index.md").write_text("# Home\n\n```{toctree}\ntry_it\n```\n", encoding="utf-8")
    assert pages.build_site(folder / "site", folder / "built") == 0
    if not (folder / "built" / "try_it.html").is_file():
        pytest.skip("no npm on this machine")
    return folder / "built"


@pytest.fixture(scope="module")
def address(site):
    """Where the site is served with the headers that allow threads."""
    with server(site, 0) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}/try_it.html"
        running.shutdown()


@pytest.fixture(scope="module")
def tab(browser, address):
    """The page, for tests that follow each other in it; it asks no other host for anything."""
    opened = browser.new_page(viewport={"width": 1366, "height": 768})
    asked, errors = [], []
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.goto(address)
    opened.asked = asked
    yield opened
    opened.close()
    host = address.removesuffix("try_it.html")
    assert [url for url in asked if not url.startswith((host, "data:", "blob:"))] == errors == []


def answer_to(page, act, **wanted):
    """Return all numbers that the worker answers to what is done."""
    page.evaluate(ANSWER, wanted)
    act()
    return page.evaluate("answer")


def choose_file(page, path):
    """Choose a file as a visitor does."""
    page.get_by_label("A picture of yours").set_input_files(path)


def colour(page, column, row):
    """Return the colour of the shown picture at a place, as shares of width and height."""
    return page.locator("#demo-canvas").evaluate(
        """(canvas, [x, y]) => [...canvas.getContext("2d").getImageData(
             Math.floor(x * canvas.width), Math.floor(y * canvas.height), 1, 1).data].slice(0, 3)""",
        [column, row],
    )


def shape(page):
    """Return width and height of what is shown."""
    return page.locator("#demo-canvas").evaluate("canvas => [canvas.width, canvas.height]")


def test_the_program_is_loaded_with_the_first_picture_which_gets_an_overlay(tab):
    expect(tab.locator("#demo-words")).to_have_text("Choose a scene or a picture of yours.")
    assert not [url for url in tab.asked if url.endswith((".wasm", ".onnx"))]
    answer_to(tab, tab.get_by_role("button", name="A zebra").click)
    expect(tab.locator("#demo-words")).to_contain_text("of the pixels lie above the threshold, most densely")
    expect(tab.locator("#demo-speed")).to_contain_text(
        "Inside the network 128 × 256 pixels; WebAssembly", timeout=LONG
    )
    with_alarms = tab.locator("#demo-canvas").screenshot()
    tab.get_by_label("picture alone").check()
    assert tab.locator("#demo-canvas").screenshot() != with_alarms
    tab.get_by_label("alarms").check()


@pytest.mark.parametrize("choice", range(len(demo.EXPORTED)))
def test_numbers_of_a_png_are_those_of_onnxruntime(tab, site, tmp_path, choice):
    name = [*demo.EXPORTED][choice]
    scene = Image.open(site / "demo" / "scene_2.png").resize((300, 210))
    scene.save(tmp_path / "scene.png")
    about = json.loads((site / "demo" / "about.json").read_text())
    number = next(n for n, one in enumerate(about["choices"]) if one["network"] == name)
    tab.get_by_label("Network and score").select_option(str(number))
    act = partial(choose_file, tab, tmp_path / "scene.png")
    seen = answer_to(tab, act, file=f"{name}.onnx", width=300)
    expected = DeployedFile(site / "demo" / f"{name}.onnx").decide(np.asarray(scene))
    assert seen["height"] == 210
    assert seen["scores"].keys() == expected.scores.keys()
    for score, found in expected.scores.items():
        assert np.abs(np.reshape(seen["scores"][score], found.shape) - found).max() <= 1e-3 * np.ptp(found)
    assert np.mean(np.reshape(seen["classes"], found.shape) == expected.classes) > 0.999


def test_sliders_and_views_change_the_picture_and_the_sentence_without_computing_anew(tab):
    computed = len(tab.asked)
    expect(tab.locator("#demo-threshold")).to_be_enabled()
    words = tab.locator("#demo-words")
    tab.locator("#demo-threshold").evaluate("slider => { slider.value = slider.max }")
    tab.locator("#demo-threshold").dispatch_event("input", {"bubbles": True})
    expect(words).to_contain_text("0 % of the pixels lie above the threshold. Largest classes: ")
    tab.locator("#demo-threshold").evaluate("slider => { slider.value = slider.min }")
    tab.locator("#demo-threshold").dispatch_event("input", {"bubbles": True})
    expect(words).to_contain_text("100 % of the pixels lie above the threshold")
    tab.get_by_label("classes").check()
    expect(tab.locator("#demo-legend li").first).to_contain_text("%")
    tab.get_by_label("alarms").check()
    assert len(tab.asked) == computed


def write(path, size, colours=((200, 30, 40), (20, 40, 200)), **options):
    """Write a picture whose left half has one colour, its right half another."""
    pixels = np.full((size[1], size[0], len(colours[0])), colours[0], dtype=np.uint8)
    pixels[:, size[0] // 2 :] = colours[1]
    Image.fromarray(pixels).save(path, **options)


def exif_turned():
    """Return the note of a camera that was held upright: turn by 90 degrees to the right."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


def write_odd(kind, folder):
    """Write a file; return its path, and the size and the two colours, left and right, that are right."""
    red, blue = (200, 30, 40), (20, 40, 200)
    path = folder / f"{kind.replace(' ', '_')}.png"
    if kind == "40 megapixels":
        write(path := path.with_suffix(".jpg"), (7300, 5500), quality=85)
        return path, [1280, 964], red, blue
    if kind == "alpha":
        write(path, (60, 40), ((200, 30, 40, 255), (20, 40, 200, 0)))
        return path, [60, 40], red, (255, 255, 255)
    if kind == "16 bits":
        grey = np.full((40, 60), 30 * 257, dtype=np.uint16)
        grey[:, 30:] = 200 * 257
        Image.fromarray(grey).save(path)
        return path, [60, 40], (30, 30, 30), (200, 200, 200)
    if kind == "turned":
        write(path := path.with_suffix(".jpg"), (80, 160), quality=95, exif=exif_turned())
        return path, [160, 80], None, None
    grey = np.full((40, 60), 30, dtype=np.uint8)
    grey[:, 30:] = 200
    Image.fromarray(grey).save(path)
    return path, [60, 40], (30, 30, 30), (200, 200, 200)


@pytest.mark.parametrize("kind", ["40 megapixels", "alpha", "16 bits", "turned", "grey"])
def test_odd_pictures_are_shown_as_they_are(tab, tmp_path, kind):
    path, size, left, right = write_odd(kind, tmp_path)
    tab.get_by_label("picture alone").check()
    seen = answer_to(tab, lambda: choose_file(tab, path))
    assert shape(tab) == size and max(seen["width"], seen["height"]) <= 512
    if kind == "turned":  # the left half is now the upper one
        np.testing.assert_allclose(colour(tab, 0.5, 0.2), (200, 30, 40), atol=9)
        np.testing.assert_allclose(colour(tab, 0.5, 0.8), (20, 40, 200), atol=9)
    else:
        np.testing.assert_allclose(colour(tab, 0.2, 0.5), left, atol=3)
        np.testing.assert_allclose(colour(tab, 0.8, 0.5), right, atol=3)
    expect(tab.locator("#demo-trouble")).to_be_empty()


def test_a_text_that_calls_itself_a_picture_gets_one_line_and_the_next_picture_works(tab, tmp_path):
    (tmp_path / "notes.jpg").write_text("not a picture")
    choose_file(tab, tmp_path / "notes.jpg")
    trouble = tab.get_by_role("alert")
    expect(trouble).to_have_text("notes.jpg is no picture that this browser can read. Try a JPEG or a PNG.")
    answer_to(tab, tab.get_by_role("button", name="A camel").click)
    expect(trouble).to_be_empty()


@pytest.mark.parametrize("way", ["paste", "drop"])
def test_a_picture_can_be_pasted_and_dropped(tab, way):
    give = """way => {
      const canvas = Object.assign(document.createElement("canvas"), {width: 30, height: 20});
      canvas.toBlob(blob => {
        const files = new DataTransfer();
        files.items.add(new File([blob], "given.png", {type: "image/png"}));
        const init = {bubbles: true, cancelable: true};
        const event = way === "paste"
          ? new ClipboardEvent("paste", {...init, clipboardData: files})
          : new DragEvent("drop", {...init, dataTransfer: files});
        document.getElementById("demo-canvas").dispatchEvent(event);
      });
    }"""
    seen = answer_to(tab, lambda: tab.evaluate(give, way))
    assert (seen["width"], seen["height"]) == (30, 20)


def test_the_keyboard_alone_is_enough(tab):
    tab.get_by_label("Network and score").select_option("1")
    tab.locator("#demo-scenes button").last.focus()
    answer_to(tab, lambda: tab.keyboard.press("Enter"))
    passed = []
    while "demo-opacity" not in passed:
        tab.keyboard.press("Tab")
        passed.append(tab.evaluate("document.activeElement.id || document.activeElement.name"))
        assert len(passed) < 9, passed
    assert passed == [
        "demo-file",
        "demo-camera",
        "demo-choice",
        "demo-view",
        "demo-threshold",
        "demo-opacity",
    ]
    before = tab.locator("#demo-words").inner_text()
    tab.keyboard.press("Shift+Tab")
    tab.keyboard.press("Home")
    expect(tab.locator("#demo-words")).not_to_have_text(before)
    tab.keyboard.press("Shift+Tab")
    tab.keyboard.press("ArrowRight")
    assert tab.evaluate("document.activeElement.checked && document.activeElement.value") in (
        "scores",
        "classes",
        "picture",
        "alarms",
    )


def test_without_a_camera_one_line_says_so_and_pictures_work(tab):
    tab.get_by_role("button", name="Use the camera").click()
    expect(tab.get_by_role("alert")).to_have_text("No camera here: there is none. Pictures still work.")
    answer_to(tab, tab.get_by_role("button", name="A camel").click)


def test_a_phone_sees_all_of_it_and_axe_finds_nothing_serious(browser, address):
    phone = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = phone.new_page()
    page.goto(address)
    answer_to(page, page.get_by_role("button", name="A zebra").tap)
    page.get_by_label("classes").tap()
    expect(page.locator("#demo-legend li").first).to_be_visible()
    assert page.evaluate(WIDE) <= 0
    page.add_script_tag(path=demo.FOLDER / "npm" / "node_modules" / "axe-core" / "axe.min.js")
    violations = page.evaluate("axe.run('#demo').then(result => result.violations)")
    phone.close()
    assert [(one["id"], one["help"]) for one in violations if one["impact"] in ("serious", "critical")] == []


def test_without_webassembly_pictures_are_shown_and_one_line_says_why(page, address):
    page.add_init_script("delete globalThis.WebAssembly")
    page.goto(address)
    page.get_by_role("button", name="A zebra").click()
    expect(page.get_by_role("alert")).to_contain_text("This browser has no WebAssembly")
    expect(page.locator("#demo-canvas")).to_be_visible()


def test_without_isolation_there_is_one_thread(page, site, address):
    plain, elsewhere = serve(site)
    for place, threads in ((address, "threads."), (f"{elsewhere}try_it.html", "1 thread (this page")):
        page.goto(place)
        answer_to(page, page.get_by_role("button", name="A zebra").click)
        expect(page.locator("#demo-speed")).to_contain_text(threads, timeout=LONG)
    plain.shutdown()


def test_the_camera_is_looked_at_until_it_is_stopped(with_camera, address):
    page = with_camera.new_context(permissions=["camera"]).new_page()
    page.goto(address)
    first = answer_to(page, page.get_by_role("button", name="Use the camera").click)
    second = answer_to(page, lambda: None)
    assert second["ticket"] > first["ticket"] and first["scores"] != second["scores"], "it moves"
    expect(page.locator("#demo-speed")).to_contain_text("images a second", timeout=LONG)
    page.get_by_role("button", name="Stop the camera").click()
    expect(page.get_by_role("button", name="Use the camera")).to_be_visible()
    assert page.locator("#demo-video").evaluate("video => video.srcObject.active") is False
    page.context.close()


def test_a_camera_that_may_not_be_used_leaves_pictures(with_camera, address):
    page = with_camera.new_page()
    page.goto(address)
    page.get_by_role("button", name="Use the camera").click()
    expect(page.get_by_role("alert")).to_have_text(
        "No camera here: permission was refused. Pictures still work."
    )
    answer_to(page, page.get_by_role("button", name="A camel").click)
    page.close()
