import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { it } from "node:test";
import { fileURLToPath } from "node:url";
import { type Component, component } from "../support/components/components.ts";

const directory = fileURLToPath(new URL("..", import.meta.url));
const CALL = /\bdescribeReal\(/g;
const NAMED_CALL = /\bdescribeReal\(\s*["`]([^"`]+)["`],\s*\[([^\]]*)\]/g;

interface RealTests {
  readonly name: string;
  readonly needs: readonly Component[];
}

const sources = readdirSync(directory, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".test.ts") && !file.endsWith("components.test.ts"))
  .map((file) => ({ file, text: readFileSync(join(directory, file), "utf8") }));

function realTestsOf(text: string): readonly RealTests[] {
  return [...text.matchAll(NAMED_CALL)].map(([, name = "", needs = ""]) => ({
    name,
    needs: [...needs.matchAll(/"([^"]+)"/g)].map(([, need]) => need as Component),
  }));
}

it("every group of real tests says by name what it needs", () => {
  const unclear = sources.filter(({ text }) => [...text.matchAll(CALL)].length !== realTestsOf(text).length);
  assert.deepEqual(
    unclear.map(({ file }) => file),
    [],
  );
});

it("what is left out for want of a component is said in one line", () => {
  const leftOut = sources
    .flatMap(({ text }) => realTestsOf(text))
    .map(({ name, needs }) => ({ name, missing: needs.filter((need) => !component(need)) }))
    .filter(({ missing }) => missing.length > 0);
  if (leftOut.length === 0) return;
  const missing = [...new Set(leftOut.flatMap((tests) => tests.missing))];
  const names = leftOut.map(({ name }) => JSON.stringify(name)).join(", ");
  process.stderr.write(
    `left out ${leftOut.length} groups of real tests, ${names}: no ${missing.join(", ")} here (scripts/setup-components.sh installs them)\n`,
  );
});
