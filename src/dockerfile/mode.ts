import type { ModeChange } from "./step.ts";

/**
 * Reads the mode of chmod or `--chmod`: octal, or symbolic such as `+x` and `u=rwx,go=rx`.
 * An image keeps 0755 for what its owner may execute and 0644 for the rest, so that is all that is read.
 * @returns undefined where the mode is not understood.
 */
export function parseMode(text: string): ModeChange | undefined {
  if (/^[0-7]{3,4}$/.test(text)) return (Number.parseInt(text, 8) & 0o100) === 0 ? "plain" : "executable";
  const clauses = text.split(",").map((clause) => /^([ugoa]*)([-+=])([rwxXst]*)$/.exec(clause));
  if (clauses.includes(null)) return undefined;
  return (
    clauses.map((clause) => changeBy(clause ?? [])).findLast((change) => change !== "unchanged") ??
    "unchanged"
  );
}

function changeBy([, who = "", operator = "", permissions = ""]: readonly string[]): ModeChange {
  if (who !== "" && !/[ua]/.test(who)) return "unchanged";
  if (permissions.includes("x")) return operator === "-" ? "plain" : "executable";
  return operator === "=" ? "plain" : "unchanged";
}

/** Whether the mode also asks for something that an image does not keep. */
export function losesPermissions(text: string): boolean {
  return /^[0-7]{3,4}$/.test(text) && ![0o755, 0o644].includes(Number.parseInt(text, 8) & 0o777);
}
