import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { wrap } from "../../src/cli/text/wrap.ts";
import type { Option, OptionTable } from "../../src/commands/options/read.ts";

/** The tables of options by their names in the sources. */
export type Tables = Readonly<Record<string, OptionTable>>;

const OPTIONS_OF = /OptionsOf<typeof (\w+)>/g;
const COLUMNS = 100;

/** Imports the tables that declaration files in `directory` use, from the sources in `src`. */
export async function importTables(directory: string, src: string): Promise<Tables> {
  const tables: Record<string, OptionTable> = {};
  for (const file of readdirSync(directory, { recursive: true, encoding: "utf8" })) {
    if (!file.endsWith(".d.ts")) continue;
    const names = [...readFileSync(join(directory, file), "utf8").matchAll(OPTIONS_OF)];
    if (names.length === 0) continue;
    const module = await import(pathToFileURL(join(src, file.replace(/\.d\.ts$/, ".ts"))).href);
    for (const [, name = ""] of names) tables[name] = module[name];
  }
  return tables;
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
