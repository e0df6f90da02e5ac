import type { BaseReport } from "../../index.ts";
import type { Command, Flags } from "../command.ts";
import { readFlags, toggle } from "../flags.ts";
import { shortDigest } from "../text.ts";
import { TRANSFER_FLAGS, type TransferFlags, transferOptions } from "./common.ts";

interface BasesFlags extends Pick<TransferFlags, "cacheDir" | "noCache" | "offline" | "insecureRegistry"> {
  readonly resolve: boolean;
}

const { cacheDir, noCache, offline, insecureRegistry } = TRANSFER_FLAGS;
const FLAGS: Flags<BasesFlags> = {
  resolve: toggle("look up what each name stands for now"),
  ...{ cacheDir, noCache, offline, insecureRegistry },
};

export const bases: Command = {
  name: "bases",
  summary: "AWS's base images: names, systems, how a handler is written, and until when they are patched",
  positionals: [
    {
      name: "lang",
      summary: "python, nodejs, java, dotnet, ruby, provided or go",
      required: false,
      repeatable: false,
    },
  ],
  flags: FLAGS,
  examples: [{ line: "lambda-pack bases python --resolve", says: "Python's, with today's digests" }],
  read: ({ positionals: [language], ...words }, environment) => {
    const { resolve, ...flags } = readFlags(FLAGS, { ...words, positionals: [] }, environment);
    const { tags: _tags, ...transfer } = transferOptions({ ...flags, tag: [], jobs: undefined });
    return async (api, context) => {
      const found = await api.listBases({
        ...transfer,
        ...context,
        resolve,
        ...(language !== undefined && { language }),
      });
      return {
        text: (columns) => found.map((base) => rowOf(base, columns)).join(""),
        json: { bases: found },
      };
    };
  },
};

/** Beside each other where there is room, else one under the other. */
const WIDE = 90;

function rowOf(base: BaseReport, columns: number): string {
  const { name, system, architectures, deprecated, supported, handler, digests } = base;
  const until = supported ? `until ${deprecated}` : `no more patches (${deprecated})`;
  const cells = [
    name.padEnd(16),
    system.padEnd(18),
    architectures.join(" ").padEnd(13),
    until.padEnd(29),
    handler,
  ];
  const first =
    columns >= WIDE
      ? cells.join(" ").trimEnd()
      : `${name}\n  ${system}\n  ${architectures.join(" ")}\n  ${until}\n  ${handler}`;
  const resolved = Object.entries(digests ?? {}).map(
    ([architecture, digest]) => `  ${architecture} ${columns >= WIDE ? digest : shortDigest(digest)}\n`,
  );
  return `${first}\n${resolved.join("")}`;
}
