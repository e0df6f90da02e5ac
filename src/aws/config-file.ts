import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Environment } from "./environment.ts";

/**
 * Reads the settings of the profile that AWS_PROFILE names, or of `default`, from the AWS CLI's
 * config file; none where the file or the profile is missing. For settings that the SDK ignores.
 */
export function profileSettings(environment: Environment): ReadonlyMap<string, string> {
  const profile = environment["AWS_PROFILE"] || "default";
  return sectionsOf(configText(environment)).get(profile) ?? new Map();
}

function configText(environment: Environment): string {
  const directory = environment["HOME"] || homedir();
  try {
    return readFileSync(environment["AWS_CONFIG_FILE"] || join(directory, ".aws", "config"), "utf8");
  } catch {
    return "";
  }
}

/** Reads the settings by profile. Indented lines belong to a nested setting and are left out. */
function sectionsOf(text: string): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const sections = new Map<string, Map<string, string>>();
  let current: Map<string, string> | undefined;
  for (const line of text.split(/\r?\n/)) {
    const name = /^\[\s*(?:profile\s+)?([^\]]+?)\s*\]/.exec(line)?.[1];
    if (name !== undefined) {
      current = sections.get(name) ?? new Map();
      sections.set(name, current);
    }
    const [, key, value] = /^([A-Za-z_]\w*)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) current?.set(key, value);
  }
  return sections;
}
