import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { inputFlags } from "../../../action/inputs.ts";
import { parse } from "../../../src/cli/arguments/parse.ts";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const pages = [
  "README.md",
  "action/README.md",
  ...readdirSync(join(root, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name)),
];

interface Block {
  readonly page: string;
  /** Of the first line inside the fence, from 1. */
  readonly line: number;
  readonly language: string;
  readonly lines: readonly string[];
}

/** The fenced blocks of a page. */
function blocksOf(page: string): readonly Block[] {
  const text = readFileSync(join(root, page), "utf8");
  return [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map((found) => ({
    page,
    line: text.slice(0, found.index).split("\n").length + 1,
    language: found[1] ?? "",
    lines: (found[2] ?? "").split("\n"),
  }));
}

/** The commands in a block: after the prompt in a console, anywhere in a line of other code. */
function commandsOf({ page, line, language, lines }: Block) {
  const joined = lines.map((text, index) => {
    let whole = text;
    for (let next = index + 1; whole.endsWith("\\"); next += 1)
      whole = whole.slice(0, -1) + (lines[next] ?? "");
    return { where: `${page}:${line + index}`, text: whole };
  });
  return joined
    .filter(({ text }) => (language === "console" ? text.startsWith("$ ") : !/^\s*#/.test(text)))
    .flatMap(({ where, text }) => {
      const [, command] = /(?:^|[\s"'(;&|])lambda-pack (.+)$/.exec(text) ?? [];
      return command === undefined ? [] : [{ where, words: wordsOf(command) }];
    });
}

/** Words as a shell makes them, up to the end of the command; variables stay as they are written. */
function wordsOf(command: string): readonly string[] {
  const words: string[] = [];
  for (const [, word = "", end] of command.matchAll(
    /((?:'[^']*'|"[^"]*"|\\.|[^\s'"|;&)>#])+|#)|([|;&)>"'])/g,
  )) {
    if (end !== undefined || word === "#") break;
    words.push(word.replace(/'([^']*)'|"([^"]*)"|\\(.)/g, "$1$2$3"));
  }
  return words;
}

const blocks = pages.flatMap(blocksOf);
// Usage lines, such as `lambda-pack build [dir] [flags]`, are made from the options themselves.
const commands = blocks.flatMap(commandsOf).filter(({ words }) => !words.some((word) => /^[[<]/.test(word)));

describe("the documentation", () => {
  it("the documentation has commands in README.md and in most pages of docs/", () => {
    const found = new Set(commands.map(({ where }) => where.split(":")[0]));
    assert.ok(found.size >= 8, [...found].join(", "));
    assert.ok(commands.length > 60, `${commands.length}`);
  });

  for (const { where, words } of commands)
    it(`${where}: lambda-pack ${words.join(" ")} is a command line that is understood`, async () => {
      const request = await parse(words, {});
      assert.equal(request.kind, "run");
    });

  it("a flag or a command that does not exist is found in a page", async () => {
    const block = {
      page: "x.md",
      line: 1,
      language: "sh",
      lines: ['x="$(lambda-pack build a --bse b)"', "npx lambda-pack biuld"],
    };
    for (const { words } of commandsOf(block)) await assert.rejects(parse(words, {}), { code: "USAGE" });
    assert.equal(commandsOf(block).length, 2);
  });

  for (const { page, lines } of blocks.filter(({ lines }) =>
    lines.some((text) => text.includes("lambda-pack/action@")),
  ))
    it(`${page}: the workflow gives the action inputs that it has`, async () => {
      const known = new Set(["directory", "args", ...(await inputFlags()).map(({ name }) => name.slice(2))]);
      const given = inputsIn(lines);
      assert.notEqual(given.length, 0);
      assert.deepEqual(
        given.filter((name) => !known.has(name)),
        [],
      );
    });

  for (const page of pages)
    it(`${page}: links to files and headings that are there`, () => {
      const broken = linksOf(page).filter((link) => !leadsSomewhere(page, link));
      assert.deepEqual(broken, []);
    });
});

/** The keys of `with:` of the step that uses the action. */
function inputsIn(lines: readonly string[]): readonly string[] {
  const uses = lines.findIndex((text) => text.includes("lambda-pack/action@"));
  const start = lines.findIndex((text, index) => index > uses && /^ *with:$/.test(text));
  const indent = /^ */.exec(lines[start + 1] ?? "")?.[0] ?? "";
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((text) => text !== "" && !text.startsWith(indent));
  return rest
    .slice(0, end === -1 ? rest.length : end)
    .flatMap((text) => /^([a-z-]+):/.exec(text.slice(indent.length))?.[1] ?? []);
}

function linksOf(page: string): readonly string[] {
  const text = readFileSync(join(root, page), "utf8").replace(/^```[\s\S]*?^```$/gm, "");
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, link = ""]) => link)
    .filter((link) => !/^[a-z]+:/.test(link));
}

function leadsSomewhere(page: string, link: string): boolean {
  const [path = "", heading] = link.split("#");
  const file = path === "" ? join(root, page) : join(root, dirname(page), path);
  if (!existsSync(file) || heading === undefined) return existsSync(file);
  const headings = readFileSync(file, "utf8").matchAll(/^#+ (.*)$/gm);
  return [...headings].some(([, title = ""]) => anchorOf(title) === heading);
}

/** The anchor that GitHub gives a heading. */
function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}

describe("the threat model", () => {
  it("names tests that exist", () => {
    const text = readFileSync(join(root, "docs/security.md"), "utf8");
    const named = [...text.matchAll(/`([\w./-]+\.test\.ts)`(?:: "([^"]+)")?/g)];
    assert.ok(named.length > 30);
    const missing = named.filter(([, file = "", words = ""]) => {
      const path = join(root, "test/unit", file);
      return !existsSync(path) || !readFileSync(path, "utf8").includes(words);
    });
    assert.deepEqual(
      missing.map(([whole]) => whole),
      [],
    );
  });
});

it("every variable LAMBDA_PACK_... that users may set is in docs/", () => {
  const source = readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => readFileSync(join(root, "src", name), "utf8"))
    .join("\n");
  const docs = pages.map((page) => readFileSync(join(root, page), "utf8")).join("\n");
  // The build of lambda-pack sets the first, and its sandbox the second.
  const inner = ["LAMBDA_PACK_CODE", "LAMBDA_PACK_NAME"];
  const names = [...new Set(source.match(/\bLAMBDA_PACK_[A-Z_]+\b/g))].filter(
    (name) => !inner.includes(name),
  );
  assert.ok(names.length > 5, names.join());
  assert.deepEqual(
    names.filter((name) => !docs.includes(`${name}\``) && !docs.includes(`env: ${name}`)),
    [],
  );
});
