import manifest from "../../../package.json" with { type: "json" };
import { dockerMain } from "./main.ts";

const stop = new AbortController();
process.on("SIGINT", () => stop.abort());
process.on("SIGTERM", () => stop.abort());

process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";
process.exitCode = 1;
const status = dockerMain(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  environment: process.env,
  directory: process.cwd(),
  signal: stop.signal,
  version: manifest.version,
  load: () => import("../api.ts"),
});
void status.then((code) => process.exit(code));
