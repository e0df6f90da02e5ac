import { LambdaPackError } from "../../errors.ts";
import { openRoot } from "../../layer/source-root.ts";
import { LOCAL_OPTIONS, type LocalOptions, type LocalPlan, localPlan } from "../local-options.ts";
import { readSessionOptions } from "../options/common.ts";
import { type OptionTable, off, optional, required, withDefault } from "../options/read.ts";
import { text, wholeNumber } from "../options/types.ts";

export interface DevOptions extends LocalOptions {
  /** The directory with the function. */
  readonly directory: string;
  /** Of 127.0.0.1; 0: any free one. Default 9000. */
  readonly port?: number;
  /** true: Node's inspector listens, and nothing is stopped for being late. Default false. */
  readonly inspect?: boolean;
  /** true: debugpy listens, and nothing is stopped for being late. Default false. */
  readonly debugpy?: boolean;
  /** The debugger's port; 0: any free one. Default: 9229 for Node, 5678 for Python. */
  readonly debugPort?: number;
}

export const DEV_OPTIONS = {
  directory: required<string>(text, "the directory with the function"),
  ...LOCAL_OPTIONS,
  port: withDefault(wholeNumber(0, 65_535), 9000, "port of 127.0.0.1 to listen on; 0 is any free one", {
    ...{ placeholder: "N", defaultText: "9000", group: "Server" },
  }),
  inspect: off("start Node's inspector; no timeout applies", { group: "Server" }),
  debugpy: off("start Python's debugpy; no timeout applies", { group: "Server" }),
  debugPort: optional<number>(wholeNumber(0, 65_535), "port of the debugger", {
    ...{ placeholder: "N", defaultText: "9229 for Node, 5678 for Python", group: "Server" },
  }),
} satisfies OptionTable & Record<keyof DevOptions, unknown>;

export interface DevPlan extends LocalPlan {
  readonly directory: string;
  readonly port: number;
  /** Ports of debuggers. */
  readonly debug: { readonly inspect?: number; readonly debugpy?: number };
}

/** @throws USAGE, DIRECTORY_UNREADABLE */
export function parseDevOptions(options: DevOptions): DevPlan {
  const { values, session } = readSessionOptions("dev", DEV_OPTIONS, options);
  const { directory, port, inspect, debugpy, debugPort } = values;
  openRoot(directory);
  if (inspect && debugpy)
    throw new LambdaPackError("USAGE", "--inspect and --debugpy exclude each other", {
      hint: "--inspect is for a function in Node, --debugpy for one in Python",
    });
  if (debugPort !== undefined && !inspect && !debugpy)
    throw new LambdaPackError("USAGE", "--debug-port has no effect without --inspect or --debugpy");
  const debug = {
    ...(inspect && { inspect: debugPort ?? 9229 }),
    ...(debugpy && { debugpy: debugPort ?? 5678 }),
  };
  return { ...localPlan(values, session), directory, port, debug };
}
