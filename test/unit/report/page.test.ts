import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { inspectionPage } from "../../../src/index.ts";
import { escapeHtml, fill, html, jsonHtml } from "../../../src/report/html.ts";
import { treeOf } from "../../../src/report/tree.ts";
import { manyFiles, sampleInspection } from "../../support/cli/inspections.ts";

const NOTHING = { files: 0, bytes: 0 };
const hashOf = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

describe("markup", () => {
  it("takes what is put into it as text", () => {
    assert.equal(html`<p title="${'"'}">${"<b>&'"}</p>`.html, '<p title="&quot;">&lt;b&gt;&amp;&#39;</p>');
  });

  it("takes markup as markup, and lists of it", () => {
    assert.equal(
      html`<ul>${[html`<li>${1}</li>`, html`<li>${"a"}</li>`]}</ul>`.html,
      "<ul><li>1</li><li>a</li></ul>",
    );
  });

  it("shows invisible characters, and those that reverse a name, as U+FFFD", () => {
    assert.equal(escapeHtml("a\u0000b\u202egpj.exe\u200b"), "a\ufffdb\ufffdgpj.exe\ufffd");
  });

  it("of a template file has the values at their places, text as text, and reads no marks in them", () => {
    const { html: text } = fill('<p title="{{a}}">{{b}}</p>', { a: '"{{b}}', b: html`<i>${"$&"}</i>` });
    assert.equal(text, '<p title="&quot;{{b}}"><i>$&amp;</i></p>');
  });

  it("of a template file with a place that has no value is refused", () => {
    assert.throws(() => fill("{{a}}{{b}}", { a: "" }), /a place "b" without a value/);
  });

  it("markup has JSON in which no tag can end", () => {
    const { html: text } = jsonHtml({ name: "</script><!--&" });
    assert.doesNotMatch(text, /[<>&]/);
    assert.deepEqual(JSON.parse(text), { name: "</script><!--&" });
  });
});

describe("the tree of a page", () => {
  const file = (path: string, size: number) => ({ path, size, layer: 0 });

  it("the tree of a page has each directory once", () => {
    const tree = treeOf([file("a/b/c", 3), file("a/b/d", 2), file("a/e", 1)], {
      omitted: NOTHING,
      budget: 1000,
    });
    assert.deepEqual(tree, [
      [
        "a",
        [
          [
            "b",
            [
              ["c", 3, 0],
              ["d", 2, 0],
            ],
          ],
          ["e", 1, 0],
        ],
      ],
    ]);
  });

  it("adds up files beyond the budget in the nearest directory that it has", () => {
    const tree = treeOf([file("a/b", 3), file("a/c", 2), file("x/y", 1)], { omitted: NOTHING, budget: 40 });
    assert.deepEqual(tree, [
      [
        "a",
        [
          ["b", 3, 0],
          [1, 2],
        ],
      ],
      [1, 1],
    ]);
  });

  it("adds up the files that the inspection left out", () => {
    assert.deepEqual(treeOf([], { omitted: { files: 9, bytes: 100 }, budget: 10 }), [[9, 100]]);
  });

  it("the tree of a page does not nest without end", () => {
    const deep = Array.from({ length: 50_000 }, () => "d").join("/");
    const text = JSON.stringify(treeOf([file(deep, 1)], { omitted: NOTHING, budget: 1_000_000 }));
    assert.ok(text.includes("d/d/d"));
    assert.ok((text.match(/\[/g) ?? []).length < 200);
  });
});

describe("the page of an inspection", () => {
  const evil = `"><script>alert(1)</script><img src="http://evil.example/x">`;
  const inspection = sampleInspection({
    files: { [`var/task/${evil}`]: 10, "usr/lib/a": 5 },
    reference: `oci:${evil}`,
    createdBy: evil,
    env: [`X=${evil}`],
  });
  const page = inspectionPage(inspection);
  const [, style = ""] = /<style>([\s\S]*)<\/style>/.exec(page) ?? [];
  const [, script = ""] = /<script>([\s\S]*?)<\/script>/.exec(page) ?? [];

  it("the page of an inspection has no markup from the image", () => {
    assert.doesNotMatch(page, /<img|<script>alert/);
    assert.equal((page.match(/<script/g) ?? []).length, 2);
  });

  it("lets the browser run and load nothing but what it has itself", () => {
    const [, policy = ""] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page) ?? [];
    assert.ok(policy.startsWith("default-src 'none';".replaceAll("'", "&#39;")));
    const told = policy.replaceAll("&#39;", "'");
    assert.ok(
      told.includes(`script-src ${hashOf(script)};`) && told.includes(`style-src ${hashOf(style)};`),
      told,
    );
  });

  it("the page of an inspection is the same for the same inspection", () =>
    assert.equal(inspectionPage(inspection), page));

  it("can be read without scripts: the largest files, the waste, layers and config as text", () => {
    for (const text of [
      "/usr/lib/a",
      "/usr/bin/openssl",
      "removed by layer 2",
      "/var/cache/dnf/",
      "app.handler",
    ])
      assert.ok(page.includes(text), text);
  });

  it("names its numbers in plain words", () => {
    for (const text of ["hidden files", "fetched and cached separately", "Base and app", " total<"])
      assert.ok(page.includes(text), text);
    assert.ok(page.includes("Click a directory to open it."));
  });

  it("says what of Lambda's 10 GB is used", () => {
    const large = inspectionPage(sampleInspection({ files: { "var/task/x": 4 * 1024 ** 3 } }));
    assert.match(large, /40 % of Lambda&#39;s 10 GB|40 % of Lambda's 10 GB/);
    assert.match(
      inspectionPage(sampleInspection({ files: { "var/task/x": 11 * 1024 ** 3 } })),
      /more than Lambda allows/,
    );
  });

  it("stays below 3 MB with 50,000 files, and names all of them", () => {
    const large = inspectionPage(sampleInspection({ files: manyFiles(50_000) }));
    assert.ok(large.length < 3_000_000, `${large.length}`);
    assert.equal(large.split("module-").length - 1, 50_000 + 20);
  });

  it("stays below 3 MB with 100,000 files of long names", () => {
    const files = Object.fromEntries(
      Array.from({ length: 100_000 }, (_, index) => [`var/${"n".repeat(60)}${index}`, 100]),
    );
    assert.ok(inspectionPage(sampleInspection({ files })).length < 3_000_000);
  });

  it("of an image whose layers were not read has its layers and config", () => {
    const { contents: _, ...known } = inspection;
    const short = inspectionPage(known);
    assert.ok(short.includes("app.handler"));
    assert.doesNotMatch(short, /<script/);
  });
});
