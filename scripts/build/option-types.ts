import { readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { wrap } from "../../src/cli/text/wrap.ts";
import type { Option, OptionTable } from "../../src/commands/options/read.ts";

/** The tables of options by their names in the sources. */
export type Tables = Readonly<Record<string, OptionTable>>;

const OPTIONS_OF = /OptionsOf<typeof (\w+)>/g;
const COLUMNS = 100;

/**
 * Imports the tables that declaration files in `directory` use, from the sources in `src`. They are
 * compiled first, because the compiled tests run without tsx.
 */
export async function importTables(directory: string, src: string): Promise<Tables> {
  const files = readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".d.ts"))
    .map((file) => file.replace(/\.d\.ts$/, ""));
  const names = new Map(files.map((file) => [file, namesIn(join(directory, `${file}.d.ts`))]));
  const used = files.filter((file) => names.get(file)?.length);
  const outdir = join(directory, "tables");
  const entryPoints = used.map((file) => ({ in: join(src, `${file}.ts`), out: file }));
  const how = { bundle: true, splitting: true, platform: "node", format: "esm" } as const;
  await build({ ...how, entryPoints, outdir, packages: "external", logLevel: "warning" });
  symlinkSync(join(src, "../node_modules"), join(outdir, "node_modules"), "junction");
  writeFileSync(join(outdir, "package.json"), '{"type":"module"}');
  const tables: Record<string, OptionTable> = {};
  for (const file of used) {
    const module = await import(pathToFileURL(join(outdir, `${file}.js`)).href);
    for (const name of names.get(file) ?? []) tables[name] = module[name];
  }
  return tables;
}

function namesIn(file: string): readonly string[] {
  return [...readFileSync(file, "utf8").matchAll(OPTIONS_OF)].map(([, name = ""]) => name);
}

/**
 * Writes out the options that declarations derive from a table of the same file: one property for
 * each, with the description in the table, which an editor shows.
 */
export function writeOptions(text: string, tables: Tables): string {
  return text
    .replace(
      /type (\w+) = OptionsOf<typeof (\w+)>;/g,
      (_, name: string, table: string) => `interface ${name} ${propertiesOf(table, text, tables)}`,
    )
    .replace(OPTIONS_OF, (_, table: string) => propertiesOf(table, text, tables));
}

function propertiesOf(name: string, text: string, tables: Tables): string {
  const start = text.indexOf(`const ${name}: {\n`);
  const declared = text.slice(start, text.indexOf("\n};", start));
  const properties = Object.entries(tables[name] ?? {}).map(([key, option]) => {
    const line = new RegExp(`^    ${key}: (?:import\\("[^"]+"\\)\\.)?(?:Option|Omissible)<(.*)>;$`, "m");
    const [, types] = line.exec(declared) ?? [];
    if (types === undefined) throw new Error(`${name} declares ${key} in another form`);
    const comment = commentOf(wrap(descriptionOf(option), COLUMNS - 11));
    const mark = option.absent === undefined ? "" : "?";
    return `${comment}    readonly ${key}${mark}: ${inputOf(types)};\n`;
  });
  return `{\n${properties.join("")}}`;
}

function commentOf(lines: readonly string[]): string {
  if (lines.length === 1) return `    /** ${lines[0]} */\n`;
  return `    /**\n${lines.map((line) => `     * ${line}\n`).join("")}     */\n`;
}

/** Returns the second of two types: that of the values which a caller gives. */
function inputOf(types: string): string {
  let depth = 0;
  for (let at = 0; at < types.length; at++) {
    const character = types[at] ?? "";
    if ("<{([".includes(character)) depth++;
    else if (">})]".includes(character) && types[at - 1] !== "=") depth--;
    else if (character === "," && depth === 0) return types.slice(at + 2);
  }
  throw new Error(`one type instead of two: ${types}`);
}

function descriptionOf({
  type,
  summary,
  absent,
  placeholder,
  defaultText,
  variable,
  details,
}: Option<unknown>) {
  // What a word means on the command line is of no use to a program.
  const [what = ""] = summary.split(/; K alone|: one word each time/);
  const [byDefault] = defaultText?.split("; without a value") ?? [];
  const isSwitch = typeof absent?.value === "boolean";
  const isText = placeholder !== undefined && placeholder !== "K=V" && placeholder !== "WORD";
  const isNumber = /^a (?:whole )?number/.test(type.expected);
  return [
    isSwitch ? `${!absent.value}: ${what}` : isText ? `\`${placeholder}\`: ${what}` : capital(what),
    ...(isNumber ? [capital(type.expected)] : []),
    ...(details === undefined ? [] : [capital(details)]),
    ...(isSwitch ? [`Default ${absent.value}`] : byDefault === undefined ? [] : [`Default: ${byDefault}`]),
    ...(variable === undefined ? [] : [`Environment variable: ${variable}`]),
  ]
    .map((sentence) => `${sentence}.`)
    .join(" ");
}

function capital(text: string): string {
  return `${text[0]?.toUpperCase()}${text.slice(1)}`;
}
