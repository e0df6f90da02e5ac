import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pLimit from "p-limit";

const limit = pLimit(2);

/** What the function may do where it runs, asked by trying. */
async function mayWrite(file) {
  return writeFile(file, "").then(
    () => true,
    () => false,
  );
}

export async function handler({ name = "world" }) {
  const places = [process.env.LAMBDA_TASK_ROOT, tmpdir()].map((directory) => join(directory, "probe"));
  const [task, tmp] = await Promise.all(places.map((file) => limit(() => mayWrite(file))));
  return { greeting: `hello, ${name}`, node: process.version, mayWrite: { task, tmp } };
}
