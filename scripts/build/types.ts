import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Tables, writeOptions } from "./option-types.ts";

/** A statement at the top level of a declaration file, with the comment before it. */
interface Statement {
  readonly name: string;
  readonly text: string;
}

/** Where a name is declared. */
interface Source {
  readonly file: string;
  readonly name: string;
}

interface Declarations {
  readonly statements: readonly Statement[];
  /** Names that come from other files. */
  readonly imported: ReadonlyMap<string, Source>;
}

const START = /^(?=(?:export|import|declare|interface|type|class|const|function) )/m;
const NAME = /^(?:export )?(?:declare )?(?:abstract )?(?:interface|type|class|const|function) (\w+)/;
const FROM = /^(?:import|export) (?:type )?\{([^}]*)\} from "(\.[^"]+)\.ts";\n/gm;
const INLINE = /import\("(\.[^"]+)\.ts"\)\.(\w+)/g;
const COMMENT = /\/\*(?:(?!\*\/)[\s\S])*\*\//g;
const LAST_COMMENT = /\/\*\*(?:(?!\*\/)[\s\S])*\*\/\s*$/;

/**
 * Merges the compiler's declaration files into one that holds what the exports of `index` need and
 * nothing else.
 * @param tables the tables of options, which are written out
 * @throws if two declarations that are needed have the same name
 */
export function rollUpTypes(index: string, tables: Tables = {}): string {
  const files = new Map<string, Declarations>();
  const kept = new Map<string, { readonly file: string; readonly statements: readonly Statement[] }>();
  const need = ({ file, name }: Source): void => {
    const { statements, imported } = files.get(file) ?? parse(file, tables);
    files.set(file, { statements, imported });
    const elsewhere = imported.get(name);
    if (elsewhere) {
      need(elsewhere);
      return;
    }
    const own = statements.filter((one) => one.name === name);
    const known = kept.get(name);
    if (own.length === 0 || known?.file === file) return;
    if (known) throw new Error(`${known.file} and ${file} both declare ${name}: rename one of them`);
    kept.set(name, { file, statements: own });
    for (const source of own.flatMap((statement) => sourcesOf(file, statement))) need(source);
  };
  const { imported } = parse(index, tables);
  for (const source of imported.values()) need(source);
  const texts = [...kept.values()].flatMap(({ statements }) => statements.map(({ text }) => text));
  return `${texts.join("").replace(INLINE, "$2")}export { ${[...imported.keys()].sort().join(", ")} };\n`;
}

function parse(file: string, tables: Tables): Declarations {
  const text = writeOptions(readFileSync(file, "utf8"), tables);
  const imported = [...text.matchAll(FROM)].flatMap(([, names = "", target = ""]) =>
    namesOf(names).map(({ name, local }) => [local, { file: fileOf(file, target), name }] as const),
  );
  const parts = text.replace(FROM, "").split(START);
  const statements = parts.flatMap((part, index) => {
    const name = NAME.exec(part)?.[1];
    const comment = LAST_COMMENT.exec(parts[index - 1] ?? "")?.[0] ?? "";
    const own = part.replace(LAST_COMMENT, "").replace(/^export (?=declare |interface |type )/, "");
    return name === undefined ? [] : [{ name, text: comment + own }];
  });
  return { statements, imported: new Map(imported) };
}

function namesOf(list: string): readonly { readonly name: string; readonly local: string }[] {
  return list.split(",").flatMap((one) => {
    const [name = "", local = name] = one
      .trim()
      .replace(/^type /, "")
      .split(" as ");
    return name === "" ? [] : [{ name, local }];
  });
}

function fileOf(importer: string, target: string): string {
  return join(dirname(importer), `${target}.d.ts`);
}

/** Returns every name that a statement may refer to, with the file that declares or imports it. */
function sourcesOf(file: string, { text }: Statement): readonly Source[] {
  const code = text.replace(COMMENT, "");
  const inline = [...code.matchAll(INLINE)].map(([, target = "", name = ""]) => ({
    file: fileOf(file, target),
    name,
  }));
  return [...inline, ...(code.match(/\w+/g) ?? []).map((name) => ({ file, name }))];
}
