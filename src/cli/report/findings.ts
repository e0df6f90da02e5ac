import { posix } from "node:path";
import { styleText } from "node:util";
import type { CheckResult, Environment, Finding, Severity } from "../../index.ts";
import type { Output } from "../io.ts";
import { clean, plural, wrap } from "../text.ts";

const TONES = { error: "red", warning: "yellow", info: "cyan" } as const satisfies Record<Severity, string>;
const FEWEST_COLUMNS = 20;
const MOST_COLUMNS = 100;

/** What `check` says to people: the findings, errors first, and one line that sums them up. No line is wider than `columns`. */
export function findingsText(result: CheckResult, columns: number, stream: Output): string {
  const width = Math.max(FEWEST_COLUMNS, Math.min(columns, MOST_COLUMNS));
  const blocks = result.findings.map((finding) => block(finding, width, stream));
  return `${[...blocks, wrap(summary(result), width)].map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

function block(
  { severity, rule, path, message, otherwise, hint }: Finding,
  width: number,
  stream: Output,
): readonly string[] {
  const title = `${styleText(TONES[severity], severity, { stream })} ${rule}`;
  const lambda = severity === "info" ? [] : [`Lambda: ${otherwise}`];
  const texts = [...(path === undefined ? [] : [path]), message, ...lambda, `mend: ${hint}`];
  return [title, ...texts.flatMap((text) => wrap(clean(text), width - 2).map((line) => `  ${line}`))];
}

function summary({ source, platform, findings, rules, layers }: CheckResult): string {
  const count = (severity: Severity) => findings.filter((one) => one.severity === severity).length;
  const found = [
    plural(count("error"), "error"),
    plural(count("warning"), "warning"),
    ...(count("info") > 0 ? [`${count("info")} info`] : []),
  ];
  const verdict = findings.length === 0 ? "nothing to mend" : found.join(", ");
  const unread = layers.all - layers.read;
  const read =
    layers.read === 0 || unread === 0
      ? ""
      : `; ${plural(unread, "layer")} of the base not read (--deep reads them)`;
  return `${clean(source)} (${platform}): ${verdict}; ${plural(rules, "rule")}${read}`;
}

const COMMANDS = { error: "error", warning: "warning", info: "notice" } as const satisfies Record<
  Severity,
  string
>;

/** GitHub's workflow commands, one line for each finding; empty where no workflow of GitHub's runs this. */
export function annotations(result: CheckResult, environment: Environment): string {
  if (environment["GITHUB_ACTIONS"] !== "true") return "";
  return result.findings
    .map(({ severity, rule, path, message, hint }) => {
      const text = `${path === undefined ? "" : `${path}: `}${message}\nmend: ${hint}`;
      const place = fileOf(result, path);
      const file = place === undefined ? "" : `file=${property(place)},`;
      return `::${COMMANDS[severity]} ${file}title=${property(`lambda-pack ${rule}`)}::${data(text)}\n`;
    })
    .join("");
}

/** Of a folder, the file that the finding is about, where it went to where it goes by default; GitHub shows the finding there. */
function fileOf({ source, digest }: CheckResult, path = ""): string | undefined {
  const [, inside] = /^\/var\/task\/(.+)$/.exec(path) ?? [];
  return digest === undefined && inside !== undefined ? posix.join(source, inside) : undefined;
}

/** actions/toolkit, command.ts: what ends a command or a line of it is escaped. */
function data(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function property(text: string): string {
  return data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
