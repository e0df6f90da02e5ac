import type { ImageConfig } from "./image.ts";

/** A difference between two configs. A side without the field has no value. */
export interface ConfigChange {
  /** `Cmd`, `Env.PATH`, `Labels.version`, `architecture`. */
  readonly field: string;
  readonly before?: unknown;
  readonly after?: unknown;
}

/** Not compared as a whole: layers and history are reported elsewhere, `config` field by field. */
const ELSEWHERE = new Set(["rootfs", "history", "config"]);

/**
 * Compares configs field by field, variables and labels by name. Sorts by field. null counts as
 * missing, because Docker writes it for empty values.
 */
export function configChanges(before: ImageConfig, after: ImageConfig): readonly ConfigChange[] {
  const old = fieldsOf(before);
  const fresh = fieldsOf(after);
  const fields = [...new Set([...old.keys(), ...fresh.keys()])].sort();
  return fields
    .filter((field) => JSON.stringify(old.get(field)) !== JSON.stringify(fresh.get(field)))
    .map((field) => ({
      field,
      ...(old.has(field) && { before: old.get(field) }),
      ...(fresh.has(field) && { after: fresh.get(field) }),
    }));
}

function fieldsOf(settings: ImageConfig): ReadonlyMap<string, unknown> {
  const { Env: env, Labels: labels, ...run } = settings.config ?? {};
  const top = Object.entries(settings).filter(([name]) => !ELSEWHERE.has(name));
  const all: readonly (readonly [field: string, value: unknown])[] = [
    ...top,
    ...Object.entries(run),
    ...(env ?? []).map((line) => cut(line)),
    ...Object.entries(labels ?? {}).map(([name, value]) => [`Labels.${name}`, value] as const),
  ];
  return new Map(all.filter(([, value]) => value !== null && value !== undefined));
}

function cut(line: string): readonly [field: string, value: string] {
  const equals = line.indexOf("=");
  const name = equals < 0 ? line : line.slice(0, equals);
  return [`Env.${name}`, equals < 0 ? "" : line.slice(equals + 1)];
}
