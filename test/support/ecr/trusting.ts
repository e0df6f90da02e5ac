/**
 * Import this first in a test file (or script) that talks TLS to an `ecrWorld()` from its own process. Node reads NODE_EXTRA_CA_CERTS
 * only when it starts, so this module starts the same file once more with it, hands through what it prints, and ends as it ends.
 * In that second process it does nothing, `ecrWorld()` uses the authority that is trusted there, and process.env has no
 * AWS or proxy settings of the machine.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { CertificateAuthority } from "../http/certificates.ts";
import { trustedAuthority } from "./trust.ts";

if (trustedAuthority() === undefined) {
  const certificates = new CertificateAuthority();
  certificates.keep();
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(AWS_|NODE_EXTRA_CA_CERTS$|.*_proxy$)/i.test(name),
  );
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    env: { ...Object.fromEntries(own), NODE_EXTRA_CA_CERTS: certificates.file },
    stdio: "inherit",
  });
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
  const [code] = await once(child, "exit");
  certificates.remove();
  process.exit(typeof code === "number" ? code : 1);
}
