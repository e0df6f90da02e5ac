import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { pathToFileURL } from "node:url";
import { inspectionPage } from "../../../src/index.ts";
import { manyFiles, sampleInspection } from "../../support/cli/inspections.ts";
import { Chromium } from "../../support/components/chromium.ts";
import { describeReal } from "../../support/components/components.ts";

const HOSTILE = "<img src=x onerror=document.title='pwned'>.js";
const FILES = {
  "usr/lib/libcrypto.so": 4_000_000,
  "usr/bin/python": 6_000_000,
  "var/lang/bin/node": 9_000_000,
  "var/task/app.py": 500_000,
  "var/task/lib/needle.json": 700_000,
  [`var/task/lib/${HOSTILE}`]: 300_000,
  "var/task/lib/</script><script>document.title='pwned'</script>": 200_000,
};

const crumbs = "[...document.querySelectorAll('#crumbs button')].map((one) => one.textContent).join(' ')";
const detail = "document.getElementById('detail').textContent";
const focused = "document.activeElement.getAttribute('aria-label') ?? ''";
const cell = (label: string) =>
  `[...map.querySelectorAll('[role=button]')].find((one) => one.getAttribute('aria-label').startsWith(${JSON.stringify(label)}))`;
/** The strip with the name of a directory: below it are the cells of what is in it. */
const title = (label: string) => `${cell(label)}.querySelector('text')`;

const directory = mkdtempSync(join(tmpdir(), "lambda-pack-page-"));
after(() => rmSync(directory, { recursive: true, force: true }));

function write(name: string, files: Readonly<Record<string, number>>): string {
  const file = join(directory, name);
  writeFileSync(file, inspectionPage(sampleInspection({ files, reference: `oci:${HOSTILE}` })));
  return file;
}

