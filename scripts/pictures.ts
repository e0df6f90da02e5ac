/**
 * Creates the README's pictures from a real run:
 * `npm run build && node --import tsx scripts/pictures.ts`. Needs Chromium.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { Chromium } from "../test/support/components/chromium.ts";
import { makeBase } from "./demo/base.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const images = join(root, "docs/images");
const { bin } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const command = join(root, bin["lambda-pack"]);

/** Packages of this repository that the pictured app depends on. */
const PACKAGES = ["commander", "got", "tar-stream", "tldts", "p-limit", "yocto-queue"];

const FONT_SIZE = 14;
const LINE_HEIGHT = 20;
const PADDING = 18;
const COLUMN_WIDTH = 8.43;

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** Draws a terminal that shows `lines` as SVG. The first line is the command that was typed. */
function terminal(lines: readonly string[]): string {
  const width = Math.ceil(2 * PADDING + COLUMN_WIDTH * Math.max(...lines.map((line) => line.length)));
  const height = 2 * PADDING + LINE_HEIGHT * lines.length;
  const rows = lines.map((line, row) => {
    const y = PADDING + LINE_HEIGHT * (row + 0.75);
    const colour = row === 0 ? "#9ece6a" : "#c0caf5";
    return `<text x="${PADDING}" y="${y}" fill="${colour}" xml:space="preserve">${escapeXml(line)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="ui-monospace, Menlo, Consolas, monospace" font-size="${FONT_SIZE}">
<rect width="100%" height="100%" rx="8" fill="#1a1b26"/>
${rows.join("\n")}
</svg>
`;
}

/**
 * Runs the built command in `directory` and returns the lines that it prints. Throws if it fails.
 */
function run(directory: string, ...words: readonly string[]): readonly string[] {
  const env = {
    ...process.env,
    LAMBDA_PACK_CACHE_DIR: join(directory, "cache"),
    NO_COLOR: "1",
    COLUMNS: "100",
  };
  const ran = spawnSync(process.execPath, [command, ...words], { cwd: directory, encoding: "utf8", env });
  if (ran.status !== 0) throw new Error(`${words.join(" ")} ended with ${ran.status}: ${ran.stderr}`);
  return stripVTControlCharacters(ran.stderr + ran.stdout)
    .trimEnd()
    .split("\n");
}

async function draw(work: string): Promise<void> {
  const app = join(work, "app");
  cpSync(join(root, "testdata/apps/hello-node"), app, { recursive: true });
  for (const name of PACKAGES) {
    cpSync(join(root, "node_modules", name), join(app, "node_modules", name), { recursive: true });
  }
  await makeBase(join(work, "base-files"), `oci:${join(work, "base")}`, join(work, "cache"));
  const words = ["build", "./app", "--base", "oci:base", "--allow", "runtime-client"];
  const printed = run(work, ...words);
  writeFileSync(join(images, "build.svg"), terminal([`$ lambda-pack ${words.join(" ")}`, ...printed]));
  run(work, "inspect", "oci:.lambda-pack/app", "--html", "page.html");
  const chromium = await Chromium.open(join(work, "page.html"), { width: 1280, height: 800 });
  try {
    writeFileSync(join(images, "page.png"), await chromium.screenshot());
  } finally {
    await chromium.close();
  }
}

const work = mkdtempSync(join(tmpdir(), "lambda-pack-pictures-"));
try {
  mkdirSync(images, { recursive: true });
  await draw(work);
} finally {
  rmSync(work, { recursive: true, force: true });
}
