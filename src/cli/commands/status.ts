import type { AliasStatus, ImageStatus, StatusResult } from "../../index.ts";
import type { Command, Flags } from "../command.ts";
import { FAILED } from "../exit.ts";
import { readFlags, toggle } from "../flags.ts";
import { clean, formatBytes, shortDigest, wrap } from "../text.ts";
import { REGION_FLAG } from "./aws-common.ts";

interface StatusFlags {
  readonly region: string | undefined;
  readonly wait: boolean;
}

const FLAGS: Flags<StatusFlags> = {
  region: REGION_FLAG,
  wait: toggle("wait until nothing is under way any more"),
};

const VERSIONS_AT_MOST = 5;

export const status: Command = {
  name: "status",
  summary: "how a function is: state, image, versions and aliases; exit status 1 where it does not serve",
  positionals: [{ name: "function", summary: "a name or an ARN", required: true, repeatable: false }],
  flags: FLAGS,
  examples: [{ line: "lambda-pack status app --wait", says: "until the change that is under way has ended" }],
  read: ({ positionals: [name = ""], ...words }, environment) => {
    const { region, wait } = readFlags(FLAGS, { positionals: [], ...words }, environment);
    return async (api, context) => {
      const result = await api.status({
        ...context,
        function: name,
        wait,
        ...(region !== undefined && { region }),
      });
      return {
        text: (columns) => statusText(result, columns),
        json: result,
        ...(!result.healthy && { status: FAILED }),
      };
    };
  },
};

const LABEL_COLUMNS = 10;
/** Narrower than this, a column of text would be a ladder. */
const TEXT_COLUMNS = 30;

function statusText(result: StatusResult, columns: number): string {
  const { packageType, architecture, memory, timeout } = result;
  const rows: (readonly [label: string, text: string])[] = [
    ["function", `${result.function}  ${result.region}`],
    ["state", result.state],
    ...whyRows(result, Math.max(TEXT_COLUMNS, columns - LABEL_COLUMNS)),
    ["arn", result.arn],
    [
      "runs on",
      `${architecture}, ${memory} MB, ${timeout} s${packageType === "Image" ? "" : `, ${packageType}`}`,
    ],
    ...(result.image ? imageRows(result.image) : []),
    ...result.aliases.map((alias) => ["alias", aliasText(alias)] as const),
    ...result.versions
      .slice(0, VERSIONS_AT_MOST)
      .map(
        ({ version, digest, state }) =>
          ["version", `${version}  ${digest ? shortDigest(digest) : ""}  ${state}`] as const,
      ),
  ];
  const more = result.versions.length - VERSIONS_AT_MOST;
  if (more > 0) rows.push(["", `and ${more} older`]);
  return rows
    .map(([label, text]) => `${label.padEnd(LABEL_COLUMNS)}${clean(text)}`.trimEnd())
    .map((line) => `${line}\n`)
    .join("");
}

/** The one row of sentences. */
function whyRows({ explanation }: StatusResult, columns: number) {
  if (explanation === undefined) return [];
  return wrap(clean(explanation), columns).map((line, index) => [index === 0 ? "why" : "", line] as const);
}

function imageRows({ reference, exists, tags, size, pullable }: ImageStatus) {
  const there =
    exists === undefined
      ? "not known whether it is still there"
      : exists
        ? `${formatBytes(size ?? 0)}${tags.length > 0 ? `, tagged ${tags.join(", ")}` : ", without a tag"}`
        : "is not in the repository any more: push the same image again, or deploy another";
  const pull =
    pullable === undefined
      ? "not known: the repository's policy may not be read"
      : pullable
        ? "the repository's policy lets Lambda pull"
        : `the repository's policy does not let Lambda pull: lambda-pack repo policy ${reference.replace(/@.*/, "")} --apply`;
  return [["image", reference] as const, ["", there] as const, ["pull", pull] as const];
}

function aliasText({ name, version, digest, weights }: AliasStatus): string {
  const others = Object.entries(weights).map(
    ([other, part]) => `, ${Math.round(part * 1000) / 10} % to ${other}`,
  );
  return `${name} -> ${version}${others.join("")}${digest ? `  ${shortDigest(digest)}` : ""}`;
}
