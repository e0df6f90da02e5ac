import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants, setPriority } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { startRegistry } from "../../test/support/components/registries.ts";
import { lambdaPack } from "./contenders.ts";
import { type Cost, measure } from "./measure.ts";

const BYTES_PER_SECOND = 50_000_000;

interface Link {
  readonly host: string;
  close(): void;
}

/** Raises the link's priority (needs root), because a real link uses no core of this machine. */
function goFirst(pid: number | undefined): void {
  try {
    setPriority(pid ?? 0, constants.priority.PRIORITY_HIGHEST);
  } catch {
    process.stdout.write("the link competes for the cores: run as root to give it precedence\n");
  }
}

async function slowLink(port: string): Promise<Link> {
  const script = fileURLToPath(new URL("slow-link.ts", import.meta.url));
  const child = spawn(process.execPath, ["--import", "tsx", script, port, String(BYTES_PER_SECOND)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  goFirst(child.pid);
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const { port: own } = JSON.parse(String(line)) as { readonly port: number };
  return { host: `127.0.0.1:${own}`, close: () => void child.kill() };
}

/**
 * Times packing, sending, and a build that does both, over a link of 50 MB/s to docker-registry.
 */
export async function overlap(
  app: string,
  out: string,
): Promise<Readonly<Record<"pack" | "send" | "both", Cost>>> {
  const image = `oci:${join(out, "image")}`;
  const build = (to: string) =>
    lambdaPack(
      "build",
      app,
      "--base",
      "scratch",
      "--entrypoint",
      "/var/task/run",
      "--no-check",
      "--to",
      to,
      "--no-cache",
      "--quiet",
    );
  const pack = await measure(build(image), out);
  const send = await overLink((host) =>
    lambdaPack("push", image, `${host}/bench/send:v1`, "--no-cache", "--quiet"),
  );
  const both = await overLink((host) => build(`${host}/bench/both:v1`));
  return { pack, send, both };
}

/** Runs the command against an empty registry behind the slow link. */
async function overLink(command: (host: string) => readonly string[]): Promise<Cost> {
  const registry = await startRegistry({ kind: "anonymous" });
  const link = await slowLink(new URL(registry.url).port);
  try {
    return await measure(command(link.host), registry.storage);
  } finally {
    link.close();
    await registry.stop();
  }
}
