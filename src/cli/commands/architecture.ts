import type { Architecture } from "../../index.ts";
import type { Flag } from "../command.ts";
import { value } from "../flags.ts";
import { choice } from "../values.ts";

/** Lambda's own names first, then what uname, Go, Node and docker call the same. */
const NAMES: Readonly<Record<string, Architecture>> = {
  x86_64: "x86_64",
  arm64: "arm64",
  amd64: "x86_64",
  x64: "x86_64",
  aarch64: "arm64",
  "linux/amd64": "x86_64",
  "linux/arm64": "arm64",
  "linux/arm64/v8": "arm64",
};

export const ARCHITECTURE_FLAG: Flag<Architecture | undefined> = value(choice(NAMES, ["x86_64", "arm64"]), {
  placeholder: "x86_64|arm64",
  summary: "the architecture of the image; amd64 and aarch64 are understood too",
  defaultText: "the base's where it has only one, else x86_64",
});
