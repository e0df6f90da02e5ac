import assert from "node:assert/strict";
import { it } from "node:test";
import { build } from "../../../../src/index.ts";
import { makeTree, temporaryDirectory } from "../../../support/trees.ts";

for (const [what, target] of [
  ["an absolute link", "/home/me/data"],
  ["a link out of the directory", "../../../../data"],
  ["a link to a file of the system", "/etc/hosts"],
] as const)
  it(`build tells ${what} that leads to nothing in the image once`, async () => {
    const told: string[] = [];
    await build({
      directory: makeTree({ bootstrap: "#!/bin/sh\n", data: { link: target } }),
      base: "scratch",
      entrypoint: ["/var/task/bootstrap"],
      allow: ["entrypoint", "runtime-client"],
      to: `oci:${temporaryDirectory()}/out`,
      cache: false,
      environment: { HOME: temporaryDirectory() },
      onEvent: (event) => void (event.type === "warning" && told.push(event.message)),
    });
    const lines = told.filter((message) => message.includes(target));
    assert.equal(lines.length, 1, told.join("\n"));
    assert.match(lines[0] ?? "", /1 link leads to nothing in the image: data -> .*\(links\)$/);
  });