describeReal("the page of inspect in a browser", ["chromium"], () => {
  let browser: Chromium;
  const file = write("page.html", FILES);
  before(async () => {
    browser = await Chromium.open(file, { width: 1200, height: 1000 });
  });
  after(() => browser?.close());

  it("opens a directory that is clicked, and goes back by the path above the map", async () => {
    await browser.click(title("/var/  ·"));
    assert.equal(await browser.evaluate(crumbs), "/ var");
    await browser.click("document.querySelector('#crumbs button')");
    assert.equal(await browser.evaluate(crumbs), "/");
  });

  it("opens the directory on the way to a file that is clicked", async () => {
    await browser.click(
      "[...map.querySelectorAll('text')].find((one) => one.textContent === 'python').parentNode",
    );
    assert.equal(await browser.evaluate(crumbs), "/ usr");
    await browser.click("document.querySelector('#crumbs button')");
  });

  it("finds a file by parts of its path, and shows it on the map", async () => {
    await browser.click("document.getElementById('search')");
    await browser.type("NEEDLE task");
    await browser.until("document.querySelectorAll('#results li').length === 1");
    assert.equal(await browser.evaluate("document.getElementById('found').textContent"), "1 file, 700 kB");
    assert.equal(
      await browser.evaluate(
        "map.querySelectorAll('.cell:not(.dim)').length < map.querySelectorAll('.cell').length",
      ),
      true,
    );
    await browser.click("document.querySelector('#results button')");
    assert.equal(await browser.evaluate(crumbs), "/ var task lib");
    assert.match(
      String(await browser.evaluate(detail)),
      /^\/var\/task\/lib\/needle\.json {2}· {2}700 kB, 3\.4 % of all {2}· {2}layer 2 \(app\)$/,
    );
  });

  it("can be used with the keyboard alone", async () => {
    await browser.press("Escape");
    await browser.press("Escape");
    await browser.press("Escape");
    assert.equal(await browser.evaluate(crumbs), "/");
    assert.match(String(await browser.evaluate(focused)), /^\/var\//);
    await browser.press("ArrowRight");
    assert.match(String(await browser.evaluate(focused)), /^\/usr\//);
    await browser.press("Enter");
    assert.equal(await browser.evaluate(crumbs), "/ usr");
    assert.match(String(await browser.evaluate(focused)), /^\/usr\/bin/);
    await browser.press("Escape");
    assert.match(String(await browser.evaluate(focused)), /^\/usr\//);
  });

  it("gets into the map, the search and out of it with the tab key", async () => {
    await browser.evaluate("document.activeElement.blur(), document.getElementById('search').focus()");
    const seen: unknown[] = [];
    for (let presses = 0; presses < 8; presses++) {
      await browser.press("Tab");
      seen.push(
        await browser.evaluate(
          "document.activeElement.closest('#results,#crumbs,#map,.waste')?.id || document.activeElement.className",
        ),
      );
    }
    assert.deepEqual([...new Set(seen)].slice(0, 4), ["results", "crumbs", "map", "list"]);
  });

  it("shows names of files as text, and runs no markup in them", async () => {
    await browser.evaluate(
      "(() => { const box = document.getElementById('search'); box.value = 'img'; box.dispatchEvent(new Event('input')); })()",
    );
    await browser.until("document.querySelector('#results .path')?.textContent.includes('img') === true");
    assert.equal(
      await browser.evaluate("document.querySelector('#results .path').textContent"),
      `/var/task/lib/${HOSTILE}`,
    );
    assert.equal(await browser.evaluate("document.querySelector('h1').textContent"), `oci:${HOSTILE}`);
    assert.equal(await browser.evaluate("document.images.length"), 0);
  });

  it("loads nothing but its own file, without a warning or error in the console", () => {
    assert.deepEqual(browser.requests, [pathToFileURL(file).href]);
    assert.deepEqual(browser.complaints, []);
  });
});

describeReal("the page of inspect on a phone, with 50,000 files, in dark mode", ["chromium"], () => {
  let browser: Chromium;
  before(async () => {
    const file = write("large.html", manyFiles(50_000));
    browser = await Chromium.open(file, { width: 360, height: 740, dark: true });
  });
  after(() => browser?.close());

  it("needs no scrolling to the side", async () => {
    assert.equal(
      await browser.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"),
      true,
    );
  });

  it("shows the whole layers table, with the column 'made by', without scrolling to the side", async () => {
    const rights = "[...document.querySelectorAll('th, td')].map((one) => one.getBoundingClientRect().right)";
    assert.equal(
      await browser.evaluate(
        `Math.max(...${rights}) <= document.querySelector('table').parentElement.getBoundingClientRect().right`,
      ),
      true,
    );
    assert.equal(
      await browser.evaluate(
        "(({ scrollWidth, clientWidth }) => scrollWidth <= clientWidth)(document.querySelector('table').parentElement)",
      ),
      true,
    );
  });

  it("has no row of a table that is a column of single letters", async () => {
    const highest = "Math.max(...[...document.querySelectorAll('tr')].map((row) => row.clientHeight))";
    assert.ok(Number(await browser.evaluate(highest)) < 150);
  });

  it("draws no more cells than can be seen", async () => {
    const cells = Number(await browser.evaluate("map.querySelectorAll('.cell').length"));
    assert.ok(cells > 100 && cells < 5000, `${cells} cells`);
  });

  it("finds each file by its name at once, without waiting for the typing to end", async () => {
    const found = await browser.evaluate(
      "(() => { const box = document.getElementById('search'); box.value = 'package-499/ module-99'; box.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowDown' })); return document.querySelectorAll('#results li').length; })()",
    );
    assert.equal(found, 1);
  });

  it("has dark colors if the system asks for them", async () => {
    assert.equal(
      await browser.evaluate("getComputedStyle(document.body).backgroundColor"),
      "rgb(15, 20, 26)",
    );
  });

  it("writes no warning or error to the console", () => assert.deepEqual(browser.complaints, []));
});
