import { runStep } from "./step.ts";

process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] ??= "true";
process.exitCode = 1;
const status = runStep({
  stdout: process.stdout,
  stderr: process.stderr,
  environment: process.env,
  signals: process,
  exit: (code) => process.exit(code),
  now: () => performance.now(),
  load: () => import("../src/cli/api.ts"),
});
void status.then((code) => process.exit(code));
