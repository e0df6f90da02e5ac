import { posix } from "node:path";
import { styleText } from "node:util";
import type { CheckResult, Environment, Finding, Severity } from "../../index.ts";
import type { Output } from "../io.ts";
import { annotationLine, clean, isGitHub, plural } from "../text/format.ts";
import { wrap } from "../text/wrap.ts";

const TONES = { error: "red", warning: "yellow", info: "cyan" } as const satisfies Record<Severity, string>;
const MIN_COLUMNS = 20;
const MAX_COLUMNS = 100;

/**
 * Formats the result of `check`: the findings, errors first, then one line of summary. No line is
 * wider than `columns`, within the two limits above.
 */
export function findingsText(result: CheckResult, columns: number, stream: Output): string {
  const width = Math.max(MIN_COLUMNS, Math.min(columns, MAX_COLUMNS));
  const blocks = result.findings.map((finding) => block(finding, width, stream));
  return `${[...blocks, wrap(summary(result), width)].map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

function block(
  { severity, rule, path, message, otherwise, hint }: Finding,
  width: number,
  stream: Output,
): readonly string[] {
  const title = `${styleText(TONES[severity], severity, { stream })} ${rule}`;
  const lambda = severity === "info" ? [] : [`Lambda would say: ${otherwise}`];
  const texts = [...(path === undefined ? [] : [path]), message, ...lambda, `fix: ${hint}`];
  return [title, ...texts.flatMap((text) => wrap(clean(text), width - 2).map((line) => `  ${line}`))];
}

function summary({ source, platform, findings, rules, layers }: CheckResult): string {
  const count = (severity: Severity) => findings.filter((one) => one.severity === severity).length;
  const found = [
    plural(count("error"), "error"),
    plural(count("warning"), "warning"),
    ...(count("info") > 0 ? [`${count("info")} info`] : []),
  ];
  const verdict =
    findings.length === 0
      ? `OK, ${plural(rules, "rule")} passed`
      : `${found.join(", ")}; ${plural(rules, "rule")}`;
  const unread = layers.all - layers.read;
  const read =
    layers.read === 0 || unread === 0
      ? ""
      : `; ${plural(unread, "layer")} of the base not read (--deep reads them)`;
  return `${clean(source)} (${platform}): ${verdict}${read}`;
}

const LEVELS = { error: "error", warning: "warning", info: "notice" } as const satisfies Record<
  Severity,
  string
>;

/** Returns workflow commands of GitHub Actions, one for each finding; empty outside a workflow. */
export function annotations(result: CheckResult, environment: Environment): string {
  if (!isGitHub(environment)) return "";
  return result.findings
    .map(({ severity, rule, path, message, hint }) =>
      annotationLine({
        level: LEVELS[severity],
        title: `lambda-pack ${rule}`,
        text: `${path === undefined ? "" : `${path}: `}${message}\nfix: ${hint}`,
        file: fileOf(result, path),
      }),
    )
    .join("");
}

/**
 * Returns the file in the source directory that a finding is about, if it was packed to /var/task.
 * GitHub shows the finding at that file.
 */
function fileOf({ source, digest }: CheckResult, path = ""): string | undefined {
  const [, inside] = /^\/var\/task\/(.+)$/.exec(path) ?? [];
  return digest === undefined && inside !== undefined ? posix.join(source, inside) : undefined;
}
