import { main } from "./main.ts";

// Seven lines of the AWS SDK about Node 20, on the first request, are not what the user asked for.
process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";

// A reader that has gone (`| head -1`) is no fault, and what else fails is told by who wrote.
process.stdout.on("error", () => {});
process.stderr.on("error", () => {});

// Should there be nothing left to wait for before the end, Node would call that a success.
process.exitCode = 1;
const status = main(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  environment: process.env,
  signals: process,
  exit: (code) => process.exit(code),
  now: () => performance.now(),
  load: () => import("./api.ts"),
});
// Sockets kept alive for a next request and idle workers must not keep the shell waiting.
void status.then((code) => process.exit(code));
