import type { ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import https from "node:https";
import { createInterface } from "node:readline";

/** What a docker-registry was asked, from its access log in Apache's combined format. It is written late: a request of ours marks how far it has come. */
export function accessLogOf(child: ChildProcess, url: string): () => Promise<readonly string[]> {
  if (child.stdout === null) throw new Error("docker-registry has no stdout");
  const log = createInterface({ input: child.stdout });
  const requests: string[] = [];
  log.on("line", (line) => {
    const [, method, path, status] = /"([A-Z]+) (\S+) HTTP\/[\d.]+" (\d+)/.exec(line) ?? [];
    if (method !== undefined) requests.push(`${method} ${path} ${status}`);
  });
  return async () => {
    const mark = `/v2/?mark=${randomUUID()}`;
    await visit(url + mark);
    while (!requests.some((line) => line.includes(mark))) await once(log, "line");
    return requests.filter((line) => !line.includes("?mark="));
  };
}

function visit(url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const get = url.startsWith("https:") ? https.get : http.get;
    const asking = get(url, { rejectUnauthorized: false, agent: false }, (answer) => {
      answer.resume().once("end", resolve);
    });
    asking.once("error", reject);
  });
}
