import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

interface Package {
  readonly name: string;
  readonly version: string;
  readonly license?: string;
}

const FOLDER = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/;
const LICENSE = /^(?:licen[cs]e|copying|notice)(?:[.-].*)?$/i;

/** The licences of the packages that `files` are of, as they ask to be kept. @throws where one has none. */
export function thirdParty(root: string, files: readonly string[]): string {
  const folders = new Set(files.flatMap((file) => FOLDER.exec(file)?.[0] ?? []));
  const packages = [...folders].map((folder) => licenceOf(join(root, folder)));
  return `The JavaScript of lambda-pack holds code of these packages.\n${packages.sort().join("")}`;
}

function licenceOf(folder: string): string {
  const { name, version, license } = JSON.parse(
    readFileSync(join(folder, "package.json"), "utf8"),
  ) as Package;
  const texts = readdirSync(folder)
    .filter((file) => LICENSE.test(file))
    .map((file) => readFileSync(join(folder, file), "utf8").trim());
  if (license === undefined || texts.length === 0) throw new Error(`${name} ${version} has no licence`);
  return `\n${"=".repeat(80)}\n${name} ${version} (${license})\n\n${texts.join("\n\n")}\n`;
}
